"""Payment model `platform_charge`: the network's own Stripe account charges, the specialist's share is paid out."""

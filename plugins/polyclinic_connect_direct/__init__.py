"""Payment model `connect_direct`: the specialist's own Stripe account charges, the network takes a commission."""

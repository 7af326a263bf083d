"""Payment model `external_invoice`: Visits that the specialist invoices outside the product."""

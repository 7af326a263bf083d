"""Hook implementations of the payment model `external_invoice`."""

"""Hook implementations of the payment model `free`."""

"""Hook implementations of the library `stripe`: the doors through which Stripe speaks to the product (E7)."""

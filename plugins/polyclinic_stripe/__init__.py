"""Stripe as a payment provider: one library on which the payment models `connect_direct` and `platform_charge` stand.

Modules that import Stripe's SDK (24 MB, 0.15 s) are loaded when a call is made, never when the product starts.
"""

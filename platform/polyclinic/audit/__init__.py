"""The audit trail (U3): every change and every staff read of patient data, written in the transaction that causes it."""

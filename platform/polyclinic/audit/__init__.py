"""The audit trail (U3): every change and every staff read of patient data, written where it happens."""

"""Hook implementations of the admin console."""

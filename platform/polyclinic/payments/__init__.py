"""What a visit costs and by which payment model; it knows a cause, never an appointment."""

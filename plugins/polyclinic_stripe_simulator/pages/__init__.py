"""What browsers see: hosted checkout, hosted onboarding, 3-D Secure, control."""

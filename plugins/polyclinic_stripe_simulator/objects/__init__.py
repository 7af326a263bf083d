"""What Stripe does with its objects: one module for each family."""

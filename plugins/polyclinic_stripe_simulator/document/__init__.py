"""What Stripe's own OpenAPI document allows, and checks against it."""

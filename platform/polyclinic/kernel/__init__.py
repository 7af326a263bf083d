"""What every feature stands on: clock, ids, money, errors, models, scope, outbox. No Flask."""

"""What every feature stands on and nothing else may leak into: clock, ids, money, errors, models, scope, outbox. No Flask."""

"""A specialist's time: availability rules, exceptions, time off, computed slots, claims against double booking."""

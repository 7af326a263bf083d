"""A specialist's time: availability rules, exceptions, time off, computed slots, and claims that exclude double booking."""

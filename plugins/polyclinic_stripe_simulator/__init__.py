"""A Stripe of our own for demonstrations and tests: a process on loopback that moves no money."""

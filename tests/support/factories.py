"""Factories: fixtures that return a callable which makes dummy things, through services where they exist."""

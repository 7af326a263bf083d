"""Portals, their domains and their settings: which host is which place, and what a portal chose."""

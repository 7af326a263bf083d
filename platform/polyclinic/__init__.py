"""Polyclinic: one installation, many patient portals, one place for specialists."""

__version__ = "0.1.0"

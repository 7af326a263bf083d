"""Agreements with versions and languages, and what somebody answered to one version."""

"""Hook specifications and the registry that finds, checks and calls plugins."""

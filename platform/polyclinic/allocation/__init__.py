"""Which patient and specialist belong together, since when and from what source."""

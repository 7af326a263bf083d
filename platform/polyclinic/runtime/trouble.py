"""What can stop an installation from starting, told to the person who started it."""


class Trouble(Exception):
    """Something stands in the way. The text says what was found and what to do; nothing was destroyed."""

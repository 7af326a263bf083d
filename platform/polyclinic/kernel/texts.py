"""What a text must be to be stored: PostgreSQL keeps UTF-8 without U+0000, and Python can hold more than that."""

from __future__ import annotations


def storable(text: str) -> bool:
    """Tell whether PostgreSQL can keep ``text``: no U+0000, and no half of a surrogate pair, which JSON can spell."""
    if "\0" in text:
        return False
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def all_storable(value: object) -> bool:
    """Tell the same of every text in what a JSON document says, names of members included."""
    waiting = [value]
    while waiting:  # no recursion: how deep it is, is up to the sender
        one = waiting.pop()
        if isinstance(one, str) and not storable(one):
            return False
        if isinstance(one, dict):
            waiting += [*one, *one.values()]
        elif isinstance(one, list):
            waiting += one
    return True

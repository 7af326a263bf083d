"""Arithmetic of half-open intervals of whole seconds: what the slots of a calendar are computed with.

A span is ``(begin, end)`` in seconds since 1970 UTC with ``begin < end``; the end does not belong to it. Lists of spans
that are *disjoint* here are sorted, and neither overlap nor touch. Plain tuples of integers, because a page asks
for thousands of them (docs/calendar.md).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

Span = tuple[int, int]


def union(spans: Iterable[Span]) -> list[Span]:
    """Return the disjoint spans that cover exactly what ``spans`` cover; empty and inverted ones cover nothing."""
    merged: list[Span] = []
    begin = end = None
    for low, high in sorted(spans):
        if low >= high:
            continue
        if end is None or begin is None:
            begin, end = low, high
        elif low <= end:
            if high > end:
                end = high
        else:
            merged.append((begin, end))
            begin, end = low, high
    if begin is not None and end is not None:
        merged.append((begin, end))
    return merged


def minus(spans: Sequence[Span], holes: Sequence[Span]) -> list[Span]:
    """Return ``spans`` without ``holes``; both disjoint, and so is the answer."""
    left: list[Span] = []
    at, count = 0, len(holes)
    for low, high in spans:
        while at < count and holes[at][1] <= low:
            at += 1
        look = at
        while look < count and holes[look][0] < high:
            begin, end = holes[look]
            if begin > low:
                left.append((low, begin))
            low = end
            if low >= high:
                break
            look += 1
        if low < high:
            left.append((low, high))
    return left


def within(spans: Iterable[Span], low: int, high: int) -> list[Span]:
    """Return the parts of ``spans`` between ``low`` and ``high``."""
    return [(max(begin, low), min(end, high)) for begin, end in spans if begin < high and end > low]


def overlaps(span: Span, others: Iterable[Span]) -> bool:
    """Tell whether ``span`` shares a moment with one of ``others``."""
    low, high = span
    return any(begin < high and end > low for begin, end in others)

"""What is wrong with one page as it stands, by day at a desk and by night on a phone (Playwright, synchronous; L3)."""

from __future__ import annotations

from playwright.sync_api import Page

from support.looks.checks import OF_COLOURS, SETTLED
from support.visitors import DESK, PHONE, violations


def look(page: Page, at: str) -> list[str]:
    """What is wrong with the page as it stands; at night only what depends on colours and on the width."""
    wrong = []
    for scheme, size, rules in (("light", DESK, ()), ("dark", PHONE, (*OF_COLOURS, "target-size"))):
        page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]  # one of its literals
        page.set_viewport_size(size)  # type: ignore[arg-type]  # a size
        page.evaluate(SETTLED)
        wrong += [f"{at} ({scheme}): {rule} {html}" for rule, html in violations(page, rules)]
        if not page.evaluate("document.documentElement.scrollWidth <= innerWidth"):
            wrong.append(f"{at} ({scheme}): wider than its window")
    return wrong

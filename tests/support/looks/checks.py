"""What is wrong with a page as it stands: axe, widths, cut texts, focus rings (Playwright, asynchronous)."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from playwright.async_api import Page

from support.visitors import AXE, WCAG

SCRIPT = (Path(__file__).with_name("checks.js")).read_text(encoding="utf-8")
#: Colours that are still on their way would be measured half way. The page is drawn anew first: after a change of the
#: colour scheme Chromium keeps colours that elements inherited, now and then.
SETTLED = (
    "document.documentElement.style.display = 'none'; document.documentElement.offsetHeight;"
    " document.documentElement.style.display = '';"
    "new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))"
    ".then(() => Promise.allSettled(document.getAnimations()"
    ".filter(one => one.effect.getComputedTiming().endTime < 2000).map(one => one.finished)))"
    ".then(() => document.fonts.ready).then(() => true)"
)
#: In the second mode of a width nothing but colours has changed.
OF_COLOURS = ["color-contrast", "link-in-text-block"]
_RUN = "wanted => axe.run(document, {runOnly: wanted, resultTypes: ['violations']})"


async def prepare(page: Page) -> None:
    """Bring axe and the checks into a page that has just been opened."""
    if not await page.evaluate("'axe' in window && 'looks' in window"):
        await page.evaluate(AXE.read_text())
        await page.evaluate(SCRIPT)


async def settle(page: Page) -> None:
    """Wait until nothing moves any more."""
    await page.evaluate(SETTLED)


async def violations(page: Page, only: list[str] | None = None) -> list[str]:
    """What axe finds against WCAG 2.2 AA (L3), or by some rules."""
    wanted = {"type": "rule", "values": only} if only else {"type": "tag", "values": WCAG}
    found: Any = await page.evaluate(_RUN, wanted)
    return [f"axe {rule['id']}: {node['html'][:140]}" for rule in found["violations"] for node in rule["nodes"]]


async def faults(page: Page) -> list[str]:
    """What is too wide, cut off or does not load."""
    found: list[str] = await page.evaluate("looks.faults()")
    return found


async def ringless(page: Page) -> list[str]:
    """Controls that show no focus."""
    found: list[str] = await page.evaluate("looks.ringless()")
    return found

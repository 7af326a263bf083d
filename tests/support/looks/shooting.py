"""Several browsers' worth of tabs at once: open, look, resize, look again; each picture with what was found on it."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from playwright.async_api import Browser, BrowserContext, Error, Page, async_playwright

from support.browser import install
from support.looks import checks
from support.looks.matrix import Cell, Only
from support.looks.network import PRESENT, LookedAt
from support.looks.scenes import Scene, Visit
from support.visitors import ARGUMENTS, Watch

#: Tabs that are worked on at once; more do not help where two cores paint.
TABS = 3
#: A picture ends here; what follows looks like what came before.
LONGEST = 2600
PATIENCE_MS = 30_000
ZONES = {"physio": "Europe/Berlin", "mind": "Europe/London", "nutrition": "Asia/Tokyo"}


@dataclass(frozen=True)
class Shot:
    """One picture."""

    look: str
    title: str
    cell: Cell
    path: Path


@dataclass(frozen=True, order=True)
class Finding:
    """Something wrong: where and what."""

    look: str
    title: str
    what: str
    cell: str


@dataclass
class Album:
    """Everything that was shot and found."""

    folder: Path
    shots: list[Shot] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)

    def path(self, look: str, title: str, cell: Cell) -> Path:
        """Where a picture goes."""
        name = re.sub(r"[^a-z0-9]+", "-", title.lower().replace("…", "x")).strip("-") or "home"
        folder = self.folder / "shots" / look
        folder.mkdir(parents=True, exist_ok=True)
        return folder / f"{name}-{cell.width}-{cell.scheme}-{cell.language}.jpg"

    def note(self, look: str, scene: Scene, cell: Cell | str, found: list[str]) -> None:
        """Keep what was found."""
        self.findings += [Finding(look, scene.title, what, str(cell)) for what in found]


def shoot(network: LookedAt, visits: list[Visit], only: Only, album: Album, say: Callable[[str], object]) -> None:
    """Look at everything that was asked for."""
    asyncio.run(_shoot(network, visits, only, album, say))


async def _shoot(
    network: LookedAt, visits: list[Visit], only: Only, album: Album, say: Callable[[str], object]
) -> None:
    work: asyncio.Queue[tuple[Visit, str]] = asyncio.Queue()
    for visit in visits:
        for language in only.languages_of(tuple(visit.languages)):
            if any(only.wants(visit.look, scene.title) for scene in visit.scenes):
                work.put_nowait((visit, language))
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=install(), args=ARGUMENTS)

        async def take() -> None:
            while not work.empty():
                visit, language = work.get_nowait()
                await _visit(network, browser, visit, language, only, album)
                who = visit.person.state if visit.person else "stranger"
                say(f"{visit.look} {who} {language}: {len(album.shots)} pictures, {len(album.findings)} findings")

        await asyncio.gather(*(take() for _tab in range(TABS)))
        await browser.close()


async def _visit(network: LookedAt, browser: Browser, visit: Visit, language: str, only: Only, album: Album) -> None:
    network.freeze()
    host = network.host(visit.look)
    context = await browser.new_context(
        locale=language if language != "rtl" else "en",
        timezone_id=ZONES.get(visit.look, "Europe/Berlin"),
        reduced_motion="reduce",
        bypass_csp=True,
    )
    context.set_default_timeout(PATIENCE_MS)
    await context.clock.set_fixed_time(PRESENT)
    watch = Watch({host})
    watch.over(context)  # type: ignore[arg-type]  # the asynchronous twin has the same events
    await _cookies(network, context, visit, language)
    page = await context.new_page()
    for scene in visit.scenes:
        if only.wants(visit.look, scene.title):
            try:
                await _look(network, page, visit, scene, list(only.cells(language, scene.reads_width)), album)
            except Error as error:
                album.note(visit.look, scene, language, [f"could not be looked at: {str(error).splitlines()[0]}"])
            album.note(visit.look, scene, language, _new(watch, scene))
    await context.close()


def _new(watch: Watch, scene: Scene) -> list[str]:
    """What the browser complained of since the last time, without the status that the page is there to show."""
    found, watch.problems = watch.problems, []
    return [one for one in dict.fromkeys(found) if not one.startswith(f"{scene.status} ")]


async def _cookies(network: LookedAt, context: BrowserContext, visit: Visit, language: str) -> None:
    address = network.live.url(network.host(visit.look))
    cookies: list[Any] = [{"name": "language", "value": visit.languages[language], "url": address}]
    if visit.person is not None:
        token = await asyncio.to_thread(network.cookie, visit.person.actor)
        cookies.append({"name": "sid", "value": token, "url": address})
    await context.add_cookies(cookies)


async def _look(network: LookedAt, page: Page, visit: Visit, scene: Scene, cells: list[Cell], album: Album) -> None:
    """Open a scene and go through its cells; the page is opened again only where its scripts read the width."""
    opened_at, first_of_width = 0, set[int]()
    for cell in cells:
        await page.emulate_media(color_scheme=cell.scheme)
        await page.set_viewport_size(cell.viewport)
        if not opened_at or (scene.reads_width and opened_at != cell.width):
            album.note(visit.look, scene, cell.language, await _open(network, page, visit, scene))
            opened_at = cell.width
        await checks.settle(page)
        colours_only = cell.width in first_of_width
        found = await checks.violations(page, checks.OF_COLOURS if colours_only else None)
        found += [] if colours_only else await checks.faults(page)
        first_of_width.add(cell.width)
        album.note(visit.look, scene, cell, found)
        album.shots.append(Shot(visit.look, scene.title, cell, await _picture(page, visit, scene, cell, album)))
    album.note(visit.look, scene, cells[-1], await checks.ringless(page))


async def _open(network: LookedAt, page: Page, visit: Visit, scene: Scene) -> list[str]:
    if scene.address.startswith("file:"):
        await page.goto(scene.address)
        await checks.prepare(page)
        return []
    answer = await page.goto(network.live.url(network.host(visit.look), scene.address), wait_until="load")
    status = answer.status if answer else 0
    if scene.typed:
        for selector, value in scene.typed:
            await page.fill(selector, value)
        async with page.expect_navigation() as navigated:
            await page.locator(scene.typed[-1][0]).press("Enter")
        answered = await navigated.value
        status = answered.status if answered else 0
    await checks.prepare(page)
    await _scroll_through(page)
    wanted = scene.address.partition("?")[0]
    arrived = await page.evaluate("location.pathname")
    found = [] if status == scene.status else [f"answers {status}, expected {scene.status}"]
    if not scene.typed and arrived != wanted:
        found.append(f"leads to {arrived}: say in looks/pages.py who can see it, or why it is not shot")
    return found


async def _scroll_through(page: Page) -> None:
    """Let pictures load that wait until they are seen."""
    await page.evaluate(
        "for (const image of document.images) image.loading = 'eager';"
        "Promise.allSettled([...document.images].map((image) => image.decode()))"
    )


async def _picture(page: Page, visit: Visit, scene: Scene, cell: Cell, album: Album) -> Path:
    path = album.path(visit.look, scene.title, cell)
    height = min(await page.evaluate("document.documentElement.scrollHeight"), LONGEST)
    height = max(height, cell.viewport["height"])
    if await page.evaluate("looks.hasBar()"):
        await page.set_viewport_size({"width": cell.width, "height": height})
    clip: Any = {"x": 0, "y": 0, "width": cell.width, "height": height}
    await page.screenshot(
        path=path, type="jpeg", quality=80, full_page=True, clip=clip, animations="disabled", caret="hide"
    )
    return path


def cells_of(album: Album) -> Iterator[Cell]:
    """Every way in which something was looked at, once."""
    yield from sorted({shot.cell for shot in album.shots}, key=str)

"""The main job as a stranger does it on a phone, in each theme: from the front page to the booked appointment."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

from playwright.sync_api import Browser, Page, sync_playwright
from sqlalchemy import text

from polyclinic.kernel.scope import Scope
from polyclinic.notifications.sink import folder_of
from polyclinic.web import jobs
from support.browser import install
from support.journey import choose_time, confirm, give_details, prove_address
from support.looks.matrix import Cell, Only
from support.looks.network import LookedAt
from support.looks.scenes import languages_of
from support.looks.shooting import PATIENCE_MS, ZONES, Album, Finding, Shot
from support.visitors import ARGUMENTS, CODE, Watch

TITLE = "walk"
_WAITING = text("SELECT id, portal_id FROM outbox WHERE done_at IS NULL AND kind = 'identity.code' ORDER BY id")


@dataclass(frozen=True)
class Walker:
    """Reads the mailed codes of a stranger; what ``prove_address`` asks for."""

    network: LookedAt

    def code(self, email: str) -> str:
        """Deliver what waits, and return the newest code for an address."""
        with self.network.superuser.connect() as connection:
            waiting = connection.execute(_WAITING).all()
        with self.network.app.app_context():
            for row in waiting:
                jobs.run_message(self.network.app, row.id, Scope("job", portal=row.portal_id))
        for path in sorted(folder_of(self.network.live.settings.home).glob("*.eml"), reverse=True):
            mail = path.read_text(errors="replace")
            if email in mail and (found := CODE.search(mail)):
                return found[1]
        raise AssertionError(f"no code has arrived for {email}")


def walk(network: LookedAt, only: Only, album: Album) -> None:
    """Walk through every portal in each of its languages that were asked for, by day and by night."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=install(), args=ARGUMENTS)
        for slug in network.portals:
            for language, code in languages_of(network, slug).items():
                cells = [cell for cell in only.cells(language, reads_again=False) if cell.width == 390]
                if only.wants(slug, TITLE) and only.languages_of((language,)) and cells:
                    _walk(network, browser, slug, code, cells, album)
        browser.close()


def _walk(network: LookedAt, browser: Browser, slug: str, code: str, cells: list[Cell], album: Album) -> None:
    network.freeze()
    host = network.host(slug)
    context = browser.new_context(
        viewport=cells[0].viewport,
        locale="de" if code == "de" else "en",
        timezone_id=ZONES[slug],
        reduced_motion="reduce",
        is_mobile=True,
        has_touch=True,
    )
    context.set_default_timeout(PATIENCE_MS)
    context.add_cookies([{"name": "language", "value": code, "url": network.live.url(host)}])
    watch = Watch({host})
    watch.over(context)
    page = context.new_page()
    step = _camera(page, slug, cells, album)
    try:
        page.goto(network.live.url(host))
        step("front page")
        _steps(network, page, f"walker-{code.lower()}@example.org", step)
    except Exception as broken:
        album.findings.append(Finding(slug, TITLE, f"ends at {page.url}: {str(broken).splitlines()[0]}", code))
        step("where it ended")
    album.findings += [Finding(slug, TITLE, problem, code) for problem in watch.problems]
    context.close()


def _steps(network: LookedAt, page: Page, email: str, step: Callable[[str], None]) -> None:
    page.locator("main a[href='/specialists'], main a[href^='/specialists?']").first.click()
    page.wait_for_url("**/specialists*")
    step("directory")
    page.locator("main a[href^='/specialists/']").first.click()
    page.wait_for_url(re.compile(r"/specialists/[0-9a-f-]+"))
    step("profile")
    choose_time(page, 1)
    page.wait_for_url("**/book/*")
    step("e-mail")
    prove_address(page, Walker(network), email, "Hildegard Sonnenschein")
    step("details")
    give_details(page, "Hildegard Sonnenschein")
    step("check")
    confirm(page)
    step("booked")
    page.goto(network.live.url(page.url.split("/")[2].partition(":")[0], "/appointments"))
    step("appointments")


def _camera(page: Page, slug: str, cells: list[Cell], album: Album) -> Callable[[str], None]:
    """Return what takes a picture of where the walk is, in each mode."""
    taken: list[str] = []

    def step(name: str) -> None:
        taken.append(name)
        for cell in cells:
            page.emulate_media(color_scheme=cell.scheme)
            title = f"{TITLE} {len(taken)} {name}"
            path = album.path(slug, title, cell)
            page.screenshot(path=path, type="jpeg", quality=80, full_page=True, animations="disabled")
            album.shots.append(Shot(slug, title, cell, path))
        if page.evaluate("document.documentElement.scrollWidth > innerWidth"):
            album.findings.append(Finding(slug, f"{TITLE} {name}", "wider than its window", str(cells[0])))

    return step

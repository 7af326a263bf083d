"""Real people's browsers: Chromium through Playwright, watched for errors, broken policies and foreign requests."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser as Chromium
from playwright.sync_api import BrowserContext, ConsoleMessage, Page, Request, Response, sync_playwright
from sqlalchemy import Engine, text

from polyclinic.kernel.actor import Actor
from support.browser import chromium
from support.calendars import START
from support.cast import PASSWORD, Cast, PortalCast
from support.live import Live, Mailroom
from support.source import ROOT

ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
    "--disable-quic",
]
PHONE, DESK = {"width": 390, "height": 844}, {"width": 1440, "height": 900}
AXE = ROOT / "platform" / "frontend" / "node_modules" / "axe-core" / "axe.min.js"
WCAG = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]
SCREENSHOTS = ROOT / "var" / "browser"
CODE = re.compile(r"\b(\d{6})\b")
#: The words of a portal's language that the browser is set to.
LOCALES = {"alpha": ("de-DE", "Europe/Berlin"), "beta": ("en-GB", "Europe/London"), "gamma": ("en-US", "Asia/Tokyo")}


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]) -> Any:
    """Remember whether the test failed, for the screenshots at its end."""
    report = yield
    setattr(item, f"report_{report.when}", report)
    return report


@pytest.fixture(scope="session")
def chrome() -> Iterator[Chromium]:
    """One Chromium for all tests of this process; no browser is a failure that names the package, never a skip."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium(), args=ARGUMENTS)
        yield browser
        browser.close()


@dataclass
class Watch:
    """What a browser did that it should not have done."""

    hosts: set[str]
    documents: set[str] = field(default_factory=set)
    problems: list[str] = field(default_factory=list)

    def over(self, context: BrowserContext) -> None:
        """Listen to everything the context's pages do."""
        context.on("request", self._request)
        context.on("response", self._response)
        context.on("console", self._console)
        context.on("weberror", lambda error: self.problems.append(f"script: {error.error}"))

    def _request(self, request: Request) -> None:
        parts = urlsplit(request.url)
        if parts.scheme in ("http", "https", "ws", "wss") and parts.hostname not in self.hosts:
            self.problems.append(f"a request left the host: {request.url}")

    def _response(self, response: Response) -> None:
        if response.request.resource_type == "document":
            self.documents.add(response.url)
        if response.status >= 500 or (response.status >= 400 and response.request.resource_type != "document"):
            self.problems.append(f"{response.status} {response.request.method} {response.url}")

    def _console(self, message: ConsoleMessage) -> None:
        of_page = message.text.startswith("Failed to load resource") and message.location["url"] in self.documents
        if message.type in ("error", "warning") and not of_page:
            self.problems.append(f"console: {message.text} ({message.location['url']})")


class Visitor:
    """Somebody's browser: a context of its own, and its first tab."""

    def __init__(self, live: Live, mailroom: Mailroom, context: BrowserContext, watch: Watch) -> None:
        self.live, self.mailroom, self.context, self.watch = live, mailroom, context, watch
        self.page = context.new_page()

    def open(self, host: str, path: str = "/") -> Page:
        """Go to a page of a host."""
        self.watch.hosts.add(host)
        self.page.goto(self.live.url(host, path))
        return self.page

    def sign_in(self, host: str, email: str) -> Page:
        """Sign in with the cast's password."""
        page = self.open(host, "/sign-in")
        page.fill("input[name=email]", email)
        page.fill("input[name=password]", PASSWORD)
        page.locator("input[name=password]").press("Enter")
        page.wait_for_url(lambda url: "/sign-in" not in url)
        return page

    def code(self, email: str) -> str:
        """The newest code that was sent to an address."""
        self.mailroom.deliver()
        newest = self.mailroom.mails(email)[-1].get_body(("plain",))
        assert newest is not None
        found = CODE.search(newest.get_content())
        assert found, newest
        return found[1]


def violations(page: Page, only: tuple[str, ...] = ()) -> list[tuple[str, str]]:
    """What axe finds against WCAG 2.2 AA on a page (L3), or by some rules; the page's policy must be bypassed."""
    if not page.evaluate("'axe' in window"):
        page.evaluate(AXE.read_text())
    wanted = {"type": "rule", "values": list(only)} if only else {"type": "tag", "values": WCAG}
    found = page.evaluate("wanted => axe.run(document, {runOnly: wanted, resultTypes: ['violations']})", wanted)
    return [
        (rule["id"], f"{node['html'][:160]} {node['any'][0]['message'] if node['any'] else ''}")
        for rule in found["violations"]
        for node in rule["nodes"]
    ]


NewVisitor = Callable[..., Visitor]


@pytest.fixture
def visitor(
    request: pytest.FixtureRequest, chrome: Chromium, live: Live, live_cast: Cast, mailroom: Mailroom, owner: Engine
) -> Iterator[NewVisitor]:
    """Return a callable that opens a browser; at the end nothing may have gone wrong in any of them."""
    set_time(owner)
    opened: list[Visitor] = []

    def new(portal: PortalCast | None = None, viewport: dict[str, int] = DESK, **options: Any) -> Visitor:
        locale, zone = LOCALES[portal.slug] if portal else ("en-GB", "Europe/Berlin")
        context = chrome.new_context(
            viewport=viewport, locale=locale, timezone_id=zone, reduced_motion="reduce", **options
        )
        context.set_default_timeout(15_000)
        watch = Watch(set())
        watch.over(context)
        opened.append(Visitor(live, mailroom, context, watch))
        return opened[-1]

    yield new
    report = getattr(request.node, "report_call", None)
    if report is not None and report.failed:
        _keep_pictures(request.node.name, opened)
    problems = [problem for one in opened for problem in one.watch.problems]
    for one in opened:
        one.context.close()
    assert problems == []


def _keep_pictures(name: str, opened: list[Visitor]) -> None:
    SCREENSHOTS.mkdir(parents=True, exist_ok=True)
    for number, one in enumerate(opened):
        for tab, page in enumerate(one.context.pages):
            path = SCREENSHOTS / f"{re.sub(r'[^a-z0-9]+', '-', name.lower())}-{number}-{tab}.png"
            page.screenshot(path=Path(path), full_page=True)


def set_time(owner: Engine, minutes: int = 0) -> None:
    """Make it the Monday morning of the calendar tests, or some minutes later."""
    with owner.begin() as connection:
        connection.execute(
            text('UPDATE app_clock SET "offset" = CAST(:start AS timestamptz) - statement_timestamp() + :later'),
            {"start": START, "later": f"{minutes} minutes"},
        )


def specialist_of(cast: Cast, portal: PortalCast) -> Actor:
    """Somebody who is listed on one portal alone."""
    return {"alpha": cast.ada, "beta": cast.ben, "gamma": cast.cleo}[portal.slug]

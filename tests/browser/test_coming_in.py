"""U1, B2 in a real browser: coming in at every place, on a phone by night and at a desk by day."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from threading import Thread
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright
from sqlalchemy import Engine, text
from werkzeug.serving import make_server

from polyclinic.web.places import PlaceFlask
from support.browser import chromium
from support.cast import PASSWORD, SHARED_EMAIL, Cast
from support.source import ROOT

pytestmark = pytest.mark.slow
AXE = ROOT / "platform" / "frontend" / "node_modules" / "axe-core" / "axe.min.js"
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update"]
WCAG = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]
CAST = [("beta.localhost", SHARED_EMAIL), ("specialists.localhost", "sam@specialists.example")]
CAST += [("admin.localhost", "olga@network.example")]
SIZES: list[tuple[int, Any]] = [(390, "dark"), (1440, "light")]


@pytest.fixture(scope="module")
def chrome() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium(), args=FLAGS)
        yield browser
        browser.close()


@pytest.fixture
def port(app: PlaceFlask, cast: Cast) -> Iterator[int]:
    server = make_server("127.0.0.1", 0, app, threaded=True)
    thread = Thread(target=server.serve_forever)
    thread.start()
    yield server.server_port
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def code_for(owner: Engine) -> Callable[[str], str]:
    """Read the code that a mail would bring."""

    def read(email: str) -> str:
        query = text("SELECT payload->>'code' FROM outbox WHERE payload->>'email' = :email ORDER BY id DESC LIMIT 1")
        with owner.connect() as connection:
            return str(connection.execute(query, {"email": email}).scalar_one())

    return read


def check(page: Page) -> None:
    """Nothing against WCAG 2.2 AA, and nothing wider than the window."""
    page.wait_for_timeout(200)
    page.evaluate(AXE.read_text())
    found = page.evaluate("tags => axe.run(document, {runOnly: tags})", WCAG)
    broken = [(rule["id"], node["html"][:120]) for rule in found["violations"] for node in rule["nodes"]]
    assert broken == [], page.url
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), page.url


@pytest.mark.parametrize(("width", "scheme"), SIZES)
@pytest.mark.parametrize(("host", "email"), CAST)
def test_everybody_comes_in_and_finds_their_account(
    chrome: Browser, port: int, host: str, email: str, width: int, scheme: Any
) -> None:
    """L3: refused first, then in; profile, security and tokens are accessible."""
    size = {"width": width, "height": 844}
    context = chrome.new_context(viewport=size, color_scheme=scheme, locale="en", bypass_csp=True)  # for axe
    page = context.new_page()
    page.goto(f"http://{host}:{port}/account")
    page.get_by_label("E-mail address").fill(email)
    page.get_by_label("Password", exact=True).fill("wrong")
    page.get_by_role("button", name="Sign in", exact=True).click()
    expect(page.locator("[data-error-summary]")).to_be_focused()
    expect(page.get_by_label("E-mail address")).to_have_value(email)
    check(page)
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    page.get_by_role("button", name="Sign in", exact=True).click()
    expect(page).to_have_url(f"http://{host}:{port}/account")
    check(page)
    for tab in ("Security", "API tokens"):
        page.get_by_role("link", name=tab, exact=True).click()
        check(page)
    context.close()


@pytest.mark.parametrize(("width", "scheme"), SIZES)
def test_a_new_patient_comes_in_by_code_without_script(
    chrome: Browser, port: int, width: int, scheme: Any, code_for: Callable[[str], str]
) -> None:
    """B2: address, code, name; every step is a form."""
    size = {"width": width, "height": 844}
    context = chrome.new_context(viewport=size, color_scheme=scheme, locale="en", java_script_enabled=False)
    page = context.new_page()
    page.goto(f"http://alpha.localhost:{port}/sign-in/email?next=/account")
    page.get_by_label("E-mail address").fill("nia@example.org")
    page.get_by_role("button", name="Send the code").click()
    page.get_by_label("Code").fill(code_for("nia@example.org"))
    page.get_by_role("button", name="Continue").click()
    page.get_by_label("Your name").fill("Nia Newman")
    page.get_by_role("button", name="Continue").click()
    expect(page).to_have_url(f"http://alpha.localhost:{port}/account")
    expect(page.get_by_label("Name", exact=True)).to_have_value("Nia Newman")
    context.close()


@pytest.mark.parametrize(("width", "scheme"), SIZES)
def test_pages_of_registering_are_accessible(
    chrome: Browser, port: int, width: int, scheme: Any, code_for: Callable[[str], str]
) -> None:
    """L3: with and without refusals."""
    size = {"width": width, "height": 844}
    context = chrome.new_context(viewport=size, color_scheme=scheme, locale="en", bypass_csp=True)  # for axe
    page = context.new_page()
    page.goto(f"http://alpha.localhost:{port}/register")
    page.get_by_role("button", name="Create the account").click()
    expect(page.locator("[data-error-summary]")).to_be_focused()
    check(page)
    page.goto(f"http://alpha.localhost:{port}/forgot")
    check(page)
    page.get_by_label("E-mail address").fill(SHARED_EMAIL)
    page.get_by_role("button", name="Send the code").click()
    check(page)
    page.goto(f"http://alpha.localhost:{port}/sign-in/email")
    check(page)
    page.get_by_label("E-mail address").fill("nia@example.org")
    page.get_by_role("button", name="Send the code").click()
    check(page)
    page.get_by_label("Code").fill(code_for("nia@example.org"))
    page.get_by_role("button", name="Continue").click()
    check(page)
    context.close()

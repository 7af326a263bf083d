"""Components in a real browser: accessible in every theme, scheme and width, and alive under the security policy."""

from __future__ import annotations

import re
from collections.abc import Iterator
from threading import Thread
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect
from werkzeug.serving import make_server

from polyclinic.web.places import PlaceFlask
from support.cast import Cast
from support.visitors import violations

pytestmark = pytest.mark.slow
ZONE = "Europe/Berlin"  # the sample's own: a page in another zone would tell the server and ask for itself again


@pytest.fixture
def port(app: PlaceFlask, cast: Cast) -> Iterator[int]:
    server = make_server("127.0.0.1", 0, app, threaded=True)
    thread = Thread(target=server.serve_forever)
    thread.start()
    yield server.server_port
    server.shutdown()
    thread.join()
    server.server_close()


def open_page(chrome: Browser, address: str, *, width: int = 1440, scheme: Any = "light", **options: Any) -> Page:
    context = chrome.new_context(
        viewport={"width": width, "height": 900}, color_scheme=scheme, timezone_id=ZONE, **options
    )
    page = context.new_page()
    page.goto(address)
    return page


@pytest.mark.parametrize("theme", ["base", "specialists", "console"])
def test_every_component_is_accessible_on_a_phone_by_night_and_at_a_desk_by_day(
    chrome: Browser, port: int, theme: str
) -> None:
    """L3: axe finds nothing against WCAG 2.2 AA, and no page is wider than its window."""
    for width, scheme in ((390, "dark"), (1440, "light")):
        address = f"http://dev.localhost:{port}/styleguide?theme={theme}"
        page = open_page(chrome, address, width=width, scheme=scheme, bypass_csp=True)
        page.wait_for_timeout(300)
        assert violations(page) == [], (theme, width, scheme)
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
        page.context.close()


def test_scripts_run_without_breaking_the_security_policy(chrome: Browser, port: int) -> None:
    """DESIGN "Front end": calendar, menus and dialogs work under the page's own policy; the console stays empty."""
    page = open_page(chrome, "about:blank")
    said: list[str] = []
    page.on("console", lambda message: said.append(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda error: said.append(str(error)))
    page.goto(f"http://dev.localhost:{port}/styleguide?theme=console")
    page.locator(".event-title", has_text="Lena Vogt").wait_for()
    page.get_by_role("button", name="Cancel this appointment…").click()
    assert page.locator("#sample-dialog").evaluate("dialog => dialog.open")
    page.keyboard.press("Escape")
    assert page.evaluate("document.activeElement.textContent.trim()") == "Cancel this appointment…"
    page.locator("[data-look=dark]").first.click()
    assert page.evaluate("document.documentElement.dataset.theme") == "dark"
    page.reload()
    assert page.evaluate("document.documentElement.dataset.theme") == "dark"
    assert said == []
    page.context.close()


def test_a_refused_form_has_the_focus_on_its_summary_and_links_to_the_fields(chrome: Browser, port: int) -> None:
    """L3: what was wrong is heard first; each line leads to its field."""
    page = open_page(chrome, f"http://dev.localhost:{port}/styleguide")
    expect(page.locator("[data-error-summary]").first).to_be_focused()
    page.get_by_role("link", name="Enter your e-mail address.").click()
    assert page.evaluate("document.activeElement.id") == "refused-email"
    page.context.close()


def test_a_countdown_counts_from_the_servers_figure_not_from_the_devices_clock(chrome: Browser, port: int) -> None:
    """C5: a wrong clock on the device changes nothing; at the end it says so."""
    page = open_page(chrome, "about:blank")
    page.add_init_script(
        "Date.now = () => 0; const real = performance.now.bind(performance); let ahead = 0;"
        "performance.now = () => real() + ahead; window.leap = (seconds) => { ahead += seconds * 1000 }"
    )
    page.goto(f"http://dev.localhost:{port}/styleguide")
    left = page.locator(".countdown-left").first
    expect(left).not_to_have_text("9:41")
    expect(left).to_have_text(re.compile("^9:[34]"))
    page.evaluate("leap(50)")
    expect(left).to_have_text(re.compile("^8:"))
    expect(page.locator(".countdown", has_text="The time has run out.")).to_have_count(2)
    expect(page.locator("#announcer")).to_have_text("The time has run out.")
    page.context.close()


def test_times_are_chosen_with_the_arrow_keys(chrome: Browser, port: int) -> None:
    """L3: the slot picker is native radio buttons."""
    page = open_page(chrome, f"http://dev.localhost:{port}/styleguide")
    chosen = page.locator("input[name=start]:checked")
    before = chosen.input_value()
    chosen.focus()
    page.keyboard.press("ArrowDown")
    assert page.locator("input[name=start]:checked").input_value() > before
    page.context.close()


def test_a_mirrored_page_reads_from_the_right(chrome: Browser, port: int) -> None:
    """L2: right-to-left comes from logical properties alone."""
    page = open_page(chrome, "about:blank")
    page.context.add_cookies([{"name": "language", "value": "ar_XB", "url": f"http://dev.localhost:{port}"}])
    page.goto(f"http://dev.localhost:{port}/styleguide")
    assert page.evaluate("document.documentElement.dir") == "rtl"
    brand, tools = page.locator(".brand").bounding_box(), page.locator(".site-tools").bounding_box()
    assert brand is not None and tools is not None
    assert brand["x"] > tools["x"]
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    page.context.close()

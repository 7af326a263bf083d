"""``make pictures``: the README's pictures, from the sample network at its fixed hour; small WebP in docs/pictures."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from io import BytesIO

from PIL import Image
from playwright.sync_api import Browser, Page, sync_playwright

from support.browser import install
from support.looks.letters import write_again
from support.looks.matrix import Scheme
from support.looks.network import PRESENT, LookedAt, Person, looked_at
from support.looks.scenes import languages_of
from support.looks.shooting import PATIENCE_MS, ZONES
from support.source import ROOT
from support.visitors import ARGUMENTS

FOLDER = ROOT / "docs" / "pictures"
#: What one picture may weigh, in bytes.
HEAVIEST = 150_000
GAP = 24
PORTALS = ("physio", "mind", "nutrition")


@dataclass(frozen=True)
class Studio:
    """A browser before the network, and where its pictures go."""

    network: LookedAt
    browser: Browser

    @contextmanager
    def sitting(
        self, look: str, width: int, height: int, person: Person | None = None, scheme: Scheme = "light"
    ) -> Iterator[Page]:
        """A page of a place as somebody sees it, in the place's first language or English."""
        self.network.freeze()
        address = self.network.live.url(self.network.host(look))
        language = languages_of(self.network, look)["en"] if look != "physio" else "de"
        context = self.browser.new_context(
            viewport={"width": width, "height": height},
            device_scale_factor=2,
            color_scheme=scheme,
            timezone_id=ZONES.get(look, "Europe/Berlin"),
            reduced_motion="reduce",
        )
        context.set_default_timeout(PATIENCE_MS)
        context.clock.set_fixed_time(PRESENT)
        context.add_cookies([{"name": "language", "value": language, "url": address}])
        if person is not None:
            context.add_cookies([{"name": "sid", "value": self.network.cookie(person.actor), "url": address}])
        yield context.new_page()
        context.close()

    def take(
        self,
        look: str,
        path: str,
        width: int,
        height: int,
        person: Person | None = None,
        scheme: Scheme = "light",
        before: Callable[[Page], object] = lambda _page: None,
    ) -> Image.Image:
        """One picture of a window."""
        with self.sitting(look, width, height, person, scheme) as page:
            page.goto(path if path.startswith("file:") else self.network.live.url(self.network.host(look), path))
            page.wait_for_load_state("networkidle")
            before(page)
            page.evaluate("document.activeElement?.blur()")
            return Image.open(BytesIO(page.screenshot(animations="disabled", caret="hide"))).convert("RGB")


def beside(pictures: list[Image.Image], width: int, paper: str = "#ffffff") -> Image.Image:
    """Pictures beside each other, ``width`` pixels in all."""
    each = (width - GAP * (len(pictures) - 1)) // len(pictures)
    small = [one.resize((each, round(one.height * each / one.width)), Image.Resampling.LANCZOS) for one in pictures]
    sheet = Image.new("RGB", (width, max(one.height for one in small)), paper)
    for number, one in enumerate(small):
        sheet.paste(one, (number * (each + GAP), 0))
    return sheet


def keep(name: str, picture: Image.Image, width: int) -> None:
    """Write a picture as small as it has to be."""
    if picture.width > width:
        picture = picture.resize((width, round(picture.height * width / picture.width)), Image.Resampling.LANCZOS)
    path = FOLDER / f"{name}.webp"
    for quality in (82, 74, 66, 58, 50, 40):
        picture.save(path, "WEBP", quality=quality, method=6)
        if path.stat().st_size < HEAVIEST:
            break
    print(f"  {path.relative_to(ROOT)}: {picture.width} × {picture.height}, {path.stat().st_size / 1000:.0f} kB")


def portals(studio: Studio) -> None:
    """The front pages of the three sample portals, and their directories on phones by night."""
    homes = [studio.take(slug, "/", 1180, 1500) for slug in PORTALS]
    keep("portals", beside(homes, 1800), 1800)
    phones = [studio.take(slug, "/specialists", 390, 800, scheme="dark") for slug in PORTALS]
    keep("directories", beside(phones, 1200), 1200)


def booking(studio: Studio) -> None:
    """Three steps of a booking on a phone."""
    booker = next(one for one in studio.network.people["physio"] if one.state == "booking")
    listing = studio.network.find(
        "SELECT listing_id FROM hold JOIN listing AS l USING (portal_id, specialist_id)"
        " JOIN published_profile USING (portal_id, specialist_id) WHERE patient_id = :person",
        person=booker.actor.id,
    )
    hold = studio.network.find("SELECT id FROM hold WHERE patient_id = :person", person=booker.actor.id)
    steps = [
        studio.take("physio", f"/specialists/{listing}", 390, 800),
        studio.take("physio", f"/specialists/{listing}#times", 390, 800),
        studio.take("physio", f"/book/{hold}/confirm", 390, 800, booker),
    ]
    keep("booking", beside(steps, 1200), 1200)


def staff(studio: Studio) -> None:
    """Where specialists and operators work."""
    busy, owner = studio.network.people["specialists"][0], studio.network.people["admin"][0]
    keep("dashboard", studio.take("specialists", "/dashboard", 1280, 800, busy), 1280)
    keep("calendar", studio.take("specialists", "/calendar", 1280, 800, busy), 1280)
    keep("console", studio.take("admin", "/", 1280, 800, owner), 1280)


def mails(studio: Studio) -> None:
    """The same letter from three portals."""
    found = {}
    for visit in write_again(studio.network, FOLDER.parent.parent / "var" / "pictures"):
        wanted = "de" if visit.look == "physio" else "en"
        if wanted in visit.languages and visit.look in PORTALS:
            confirmations = [one for one in visit.scenes if "best" in one.title or "confirmed" in one.title]
            found[visit.look] = confirmations[0].address
    letters = [studio.take(slug, found[slug], 560, 720) for slug in PORTALS]
    keep("mails", beside(letters, 1500), 1500)


def main() -> int:
    """Make them all again."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    with looked_at(lambda line: print(f"  {line}", flush=True)) as network, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=install(), args=ARGUMENTS)
        studio = Studio(network, browser)
        for make in (portals, booking, staff, mails):
            make(studio)
        browser.close()
    return 0


if __name__ == "__main__":
    sys.exit(main())

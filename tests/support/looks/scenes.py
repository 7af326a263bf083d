"""Who looks at which page: every page by whoever may see it, lists by people with much, little and nothing."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from polyclinic.tenancy.policy import LOCALES
from polyclinic.web import catalogues
from polyclinic.web.theming import themes
from support.live import Person as Reader
from support.looks.matrix import PSEUDO, Only
from support.looks.network import LookedAt, Person
from support.looks.pages import EXAMPLES, PageRoute, pages

#: Pages of signed-in people that look alike whatever these have.
ALIKE = ("_identity.account", "_identity.security", "_identity.tokens")
#: Pages whose scripts read the width when they open: opened anew for each.
READ_WIDTH = ("/calendar",)
ID = re.compile(r"[0-9a-f]{8}-")
WRONG_STATUSES = (404, 503)


@dataclass(frozen=True)
class Scene:
    """A page as it is looked at: its name in reports, its address, and what is typed there before looking."""

    title: str
    address: str
    typed: tuple[tuple[str, str], ...] = ()
    """Selector and text of each field; Enter is pressed in the last one."""
    status: int = 200

    @property
    def reads_width(self) -> bool:
        """Whether it has to be opened anew for each width."""
        return self.address.startswith(READ_WIDTH)


@dataclass(frozen=True)
class Visit:
    """The scenes that one person looks at in one place."""

    look: str
    person: Person | None
    scenes: tuple[Scene, ...]
    languages: dict[str, str]
    """The place's languages: name in the matrix -> code of the cookie."""


def visits(network: LookedAt, only: Only) -> Iterator[Visit]:
    """Everything there is to look at, place by place, of what was asked for."""
    by_place: dict[str, list[PageRoute]] = {}
    for page in pages(network.app):
        by_place.setdefault(page.place, []).append(page)
    for look in (*network.portals, "specialists", "admin"):
        if not only.looks or look in only.looks:
            yield from _of_place(network, look, by_place["portal" if look in network.portals else look])
    yield Visit("dev", None, tuple(_of_dev(network, by_place["dev"])), languages_of(network, "dev"))


def languages_of(network: LookedAt, look: str) -> dict[str, str]:
    """The languages of a place by their names in the matrix."""
    portal = network.portals.get(look)
    codes = portal.settings.get(LOCALES) if portal else catalogues.written_locales()
    found = {code[:2]: code for code in reversed(codes) if code[:2] in ("de", "en")}
    return {**dict(sorted(found.items())), "rtl": PSEUDO}


def _of_place(network: LookedAt, look: str, routes: list[PageRoute]) -> Iterator[Visit]:
    languages, stranger = languages_of(network, look), network.live.person(network.host(look))
    public = [page for page in routes if _open_to(stranger, network, look, page)]
    scenes = [scene for page in public for scene in _scenes(network, look, page, None)]
    yield Visit(look, None, (*scenes, *_extras(network, look)), languages)
    left = [page for page in routes if page not in public]
    for person in network.people[look]:
        mine = [page for page in left if _is_for(network, look, page, person)]
        scenes = [scene for page in mine for scene in _scenes(network, look, page, person)]
        if person.state == "many" and look in network.portals:
            scenes.append(Scene("/ (signed in)", "/"))
        few = {name: code for name, code in languages.items() if person.state == "many" or name != "en"}
        yield Visit(look, person, tuple(scenes), few)
    stranger.leave()


def _open_to(stranger: Reader, network: LookedAt, look: str, page: PageRoute) -> bool:
    """Whether somebody who is not signed in sees the page."""
    scene = next(_scenes(network, look, page, None), None)
    return scene is not None and stranger.get(scene.address, allow_redirects=False).status_code == 200


def _is_for(network: LookedAt, look: str, page: PageRoute, person: Person) -> bool:
    """Whether this person looks at the page: the first for whom its row exists, or everybody at a list."""
    if page.needs is None:
        alike = page.endpoint.endswith(ALIKE)
        return person.state != "booking" and (person.state == "many" or not alike)
    whose = next((one for one in network.people[look] if any(_scenes(network, look, page, one))), None)
    return whose is person


def _scenes(network: LookedAt, look: str, page: PageRoute, person: Person | None) -> Iterator[Scene]:
    """The scenes of a page for a person; none where there is no row for its id."""
    if page.needs is None:
        yield Scene(page.path + (f" [{person.state}]" if person else ""), page.path)
        return
    portal = network.portals.get(look)
    for name, query in EXAMPLES.get(page.needs, {}).items():
        if ":person" in query and person is None:
            continue
        values = {"person": person.actor.id if person else None, "portal": portal.id if portal else None}
        for example in network.find_all(query, **values):
            title = page.address("…" if ID.match(example) else example)
            yield Scene(f"{title} [{name}]" if name else title, page.address(example))


def _extras(network: LookedAt, look: str) -> Iterator[Scene]:
    """What no address shows by itself: not found, refused forms, codes on their way, filtered lists."""
    yield Scene("not found", "/nowhere", status=404)
    wrong = (("main input[name=email]", "nobody@example.org"), ("main input[name=password]", "a wrong password"))
    yield Scene("/sign-in refused", "/sign-in", wrong, status=422)
    yield Scene("/forgot/code", "/forgot", (("main input[name=email]", "somebody@example.org"),))
    if look in network.portals:
        yield Scene("/sign-in/code", "/sign-in/email", (("main input[name=email]", "new@example.org"),))
        yield Scene("/register refused", "/register", (("main input[name=email]", "not an address"),), status=422)
        yield Scene("/specialists [none]", "/specialists?q=Rumpelstilzchen")
        name = network.find(
            "SELECT name FROM published_profile WHERE portal_id = :portal ORDER BY name LIMIT 1",
            portal=network.portals[look].id,
        )
        yield Scene("/specialists [one]", f"/specialists?q={name}")


def _of_dev(network: LookedAt, routes: list[PageRoute]) -> Iterator[Scene]:
    yield from (Scene(page.path, page.path) for page in routes)
    with network.app.app_context():
        slugs = themes().slugs
    for slug in slugs:
        yield Scene(f"styleguide {slug}", f"/styleguide?theme={slug}")
        for status in WRONG_STATUSES:
            yield Scene(f"error {status} {slug}", f"/styleguide/error/{status}?theme={slug}", status=status)

"""Documents as PDF: fetched by whoever may have them, in each language, and turned into pictures page by page."""

from __future__ import annotations

from collections.abc import Iterator

import pypdfium2
from PIL.Image import Image

from support.looks.matrix import Cell, Only
from support.looks.network import LookedAt
from support.looks.pages import EXAMPLES, PageRoute, documents
from support.looks.scenes import languages_of
from support.looks.shooting import Album, Finding, Shot

#: Pixels of a picture per point of the page: A4 becomes 820 pixels wide.
SCALE = 820 / 595


def shoot_documents(network: LookedAt, only: Only, album: Album) -> None:
    """Add a picture of each page of each document to the album; one that nobody can have is a finding."""
    for route in documents(network.app):
        for look in network.portals if route.place == "portal" else (route.place,):
            offered = languages_of(network, look)
            if only.wants(look, route.path):
                for language in only.languages_of(tuple(offered)):
                    _shoot(network, route, look, language, offered[language], album)


def _shoot(network: LookedAt, route: PageRoute, look: str, language: str, code: str, album: Album) -> None:
    cell = Cell(820, "light", language)
    content = _fetch(network, route, look, code)
    if not content.startswith(b"%PDF"):
        album.findings.append(Finding(look, route.path, "no such document on the sample network", language))
        return
    for number, page in enumerate(_pages(content), 1):
        title = f"pdf: {route.address('…')} {number}"
        path = album.path(look, title, cell)
        page.save(path, quality=85)
        album.shots.append(Shot(look, title, cell, path))


def _fetch(network: LookedAt, route: PageRoute, look: str, code: str) -> bytes:
    """The first document that somebody of the place has; nothing where nobody has one."""
    portal = network.portals.get(look)
    for person in network.people[look]:
        for query in EXAMPLES[route.needs].values() if route.needs else ():
            found = network.find(query, person=person.actor.id, portal=portal.id if portal else None)
            if found is not None:
                cookie = f"sid={network.cookie(person.actor)}; language={code}"
                reader = network.live.person(network.host(look))
                answer = reader.get(route.address(found), headers={"Cookie": cookie})
                reader.leave()
                return answer.content
    return b""


def _pages(content: bytes) -> Iterator[Image]:
    document = pypdfium2.PdfDocument(content)
    for page in document:
        yield page.render(scale=SCALE).to_pil().convert("RGB")
    document.close()

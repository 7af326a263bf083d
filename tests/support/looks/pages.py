"""Which pages there are, by the application's own map of addresses: what is shot, and what is not and why.

A page without an id in its path is found by itself. A page with one needs a row of EXAMPLES (an id of the sample
network); test_looks.py fails until it has one, or a reason in NOT_SHOT.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from flask import Flask
from werkzeug.routing import Rule

from polyclinic.tenancy.pages import WOVEN

#: Places that have pages for people.
PLACES = ("portal", "specialists", "admin", "dev")
#: Addresses that answer programs or browsers, not readers: the beginning of a path.
NO_PAGES = ("/api/", "/static/", "/theme/")

#: What is printed, not looked at in a window (documents.py).
DOCUMENT = ".pdf"
LOOKUP = "answers a script with JSON"
A_FILE = "a file to keep, no page"
#: endpoint -> why nobody needs to look at it.
NOT_SHOT = {
    "specialists_booking.events": LOOKUP,
    "specialists_dashboard.counts": LOOKUP,
    "portal_appointments.calendar_file": A_FILE,
    "portal_payments.document": A_FILE,
    "specialists_transactions.document": A_FILE,
    "specialists_transactions.download": A_FILE,
    "portal_directory.portrait": "a picture, seen on the pages that show it",
    "dev_mailbox.home": "leads to the mailbox",
    "dev_mailbox.attachment": A_FILE,
    "dev_mailbox.source": "a mail as text",
    "dev_mailbox.html": "shot as the mails of each portal (letters.py)",
    "dev_mailbox.mail": "shot with the mails of each portal (letters.py)",
    "dev_styleguide.events": LOOKUP,
    "dev_styleguide.page": "shot once in each theme (scenes.py)",
    "dev_styleguide.error_page": "shot once in each theme (scenes.py)",
    "specialists_accounts.again": "leads on to the provider",
    "specialists_accounts.back": "where the provider leads back to; it leads on to the page it belongs to",
    "portal_identity.code": "needs a code on its way: shot after the step before it (scenes.py)",
    "portal_identity.name": "needs a proven address: the walk looks at it (walk.py)",
    "portal_identity.reset": "needs a code on its way: shot after the step before it (scenes.py)",
    "specialists_identity.reset": "needs a code on its way: shot after the step before it (scenes.py)",
    "admin_identity.reset": "needs a code on its way: shot after the step before it (scenes.py)",
}
#: Flask-Admin's own, switched off in the console: they lead back to the list.
_LIST_EXTRAS = ("ajax_lookup", "details_view", "edit_view", "create_view", "export")

#: What an id in a path is on the sample network: (place, static part of the path before it) -> name and query. Every
#: row of every query is looked at. ``:person`` is whoever visits, ``:portal`` where; a page is visited by the first
#: person for whom there is a row.
EXAMPLES: dict[tuple[str, str], dict[str, str]] = {
    ("portal", "/specialists/"): {
        "": "SELECT listing_id FROM published_profile JOIN listing_service USING (portal_id, specialist_id)"
        " WHERE portal_id = :portal GROUP BY listing_id, bio ORDER BY count(*) DESC, length(bio::text) DESC LIMIT 1",
    },
    ("portal", "/"): {
        "": f"SELECT name FROM page WHERE portal_id = :portal AND name NOT IN {tuple(WOVEN)} ORDER BY position, name"
    },
    ("portal", "/appointments/"): {
        state: f"SELECT id FROM appointment WHERE patient_id = :person AND state = '{state}'"
        " ORDER BY starts_at DESC LIMIT 1"
        for state in ("confirmed", "completed", "cancelled")
    },
    ("portal", "/book/"): {"": "SELECT id FROM hold WHERE patient_id = :person AND state = 'open' LIMIT 1"},
    ("portal", "/agreements/"): {
        "": "SELECT slug FROM agreement WHERE portal_id = :portal ORDER BY gate, slug LIMIT 1"
    },
    ("specialists", "/appointments/"): {
        state: f"SELECT id FROM appointment WHERE specialist_id = :person AND state = '{state}'"
        " ORDER BY starts_at DESC LIMIT 1"
        for state in ("confirmed", "completed", "cancelled")
    },
    ("specialists", "/patients/"): {
        "": "SELECT patient_id FROM appointment WHERE specialist_id = :person"
        " GROUP BY patient_id ORDER BY count(*) DESC, patient_id LIMIT 1",
    },
    ("admin", "/portals/"): {"": "SELECT id FROM portal ORDER BY slug LIMIT 1"},
    ("admin", "/contact-messages/"): {"": "SELECT id FROM contact_message ORDER BY created_at, id LIMIT 1"},
    ("admin", "/enquiries/"): {"": "SELECT id FROM enquiry ORDER BY created_at, id LIMIT 1"},
    ("admin", "/specialists/"): {"": "SELECT specialist_id FROM listing GROUP BY 1 ORDER BY count(*) DESC, 1 LIMIT 1"},
    ("admin", "/listings/"): {
        "": "SELECT portal_id || '/' || id FROM listing WHERE state = 'listed' ORDER BY created_at, id LIMIT 1"
    },
}


@dataclass(frozen=True)
class PageRoute:
    """A page of a place: its endpoint, and its path with the example's name in place of ids."""

    place: str
    endpoint: str
    path: str

    @property
    def needs(self) -> tuple[str, str] | None:
        """The key of EXAMPLES for the ids in the path, or None where there are none."""
        before, bracket, _rest = self.path.partition("<")
        return (self.place, before) if bracket else None

    def address(self, example: str) -> str:
        """The path with an example in the place of its ids."""
        return re.sub(r"<[^>]*>(/<[^>]*>)*", example, self.path, count=1)


def is_page(rule: Rule) -> bool:
    """Whether an address is one that people open: GET, in a place with pages, neither file nor API."""
    return (
        "GET" in (rule.methods or set())
        and rule.subdomain in PLACES
        and not rule.rule.startswith(NO_PAGES)
        and rule.endpoint.rpartition(".")[2] not in _LIST_EXTRAS
    )


def pages(app: Flask) -> Iterator[PageRoute]:
    """Every page that is shot by itself, place by place in the order of PLACES."""
    yield from (page for page in _routes(app) if not page.path.endswith(DOCUMENT))


def documents(app: Flask) -> Iterator[PageRoute]:
    """Every address that answers with a document to print."""
    yield from (page for page in _routes(app) if page.path.endswith(DOCUMENT))


def _routes(app: Flask) -> list[PageRoute]:
    found = [
        PageRoute(rule.subdomain or "", rule.endpoint, rule.rule)
        for rule in app.url_map.iter_rules()
        if is_page(rule) and rule.endpoint not in NOT_SHOT
    ]
    return sorted(found, key=lambda page: (PLACES.index(page.place), page.path))

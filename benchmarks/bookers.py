"""Patients who book by the API from beginning to end: hold, details and consent, confirmed appointment."""

from __future__ import annotations

import datetime as dt
import json
import time
from collections.abc import Callable, Iterator
from typing import Protocol

from sqlalchemy import text

from benchmarks.ground import Ground, service_id

#: Enough for every client and round: who has an appointment with a specialist is proposed the next one (B1).
PATIENTS = 2400
LENGTH = dt.timedelta(minutes=60)
TERMS = "booking-terms"
_PEOPLE = (
    "INSERT INTO patient (id, portal_id, email, name, locale, zone, verified_at)"
    " SELECT gen_random_uuid(), portal.id, 'p' || n || '@example.org', 'Patient ' || n, 'en', 'UTC', app_now()"
    " FROM portal, generate_series(0, CAST(:patients AS int) - 1) AS n WHERE portal.slug = 'p0'",
    "INSERT INTO api_token (id, token_hash, subject_kind, subject_id, portal_id, name, scopes)"
    " SELECT gen_random_uuid(), sha256(convert_to(email, 'UTF8')), 'patient', id, portal_id, 'Bench',"
    ' \'["appointments:read", "appointments:write"]\' FROM patient',
    "WITH made AS (INSERT INTO agreement (id, portal_id, slug, gate)"
    " SELECT gen_random_uuid(), id, :terms, 'booking' FROM portal RETURNING id, portal_id)"
    " INSERT INTO agreement_version (id, portal_id, agreement_id, version, locale, title, body, hash)"
    " SELECT gen_random_uuid(), portal_id, id, 1, 'en', 'Booking', body, sha256(convert_to(body, 'UTF8'))"
    " FROM made, repeat('What holds. ', 100) AS body",
)


class Asks(Protocol):
    """A connection that stays open."""

    def ask(self, method: str, path: str, body: object = None, **headers: str) -> tuple[int, bytes]:
        """Send a request and read all of the answer."""


def fill_people(ground: Ground) -> None:
    """Write the patients, a token of each, and an agreement that booking asks for."""
    with ground.owner.begin() as connection:
        for statement in _PEOPLE:
            connection.execute(text(statement), {"patients": PATIENTS, "terms": TERMS})


def booker(ground: Ground, client: Asks, number: int, clients: int) -> Callable[[], None]:
    """Return what books one appointment after the other, each for another patient at a time of its own."""
    with ground.owner.connect() as connection:
        listings = connection.execute(text("SELECT id FROM listing ORDER BY specialist_id")).scalars().all()
        version = connection.execute(
            text(
                "SELECT v.id FROM agreement_version AS v JOIN agreement AS a ON a.id = v.agreement_id WHERE slug = :s"
            ),
            {"s": TERMS},
        ).scalar_one()
    times = _times(client, [str(one) for one in listings[number::clients]])
    patients = iter(range(number, PATIENTS, clients))

    def book() -> None:
        who = {"Authorization": f"Bearer p{next(patients)}@example.org"}
        hold = _created(client.ask("POST", "/api/v1/holds", next(times), **who))
        wanted = {"hold_id": hold["id"], "phone": "+49 30 5550 1820", "consents": [str(version)]}
        appointment = _created(client.ask("POST", "/api/v1/appointments", wanted, **who))
        if appointment["state"] != "confirmed":
            raise AssertionError(appointment)

    return book


def _times(client: Asks, listings: list[str]) -> Iterator[dict[str, str]]:
    """Go through the free times of some specialists, none of which is in the way of another."""
    service, first = str(service_id(0)), dt.date.fromtimestamp(time.time()) + dt.timedelta(days=2)
    for listing in listings:
        free_from = dt.datetime.min.replace(tzinfo=dt.UTC)
        for week in range(8):
            begin = first + dt.timedelta(weeks=week)
            query = f"slots?service={service}&from={begin}&to={begin + dt.timedelta(days=7)}"
            _status, content = client.ask("GET", f"/api/v1/specialists/{listing}/{query}")
            for slot in json.loads(content)["items"]:
                start = dt.datetime.fromisoformat(slot["start"])
                if start >= free_from:
                    free_from = start + LENGTH
                    yield {"specialist_id": listing, "service_id": service, "starts_at": slot["start"]}


def _created(answer: tuple[int, bytes]) -> dict[str, str]:
    status, content = answer
    if status != 201:
        raise AssertionError(f"{status} {content[:400]!r}")
    found: dict[str, str] = json.loads(content)
    return found

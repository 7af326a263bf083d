"""What the matrix of routes knows: what an id in a path names, who may use it, and what to send with it.

A parameter is known by its place and the static part of the path before it; a route with a parameter that is not listed
here makes the matrix fail (T3).
"""

from __future__ import annotations

import datetime as dt
import io
import re
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from flask import Flask
from PIL import Image
from sqlalchemy.orm import Session
from werkzeug.routing import Rule

from polyclinic.directory.profiles import set_portrait
from polyclinic.kernel.scope import open_session
from polyclinic.web.files import files
from support.bookings import HOUR, TEN, Desk, in_browser
from support.calendars import START
from support.cast import Cast
from support.paid import add_paid
from support.populated import page_of

WORDS = "a file's name, a kind or a word of the program, no id of a row"
#: Parameters that name no row: (place or *, static part of the path) -> why.
NO_IDS = {
    ("*", "/static/build/"): WORDS,
    ("*", "/static/theme/"): WORDS,
    ("*", "/theme/"): WORDS,
    ("admin", "/static/admin/"): WORDS,
    ("dev", "/styleguide/error/"): WORDS,
    ("specialists", "/getting-paid/"): "names of a payment provider and of a kind of account",
    ("portal", "/"): "the name of a page that this portal wrote; a name it does not have is no address",
    ("dev", "/mail/"): "the dev host shows every mail of a demonstration and is impossible in production",
}

#: Flask-Admin's file kind, on every list of the console.
EXPORT = "export_type"


@dataclass(frozen=True)
class Parameter:
    """What an id names: one row that the person of the matrix may reach, and rows that they may not."""

    own: str
    foreign: tuple[tuple[str, str], ...]


#: (place, static part of the path before the parameter, its name) -> names of ids on the stage
PARAMETERS: dict[tuple[str, str, str], Parameter] = {}


def _know(place: str, paths: str, name: str, own: str, **foreign: str) -> None:
    for path in paths.split():
        PARAMETERS[place, path, name] = Parameter(own, tuple(foreign.items()))


_know(
    "portal",
    "/specialists/ /api/v1/specialists/",
    "listing_id",
    "listing of lea",
    another_portals="listing of ben on beta",
    same_persons_on_another_portal="listing of sam on beta",
    specialists_own_id="ada",
)
_know(
    "portal",
    "/api/v1/charges/",
    "charge_id",
    "charge of pat",
    another_patients="charge of the other patient",
    another_portals="charge on beta",
)
_know(
    "specialists",
    "/api/v1/charges/",
    "charge_id",
    "charge of pat",
    another_specialists="charge of the other patient",
    another_portals="charge on beta",
)
_know(
    "portal",
    "/account/sign-ins/",
    "sign_in_id",
    "sign-in of pat",
    another_portals="sign-in on beta",
    another_patients="sign-in of the other patient",
)
_know(
    "portal",
    "/account/tokens/",
    "token_id",
    "token of pat",
    another_portals="token on beta",
    another_patients="token of the other patient",
)
for _place, _path in (("portal", "/payments/receipts/"), ("specialists", "/transactions/receipts/")):
    _know(
        _place,
        _path,
        "receipt_id",
        "receipt of pat",
        another_portals="receipt on beta",
        another_patients_and_specialists="receipt of the other patient",
    )
for _place, _own, _other, _else in (("specialists", "ada", "ben", "oskar"), ("admin", "oskar", "olga", "ada")):
    for _path, _name, _what in (("sign-ins", "sign_in_id", "sign-in"), ("tokens", "token_id", "token")):
        _know(
            _place,
            f"/account/{_path}/",
            _name,
            f"{_what} of {_own}",
            another_persons=f"{_what} of {_other}",
            another_places=f"{_what} of {_else}",
            a_patients=f"{_what} of pat",
        )
for _kind, _path in (
    ("rule", "/api/v1/availability-rules/ /availability/hours/"),
    ("exception", "/api/v1/exceptions/ /availability/exceptions/"),
    ("time off", "/api/v1/time-off/ /availability/time-off/"),
):
    _know(
        "specialists",
        _path,
        "entry_id",
        f"{_kind} of ada",
        another_specialists=f"{_kind} of ben",
        a_colleagues=f"{_kind} of sam",
    )
_know(
    "specialists",
    "/patients/ /api/v1/patients/",
    "patient_id",
    "pat",
    another_portals="patient of beta",
    a_colleagues="other patient",
)
_know(
    "specialists",
    "/appointments/ /api/v1/appointments/",
    "appointment_id",
    "appointment of pat",
    another_portals="appointment on beta",
    a_colleagues="appointment of the other patient",
)
_know(
    "portal",
    "/book/ /api/v1/holds/",
    "hold_id",
    "hold of pat",
    another_portals="hold on beta",
    another_patients="hold of the other patient",
    a_guests="hold of a guest",
)
_know(
    "portal",
    "/appointments/ /api/v1/appointments/",
    "appointment_id",
    "appointment of pat",
    another_portals="appointment on beta",
    another_patients="appointment of the other patient",
)
_know("portal", "/agreements/terms/give/", "version_id", "version", another_portals="version of beta")
_know("admin", "/portals/ /listings/", "portal_id", "alpha", another_portals="beta")
_know("admin", "/listings/", "listing_id", "listing of ada", another_portals="listing of ben on beta")
_know("admin", "/contact-messages/", "message_id", "message of alpha", another_portals="message of beta")
PARAMETERS["admin", "/enquiries/", "enquiry_id"] = Parameter("enquiry", (("nobody's", "beta"),))
_know("admin", "/specialists/", "specialist_id", "ada", another_portals="ben")
_know(
    "specialists",
    "/websites/ /api/v1/listings/",
    "listing_id",
    "listing of ada",
    another_portals="listing of ben on beta",
    a_colleagues="listing of lea",
)

#: What a request of a route brings so that it can succeed with one's own id: endpoint -> fields.
BODIES: dict[str, dict[str, Any]] = {
    "console_listings.move": {"state": "paused", "reason": "A holiday."},
    "console_specialists.move": {"state": "suspended", "reason": "Papers are missing."},
    "portal_booking.book": {"name": "Pat Alpha", "phone": "", "message": ""},
    "portal_appointments.cancel": {"message": "Something came up."},
    "portal_booking_api.cancel": {"message": "Something came up."},
    "specialists_booking_api.cancel": {"message": "I am ill."},
    "specialists_booking.cancel": {"message": "I am ill."},
    "specialists_directory.move": {"state": "paused"},
    "specialists_directory_api.change_listing": {"state": "paused"},
    "specialists_directory_api.replace_listing_services": {"items": []},
    "specialists_calendar_api.replace_rule": {"weekday": 5, "starts": "10:00", "ends": "12:00"},
    "specialists_calendar_api.replace_exception": {"kind": "closed", "date": "2027-03-06"},
    "specialists_calendar_api.replace_time_off": {"first_day": "2027-03-20", "last_day": "2027-03-21"},
}


#: What stands behind the question mark: endpoint -> names of values on the stage, or words.
QUERIES: dict[str, dict[str, str]] = {
    "portal_directory_api.slots": {"service": "service", "from": "2027-03-01", "to": "2027-03-08"},
}
#: Routes whose control another person has to do, because the one of the matrix may not do it at all.
CONTROLS: dict[str, Callable[[Cast], Any]] = dict.fromkeys(
    ("console_specialists.move", "console_enquiries.show", "console_enquiries.mark"), lambda cast: cast.olga
)


#: What has to happen before a control can succeed.
BEFORE: dict[str, Callable[[Stage], None]] = dict.fromkeys(
    ("specialists_booking.complete", "specialists_booking_api.complete"), lambda stage: stage.wait(TEN + HOUR)
)


@dataclass(frozen=True)
class Row:
    """A route of the matrix: a rule and one of its methods."""

    place: str
    endpoint: str
    path: str
    method: str
    names: tuple[str, ...]
    parameters: tuple[Parameter | None, ...]

    @property
    def title(self) -> str:
        """How the row is called in the report."""
        return f"{self.place} {self.method} {self.path}"

    def address(self, ids: dict[str, str]) -> str:
        """The path with ids in it."""
        path = self.path
        for name in self.names:
            path = _replaced(path, name, ids[name])
        return path


def _replaced(path: str, name: str, value: str) -> str:
    before, _, rest = path.partition("<")
    while rest:
        converter, _, rest = rest.partition(">")
        if converter.rpartition(":")[2] == name:
            return before + value + rest
        more, bracket, rest = rest.partition("<")
        before += f"<{converter}>{more}{bracket}".removesuffix("<")
    raise AssertionError(f"{path} has no <{name}>")


def _static_before(whole: str, name: str) -> str:
    """The static part of a path up to a parameter, other parameters left out: /listings/ for the second id too."""
    path, position = "", whole
    while position:
        text, bracket, rest = position.partition("<")
        path += text
        converter, _, position = rest.partition(">")
        if bracket and converter.rpartition(":")[2] == name:
            return path.replace("//", "/")
    raise AssertionError(f"{whole} has no <{name}>")


#: Words in paths that are names of this portal's own things: part of a path -> the same with a name of the cast's.
NAMES = {"/agreements/<slug>": "/agreements/terms", "/<page:name>": "/story"}


def _paths(rule: Rule) -> Iterator[str]:
    """The path of a rule, once for each word that one of its parameters may be."""
    for part, named in NAMES.items():
        if part in rule.rule:
            yield rule.rule.replace(part, named)
            return
    words = re.search(r"<any\(([^)]*)\):\w+>", rule.rule)
    if words is None:
        yield rule.rule
        return
    for word in words[1].split(","):
        yield rule.rule.replace(words[0], word.strip(" '\""))


def rows(app: Flask) -> Iterator[Row]:
    """Every route with an id in its path."""
    for rule in sorted(app.url_map.iter_rules(), key=lambda rule: (rule.subdomain or "", rule.rule)):
        for path in _paths(rule):
            yield from _rows(rule, path)


def _rows(rule: Rule, path: str) -> Iterator[Row]:
    place = rule.subdomain or ""
    names = sorted(set(re.findall(r"<(?:[^:<>]+:)?(\w+)>", path)) - {EXPORT})
    befores = {name: _static_before(path, name) for name in names}
    if not names or any((one, befores[name]) in NO_IDS for one in (place, "*") for name in names):
        return
    found = tuple(PARAMETERS.get((place, befores[name], name)) for name in names)
    for method in sorted((rule.methods or set()) - {"HEAD", "OPTIONS"}):
        yield Row(place, rule.endpoint, path, method, tuple(names), found)


class Stage:
    """The cast with bookings, times and sign-ins of its own and of others, and the ids of all of it by name."""

    def __init__(self, desk: Desk) -> None:
        cast = desk.cast
        alpha, beta = cast.alpha, cast.beta
        pat, other = alpha.patient, alpha.other_patient
        self.desk, self.cast = desk, cast
        self.ids: dict[str, Any] = {
            "alpha": alpha.id,
            "service": alpha.service,
            "service of beta": beta.service,
            "agreement": alpha.agreement,
            "agreement of beta": beta.agreement,
            "version": alpha.version,
            "version of beta": beta.version,
            "beta": beta.id,
            "ada": cast.ada.id,
            "ben": cast.ben.id,
            "lea": cast.lea.id,
            "pat": pat.id,
            "other patient": other.id,
            "patient of beta": beta.patient.id,
            "listing of ada": cast.listing(alpha, cast.ada),
            "listing of lea": cast.listing(alpha, cast.lea),
            "listing of ben on beta": cast.listing(beta, cast.ben),
            "listing of sam on beta": cast.listing(beta, cast.sam),
            "appointment of pat": desk.book(pat, cast.ada).id,
            "appointment of the other patient": desk.book(other, cast.sam).id,
            "appointment on beta": desk.book(beta.patient, cast.ben).id,
        }
        for name in ("of pat", "of the other patient", "on beta"):
            query = "SELECT id FROM charge WHERE cause_id = :id"
            self.ids[f"charge {name}"] = desk.rows(query, id=self.ids[f"appointment {name}"])[0].id
        self.ids["hold of pat"] = desk.hold(in_browser(pat, "pat"), cast.lea, TEN + 2 * HOUR).id
        self.ids["hold of the other patient"] = desk.hold(other, cast.lea, TEN + 4 * HOUR).id
        self.ids["hold on beta"] = desk.hold(beta.patient, cast.sam, TEN + 4 * HOUR).id
        self.ids["hold of a guest"] = desk.hold(desk.guest(alpha), cast.sam, TEN + 6 * HOUR).id
        self._times()
        self._doors()
        self.ids["enquiry"] = uuid.uuid4()
        desk.write(_ENQUIRY, id=self.ids["enquiry"])
        for portal, name in ((alpha, "message of alpha"), (beta, "message of beta")):
            self.ids[name] = uuid.uuid4()
            desk.write(_MESSAGE, id=self.ids[name], portal=portal.id)
        self._paid()
        with Session(desk.owner) as session, session.begin():
            session.add(page_of(alpha))
        with open_session(desk.engine, cast.lea.scope()) as session:
            set_portrait(session, cast.lea, files(), cast.lea.id, picture())

    def wait(self, moment: dt.datetime) -> None:
        """Make it a later time."""
        self.desk.write('UPDATE app_clock SET "offset" = :moment - statement_timestamp()', moment=moment)

    def _paid(self) -> None:
        """A paid charge of each patient, with its receipt."""
        alpha, beta, cast = self.cast.alpha, self.cast.beta, self.cast
        for whose, portal, patient, specialist in (
            ("of pat", alpha, alpha.patient, cast.ada),
            ("of the other patient", alpha, alpha.other_patient, cast.sam),
            ("on beta", beta, beta.patient, cast.ben),
        ):
            charge = add_paid(self.desk.owner, portal, patient, specialist, uuid.uuid4())
            ((self.ids[f"receipt {whose}"],),) = self.desk.rows(
                "SELECT id FROM receipt WHERE charge_id = :charge", charge=charge
            )

    def _times(self) -> None:
        day = (START + 30 * 24 * HOUR).date()
        for name in ("ada", "ben", "sam"):
            specialist = getattr(self.cast, name).id
            for kind, statement in _TIMES.items():
                made = uuid.uuid4()
                self.desk.write(statement, id=made, specialist=specialist, day=day)
                self.ids[f"{kind} of {name}"] = made

    def _doors(self) -> None:
        alpha, beta = self.cast.alpha, self.cast.beta
        people = {
            "of pat": ("patient", alpha.patient.id, alpha.id),
            "of the other patient": ("patient", alpha.other_patient.id, alpha.id),
            "on beta": ("patient", beta.patient.id, beta.id),
            "of ada": ("specialist", self.cast.ada.id, None),
            "of oskar": ("operator", self.cast.oskar.id, None),
            "of ben": ("specialist", self.cast.ben.id, None),
            "of olga": ("operator", self.cast.olga.id, None),
        }
        for whose, (kind, person, portal) in people.items():
            for what, statement in _DOORS.items():
                made = uuid.uuid4()
                self.desk.write(statement, id=made, kind=kind, person=person, portal=portal, secret=made.bytes)
                self.ids[f"{what} {whose}"] = made


def picture() -> bytes:
    """A portrait to upload."""
    out = io.BytesIO()
    Image.new("RGB", (300, 300), "#a87").save(out, "PNG")
    return out.getvalue()


_TIMES = {
    "rule": "INSERT INTO availability_rule (id, specialist_id, weekday, starts, ends, zone)"
    " SELECT :id, :specialist, 6, '09:00', '10:00', 'Europe/Berlin' WHERE CAST(:day AS date) IS NOT NULL",
    "exception": "INSERT INTO availability_exception (id, specialist_id, kind, date, zone)"
    " VALUES (:id, :specialist, 'closed', :day, 'Europe/Berlin')",
    "time off": "INSERT INTO time_off (id, specialist_id, starts_at, ends_at, zone)"
    " SELECT :id, :specialist, moment, moment + interval '1 day', 'Europe/Berlin' FROM"
    " (SELECT CAST(:day AS date)::timestamptz AS moment) AS given",
}
_DOORS = {
    "sign-in": "INSERT INTO sign_in (id, subject_kind, subject_id, portal_id, token_hash, expires_at)"
    " VALUES (:id, :kind, :person, :portal, :secret, app_now() + interval '9 days')",
    "token": "INSERT INTO api_token (id, subject_kind, subject_id, portal_id, token_hash, name, scopes)"
    " VALUES (:id, :kind, :person, :portal, :secret, 'Calendar', '[]')",
}

_ENQUIRY = (
    "INSERT INTO enquiry (id, kind, name, email, practice, field, languages, portals, body, locale)"
    " VALUES (:id, 'team', 'Kim', 'kim@example.org', '', '', '[]', '[]', 'We are three.', 'en')"
)
_MESSAGE = (
    "INSERT INTO contact_message (id, portal_id, name, email, topic, body, locale)"
    " VALUES (:id, :portal, 'Kim', 'kim@example.org', 'booking', 'Where is my visit?', 'en')"
)

#: Who plays the matrix in each place, and where.
ACTORS: dict[str, Callable[[Cast], Any]] = {
    "portal": lambda cast: cast.alpha.patient,
    "specialists": lambda cast: cast.ada,
    "admin": lambda cast: cast.oskar,
}


def host_of(cast: Cast, place: str) -> str:
    """The host of a place where the matrix is played."""
    return cast.alpha.host if place == "portal" else f"{place}.localhost"

"""Languages and zones of a page, a mail or an answer: which one, and how times and money are written in it (L2).

Wall times are made here, on the server, from the pinned zones; scripts never convert them. flask-babel supplies
gettext; its own functions for dates are not used, because they know other zones (pytz).
"""

from __future__ import annotations

import copy
import datetime as dt
import functools
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Literal, cast
from urllib.parse import parse_qsl, unquote, urlencode, urlsplit
from zoneinfo import ZoneInfo

from babel import Locale, UnknownLocaleError, dates, numbers
from flask import Flask, Response, current_app, g, has_request_context, redirect, request
from flask_babel import force_locale, get_locale, gettext

from polyclinic.kernel.actor import Actor
from polyclinic.kernel.errors import NotFound, Unauthenticated
from polyclinic.kernel.money import Money, exponent
from polyclinic.kernel.zones import is_zone, zone
from polyclinic.resources import checkout, shipped
from polyclinic.tenancy.policy import LOCALES, TIME_ZONE, text_in
from polyclinic.web import catalogues
from polyclinic.web.auth import bearer_token, cookie_name, current_actor
from polyclinic.web.places import current_place
from polyclinic.web.wording import PortalBabel

Length = Literal["short", "medium", "long", "full"]

LANGUAGE_COOKIE = "language"
ZONE_COOKIE = "zone"
#: In the address of a page in one certain language, for search engines and for sharing.
LANGUAGE_ARGUMENT = "lang"
KEPT_FOR = dt.timedelta(days=365)
#: Places of the network speak what the product is translated into; portals choose from it.
PAGED_PLACES = ("portal", "specialists", "admin", "dev")
RIGHT_TO_LEFT = "right-to-left"


@dataclass(frozen=True, slots=True)
class Language:
    """A language that pages can be in."""

    code: str
    """As catalogues and settings name it: "de", "ar_XB"."""

    @property
    def tag(self) -> str:
        """As browsers name it, for `lang` and Content-Language: "de", "ar-XB"."""
        return self.code.replace("_", "-")

    @property
    def locale(self) -> Locale:
        """Babel's locale, which knows names and formats."""
        return locale_of(self.code)

    @property
    def name(self) -> str:
        """Its own name for itself, as a switch shows it: "Deutsch"."""
        if self.code == catalogues.PSEUDO:
            return catalogues.pseudo_text("Pseudo")
        name = self.locale.get_display_name(self.locale) or self.tag
        return name[:1].upper() + name[1:]

    @property
    def direction(self) -> Literal["ltr", "rtl"]:
        """For `dir`."""
        return "rtl" if self.locale.character_order == RIGHT_TO_LEFT else "ltr"


def locale_of(code: str) -> Locale:
    """Babel's locale of a code; the pseudo-locale has Arabic formats and a name of its own.

    Raises ValueError for a language that Babel does not know.
    """
    return _locale_of(code.replace("-", "_"))


@functools.lru_cache(maxsize=256)
def _locale_of(name: str) -> Locale:
    if name == catalogues.PSEUDO:
        locale = Locale(catalogues.PSEUDO_DATA)
        locale.territory = catalogues.PSEUDO.partition("_")[2]
        return locale
    try:
        return Locale.parse(name)
    except UnknownLocaleError as unknown:
        raise ValueError(f"{name!r} is not a language") from unknown


def choose(offered: Sequence[str], wishes: Sequence[str | None], accepted: Sequence[str] = ()) -> str:
    """The language of a page: the first wish that is offered, else what the browser accepts, else the default.

    ``offered`` begins with the default; ``wishes`` are exact codes or tags, ``accepted`` tags in order of preference,
    of which "de-AT" is served by "de".
    """
    known = {code.replace("_", "-").lower(): code for code in offered}
    for wish in wishes:
        if wish and (found := known.get(wish.replace("_", "-").lower())):
            return found
    for tag in accepted:
        name = tag.replace("_", "-").lower()
        if found := known.get(name) or known.get(name.partition("-")[0]):
            return found
    return offered[0]


def offered_codes() -> tuple[str, ...]:
    """The languages of the current place, its default first; demonstration and tests add the pseudo-locale."""
    portal = current_place().portal
    codes = portal.settings.get(LOCALES) if portal else tuple(catalogues.written_locales())
    return codes if current_app.config["POLYCLINIC"].production else (*codes, catalogues.PSEUDO)


def offered_languages() -> list[Language]:
    """What a language switch offers on the current place."""
    return [Language(code) for code in offered_codes()]


def current_language() -> Language:
    """The language of the page, mail or answer that is being made."""
    return Language(str(get_locale() or catalogues.SOURCE))


def _select_locale() -> Locale:
    if not has_request_context() or (request.routing_exception is not None and _nowhere()):
        return locale_of(catalogues.SOURCE)
    asked = request.args.get(LANGUAGE_ARGUMENT) if request.method in ("GET", "HEAD") else None
    wishes = [asked, request.cookies.get(cookie_name(LANGUAGE_COOKIE)), _preference("locale")]
    return locale_of(choose(offered_codes(), wishes, [tag for tag, _ in request.accept_languages]))


def _nowhere() -> bool:
    return request.environ.get("polyclinic.place") is None


def _preference(name: Literal["locale", "zone"]) -> str | None:
    """What the signed-in person prefers; asked before the page begins, so that all of it is in one language."""
    if "actor" not in g and not g.get("anonymous") and (request.cookies.get(cookie_name("sid")) or bearer_token()):
        try:
            current_actor()
        except Unauthenticated:  # a wrong token is answered by the view it was sent to, in the browser's language
            return None
    actor: Actor | None = g.get("actor")
    return None if actor is None else actor.locale if name == "locale" else actor.zone


def current_zone() -> ZoneInfo:
    """The reader's zone: as chosen in this browser, as the person prefers, else the portal's."""
    forced = g.get("zone")
    if forced is not None:
        return cast(ZoneInfo, forced)
    if not has_request_context():
        return zone("UTC")
    chosen = request.cookies.get(cookie_name(ZONE_COOKIE))
    wishes = (_preference("zone"), chosen) if current_place().name == "specialists" else (chosen, _preference("zone"))
    return next((zone(name) for name in wishes if name and is_zone(name)), portal_zone())


def portal_zone() -> ZoneInfo:
    """The zone of the current portal; UTC in other places."""
    portal = current_place().portal if has_request_context() else None
    return zone(portal.settings.get(TIME_ZONE)) if portal else zone("UTC")


@contextmanager
def use_locale(code: str, zone_name: str | None = None) -> Iterator[Language]:
    """Write in a person's language and zone, for mails and jobs; needs an app context."""
    before = g.get("zone")
    with force_locale(locale_of(code)):
        if zone_name:
            g.zone = zone(zone_name)
        try:
            yield Language(str(locale_of(code)))
        finally:
            g.zone = before


def localized(texts: Mapping[str, str], code: str | None = None, fallback: str | None = None) -> str:
    """Of a text in several languages, the one for the reader; else the portal's default, English, any."""
    if fallback is None and has_request_context() and not _nowhere():
        fallback = offered_codes()[0]
    return text_in(texts, code or current_language().code, fallback or catalogues.SOURCE)


def format_when(
    moment: dt.datetime, home: ZoneInfo | None = None, viewer: ZoneInfo | None = None, length: Length = "full"
) -> str:
    """Day and time of a moment in the reader's zone, which is named where its clock differs from that of ``home``.

    ``home`` is where the reader would expect the time to be from, by default the portal's zone.
    """
    seen = viewer or current_zone()
    day, time = format_day(moment, seen, length), format_time(moment, seen)
    text = str(gettext("%(day)s, %(time)s", day=day, time=time))
    if moment.astimezone(seen).utcoffset() == moment.astimezone(home or portal_zone()).utcoffset():
        return text
    return str(gettext("%(when)s (%(zone)s)", when=text, zone=format_zone(seen)))


def format_day(moment: dt.date | dt.datetime, viewer: ZoneInfo | None = None, length: Length = "full") -> str:
    """The day of a moment (in the reader's zone) or a date: "Tuesday, 24 November 2026"."""
    day = moment.astimezone(viewer or current_zone()).date() if isinstance(moment, dt.datetime) else moment
    return dates.format_date(day, length, locale=current_language().locale)


def format_month(day: dt.date) -> str:
    """The month of a day with its year: "November 2026"."""
    return str(dates.format_skeleton("yMMMM", day, locale=current_language().locale))


def weekday_names() -> list[str]:
    """The days of the week in the reader's language, Monday first."""
    names = dates.get_day_names("wide", "stand-alone", current_language().locale)
    return [str(names[day]) for day in range(7)]


def short_day(day: dt.date) -> str:
    """A day among its neighbours: "Tue 24"."""
    return str(dates.format_skeleton("Ed", day, locale=current_language().locale))


def format_time(moment: dt.datetime | dt.time, viewer: ZoneInfo | None = None) -> str:
    """The time of a moment in the reader's zone, or a wall time: "09:00"."""
    wall = moment.astimezone(viewer or current_zone()).time() if isinstance(moment, dt.datetime) else moment
    return dates.format_time(wall, "short", locale=current_language().locale)


def format_zone(where: ZoneInfo) -> str:
    """A zone as people call it: "Berlin time"."""
    city = dates.get_timezone_location(where, locale=current_language().locale, return_city=True)
    return str(gettext("%(city)s time", city=city))


def write_amount(money: Money, locale: Locale, digits: int) -> str:
    """Write an amount with exactly ``digits`` decimals: never as many as CLDR thinks fit for cash (E1)."""
    pattern = copy.copy(locale.currency_formats["standard"])
    pattern.frac_prec = (digits, digits)
    text = str(pattern.apply(money.amount, locale, currency=money.currency, currency_digits=False))
    return re.sub(r"(?<=[A-Z]{3})(?=[-\d])", "\u00a0", text)  # CLDR's currencySpacing, which Babel leaves out


def read_amount(text: str, currency: str, locale: Locale) -> Money:
    """Read an amount as people write it in a language: "80,50" in German, "1,200.50" in English.

    Raises ValueError where it is no amount in that language or finer than the currency's smallest unit.
    """
    try:
        value = numbers.parse_decimal(text.strip(), locale=locale, strict=True)
    except numbers.NumberFormatError as broken:
        raise ValueError(f"{text!r} is not an amount") from broken
    return Money.parse(f"{value:f}" if value.is_finite() else text, currency)


def format_money(money: Money) -> str:
    """An amount in its currency, with as many digits as the currency has: ¥1,200, KWD 1.250."""
    return write_amount(money, current_language().locale, exponent(money.currency))


def format_percent(bps: int) -> str:
    """A rate in hundredths of a percent: "19 %", "8.1%"."""
    locale = current_language().locale
    pattern = copy.copy(locale.percent_formats[None])
    pattern.frac_prec = (0, 2)
    return str(pattern.apply(Decimal(bps) / 10_000, locale))


def format_minutes(minutes: int) -> str:
    """A duration in minutes: "50 minutes"."""
    return dates.format_timedelta(
        dt.timedelta(minutes=minutes), granularity="minute", threshold=100, locale=current_language().locale
    )


def local_target(address: str | None) -> str:
    """A page of this host to go back to; anything else, and what only takes forms, becomes the front page."""
    try:
        parts = urlsplit(address or "/")
    except ValueError:  # brackets that hold no IPv6 address
        return "/"
    if parts.scheme or parts.netloc or not parts.path.startswith("/") or parts.path.startswith(("//", "/\\")):
        return "/"
    if _takes_only_forms(parts.path):
        return "/"
    return parts.path + (f"?{parts.query}" if parts.query else "")


def _takes_only_forms(path: str) -> bool:
    """Whether a path would answer a browser that is sent there with 405."""
    routes = current_app.create_url_adapter(request)
    methods = set() if routes is None else set(routes.allowed_methods(unquote(path)))
    return bool(methods) and "GET" not in methods


def _without_language(address: str) -> str:
    """The address without the language it was asked for in: what somebody chooses now counts from now on."""
    path, _mark, query = address.partition("?")
    pairs = parse_qsl(query, keep_blank_values=True)
    if all(name != LANGUAGE_ARGUMENT for name, _value in pairs):
        return address
    rest = urlencode([pair for pair in pairs if pair[0] != LANGUAGE_ARGUMENT])
    return path + (f"?{rest}" if rest else "")


def _remember(name: str, value: str) -> Response:
    response = cast(Response, redirect(_without_language(local_target(request.form.get("next"))), 303))
    settings = current_app.config["POLYCLINIC"]
    response.set_cookie(
        cookie_name(name), value, max_age=KEPT_FOR, secure=settings.scheme == "https", httponly=True, samesite="Lax"
    )
    return response


def switch_language() -> Response:
    """Keep the language somebody chose in this browser and go back to the page."""
    code = request.form.get("language", "")
    offered = offered_codes()
    if code.replace("-", "_") not in offered:
        raise NotFound
    return _remember(LANGUAGE_COOKIE, code.replace("-", "_"))


def switch_zone() -> Response:
    """Keep the zone somebody chose in this browser and go back to the page."""
    name = request.form.get("zone", "")
    if not is_zone(name):
        raise NotFound
    return _remember(ZONE_COOKIE, name)


def init_app(app: Flask) -> None:
    """Set gettext up, give every place its switches, and teach templates to write times and money."""
    folder = shipped("translations")
    if checkout() is not None:
        catalogues.compile_stale(folder)
    app.config.setdefault("BABEL_TRANSLATION_DIRECTORIES", str(folder))
    PortalBabel(app, locale_selector=_select_locale, timezone_selector=lambda: "UTC")
    for place in PAGED_PLACES:
        app.add_url_rule("/language", f"{place}_language", switch_language, subdomain=place, methods=["POST"])
        app.add_url_rule("/zone", f"{place}_zone", switch_zone, subdomain=place, methods=["POST"])
    app.jinja_env.policies["ext.i18n.trimmed"] = True
    app.jinja_env.filters.update(
        when=format_when,
        day=format_day,
        time=format_time,
        money=format_money,
        minutes=format_minutes,
        zone=format_zone,
        localized=localized,
    )
    app.jinja_env.globals.update(
        current_language=current_language,
        offered_languages=offered_languages,
        current_zone=current_zone,
    )

    @app.after_request
    def _tell_language(response: Any) -> Any:
        if response.mimetype in ("text/html", "application/problem+json") and not _nowhere():
            response.headers.setdefault("Content-Language", current_language().tag)
            response.vary.update(("Accept-Language", "Cookie"))
        return response

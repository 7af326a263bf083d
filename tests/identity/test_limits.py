"""V6.1.1, V2.1.3: limits that hold, that are written down, and that nobody can turn against somebody else."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable
from typing import Any

import pytest

from polyclinic.config import Settings
from polyclinic.enquiries import limits as enquiries
from polyclinic.identity import rules
from polyclinic.identity.limits import LIMITS, PASSWORD_PER_ACCOUNT, PASSWORD_PER_ADDRESS
from polyclinic.identity.passwords import LANES, MEMORY_KIB, PASSES
from polyclinic.identity.people import STAFF_LIFETIME
from polyclinic.identity.policy import IDLE, LIFETIME
from polyclinic.identity.tokens import MOST
from polyclinic.kernel.errors import TooMany
from polyclinic.pages import limits as pages
from polyclinic.payments.account_views import ASKING
from polyclinic.tenancy.kinds import duration_in_words
from polyclinic.web.limits import Limit, Limits
from polyclinic.web.places import PlaceFlask
from support.cast import PASSWORD, SHARED_EMAIL, Cast
from support.client import Browser
from support.source import ROOT

Sent = Callable[[str], dict[str, Any]]
PER_ACCOUNT = PASSWORD_PER_ACCOUNT.item.amount


def tries(browser: Browser, host: str, email: str, password: str = "wrong", **options: Any) -> Any:
    """Try a password."""
    return browser.post(host, "/sign-in", {"email": email, "password": password}, **options)


def from_address(number: int, **headers: str) -> dict[str, Any]:
    """Options of a request that comes from one of many addresses."""
    return {"environ_overrides": {"REMOTE_ADDR": f"192.0.2.{number}"}, "headers": headers}


def test_guessing_one_account_from_many_addresses_ends(cast: Cast, app: PlaceFlask) -> None:
    """429 with Retry-After, even for the right password; X-Forwarded-For of a stranger changes nothing."""
    for number in range(PER_ACCOUNT):
        answer = tries(Browser(app), cast.alpha.host, SHARED_EMAIL, **from_address(number + 1))
        assert answer.status_code == 422
    forwarded = from_address(99, **{"X-Forwarded-For": "198.51.100.7"})
    answer = tries(Browser(app), cast.alpha.host, SHARED_EMAIL, PASSWORD, **forwarded)
    assert answer.status_code == 429
    assert 0 < int(answer.headers["Retry-After"]) <= 15 * 60
    assert answer.mimetype == "text/html"


def test_the_limit_of_an_account_says_nothing_about_it(cast: Cast, app: PlaceFlask) -> None:
    """V6.3.8: unknown addresses are counted alike."""
    statuses = [tries(Browser(app), cast.alpha.host, "nobody@example.org").status_code for _ in range(PER_ACCOUNT + 1)]
    assert statuses == [422] * PER_ACCOUNT + [429]


def test_limits_of_one_portal_are_not_those_of_another(cast: Cast, app: PlaceFlask) -> None:
    """Caches and limits carry the portal in their key: the same address on Beta is somebody else (P3)."""
    for _ in range(PER_ACCOUNT + 1):
        tries(Browser(app), cast.alpha.host, SHARED_EMAIL)
    assert tries(Browser(app), cast.beta.host, SHARED_EMAIL, PASSWORD).status_code == 303


def test_nobody_can_lock_somebody_else_out(cast: Cast, app: PlaceFlask) -> None:
    """V6.1.1: whoever is signed in stays so, and a browser that was signed in before is counted apart."""
    host = cast.alpha.host
    signed_in, known = Browser(app), Browser(app)
    for browser in (signed_in, known):
        assert tries(browser, host, SHARED_EMAIL, PASSWORD).status_code == 303
    known.post(host, "/sign-out", page="/account")
    for number in range(PER_ACCOUNT + 1):
        tries(Browser(app), host, SHARED_EMAIL, **from_address(number + 1))
    assert tries(Browser(app), host, SHARED_EMAIL, PASSWORD).status_code == 429
    assert signed_in.get(host, "/account").status_code == 200
    assert tries(known, host, SHARED_EMAIL, PASSWORD).status_code == 303


def test_a_known_browser_is_known_for_one_account_of_one_portal(cast: Cast, app: PlaceFlask) -> None:
    """U1: the mark is signed and names the account; it does not help to guess another."""
    host, browser = cast.alpha.host, Browser(app)
    tries(browser, host, "quinn@alpha.example", PASSWORD)
    browser.post(host, "/sign-out", page="/account")
    statuses = [tries(browser, host, SHARED_EMAIL).status_code for _ in range(PER_ACCOUNT + 1)]
    assert statuses[-1] == 429


def test_codes_are_limited_per_address_entered(cast: Cast, app: PlaceFlask) -> None:
    """U1: nobody's mailbox is filled, and the sum of tries stays small."""
    statuses = [
        Browser(app).post(cast.alpha.host, "/sign-in/email", {"email": SHARED_EMAIL}).status_code for _ in range(7)
    ]
    assert statuses == [303] * 6 + [429]
    assert Browser(app).post(cast.alpha.host, "/forgot", {"email": SHARED_EMAIL}).status_code == 429


@pytest.fixture
def lost(settings: Settings) -> Limits:
    """Counters whose Redis does not answer."""
    return Limits(f"unix://{settings.home}/nobody-listens-here.socket")


def test_doors_stay_closed_without_redis_and_reading_stays_open(lost: Limits) -> None:
    """U1: sign-in is counted in memory; what only protects the machine is let through."""
    door = Limit("door", "3 per minute", "test")
    reading = Limit("reading", "3 per minute", "test", without_redis="open")
    for _ in range(3):
        lost.hit(door, "key")
    with pytest.raises(TooMany) as refused:
        lost.hit(door, "key")
    assert 0 < refused.value.retry_after <= 60
    lost.hit(door, "another key")
    for _ in range(10):
        lost.hit(reading, "key")


def test_signing_in_works_without_redis(cast: Cast, app: PlaceFlask, lost: Limits) -> None:
    """U1: within the same limits."""
    before = app.extensions["polyclinic.limits"]
    app.extensions["polyclinic.limits"] = lost
    try:
        assert tries(Browser(app), cast.alpha.host, SHARED_EMAIL, PASSWORD).status_code == 303
        statuses = [tries(Browser(app), cast.alpha.host, SHARED_EMAIL).status_code for _ in range(PER_ACCOUNT)]
        assert statuses[-1] == 429
    finally:
        app.extensions["polyclinic.limits"] = before


def test_every_limit_is_documented() -> None:
    """V2.1.3: docs/limits.md names each limit with its rate, and none that does not exist."""
    document = (ROOT / "docs/limits.md").read_text()
    written = dict(re.findall(r"^\| `([\w-]+)` \| ([^|]+?) \|", document, re.MULTILINE))
    assert written == {limit.name: limit.rate for limit in (*LIMITS, ASKING, *pages.LIMITS, *enquiries.LIMITS)}
    assert PASSWORD_PER_ADDRESS.item.amount > PASSWORD_PER_ACCOUNT.item.amount


def test_every_time_out_and_length_is_documented(settings: Settings) -> None:
    """V6.1.1, V7.3.1: what docs/limits.md says of sign-ins, codes and passwords is what the code does."""
    document = (ROOT / "docs/limits.md").read_text()
    assert IDLE.default is not None and LIFETIME.default is not None
    idle = {"specialist": settings.specialist_idle_minutes, "operator": settings.operator_idle_minutes}
    rests = {kind: duration_in_words(dt.timedelta(minutes=minutes)) for kind, minutes in idle.items()}
    ends = {kind: duration_in_words(STAFF_LIFETIME[kind]) for kind in STAFF_LIFETIME}
    shortest = [f"{kind}s {number}" for kind, number in rules.SHORTEST_PASSWORD.items()]
    sentences = [
        f"| patients | {duration_in_words(IDLE.default)} | {duration_in_words(LIFETIME.default)} |",
        *(f"| {kind}s | {rests[kind]} | {ends[kind]} |" for kind in ("specialist", "operator")),
        f"{rules.CODE_DIGITS} digits, {duration_in_words(rules.CODE_LIFE)}, {rules.CODE_TRIES} tries",
        f"{', '.join(shortest)}; at most {rules.LONGEST_PASSWORD}",
        f"none of the {len(rules.common_passwords()):,}",
        f"within {rules.FRESH.seconds // 60} minutes of entering a code",
        f"{MEMORY_KIB // 1024} MiB, {PASSES} passes and {LANES} lane",
        f"At most {MOST} at a time",
    ]
    assert [sentence for sentence in sentences if sentence not in document] == []

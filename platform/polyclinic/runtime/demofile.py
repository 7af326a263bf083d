"""var/demo.json: where the demonstration is and who can sign in, for people, scripts and tests.

Whoever makes the sample network tells `remember` its portals and people, once; `publish` adds the addresses of this
start. An entry names its `place` (a portal's slug, "specialists" or "admin") and a `path` there; both become its `url`.
"""

import json
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

NAME = "demo.json"
SAMPLE = "sample.json"
PLACES = ("specialists", "admin", "hooks", "dev")

CONTROL_PATH = "/stripe/control"

Entry = dict[str, Any]


@dataclass(frozen=True)
class Addresses:
    """Where this start listens."""

    port: int
    internal_port: int
    smtp: str | None = None
    stripe_port: int | None = None
    """Of the Stripe simulator's API; None where the real Stripe is used, or none."""

    def of(self, place: str, path: str = "/") -> str:
        """The address of a page of a place."""
        return f"http://{self.host(place)}{path}"

    def host(self, place: str) -> str:
        """The host of a place, as browsers and webhooks name it."""
        return f"{place}.localhost" if self.port == 80 else f"{place}.localhost:{self.port}"


def remember(
    home: Path, *, portals: Sequence[Entry], specialists: Sequence[Entry] = (), operators: Sequence[Entry] = ()
) -> None:
    """Keep what the sample network made.

    portals: slug, name, locale, currency, modes, patients (name, email, password), whatever else is of use;
    specialists and operators: name, email, password. An entry may have a `path`, where its sign-in is.
    """
    sample = {"portals": list(portals), "specialists": list(specialists), "operators": list(operators)}
    write_json(home / SAMPLE, sample)


def remembered(home: Path) -> dict[str, list[Entry]]:
    """What `remember` kept; empty lists before."""
    try:
        return {"portals": [], "specialists": [], "operators": [], **json.loads((home / SAMPLE).read_text())}
    except FileNotFoundError:
        return {"portals": [], "specialists": [], "operators": []}


def publish(home: Path, addresses: Addresses) -> dict[str, Any]:
    """Write demo.json for a start that is ready; returns what it holds."""
    sample = remembered(home)
    content = {
        "port": addresses.port,
        "pid": os.getpid(),
        "internal": f"http://127.0.0.1:{addresses.internal_port}",
        "smtp": addresses.smtp,
        "stripe": _stripe(addresses),
        **{place: addresses.of(place) for place in PLACES if place not in ("specialists", "admin")},
        "specialist_portal": addresses.of("specialists"),
        "admin_console": addresses.of("admin"),
        "portals": [_portal(addresses, portal) for portal in sample["portals"]],
        "specialists": [_person(addresses, "specialists", person) for person in sample["specialists"]],
        "operators": [_person(addresses, "admin", person) for person in sample["operators"]],
    }
    write_json(home / NAME, content)
    return content


def unpublish(home: Path) -> None:
    """Take demo.json away: nothing runs any more."""
    (home / NAME).unlink(missing_ok=True)


def _stripe(addresses: Addresses) -> Entry | None:
    if addresses.stripe_port is None:
        return None
    return {"api": f"http://127.0.0.1:{addresses.stripe_port}", "control": addresses.of("dev", CONTROL_PATH)}


def _portal(addresses: Addresses, portal: Entry) -> Entry:
    slug = str(portal["slug"])
    patients = [_person(addresses, slug, patient) for patient in portal.get("patients", [])]
    return {**portal, "url": addresses.of(slug), "patients": patients}


def _person(addresses: Addresses, place: str, person: Entry) -> Entry:
    known = {name: value for name, value in person.items() if name != "path"}
    return {**known, "url": addresses.of(place, str(person.get("path", "/")))}


def write_json(file: Path, content: Any, mode: int = 0o600) -> None:
    """Replace a file in one step, so that a reader never sees half of it. It holds passwords: its owner's only."""
    fresh = file.with_name(f"{file.name}.{os.getpid()}.new")
    handle = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, mode)
    with os.fdopen(handle, "w") as out:
        json.dump(content, out, indent=2, ensure_ascii=False)
        out.write("\n")
    fresh.rename(file)

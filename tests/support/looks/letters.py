"""Mails as their readers see them: the newest message of each kind of the sample's history, again in each language."""

from __future__ import annotations

import re
from collections.abc import Iterator
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from pathlib import Path

from sqlalchemy import text

from polyclinic.kernel.scope import Scope
from polyclinic.notifications.sink import folder_of
from polyclinic.tenancy.policy import BRAND_SENDER
from polyclinic.web import jobs
from support.looks.network import LookedAt
from support.looks.scenes import Scene, Visit, languages_of

#: One message of each kind and portal: the newest, for its people still have what it speaks of.
_NEWEST = text(
    "UPDATE outbox SET done_at = NULL, attempts = 0 WHERE id IN"
    " (SELECT max(id) FROM outbox WHERE kind <> 'identity.code' GROUP BY kind, portal_id) RETURNING id"
)
_WAITING = text("SELECT id, portal_id FROM outbox WHERE done_at IS NULL ORDER BY id")
_READERS = ("patient", "specialist", "operator")


def write_again(network: LookedAt, folder: Path) -> Iterator[Visit]:
    """Send them in each language and keep their HTML in ``folder``; yields what is to be looked at."""
    folder.mkdir(parents=True, exist_ok=True)
    known = _read(network)
    addresses = {str(portal.settings.find(BRAND_SENDER)): slug for slug, portal in network.portals.items()}
    before = {table: _languages(network, table) for table in _READERS}
    for look in (*network.portals, "specialists"):
        for language, code in languages_of(network, look).items():
            _speak(network, look, code)
            _ask_for_code(network, look, code)
            _send(network, look)
            found = {key: mail for key, mail in _read(network).items() if key not in known}
            known |= found
            mine = [mail for mail in found.values() if addresses.get(_sender(mail), "specialists") == look]
            scenes = [_scene(mail, folder / f"{look}-{language}-{number}.html") for number, mail in enumerate(mine)]
            yield Visit(look, None, tuple(_by_subject(scenes)), {language: code})
    for table, rows in before.items():
        for row in rows:
            network.write(f'UPDATE "{table}" SET locale = :locale WHERE id = :id', row)


def _languages(network: LookedAt, table: str) -> list[dict[str, str]]:
    """What everybody prefers."""
    with network.superuser.connect() as connection:
        return [dict(row) for row in connection.execute(text(f'SELECT id, locale FROM "{table}"')).mappings()]


def _sender(mail: EmailMessage) -> str:
    return str(mail["From"].addresses[0].addr_spec)


def _by_subject(scenes: list[Scene]) -> list[Scene]:
    return list({scene.title: scene for scene in scenes}.values())


def _speak(network: LookedAt, look: str, code: str) -> None:
    """Let everybody prefer a language, so that their mails are in it."""
    for table in _READERS:
        network.write(f'UPDATE "{table}" SET locale = :code', {"code": code})


def _ask_for_code(network: LookedAt, look: str, code: str) -> None:
    """Codes are wiped once they are sent: ask for a new one."""
    path = "/sign-in/email" if look in network.portals else "/forgot"
    reader = network.live.person(network.host(look))
    headers = {"Accept-Language": code.replace("_", "-")}
    reader.get(path, headers=headers)
    address = network.people[look][0].actor.email
    reader.post(path, {"email": address}, headers=headers)
    reader.leave()


def _send(network: LookedAt, look: str) -> None:
    """Forget that the newest messages of this place were told, and tell them."""
    portal = network.portals.get(look)
    with network.superuser.begin() as connection:
        connection.execute(text("DELETE FROM delivery"))
        connection.execute(
            text("UPDATE outbox SET done_at = app_now() WHERE done_at IS NULL AND kind <> 'identity.code'")
        )
        connection.execute(_NEWEST)
        rows = connection.execute(_WAITING).all()
    with network.app.app_context():
        for row in rows:
            if portal is not None and row.portal_id != portal.id:
                continue
            if not jobs.run_message(network.app, row.id, Scope("job", portal=row.portal_id)):
                failed = network.find("SELECT kind || ': ' || failed FROM outbox WHERE id = :id", id=row.id)
                raise AssertionError(f"a mail of {look} was not written: {failed}")


def _read(network: LookedAt) -> dict[str, EmailMessage]:
    """Every mail that was sent, by its file's name, oldest first."""
    folder = folder_of(network.live.settings.home)
    return {path.stem: message_from_bytes(path.read_bytes(), policy=default) for path in sorted(folder.glob("*.eml"))}


def _scene(mail: EmailMessage, path: Path) -> Scene:
    part = mail.get_body(("html",))
    assert part is not None, mail["Subject"]
    path.write_text(part.get_content(), encoding="utf-8")
    subject = re.sub(r"\d{6}", "…", str(mail["Subject"]))
    return Scene(f"mail: {subject}", path.as_uri())

"""The mailbox page of `dev.localhost`: every mail that the sink kept. Demonstration and tests only."""

from __future__ import annotations

import datetime as dt
import re
from dataclasses import dataclass
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from pathlib import Path
from typing import cast

from flask import Blueprint, Response, abort, current_app, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from polyclinic.notifications.sink import folder_of

blueprint = Blueprint("dev_mailbox", __name__, subdomain="dev", template_folder="templates")

SHOWN = 200


@dataclass(frozen=True, slots=True)
class Kept:
    """A mail as the mailbox shows it."""

    key: str
    mail: EmailMessage

    @property
    def received(self) -> dt.datetime:
        """When the sink took it (real time)."""
        return dt.datetime.fromtimestamp(int(self.key.partition("-")[0]) / 1e9, dt.UTC)

    @property
    def html(self) -> str:
        """The part that mail programs show."""
        part = self.mail.get_body(("html",))
        return str(part.get_content()) if part else ""

    @property
    def text(self) -> str:
        """The part for those that show no HTML."""
        part = self.mail.get_body(("plain",))
        return str(part.get_content()) if part else ""

    @property
    def calendar(self) -> str:
        """The calendar part, if there is one."""
        return next((str(p.get_content()) for p in self.mail.walk() if p.get_content_type() == "text/calendar"), "")

    @property
    def attachments(self) -> list[EmailMessage]:
        """What is attached."""
        return cast("list[EmailMessage]", list(self.mail.iter_attachments()))


@blueprint.before_request
def _only_where_nothing_is_real() -> None:
    if current_app.config["POLYCLINIC"].production:
        abort(404)


@blueprint.get("/")
def home() -> ResponseReturnValue:
    """Lead to the mailbox, which is what people come to this host for."""
    return redirect(url_for(".inbox"))


@blueprint.get("/mail")
def inbox() -> str:
    """List the newest mails, of one address where `to` says so."""
    to = request.args.get("to", "").strip().lower()
    mails = [kept for kept in _newest() if not to or to in str(kept.mail["To"]).lower()]
    return render_template("notifications/mailbox.html", mails=mails[:SHOWN], to=to)


@blueprint.get("/mail/<string:key>")
def mail(key: str) -> str:
    """Show one mail."""
    return render_template("notifications/mailbox_mail.html", kept=_find(key))


@blueprint.get("/mail/<string:key>/html")
def html(key: str) -> Response:
    """The HTML part alone, for a frame that may run and load nothing."""
    response = Response(_find(key).html, mimetype="text/html")
    response.headers["Content-Security-Policy"] = (
        "sandbox allow-popups allow-popups-to-escape-sandbox; default-src 'none'; style-src 'unsafe-inline';"
        " img-src data:; frame-ancestors 'self'"
    )
    return response


@blueprint.get("/mail/<string:key>/attachment/<int:number>")
def attachment(key: str, number: int) -> Response:
    """Download an attachment."""
    found = _find(key).attachments
    if number >= len(found):
        abort(404)
    part = found[number]
    content = part.get_content()
    response = Response(content.encode() if isinstance(content, str) else content, mimetype=part.get_content_type())
    name = re.sub(r"[^\w.-]", "_", part.get_filename() or "attachment")
    response.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    return response


@blueprint.get("/mail/<string:key>/source")
def source(key: str) -> Response:
    """The mail as it was sent."""
    return Response(_path(key).read_bytes(), mimetype="text/plain")


def _folder() -> Path:
    return folder_of(current_app.config["POLYCLINIC"].home)


def _newest() -> list[Kept]:
    return [_read(path) for path in sorted(_folder().glob("*.eml"), reverse=True)[: SHOWN * 2]]


def _path(key: str) -> Path:
    path = _folder() / f"{key}.eml"
    if not re.fullmatch(r"[0-9]{20}-[0-9a-f]{16}", key) or not path.is_file():
        abort(404)
    return path


def _find(key: str) -> Kept:
    return _read(_path(key))


def _read(path: Path) -> Kept:
    return Kept(path.stem, message_from_bytes(path.read_bytes(), policy=default))

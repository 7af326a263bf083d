"""Send a letter once: the delivery log decides who sends, and every try of one mail has one Message-ID (T2)."""

from __future__ import annotations

import datetime as dt
import smtplib
import uuid
from collections.abc import Callable

from flask import current_app
from flask_babel import gettext as _
from sqlalchemy import Engine, or_, select, update
from sqlalchemy.dialects.postgresql import insert

from polyclinic.kernel.clock import real_now
from polyclinic.kernel.errors import Unavailable
from polyclinic.kernel.ids import new_id
from polyclinic.kernel.scope import Scope, open_session
from polyclinic.notifications.compose import Recipient, compose
from polyclinic.notifications.letters import Letter
from polyclinic.notifications.models import Delivery
from polyclinic.notifications.senders import Sender
from polyclinic.notifications.smtp import Smtp, Transport
from polyclinic.web.db import db
from polyclinic.web.i18n import use_locale
from polyclinic.web.jobs import TIMEOUT, Message

#: A try that has not ended after this long died with its worker; another one takes over.
LEASE = dt.timedelta(seconds=TIMEOUT)


def transport() -> Transport:
    """How mails leave this installation."""
    return Smtp(current_app.config["POLYCLINIC"].smtp_url)


def send_letter(message: Message, sender: Sender, recipient: Recipient, write: Callable[[], Letter]) -> None:
    """Write a letter in the recipient's language and zone and send it, unless this cause has already reached them.

    Raises what stopped it, so that the job tries again; an address that is refused for good is only noted.
    """
    engine = db.engine
    claimed = _claim(engine, message, sender, recipient)
    if claimed is None:
        return
    delivery_id, message_id = claimed
    try:
        with use_locale(recipient.locale, recipient.zone) as language:
            mail = compose(sender, recipient, write(), message_id, language)
        transport().send(mail, sender.address, recipient.address)
    except (smtplib.SMTPRecipientsRefused, ValueError) as refused:
        _note(engine, delivery_id, "failed", type(refused).__name__)
        if not is_final(refused):
            raise
    except Exception as error:
        _note(engine, delivery_id, "failed", getattr(error, "code", None) or type(error).__name__)
        raise
    else:
        _note(engine, delivery_id, "sent", None)


def is_final(refused: Exception) -> bool:
    """Whether another try would be refused as well: no address at all, or a 5xx answer for the recipient."""
    if isinstance(refused, smtplib.SMTPRecipientsRefused):
        return all(code >= 500 for code, _answer in refused.recipients.values())
    return True


def _claim(engine: Engine, message: Message, sender: Sender, recipient: Recipient) -> tuple[uuid.UUID, str] | None:
    """Take the right to send: None where it was sent; raises Unavailable while somebody else is sending."""
    now, new = real_now(), new_id()
    values = {
        "id": new,
        "cause": message.cause,
        "portal_id": sender.portal.id if sender.portal else None,
        "recipient_kind": recipient.kind,
        "recipient_id": recipient.id,
        "channel": "mail",
        "message_id": f"<{new}@{sender.host}>",
        "state": "sending",
        "tried_at": now,
    }
    key = {name: values[name] for name in ("cause", "recipient_kind", "recipient_id", "channel")}
    take = (
        insert(Delivery)
        .values(values)
        .on_conflict_do_update(
            index_elements=list(key),
            set_={"state": "sending", "tried_at": now},
            where=or_(Delivery.state == "failed", (Delivery.state == "sending") & (Delivery.tried_at < now - LEASE)),
        )
        .returning(Delivery.id, Delivery.message_id)
    )
    with open_session(engine, Scope("job", portal=message.portal_id)) as session:
        taken = session.execute(take).one_or_none()
        session.commit()
        if taken is not None:
            return taken.id, taken.message_id
        state = session.scalar(select(Delivery.state).filter_by(**key))
    if state == "sending":
        raise Unavailable("delivery-busy", _("This mail is being sent by another worker."))
    return None


def _note(engine: Engine, delivery_id: uuid.UUID, state: str, error: str | None) -> None:
    values = {"state": state, "error": error, "sent_at": real_now() if state == "sent" else None}
    with open_session(engine, Scope("job")) as session:
        session.execute(update(Delivery).where(Delivery.id == delivery_id).values(values))
        session.commit()

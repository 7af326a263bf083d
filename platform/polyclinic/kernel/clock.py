"""The one clock of the application.

Domain time is ``app_now()`` in the database: the time of the statement plus an offset that is always zero in production
and that demonstrations and tests move. The statement that opens a transaction brings it along, so Python and SQL read
the same clock without asking twice. Signatures, sign-ins and tokens stay on real time.
"""

from __future__ import annotations

import datetime as dt
import time

from sqlalchemy import CheckConstraint, text
from sqlalchemy.orm import Mapped, Session, mapped_column

from polyclinic.kernel.models import Base, tenancy

APP_NOW = "(SELECT app_now())"


class AppClock(Base):
    """How far the application's time is from the machine's: one row, always zero in production (R3)."""

    __tablename__ = "app_clock"
    __table_args__ = (
        CheckConstraint("one", name="one"),
        tenancy("network", "one row that every role reads through app_now() and only the owner writes"),
    )

    one: Mapped[bool] = mapped_column(primary_key=True, server_default=text("true"))
    offset: Mapped[dt.timedelta]


def now(session: Session) -> dt.datetime:
    """Return the application's time in UTC, moving on within the transaction.

    Begins a transaction if none has begun.
    """
    if "began" not in session.info or not session.in_transaction():
        session.connection()
    began: tuple[dt.datetime, float] | None = session.info.get("began")
    if began is None:  # a session without scope, as owners and migrations use
        found: dt.datetime = session.execute(text("SELECT app_now()")).scalar_one()
        return found.astimezone(dt.UTC)
    return began[0].astimezone(dt.UTC) + dt.timedelta(seconds=time.monotonic() - began[1])


def app_time(session: Session, moment: dt.datetime) -> dt.datetime:
    """Return a real moment, such as one that a provider names, on the application's clock: the same in production."""
    offset = now(session) - real_now()
    return moment if abs(offset) < dt.timedelta(seconds=2) else moment + offset


def real_now() -> dt.datetime:
    """Return the machine's time in UTC, for what must not be moved: sign-ins, codes, tokens, signatures."""
    return dt.datetime.now(dt.UTC)

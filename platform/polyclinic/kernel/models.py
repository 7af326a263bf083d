"""The declarative base of every table, and the vocabulary in which a table says whose it is.

Each model names its tenancy class in ``info`` (docs/architecture.md): ``tenant`` (keyed by portal), ``own`` (keyed by
specialist), ``shared`` (both), ``network`` or ``journal`` (the last two with a reason).
"""

from __future__ import annotations

import datetime as dt
import uuid
from typing import Any, Literal

from sqlalchemy import LargeBinary, MetaData, Text, Uuid
from sqlalchemy.dialects.postgresql import INTERVAL, JSONB, TIMESTAMP
from sqlalchemy.orm import DeclarativeBase

Tenancy = Literal["tenant", "own", "shared", "network", "journal"]


class Base(DeclarativeBase):
    """A plain SQLAlchemy base: models hold columns and relations, never workflow."""

    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
            "fk": "fk_%(table_name)s_%(column_0_N_name)s",
            "pk": "pk_%(table_name)s",
        }
    )
    type_annotation_map = {
        uuid.UUID: Uuid(as_uuid=True),
        dt.datetime: TIMESTAMP(timezone=True),
        dt.timedelta: INTERVAL(),
        dict[str, Any]: JSONB(),
        dict[str, str]: JSONB(),
        list[str]: JSONB(),
        bytes: LargeBinary(),
        str: Text(),
    }


def tenancy(kind: Tenancy, reason: str = "") -> dict[str, Any]:
    """Return the last item of ``__table_args__`` that classifies a table; network and journal need a reason."""
    if kind in ("network", "journal") and not reason:
        raise ValueError(f"a {kind} table needs a written reason")
    return {"info": {"tenancy": kind, "reason": reason}}

"""Whether rows changed since they were read, asked of PostgreSQL itself."""

from __future__ import annotations

from typing import Any

from sqlalchemy import BigInteger, ScalarSelect, Text, Uuid, bindparam, cast, func, literal, literal_column, select

from polyclinic.kernel.models import Base


def rows_version(model: type[Base]) -> ScalarSelect[Any]:
    """Return a scalar subquery: a number that is another one as soon as any row of ``:portal`` is another one.

    Every version of a row stands at a place of its own (``ctid``) and was written by one transaction (``xmin``); the
    number is the sum of both, hashed. Nothing has to be written for it, so that no writer waits for another.
    """
    name = model.__tablename__
    place, writer = (cast(literal_column(f"{name}.{column}"), Text) for column in ("ctid", "xmin"))
    each = func.hashtextextended(place + literal("/") + writer, 0, type_=BigInteger)
    mine = literal_column(f"{name}.portal_id") == bindparam("portal", type_=Uuid())
    return select(func.coalesce(func.sum(each), 0)).select_from(model).where(mine).scalar_subquery()

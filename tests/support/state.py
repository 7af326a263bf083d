"""What the database holds, in a few letters per table, to show that something changed nothing."""

from __future__ import annotations

from sqlalchemy import Engine, text

from polyclinic.kernel.models import Base
from polyclinic.models import load_models

load_models()
#: Written by reading: who read what, and stored answers that are computed anew when they are stale.
BY_READING = {"audit_event", "next_free"}
#: When something was last used.
_USED = ("seen_at", "used_at")


def fingerprints(owner: Engine) -> dict[str, str]:
    """Return a digest of the rows of each table that reading may not change."""
    tables = sorted({table.name for table in Base.metadata.sorted_tables} - BY_READING)
    rows = " UNION ALL ".join(
        f"SELECT '{name}' AS name, count(*) || ':' || coalesce(md5(string_agg(row, ',' ORDER BY row)), '') AS print"
        f' FROM (SELECT (to_jsonb(t) - CAST(:used AS text[]))::text AS row FROM "{name}" AS t) AS found'
        for name in tables
    )
    with owner.connect() as connection:
        return {row.name: row.print for row in connection.execute(text(rows), {"used": list(_USED)})}

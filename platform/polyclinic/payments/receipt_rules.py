"""Pure decisions about receipts: who issues one, its number as written, the tax contained in a price (E10)."""

from __future__ import annotations

import re
from typing import Literal

Issuer = Literal["specialist", "portal"]


def issuer_of(earns: str) -> Issuer:
    """Return who issues the receipt of a charge: whoever took the money.

    With a share the platform charges and passes the share on (E4); otherwise the specialist is paid, online or
    elsewhere, and the platform takes its commission (E3, E5).
    """
    return "portal" if earns == "share" else "specialist"


def split_tax(gross: int, bps: int) -> tuple[int, int]:
    """Return net and tax of a gross amount in minor units; ``bps`` are hundredths of a percent.

    The net is rounded half up, the tax is the rest, so that both always sum to what was paid.
    """
    whole = 10_000 + bps
    net = (gross * 10_000 * 2 + whole) // (whole * 2)
    return net, gross - net


def number_label(prefix: str, number: int) -> str:
    """Return a number as documents write it: "BW-00012"."""
    return f"{prefix}-{number:05d}"


def prefix_from(slug: str) -> str:
    """Return the prefix of a portal that chose none: letters and digits of its slug."""
    return re.sub(r"[^A-Z0-9]", "", slug.upper())[:8] or "R"

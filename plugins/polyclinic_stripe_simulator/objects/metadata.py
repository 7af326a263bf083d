"""Metadata: at most 50 keys of 40 characters, values of 500."""

from __future__ import annotations

from typing import Any

from polyclinic_stripe_simulator.errors import Refused


def clean_metadata(given: Any) -> dict[str, str]:
    """Metadata of a new object; raises Refused."""
    return changed_metadata({}, given)


def changed_metadata(known: dict[str, str], given: Any) -> dict[str, str]:
    """Metadata after an update: an empty value removes its key, an empty text all of them."""
    if given == "":
        return {}
    found = {**known, **(given or {})}
    for key, value in found.items():
        if len(key) > 40:
            raise Refused(
                f"Metadata keys must be at most 40 characters; '{key[:60]}' has {len(key)}.", param="metadata"
            )
        if len(value) > 500:
            raise Refused(
                f"Metadata values must be at most 500 characters; the one of '{key}' has {len(value)}.",
                param=f"metadata[{key}]",
            )
    found = {key: value for key, value in found.items() if value != ""}
    if len(found) > 50:
        raise Refused("You can have at most 50 keys of metadata.", param="metadata")
    return found

"""Lists as Stripe gives them: newest first, in pages, filtered by what objects hold."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any
from urllib.parse import urlencode

from polyclinic_stripe_simulator.api.calls import Call
from polyclinic_stripe_simulator.errors import Refused, missing
from polyclinic_stripe_simulator.store import Object

PAGING = frozenset({"limit", "starting_after", "ending_before", "expand", "page"})
COMPARED = {
    "gt": lambda found, wanted: found > wanted,
    "gte": lambda found, wanted: found >= wanted,
    "lt": lambda found, wanted: found < wanted,
    "lte": lambda found, wanted: found <= wanted,
}


def listed(call: Call, objects: Iterable[Object], url: str, *ignored: str) -> Object:
    """The page of `objects` (newest first) that the parameters ask for."""
    filters = {k: v for k, v in call.params.items() if k not in PAGING and k not in ignored}
    found = [one for one in objects if all(_fits(one.get(name), wanted) for name, wanted in filters.items())]
    limit = _limit(call.params)
    after, before = call.params.get("starting_after"), call.params.get("ending_before")
    if after and before:
        raise Refused("Only one of `starting_after` and `ending_before` can be given.", param="starting_after")
    if before:
        earlier = found[: _place(found, before, "ending_before")]
        return _list(earlier[-limit:], url, has_more=len(earlier) > limit)
    later = found[_place(found, after, "starting_after") + 1 :] if after else found
    return _list(later[:limit], url, has_more=len(later) > limit)


def whole(objects: list[Object], url: str) -> Object:
    """A list inside of an object: its first ten."""
    return _list(objects[:10], url, has_more=len(objects) > 10)


def listed_v2(call: Call, objects: list[Object], path: str) -> Object:
    """A page of v2: an address leads to the next one."""
    limit = _limit(call.params)
    start = str(call.params.get("page", "0"))
    first = int(start) if start.isdecimal() else 0
    more = first + limit < len(objects)
    following = f"{path}?{urlencode({'limit': limit, 'page': first + limit})}" if more else None
    return {"data": objects[first : first + limit], "next_page_url": following, "previous_page_url": None}


def _limit(params: dict[str, Any]) -> int:
    limit = int(params.get("limit", 10))
    if not 1 <= limit <= 100:
        raise Refused("Invalid limit: must be from 1 to 100.", param="limit", code="parameter_invalid_integer")
    return limit


def _list(objects: list[Object], url: str, *, has_more: bool) -> Object:
    return {"object": "list", "data": objects, "has_more": has_more, "url": url}


def _place(objects: list[Object], identity: str, param: str) -> int:
    for place, found in enumerate(objects):
        if found["id"] == identity:
            return place
    raise missing("object", identity, param)


def _fits(found: Any, wanted: Any) -> bool:
    if isinstance(wanted, dict):
        return all(COMPARED[word](found, limit) for word, limit in wanted.items())
    return bool(found == wanted)

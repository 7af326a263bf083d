"""Services and listings in a portal's file: `[[services]]` and `[[listings]]` (Y1)."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from flask_babel import gettext as _
from sqlalchemy import select
from sqlalchemy.orm import Session

from polyclinic.directory.models import Listing, ListingService, Service, Team
from polyclinic.directory.offerings import OfferedService, ServiceTerms, save_service, set_listing_services
from polyclinic.directory.policy import PRICING, pricing_of
from polyclinic.directory.rules import refuse_price
from polyclinic.directory.services import find_listing, list_specialist, move_listing
from polyclinic.identity.models import Specialist
from polyclinic.kernel.actor import Actor
from polyclinic.kernel.money import Money
from polyclinic.tenancy.differences import State, in_order_of
from polyclinic.tenancy.documents import Document
from polyclinic.tenancy.files import PortalFile
from polyclinic.tenancy.kinds import (
    Amount,
    Choice,
    Context,
    Duration,
    Email,
    Integer,
    LocalizedText,
    Text,
    decimal_of,
    duration_in_words,
    nearest,
)
from polyclinic.tenancy.models import Portal
from polyclinic.tenancy.places import PortalView, portal_view
from polyclinic.tenancy.settings import Path, Settings
from polyclinic.tenancy.toml_writing import update_list

SLUG = Text(max=60, pattern=r"[a-z][a-z0-9]*(-[a-z0-9]+)*", example="first-visit")
DURATION = Duration(timedelta(minutes=5), timedelta(hours=8))
BUFFER = Duration(timedelta(0), timedelta(hours=4))
BUFFERS = ("buffer_before", "buffer_after")
STATES_IN_FILE = ("listed", "paused")
"""A pause is daily business of specialist and portal: the file says who is listed, not who rests."""


def _minutes(value: timedelta | None) -> int | None:
    return None if value is None else int(value.total_seconds()) // 60


def _words(minutes: int) -> str:
    return duration_in_words(timedelta(minutes=minutes))


def _amount(minor: int, context: Context) -> str:
    return decimal_of(Money(minor, context.currency or ""))


def _price(document: Document, path: Path, table: Mapping[str, Any]) -> int | None:
    money = document.value(path, table, "price", Amount())
    return None if money is None else money.minor


class ServicesSection:
    """`[[services]]`: what can be booked; a service that leaves the file is switched off, never deleted."""

    name = "services"
    tables = ("services",)

    def parse(self, document: Document) -> State:
        """See Section."""
        state: State = {}
        for position, (path, table) in enumerate(document.items("services")):
            document.known(path, table, ["slug", "name", "summary", "duration", "price", *BUFFERS])
            slug = document.required(path, table, "slug", SLUG)
            if slug in state:
                document.wrong((*path, "slug"), _("“%(slug)s” is there twice", slug=slug), _("a slug of its own"))
            duration = _minutes(document.required(path, table, "duration", DURATION))
            price = _price(document, path, table)
            if slug:
                name: Mapping[str, str] | None = document.required(path, table, "name", LocalizedText(max=80))
                summary: Mapping[str, str] | None = document.value(path, table, "summary", LocalizedText(max=400))
                state[slug] = {
                    "name": dict(name or {}),
                    "summary": dict(summary or {}),
                    "duration": duration,
                    "price": price,
                    **{key: _minutes(document.value(path, table, key, BUFFER)) or 0 for key in BUFFERS},
                    "position": position,
                }
            self._judge_price(document, path, table, price)
        return state

    def _judge_price(self, document: Document, path: Path, table: Mapping[str, Any], price: int | None) -> None:
        policy = Settings(document.states.get("settings", {})).get(PRICING)
        if policy == "fixed" and "price" not in table:
            document.wrong(path, _("“price” is missing; the portal's price list holds for all"), Amount().expected())
        if policy == "free" and price:
            document.wrong((*path, "price"), _("everything is free on this portal"), _("no price, or “0”"))

    def verify(self, session: Session, document: Document, portal: Portal | None, wanted: State) -> None:
        """See Section: nothing more to know."""

    def read(self, session: Session, portal: Portal) -> State:
        """See Section."""
        rows = session.scalars(
            select(Service).where(Service.portal_id == portal.id, Service.active).order_by(Service.position)
        )
        return {
            row.slug: {
                "name": row.name,
                "summary": row.summary,
                "duration": row.duration_minutes,
                "price": row.price_minor,
                "buffer_before": row.buffer_before_minutes,
                "buffer_after": row.buffer_after_minutes,
                "position": index,
            }
            for index, row in enumerate(rows)
        }

    def write(self, session: Session, actor: Actor, portal: Portal, wanted: State) -> None:
        """See Section."""
        found = self.read(session, portal)
        for slug in found.keys() - wanted.keys():
            save_service(session, actor, portal.id, _terms(slug, found[slug], active=False))
        for slug, values in wanted.items():
            if found.get(slug) != values:
                save_service(session, actor, portal.id, _terms(slug, values))

    def dump(self, file: PortalFile, before: State, after: State) -> None:
        """See Section."""
        sides = ((before, file.context_before), (after, file.context))
        old, new = ([_plain_service(slug, state[slug], context) for slug in state] for state, context in sides)
        update_list(file.toml, "services", old, new, key_of=lambda item: str(item["slug"]))


def _terms(slug: str, values: Mapping[str, Any], *, active: bool = True) -> ServiceTerms:
    return ServiceTerms(
        slug=slug,
        name=values["name"],
        summary=values["summary"],
        duration_minutes=values["duration"],
        price_minor=values["price"],
        buffer_before_minutes=values["buffer_before"],
        buffer_after_minutes=values["buffer_after"],
        position=values["position"],
        active=active,
    )


def _plain_service(slug: str, values: Mapping[str, Any], context: Context) -> dict[str, Any]:
    plain = {"slug": slug, "name": values["name"]}
    if values["summary"]:
        plain["summary"] = values["summary"]
    plain["duration"] = _words(values["duration"])
    if values["price"] is not None:
        plain["price"] = _amount(values["price"], context)
    return plain | {name: _words(values[name]) for name in BUFFERS if values[name]}


class ListingsSection:
    """`[[listings]]`: which specialists the portal lists, in which team, with which services, prices and buffers."""

    name = "listings"
    tables = ("listings",)

    def parse(self, document: Document) -> State:
        """See Section."""
        state: State = {}
        for path, table in document.items("listings"):
            document.known(path, table, ["specialist", "team", "team_role", "services", "capacity"])
            email = (document.required(path, table, "specialist", Email()) or "").lower()
            if email in state:
                document.wrong(
                    (*path, "specialist"), _("“%(email)s” is listed twice", email=email), _("one listing each")
                )
            role = document.value(path, table, "team_role", Choice(("member", "lead")))
            if role and "team" not in table:
                document.wrong((*path, "team_role"), _("there is no team"), _("“team” beside it"))
            team = document.value(path, table, "team", SLUG)
            state[email] = {
                "team": team,
                "team_role": (role or "member") if team else None,
                "capacity": document.value(path, table, "capacity", Integer(0, 10_000)),
                "services": self._services(document, path, table),
            }
        return state

    def _services(self, document: Document, path: Path, table: Mapping[str, Any]) -> State:
        offered = table.get("services")
        known = list(document.states.get("services", {}))
        if not isinstance(offered, list) or not offered:
            document.wrong((*path, "services"), _("the listing offers nothing"), _("a list of services"))
            return {}
        state: State = {}
        for index, item in enumerate(offered):
            here = (*path, "services", index)
            entry = {"slug": item} if isinstance(item, str) else item
            if not isinstance(entry, Mapping):
                document.wrong(here, _("this is not a service"), _("a slug or { slug = …, price = … }"))
                continue
            document.known(here, entry, ["slug", "price", *BUFFERS])
            slug = document.required(here, entry, "slug", SLUG)
            if slug is None:
                continue
            if slug not in known or slug in state:
                what = _("the portal has no service “%(slug)s”", slug=slug) + nearest(slug, known)
                document.wrong(here, what, _("each at most once: %(slugs)s", slugs=", ".join(known)))
                continue
            state[slug] = {"price": _price(document, here, entry)} | {
                name: _minutes(document.value(here, entry, name, BUFFER)) for name in BUFFERS
            }
            self._judge_price(document, here, state[slug]["price"])
        return state

    def _judge_price(self, document: Document, path: Path, price: int | None) -> None:
        if document.context.currency is None:
            return
        refusal = refuse_price(pricing_of(Settings(document.states["settings"])), price)
        if refusal is not None:
            document.wrong((*path, "price"), str(refusal.message).rstrip("."), _("a price that the policy allows"))

    def verify(self, session: Session, document: Document, portal: Portal | None, wanted: State) -> None:
        """See Section: specialists and teams are known to the network."""
        known = set(session.scalars(select(Specialist.email).where(Specialist.email.in_(list(wanted)))))
        everybody = list(session.scalars(select(Specialist.email))) if set(wanted) - known else []
        teams = list(session.scalars(select(Team.slug)))
        for (path, _table), (email, values) in zip(document.items("listings"), wanted.items(), strict=True):
            if email not in known:
                what = _("nobody in the network has the address “%(email)s”", email=email) + nearest(email, everybody)
                document.wrong((*path, "specialist"), what, _("the address of a specialist"))
            if values["team"] and values["team"] not in teams:
                what = _("there is no team “%(team)s”", team=values["team"]) + nearest(values["team"], teams)
                document.wrong((*path, "team"), what, _("a team of the network"))

    def read(self, session: Session, portal: Portal) -> State:
        """See Section."""
        listings = session.execute(
            select(Listing, Specialist.email, Team.slug)
            .join(Specialist, Specialist.id == Listing.specialist_id)
            .outerjoin(Team, Team.id == Listing.team_id)
            .where(Listing.portal_id == portal.id, Listing.state.in_(STATES_IN_FILE))
            .order_by(Listing.created_at, Specialist.email)
        ).all()
        offered = session.execute(
            select(ListingService, Service.slug)
            .join(Service, (Service.portal_id == ListingService.portal_id) & (Service.id == ListingService.service_id))
            .where(ListingService.portal_id == portal.id, ListingService.active, Service.active)
            .order_by(Service.position)
        ).all()
        services: dict[uuid.UUID, State] = {}
        for row, slug in offered:
            services.setdefault(row.specialist_id, {})[slug] = {
                "price": row.price_minor,
                "buffer_before": row.buffer_before_minutes,
                "buffer_after": row.buffer_after_minutes,
            }
        return {
            email: {
                "team": team,
                "team_role": listing.team_role,
                "capacity": listing.capacity,
                "services": services.get(listing.specialist_id, {}),
            }
            for listing, email, team in listings
        }

    def write(self, session: Session, actor: Actor, portal: Portal, wanted: State) -> None:
        """See Section: through the services, so that what the public sees is published or withdrawn."""
        view = portal_view(session, portal)
        found = self.read(session, portal)
        people = {
            row.email: row.id
            for row in session.scalars(select(Specialist).where(Specialist.email.in_([*wanted, *found])))
        }
        teams = {row.slug: row.id for row in session.scalars(select(Team))}
        for email in found.keys() - wanted.keys():
            listing = find_listing(session, portal.id, people[email])
            if listing is not None:
                move_listing(session, actor, portal.id, listing.id, "ended", _("No longer in the portal's file."))
        for email, values in wanted.items():
            if found.get(email) != values:
                self._write_listing(session, actor, view, people[email], values, teams)

    def _write_listing(
        self,
        session: Session,
        actor: Actor,
        portal: PortalView,
        specialist_id: uuid.UUID,
        values: State,
        teams: Mapping[str, uuid.UUID],
    ) -> None:
        team_id = teams[values["team"]] if values["team"] else None
        listing = find_listing(session, portal.id, specialist_id)
        if listing is None or listing.state not in STATES_IN_FILE:
            listing = list_specialist(
                session, actor, portal, specialist_id, team_id=team_id, team_role=values["team_role"]
            )
        listing.team_id, listing.team_role, listing.capacity = team_id, values["team_role"], values["capacity"]
        session.flush()
        ids = {row.slug: row.id for row in session.scalars(select(Service).where(Service.portal_id == portal.id))}
        offered = [
            OfferedService(ids[slug], one["price"], one["buffer_before"], one["buffer_after"])
            for slug, one in values["services"].items()
        ]
        set_listing_services(session, actor, portal, listing.id, offered)

    def dump(self, file: PortalFile, before: State, after: State) -> None:
        """See Section."""
        after = in_order_of(before, after)
        for email in before.keys() & after.keys():
            after[email] = after[email] | {"services": in_order_of(before[email]["services"], after[email]["services"])}
        sides = ((before, file.context_before), (after, file.context))
        old, new = ([_plain_listing(email, state[email], context) for email in state] for state, context in sides)
        update_list(file.toml, "listings", old, new, key_of=lambda item: str(item["specialist"]))


def _plain_listing(email: str, values: Mapping[str, Any], context: Context) -> dict[str, Any]:
    plain: dict[str, Any] = {"specialist": email}
    if values["team"]:
        plain["team"] = values["team"]
    if values["team_role"] == "lead":
        plain["team_role"] = "lead"
    if values["capacity"] is not None:
        plain["capacity"] = values["capacity"]
    plain["services"] = [_plain_offer(slug, one, context) for slug, one in values["services"].items()]
    return plain


def _plain_offer(slug: str, values: Mapping[str, Any], context: Context) -> str | dict[str, Any]:
    extras: dict[str, Any] = {}
    if values["price"] is not None:
        extras["price"] = _amount(values["price"], context)
    extras |= {name: _words(values[name]) for name in BUFFERS if values[name] is not None}
    return {"slug": slug, **extras} if extras else slug

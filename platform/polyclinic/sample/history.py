"""Months of history, lived by services under a moved clock: who booked whom, came, came again, or cancelled.

A list of things to happen is worked off in the order of their times, each at its own time; what happens adds what
follows from it. Chance is seeded, so the same weeks give the same history relative to the day it is made.
"""

from __future__ import annotations

import datetime as dt
import heapq
import random
import uuid
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import count

from sqlalchemy import Engine, func, select

from polyclinic.allocation.services import find_allocation, set_standing_permission
from polyclinic.booking.holds import hold_slot
from polyclinic.booking.models import Appointment
from polyclinic.booking.offers import get_offering
from polyclinic.booking.rules import Details
from polyclinic.booking.services import cancel_appointment, complete_appointment, confirm_booking
from polyclinic.calendar.services import offer_slots
from polyclinic.consents.services import required_agreements
from polyclinic.directory.models import Listing, ListingService, Service
from polyclinic.kernel.actor import Actor
from polyclinic.kernel.errors import Conflict
from polyclinic.kernel.scope import open_session
from polyclinic.sample import material
from polyclinic.sample.clock import MovedClock
from polyclinic.sample.network import NETWORK, Builder, Network, id_of
from polyclinic.sample.till import Till
from polyclinic.tenancy.places import PortalView

SEED = 20260117
DAY = dt.timedelta(days=1)
MINUTES = dt.timedelta(minutes=1)
#: Patients who registered and have not booked: the demonstration's visitors sign in as one of them.
NEWCOMERS = 2
#: The share of invoices that patients pay within days; the rest is what specialists still wait for.
PAID_INVOICES = 0.9
WORDS_OF_CANCELLING = ("", "Something has come up at work, I am sorry.", "I have caught a cold and will book again.")


@dataclass(frozen=True)
class Choice:
    """A listing that a patient may choose: who, and what is offered there in the portal's order."""

    portal: PortalView
    specialist: Actor
    listing_id: uuid.UUID
    services: tuple[uuid.UUID, ...]
    busy: float


@dataclass
class Counts:
    """What happened."""

    booked: int = 0
    completed: int = 0
    cancelled: int = 0
    full: int = 0
    """Wishes that found no time."""


@dataclass(order=True)
class Happening:
    """Something at its time; the number keeps the order of equal times."""

    at: dt.datetime
    number: int
    what: Callable[[], None] = field(compare=False)


class History:
    """The weeks before the present."""

    def __init__(
        self, engine: Engine, clock: MovedClock, builder: Builder, till: Till, present: dt.datetime, weeks: int
    ) -> None:
        """Let the network of `builder` live `weeks` weeks until `present`, and pay at `till`."""
        self._engine, self._clock, self._builder, self._till = engine, clock, builder, till
        self._present = present
        self._begin = present - dt.timedelta(weeks=weeks)
        self._chance = random.Random(SEED)  # noqa: S311 # a story, not a secret
        self._happenings: list[Happening] = []
        self._numbers = count()
        self._patients: Counter[str] = Counter()
        self.counts = Counts()

    @property
    def _network(self) -> Network:
        return self._builder.network

    def live(self) -> Counts:
        """Let everything happen; a network that has appointments has lived already."""
        if self._has_lived():
            for slug, portal in self._network.portals.items():
                for name in material.patient_names(slug):
                    self._builder.patient(portal, name)
            return self.counts
        choices = self._choices()
        for slug, portal in self._network.portals.items():
            self._foresee(portal, choices[slug], material.patient_names(slug))
        while self._happenings:
            happening = heapq.heappop(self._happenings)
            self._clock.move_to(happening.at)
            happening.what()
        return self.counts

    def _has_lived(self) -> bool:
        with open_session(self._engine, NETWORK) as session:
            return bool(session.scalar(select(func.count()).select_from(Appointment)))

    def _choices(self) -> dict[str, list[Choice]]:
        """Return each portal's listings with what they offer."""
        people = {id_of(actor): actor for actor in self._network.specialists.values()}
        busy = {each.email: each.busy for each in material.specialists()}
        found: dict[str, list[Choice]] = {}
        with open_session(self._engine, NETWORK) as session:
            for slug, portal in self._network.portals.items():
                offered: dict[uuid.UUID, list[uuid.UUID]] = {}
                rows = session.execute(
                    select(ListingService.specialist_id, Service.id)
                    .join(Service, Service.id == ListingService.service_id)
                    .where(ListingService.portal_id == portal.id, ListingService.active, Service.active)
                    .order_by(Service.position)
                )
                for specialist_id, service_id in rows:
                    offered.setdefault(specialist_id, []).append(service_id)
                listings = session.scalars(select(Listing).where(Listing.portal_id == portal.id).order_by(Listing.id))
                found[slug] = sorted(
                    (
                        Choice(
                            portal,
                            people[listing.specialist_id],
                            listing.id,
                            tuple(offered[listing.specialist_id]),
                            busy[people[listing.specialist_id].email],
                        )
                        for listing in listings
                    ),
                    key=lambda choice: choice.specialist.email,
                )
        return found

    # what is to happen

    def _at(self, moment: dt.datetime, what: Callable[[], None]) -> None:
        """Have something happen, unless it lies in the future."""
        if moment < self._present:
            heapq.heappush(self._happenings, Happening(moment, next(self._numbers), what))

    def _foresee(self, portal: PortalView, choices: list[Choice], names: list[str]) -> None:
        """Have every patient of a portal arrive some day, most of them with a wish."""
        for number, name in enumerate(names):
            newcomer = number >= len(names) - NEWCOMERS
            arrival = self._begin + (self._present - self._begin) * self._chance.random() * (1 if newcomer else 0.9)
            visits = [] if newcomer else self._chosen(choices, self._chance.choice((1, 2, 2)))
            day = min(self._by_day(arrival), self._present - MINUTES)  # an hour of today may still lie ahead
            self._at(day, self._arrival(portal, name, visits))

    def _chosen(self, choices: list[Choice], number: int) -> list[Choice]:
        """Choose specialists: the busy ones more often, those who have many patients already less."""
        chosen: list[Choice] = []
        for _time in range(number):
            left = [choice for choice in choices if choice not in chosen]
            weights = [choice.busy / (1 + self._patients[choice.specialist.email]) ** 2 for choice in left]
            (choice,) = self._chance.choices(left, weights)
            self._patients[choice.specialist.email] += 1
            chosen.append(choice)
        return chosen

    def _by_day(self, moment: dt.datetime) -> dt.datetime:
        """Move a moment to an hour at which people arrange things."""
        return moment.replace(hour=self._chance.randint(6, 20), minute=self._chance.randint(0, 59))

    def _arrival(self, portal: PortalView, name: str, visits: list[Choice]) -> Callable[[], None]:
        def arrive() -> None:
            patient = self._builder.patient(portal, name)
            for choice in visits:
                self._book(patient, choice, first=True)

        return arrive

    # what happens

    def _book(self, patient: Actor, choice: Choice, *, first: bool, ahead: int = 0) -> None:
        """Book as a patient does, `ahead` days further: look at times, take one, agree to what is asked, confirm."""
        service_id = choice.services[0] if first else self._chance.choice(choice.services[1:] or choice.services)
        wait = (self._chance.choice((1, 2, 2, 3, 5)) + ahead) * DAY
        moment = self._moment()
        portal = self._till.portal_at(choice.portal, moment)
        with open_session(self._engine, patient.scope()) as session:
            offering = get_offering(session, portal, choice.listing_id, service_id)
            slots = offer_slots(session, offering.offer, moment + wait, moment + wait + 7 * DAY)
            session.rollback()
            if not slots:
                self.counts.full += 1
                return
            slot = self._chance.choice(slots)
            try:
                hold = hold_slot(
                    session, patient, portal, choice.listing_id, service_id, slot.start, patient.zone or "UTC"
                )
            except Conflict:  # their specialist proposes the next time, or the time went: they give up
                self.counts.full += 1
                return
            texts = []
            if first:  # what was agreed to then still holds
                texts = required_agreements(session, portal, "booking", patient.locale or "en", patient.id)
                session.rollback()
            message = self._chance.choice(material.reasons(choice.portal.slug)) if first else ""
            appointment = confirm_booking(
                session,
                patient,
                portal,
                hold.id,
                Details(patient.name, message=message),
                [text.version_id for text in texts],
            )
        self._till.pay(patient, portal, appointment)
        self.counts.booked += 1
        self._what_follows(patient, choice, appointment, first=first)

    def _moment(self) -> dt.datetime:
        return self._clock.moment

    def _what_follows(self, patient: Actor, choice: Choice, appointment: Appointment, *, first: bool) -> None:
        """Foresee how an appointment ends: nine in ten take place, and most are followed by another."""
        now, starts, ends = self._moment(), appointment.starts_at, appointment.ends_at
        fate = self._chance.random()
        if fate < 0.08:
            moment = min(self._by_day(now + (starts - now) * self._chance.uniform(0.2, 0.9)), starts - 2 * MINUTES)
            by = choice.specialist if fate < 0.015 else patient
            self._at(max(moment, now + MINUTES), self._cancellation(by, appointment.id))
            if self._chance.random() < 0.7:
                self._at(self._by_day(starts + DAY), lambda: self._book(patient, choice, first=first))
            return
        self._at(ends + dt.timedelta(minutes=self._chance.randint(1, 25)), self._completion(choice, appointment.id))
        if first and self._chance.random() < 0.85:
            self._at(ends + 40 * MINUTES, self._permission(patient, choice))
        if self._chance.random() < 0.92:
            after = self._by_day(ends + self._chance.choice((1, 1, 2, 4)) * DAY)
            self._at(after, lambda: self._book(patient, choice, first=False))
            if self._present - after < 8 * DAY:  # lately people plan further ahead
                self._at(after + 5 * MINUTES, lambda: self._book(patient, choice, first=False, ahead=8))

    def _cancellation(self, by: Actor, appointment_id: uuid.UUID) -> Callable[[], None]:
        message = self._chance.choice(WORDS_OF_CANCELLING)

        def cancel() -> None:
            with open_session(self._engine, by.scope()) as session:
                cancelled = cancel_appointment(session, by, appointment_id, message)
            self._till.give_back(cancelled)
            self.counts.cancelled += 1

        return cancel

    def _completion(self, choice: Choice, appointment_id: uuid.UUID) -> Callable[[], None]:
        def complete() -> None:
            with open_session(self._engine, choice.specialist.scope()) as session:
                complete_appointment(session, choice.specialist, appointment_id)
            self.counts.completed += 1
            if self._chance.random() < PAID_INVOICES:
                paid = self._by_day(self._moment() + self._chance.choice((2, 3, 5, 9)) * DAY)
                self._at(paid, lambda: self._till.receive(choice.specialist, appointment_id))

        return complete

    def _permission(self, patient: Actor, choice: Choice) -> Callable[[], None]:
        def permit() -> None:
            with open_session(self._engine, choice.specialist.scope()) as session:
                found = find_allocation(session, choice.portal.id, id_of(patient), id_of(choice.specialist))
                session.rollback()
                if found is not None:
                    set_standing_permission(session, choice.specialist, found.id, True)

        return permit

"""Who is shown no slots in a directory, asked about many listings at once: the same answers as one by one."""

import datetime as dt
from collections.abc import Iterator

import pytest
from sqlalchemy import Engine, update
from sqlalchemy.orm import Session

from polyclinic.booking.offers import BookingOffers, get_offering, refuse_slots
from polyclinic.directory.models import Listing
from polyclinic.kernel.actor import Actor
from polyclinic.kernel.scope import open_session
from polyclinic.tenancy.places import PortalView
from polyclinic.web.places import PlaceFlask
from support.cast import Cast, add_history


@pytest.fixture
def alpha(cast: Cast, app: PlaceFlask) -> Iterator[PortalView]:
    view = app.places.portal(cast.alpha.id)
    assert view is not None
    with app.app_context():
        yield view


def test_an_established_patient_is_refused_where_the_specialist_proposes(
    cast: Cast, engine: Engine, owner: Engine, alpha: PortalView
) -> None:
    """B1: for Sam's patient Sam's times are hidden, nobody else's; for others none are."""
    add_history(owner, cast.alpha, cast.alpha.patient, cast.sam, dt.datetime(2026, 11, 20, 9, tzinfo=dt.UTC))
    listings = [cast.listing(cast.alpha, one) for one in (cast.ada, cast.sam, cast.lea)]
    with open_session(engine, cast.alpha.patient.scope()) as session:
        found = BookingOffers().refusals(session, cast.alpha.patient, alpha, listings)
        assert {key: refusal.code for key, refusal in found.items()} == {
            cast.listing(cast.alpha, cast.sam): "specialist-proposes"
        }
    with open_session(engine, cast.alpha.other_patient.scope()) as session:
        assert BookingOffers().refusals(session, cast.alpha.other_patient, alpha, listings) == {}


def test_a_full_listing_is_refused_to_everybody_new(
    cast: Cast, engine: Engine, owner: Engine, alpha: PortalView
) -> None:
    """B1, S6: and many at once are answered as each alone."""
    with Session(owner) as session:
        full = update(Listing).where(Listing.portal_id == cast.alpha.id, Listing.specialist_id == cast.ada.id)
        session.execute(full.values(capacity=3, active_allocations=3))
        session.commit()
    listings = [cast.listing(cast.alpha, one) for one in (cast.ada, cast.sam, cast.lea)]
    for actor in (cast.alpha.patient, Actor("visitor", portal_id=cast.alpha.id)):
        with open_session(engine, actor.scope()) as session:
            found = BookingOffers().refusals(session, actor, alpha, listings)
            assert [refusal.code for refusal in found.values()] == ["fully-booked"]
            for listing in listings:
                alone = refuse_slots(session, actor, alpha, get_offering(session, alpha, listing, cast.alpha.service))
                assert (alone.code if alone else None) == (found[listing].code if listing in found else None)


def test_another_portals_listings_are_not_answered(cast: Cast, engine: Engine, alpha: PortalView) -> None:
    """I2."""
    with open_session(engine, cast.alpha.patient.scope()) as session:
        foreign = [cast.listing(cast.beta, cast.ben)]
        assert BookingOffers().refusals(session, cast.alpha.patient, alpha, foreign) == {}

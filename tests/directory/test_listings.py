"""Two approvals, one published copy per listing, prices that the portal allows."""

import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from sqlalchemy import Engine, func, select, update
from sqlalchemy.orm import Session

from polyclinic.audit.models import AuditEvent
from polyclinic.directory.models import Listing, ListingService, PublishedProfile, Service
from polyclinic.directory.offerings import OfferedService, ServiceTerms, save_service, set_listing_services
from polyclinic.directory.profiles import save_profile
from polyclinic.directory.services import (
    apply_for_listing,
    approve_specialist,
    find_listing,
    get_listing,
    list_specialist,
    move_listing,
    move_specialist,
    publish_listing,
    set_listing_limits,
    suspend_specialist,
)
from polyclinic.directory.words import save_team, save_word
from polyclinic.identity.accounts import update_profile
from polyclinic.identity.models import Specialist
from polyclinic.kernel.actor import Actor
from polyclinic.kernel.errors import Conflict, Forbidden, Invalid, NotFound
from polyclinic.kernel.outbox import OutboxMessage
from polyclinic.kernel.scope import Scope, open_session
from polyclinic.tenancy.models import PortalSetting
from polyclinic.tenancy.places import PortalView
from polyclinic.web import jobs
from polyclinic.web.places import PlaceFlask
from support.cast import Cast, PortalCast

Acting = Callable[[Actor], Any]


@pytest.fixture
def acting(engine: Engine) -> Acting:
    """Open a session in an actor's own scope."""

    @contextmanager
    def open_for(actor: Actor) -> Iterator[Session]:
        with open_session(engine, actor.scope()) as session:
            yield session

    return open_for


def view(app: PlaceFlask, portal: PortalCast) -> PortalView:
    found = app.places.portal(portal.id)
    assert found is not None
    return found


def shown(owner: Engine, specialist: Actor) -> set[uuid.UUID]:
    """On which portals the public sees somebody."""
    with Session(owner) as session:
        query = select(PublishedProfile.portal_id).where(PublishedProfile.specialist_id == specialist.id)
        return set(session.scalars(query))


def copy_of(owner: Engine, portal: PortalCast, specialist: Actor) -> PublishedProfile:
    with Session(owner, expire_on_commit=False) as session:
        return session.scalars(
            select(PublishedProfile).where(
                PublishedProfile.portal_id == portal.id, PublishedProfile.specialist_id == specialist.id
            )
        ).one()


def audited(owner: Engine, action: str) -> int:
    with Session(owner) as session:
        return session.scalar(select(func.count()).where(AuditEvent.action == action)) or 0


def test_suspension_takes_a_person_off_every_portal_at_once(cast: Cast, acting: Acting, owner: Engine) -> None:
    """S2, S3: the copy exists exactly while the listing is visible; reinstatement brings both back."""
    assert shown(owner, cast.sam) == {cast.alpha.id, cast.beta.id}
    with acting(cast.olga) as session:
        suspend_specialist(session, cast.olga, cast.sam.id, "A complaint is being looked into.")
    assert shown(owner, cast.sam) == set()
    assert shown(owner, cast.ada) == {cast.alpha.id}
    with acting(cast.olga) as session:
        approve_specialist(session, cast.olga, cast.sam.id)
    assert shown(owner, cast.sam) == {cast.alpha.id, cast.beta.id}
    assert audited(owner, "specialist.suspended") == 1
    assert audited(owner, "specialist.approved") == 1


def test_a_suspended_person_does_not_come_back_through_a_listing(cast: Cast, acting: Acting, owner: Engine) -> None:
    """S2: the portal's approval is not enough."""
    with acting(cast.olga) as session:
        move_listing(session, cast.olga, cast.alpha.id, cast.listing(cast.alpha, cast.ada), "paused", "Holidays")
        suspend_specialist(session, cast.olga, cast.ada.id, "No answer for weeks.")
        move_listing(session, cast.olga, cast.alpha.id, cast.listing(cast.alpha, cast.ada), "listed")
    assert shown(owner, cast.ada) == set()


def test_only_the_network_decides_about_a_person(cast: Cast, acting: Acting, owner: Engine) -> None:
    """S2: neither the operator of one portal nor the person themselves."""
    for actor in (cast.oskar, cast.ada):
        with acting(actor) as session, pytest.raises(Forbidden):
            suspend_specialist(session, actor, cast.ada.id, "because")
    assert shown(owner, cast.ada) == {cast.alpha.id}


def test_approval_follows_submission(cast: Cast, acting: Acting, owner: Engine) -> None:
    """S2: a draft is not approved, a rejection needs a reason."""
    with Session(owner) as session:
        session.execute(update(Specialist).where(Specialist.id == cast.ada.id).values(state="draft"))
        session.commit()
    with acting(cast.olga) as session:
        with pytest.raises(Conflict):
            approve_specialist(session, cast.olga, cast.ada.id)
        move_specialist(session, cast.olga, cast.ada.id, "submitted")
        with pytest.raises(Invalid):
            move_specialist(session, cast.olga, cast.ada.id, "rejected")
        approve_specialist(session, cast.olga, cast.ada.id)
    assert shown(owner, cast.ada) == {cast.alpha.id}


def test_a_portal_approves_only_its_own_listings(cast: Cast, acting: Acting) -> None:
    """I2: another portal's listing is not there, whatever portal is claimed."""
    foreign = cast.listing(cast.beta, cast.ben)
    with acting(cast.oskar) as session:
        for portal in (cast.alpha.id, cast.beta.id):
            with pytest.raises(NotFound):
                move_listing(session, cast.oskar, portal, foreign, "paused", "because")
        with pytest.raises(NotFound):
            publish_listing(session, cast.oskar, cast.beta.id, foreign)


def test_pausing_hides_and_resuming_shows(cast: Cast, acting: Acting, owner: Engine) -> None:
    """S6: a specialist pauses and resumes; what the portal paused, only the portal resumes."""
    listing = cast.listing(cast.alpha, cast.ada)
    with acting(cast.ada) as session:
        move_listing(session, cast.ada, cast.alpha.id, listing, "paused")
        assert shown(owner, cast.ada) == set()
        move_listing(session, cast.ada, cast.alpha.id, listing, "listed")
        assert shown(owner, cast.ada) == {cast.alpha.id}
    with acting(cast.oskar) as session:
        with pytest.raises(Invalid):
            move_listing(session, cast.oskar, cast.alpha.id, listing, "paused")
        move_listing(session, cast.oskar, cast.alpha.id, listing, "paused", "Papers are missing.")
    with acting(cast.ada) as session, pytest.raises(Forbidden):
        move_listing(session, cast.ada, cast.alpha.id, listing, "listed")
    assert shown(owner, cast.ada) == set()


def test_nobody_touches_somebody_elses_listing(cast: Cast, acting: Acting) -> None:
    """I2: for another specialist it does not exist."""
    with acting(cast.ben) as session, pytest.raises(NotFound):
        move_listing(session, cast.ben, cast.alpha.id, cast.listing(cast.alpha, cast.ada), "paused")


def test_an_ended_listing_is_not_approved_by_its_specialist(cast: Cast, acting: Acting, owner: Engine) -> None:
    """S2: ended, never deleted; it begins anew with the portal's approval."""
    listing = cast.listing(cast.alpha, cast.ada)
    with acting(cast.ada) as session:
        move_listing(session, cast.ada, cast.alpha.id, listing, "ended")
        with pytest.raises(Forbidden):
            move_listing(session, cast.ada, cast.alpha.id, listing, "listed")
    assert shown(owner, cast.ada) == set()


@pytest.mark.parametrize(("admission", "state"), [("application", "applied"), ("all", "listed"), ("invitation", None)])
def test_admission_is_the_portals_choice(
    cast: Cast, acting: Acting, owner: Engine, app: PlaceFlask, admission: str, state: str | None
) -> None:
    """S2, §5: on application, by invitation, or all approved ones."""
    with Session(owner) as session:
        session.add(PortalSetting(portal_id=cast.gamma.id, key="directory.admission", value=admission))
        session.commit()
    app.places.forget()
    with acting(cast.ada) as session:
        if state is None:
            with pytest.raises(Forbidden):
                apply_for_listing(session, cast.ada, view(app, cast.gamma))
            assert find_listing(session, cast.gamma.id, cast.ada.id) is None
        else:
            assert apply_for_listing(session, cast.ada, view(app, cast.gamma)).state == state
    assert (cast.gamma.id in shown(owner, cast.ada)) is (state == "listed")


def test_an_operator_lists_by_invitation_in_a_team(cast: Cast, acting: Acting, owner: Engine, app: PlaceFlask) -> None:
    """I5: team membership is per listing."""
    with acting(cast.olga) as session:
        team = save_team(session, cast.olga, "south", "Team South")
        listing = list_specialist(
            session, cast.olga, view(app, cast.gamma), cast.ada.id, team_id=team.id, team_role="lead"
        )
        assert (listing.state, listing.team_role) == ("listed", "lead")
    assert shown(owner, cast.ada) == {cast.alpha.id, cast.gamma.id}


def test_a_reviewed_field_waits_and_others_go_live(cast: Cast, acting: Acting, owner: Engine) -> None:
    """S3: the title waits for each portal, the biography does not; what a portal approved stays until then."""
    with acting(cast.oskar) as session:
        publish_listing(session, cast.oskar, cast.alpha.id, cast.listing(cast.alpha, cast.sam))
    with acting(cast.sam) as session:
        changes = {"title": {"en": "Professor"}, "bio": {"en": "I listen twice."}}
        save_profile(session, cast.sam, cast.sam.id, changes)
    for portal in (cast.alpha, cast.beta):
        copy = copy_of(owner, portal, cast.sam)
        assert (copy.title["en"], copy.bio["en"]) == ("Physiotherapist", "I listen twice.")
    with acting(cast.sam) as session:
        move_listing(session, cast.sam, cast.alpha.id, cast.listing(cast.alpha, cast.sam), "paused")
        move_listing(session, cast.sam, cast.alpha.id, cast.listing(cast.alpha, cast.sam), "listed")
    assert copy_of(owner, cast.alpha, cast.sam).title["en"] == "Physiotherapist"
    with acting(cast.oskar) as session:
        publish_listing(session, cast.oskar, cast.alpha.id, cast.listing(cast.alpha, cast.sam))
    assert copy_of(owner, cast.alpha, cast.sam).title["en"] == "Professor"
    assert copy_of(owner, cast.beta, cast.sam).title["en"] == "Physiotherapist"


def test_published_copies_carry_the_names_of_words(cast: Cast, acting: Acting, owner: Engine) -> None:
    """S3: the public has no right to the vocabulary, so names travel with the copy."""
    with acting(cast.olga) as session:
        save_word(session, cast.olga, "expertise", "breathing", {"en": "Breathing", "de": "Atmung"})
    with acting(cast.ada) as session:
        save_profile(session, cast.ada, cast.ada.id, {"expertise": ["breathing"], "languages": ["de", "en"]})
        with pytest.raises(Invalid) as refused:
            save_profile(session, cast.ada, cast.ada.id, {"expertise": ["juggling"], "languages": ["xx-yy-zz"]})
        assert set(refused.value.fields) == {"expertise", "languages"}
    copy = copy_of(owner, cast.alpha, cast.ada)
    assert copy.words == {"expertise": {"breathing": {"en": "Breathing", "de": "Atmung"}}}
    with acting(cast.ada) as session:
        move_listing(session, cast.ada, cast.alpha.id, cast.listing(cast.alpha, cast.ada), "paused")
        move_listing(session, cast.ada, cast.alpha.id, cast.listing(cast.alpha, cast.ada), "listed")
    assert copy_of(owner, cast.alpha, cast.ada).words == copy.words


@pytest.mark.parametrize(
    "changes",
    [
        {"bio": {"en": "x" * 3001}},
        {"title": {"en": " "}},
        {"title": "Physio"},
        {"phone": "+49"},
        {"email": "me@example.org"},
        {"credentials": [{"issuer": "nobody"}]},
        {"categories": ["a"] * 13},
    ],
)
def test_a_profile_refuses_what_it_cannot_show(cast: Cast, acting: Acting, changes: dict[str, Any]) -> None:
    """S3: phone and e-mail are no fields of a profile; texts have a length."""
    with acting(cast.ada) as session, pytest.raises(Invalid) as refused:
        save_profile(session, cast.ada, cast.ada.id, changes)
    assert set(refused.value.fields) == set(changes)


def test_a_profile_is_changed_by_its_owner_or_the_network(cast: Cast, acting: Acting) -> None:
    """I2."""
    for actor in (cast.ben, cast.oskar):
        with acting(actor) as session, pytest.raises((NotFound, Forbidden)):
            save_profile(session, actor, cast.ada.id, {"bio": {"en": "Mine now."}})


def test_a_fixed_price_portal_refuses_a_price_of_the_specialist(
    cast: Cast, acting: Acting, app: PlaceFlask, owner: Engine
) -> None:
    """E2: the whole change is refused, nothing of it is written."""
    offered = [OfferedService(cast.alpha.service, price_minor=1)]
    with acting(cast.ada) as session, pytest.raises(Invalid) as refused:
        set_listing_services(session, cast.ada, view(app, cast.alpha), cast.listing(cast.alpha, cast.ada), offered)
    assert set(refused.value.fields) == {"first-visit"}
    with Session(owner) as session:
        assert set(session.scalars(select(ListingService.price_minor))) == {None, 7500, 9000}


def test_what_a_listing_no_longer_offers_is_switched_off(
    cast: Cast, acting: Acting, app: PlaceFlask, owner: Engine
) -> None:
    """E2: history may point at it, so it stays; offering it again takes the new price."""
    listing, portal = cast.listing(cast.beta, cast.ben), view(app, cast.beta)
    with acting(cast.ben) as session:
        assert set_listing_services(session, cast.ben, portal, listing, []) == []
        again = [OfferedService(cast.beta.service, price_minor=8200)]
        assert [row.price_minor for row in set_listing_services(session, cast.ben, portal, listing, again)] == [8200]
    with acting(cast.ben) as session, pytest.raises(NotFound):
        set_listing_services(session, cast.ben, portal, listing, [OfferedService(cast.alpha.service)])


def test_an_operator_keeps_the_portals_services(cast: Cast, acting: Acting, owner: Engine) -> None:
    """I2, C3: a service belongs to a portal; saving its slug again changes it."""
    terms = ServiceTerms("follow-up", {"de": "Folgetermin"}, 25, price_minor=4500, buffer_after_minutes=5)
    with acting(cast.oskar) as session:
        first = save_service(session, cast.oskar, cast.alpha.id, terms)
        second = save_service(
            session, cast.oskar, cast.alpha.id, ServiceTerms("follow-up", {"de": "Folgetermin"}, 30, price_minor=5000)
        )
        assert (first.id, second.price_minor) == (second.id, 5000)
        with pytest.raises(Invalid) as refused:
            save_service(session, cast.oskar, cast.alpha.id, ServiceTerms("Follow Up", {}, 3, buffer_after_minutes=500))
        assert set(refused.value.fields) == {"slug", "name", "duration_minutes", "buffer_after_minutes"}
        with pytest.raises(NotFound):
            save_service(session, cast.oskar, cast.beta.id, terms)
    with acting(cast.ada) as session, pytest.raises(Forbidden):
        save_service(session, cast.ada, cast.alpha.id, terms)
    with Session(owner) as session:
        assert session.scalar(select(func.count()).where(Service.slug == "follow-up")) == 1


def test_limits_of_a_listing_are_checked(cast: Cast, acting: Acting) -> None:
    """S6."""
    listing = cast.listing(cast.alpha, cast.ada)
    with acting(cast.ada) as session:
        set_listing_limits(session, cast.ada, cast.alpha.id, listing, accepts_booking=True, capacity=12)
        found: Listing = get_listing(session, cast.alpha.id, listing)
        assert found.capacity == 12
        with pytest.raises(Invalid):
            set_listing_limits(session, cast.ada, cast.alpha.id, listing, accepts_booking=True, capacity=-1)


def test_a_new_name_reaches_every_portal_through_the_outbox(
    cast: Cast, acting: Acting, owner: Engine, app: PlaceFlask
) -> None:
    """S3, T2: written with the change, carried over by a worker, twice if need be."""
    with app.app_context(), acting(cast.sam) as session:
        update_profile(session, cast.sam, {"name": "Samuel", "zone": "Europe/London"}, ["en"])
    with Session(owner) as session:
        (message,) = session.scalars(select(OutboxMessage).where(OutboxMessage.kind == "specialist.updated")).all()
        number = message.id
    for _ in range(2):
        with app.app_context():
            assert jobs.run_message(app, number, Scope("job"))
    for portal in (cast.alpha, cast.beta):
        copy = copy_of(owner, portal, cast.sam)
        assert (copy.name, copy.sort_name, copy.zone) == ("Samuel", "samuel", "Europe/London")

"""From hold to appointment: confirmed once, frozen, audited, announced; cancelled, completed (B1, B2, B5, B6)."""

import datetime as dt
import json
import threading
import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import text
from sqlalchemy.exc import ProgrammingError
from sqlalchemy.orm import Session

from polyclinic.allocation.services import end_allocation, set_standing_permission
from polyclinic.booking.appointments import (
    appointments_between,
    cancelling_means,
    count_appointments,
    get_appointment,
    list_appointments,
    messages_of,
    open_appointment,
)
from polyclinic.booking.offers import BookingOffers
from polyclinic.booking.rules import Details
from polyclinic.booking.services import cancel_appointment, complete_appointment, confirm_booking
from polyclinic.calendar.services import get_offer, offer_slots
from polyclinic.directory.offers import OfferedDays
from polyclinic.kernel.actor import Actor
from polyclinic.kernel.errors import Conflict, Forbidden, Gone, Invalid, NotFound, Refusal, Unauthenticated
from polyclinic.tenancy.places import PortalView
from polyclinic.web.places import PlaceFlask
from support.bookings import HOUR, TEN, Desk
from support.calendars import START, OpenAs, SetTime
from support.cast import Cast

DAY = dt.timedelta(days=1)
MINUTE = dt.timedelta(minutes=1)


@pytest.fixture(autouse=True)
def inside(app: PlaceFlask) -> Iterator[None]:
    """Services that call hooks ask the running application for them."""
    with app.app_context():
        yield


def kinds(desk: Desk, like: str = "appointment.%") -> list[str]:
    return [row.kind for row in desk.rows("SELECT kind FROM outbox WHERE kind LIKE :like ORDER BY id", like=like)]


def test_a_confirmed_booking_is_whole(desk: Desk, scene: Cast) -> None:
    """B2, B5: appointment, firm claim under its own id, allocation, consent, details, audit and outbox, all at once."""
    patient = scene.alpha.patient
    appointment = desk.book(patient, scene.ada)
    assert (appointment.state, appointment.price_minor, appointment.payment_model) == (
        "confirmed",
        8000,
        "external_invoice",
    )
    assert (appointment.zone, appointment.specialist_name) == ("Europe/Berlin", "Ada")
    (claim,) = desk.rows("SELECT claim_id, expires_at FROM claim")
    assert (claim.claim_id, claim.expires_at) == (appointment.id, None)
    (allocation,) = desk.rows("SELECT * FROM allocation")
    assert (allocation.patient_id, allocation.specialist_id, allocation.source) == (patient.id, scene.ada.id, "browse")
    assert [row.how for row in desk.rows("SELECT how FROM consent")] == ["booking"]
    (person,) = desk.rows("SELECT name, phone FROM patient WHERE id = :id", id=patient.id)
    assert (person.name, person.phone) == ("Pat Alpha", "+49 30 123456")
    (told,) = desk.rows("SELECT portal_id, payload FROM outbox WHERE kind = 'appointment.confirmed'")
    assert told.portal_id == scene.alpha.id
    assert told.payload == {"appointment_id": str(appointment.id), "by": "patient", "sequence": 0}
    actions = [row.action for row in desk.rows("SELECT action FROM audit_event ORDER BY id")]
    assert actions == [
        "hold.made",
        "consent.given",
        "patient.changed",
        "allocation.opened",
        "appointment.confirmed",
    ]
    assert "knee" not in json.dumps([list(map(str, row)) for row in desk.rows("SELECT * FROM outbox")])
    assert "knee" not in json.dumps([list(map(str, row)) for row in desk.rows("SELECT * FROM audit_event")])


def test_a_double_submit_books_once(desk: Desk, scene: Cast) -> None:
    """B2: ten confirmations of one hold at the same moment are one appointment, one mail, one consent."""
    hold = desk.hold(scene.alpha.patient, scene.ada)
    barrier = threading.Barrier(10)

    def one(_number: int) -> uuid.UUID:
        barrier.wait()
        with desk.app.app_context():
            return desk.confirm(scene.alpha.patient, hold.id).id

    with ThreadPoolExecutor(10) as pool:
        assert len(set(pool.map(one, range(10)))) == 1
    assert kinds(desk) == ["appointment.confirmed"]
    assert len(desk.rows("SELECT 1 FROM consent")) == 1
    assert desk.rows("SELECT active_allocations AS n FROM listing WHERE specialist_id = :id", id=scene.ada.id)[0].n == 1


def test_without_consent_nothing_is_booked(desk: Desk, scene: Cast, open_as: OpenAs) -> None:
    """K1: the booking gate stands; the hold lives on."""
    patient, hold = scene.alpha.patient, desk.hold(scene.alpha.patient, scene.ada)
    with open_as(patient) as session, pytest.raises(Invalid) as refusal:
        confirm_booking(session, patient, desk.portal(scene.alpha), hold.id, desk.details, [])
    assert list(refusal.value.fields) == ["agreement-terms"]
    assert kinds(desk) == []
    assert desk.confirm(patient, hold.id).state == "confirmed"


def test_a_guest_cannot_confirm(desk: Desk, scene: Cast, open_as: OpenAs) -> None:
    """B2: the e-mail step comes first."""
    guest = desk.guest(scene.alpha)
    hold = desk.hold(guest, scene.ada)
    with open_as(guest) as session, pytest.raises(Unauthenticated):
        confirm_booking(session, guest, desk.portal(scene.alpha), hold.id, desk.details)


def test_a_dead_hold_is_gone(desk: Desk, scene: Cast, set_time: SetTime) -> None:
    """C5: nothing swept it; it names the next times, and nothing is written."""
    hold = desk.hold(scene.alpha.patient, scene.ada)
    set_time(START + 10 * MINUTE + MINUTE)
    with pytest.raises(Gone) as refusal:
        desk.confirm(scene.alpha.patient, hold.id)
    assert refusal.value.code == "hold-expired"
    assert refusal.value.extra["next"][0] == "2027-03-02T08:00:00+00:00"
    assert desk.rows("SELECT 1 FROM appointment") == []


def test_price_and_policy_are_frozen(desk: Desk, scene: Cast, open_as: OpenAs) -> None:
    """B6, E2: what the portal changes later concerns later bookings; the price is the hold's."""
    hold = desk.hold(scene.alpha.patient, scene.ada)
    desk.write('UPDATE service SET price_minor = 9900, name = \'{"en": "Renamed"}\'')
    appointment = desk.confirm(scene.alpha.patient, hold.id)
    assert appointment.price_minor == 8000
    desk.setting(scene.alpha, "booking.free_cancellation", 3600)
    desk.setting(scene.alpha, "booking.late_fee", "50 %")
    with open_as(scene.alpha.patient) as session:
        terms = cancelling_means(session, scene.alpha.patient, appointment)
    assert (terms.free_until, terms.late_fee.minor) == (TEN - DAY, 8000)
    later = desk.book(scene.alpha.other_patient, scene.ada, TEN + HOUR)
    assert (later.price_minor, later.policy["late_fee"]) == (9900, "50")


def test_own_prices_and_free_visits(desk: Desk, scene: Cast) -> None:
    """E2, E5: on `own` the listing's price counts; what costs nothing is served by `free`."""
    desk.write("UPDATE listing_service SET price_minor = 6500 WHERE portal_id = :id", id=scene.beta.id)
    assert desk.hold(scene.beta.patient, scene.ben).price_minor == 6500
    desk.write("UPDATE service SET price_minor = 0 WHERE portal_id = :id", id=scene.alpha.id)
    assert desk.book(scene.alpha.patient, scene.ada).payment_model == "free"


def test_without_a_price_nothing_can_be_booked(desk: Desk, scene: Cast) -> None:
    """E2: no price in the portal's currency means not bookable there."""
    desk.write("UPDATE service SET price_minor = NULL")
    with pytest.raises(Conflict) as refusal:
        desk.hold(scene.alpha.patient, scene.ada)
    assert refusal.value.code == "no-price"


# B1 on every door


def shown(desk: Desk, open_as: OpenAs, actor: Actor, specialist: Actor) -> OfferedDays | Refusal:
    portal: PortalView = desk.portal(actor.portal_id)
    place = next(one for one in desk.cast.portals if one.id == actor.portal_id)
    with open_as(actor) as session:
        listing = desk.cast.listing(place, specialist)
        day = TEN.date()
        return BookingOffers().slots(session, actor, portal, listing, place.service, day, 3, "Asia/Tokyo")


def test_slots_come_by_day_of_the_viewers_zone(desk: Desk, scene: Cast, open_as: OpenAs) -> None:
    """B1, C2: 09:00 to 16:00 in Berlin is 17:00 to midnight in Tokyo; days without slots stay in the list."""
    found = shown(desk, open_as, desk.guest(scene.alpha), scene.ada)
    assert isinstance(found, OfferedDays)
    assert [day.day.isoformat() for day in found.days] == ["2027-03-02", "2027-03-03", "2027-03-04"]
    first = found.days[0].slots
    assert (first[0].start, first[0].end) == (TEN - HOUR, TEN - 10 * MINUTE)
    assert found.last_day == (START + 60 * DAY).date()


def test_after_the_first_booking_the_specialist_proposes(desk: Desk, scene: Cast, open_as: OpenAs) -> None:
    """B1: page and forged hold alike; other specialists and other patients are not concerned."""
    desk.book(scene.alpha.patient, scene.ada)
    refusal = shown(desk, open_as, scene.alpha.patient, scene.ada)
    assert isinstance(refusal, Refusal)
    assert refusal.code == "specialist-proposes"
    with pytest.raises(Conflict) as forged:
        desk.hold(scene.alpha.patient, scene.ada, TEN + HOUR)
    assert forged.value.code == "specialist-proposes"
    assert isinstance(shown(desk, open_as, scene.alpha.patient, scene.sam), OfferedDays)
    assert isinstance(shown(desk, open_as, scene.alpha.other_patient, scene.ada), OfferedDays)


def test_a_hold_from_before_does_not_get_around_it(desk: Desk, scene: Cast) -> None:
    """B1: what has changed since the hold is asked again when it is confirmed."""
    hold = desk.hold(scene.alpha.patient, scene.ada, TEN + HOUR)
    desk.write("UPDATE listing SET capacity = 0 WHERE specialist_id = :id", id=scene.ada.id)
    with pytest.raises(Conflict) as refusal:
        desk.confirm(scene.alpha.patient, hold.id)
    assert refusal.value.code == "fully-booked"
    desk.write("DELETE FROM published_profile WHERE specialist_id = :id", id=scene.ada.id)
    with pytest.raises(Conflict) as gone:
        desk.confirm(scene.alpha.patient, hold.id)
    assert gone.value.code == "no-longer-offered"


def test_a_cancelled_first_visit_does_not_establish(desk: Desk, scene: Cast, open_as: OpenAs) -> None:
    """B1: slots are shown again, beyond capacity too, for the allocation is still theirs."""
    appointment = desk.book(scene.alpha.patient, scene.ada)
    desk.write("UPDATE listing SET capacity = 1 WHERE specialist_id = :id", id=scene.ada.id)
    with open_as(scene.alpha.patient) as session:
        cancel_appointment(session, scene.alpha.patient, appointment.id)
    assert isinstance(shown(desk, open_as, scene.alpha.patient, scene.ada), OfferedDays)
    assert isinstance(shown(desk, open_as, scene.alpha.other_patient, scene.ada), Conflict)
    assert desk.book(scene.alpha.patient, scene.ada).state == "confirmed"


def test_standing_permission_opens_the_calendar_again(desk: Desk, scene: Cast, open_as: OpenAs) -> None:
    """B1: the specialist's word; it ends with the allocation."""
    desk.book(scene.alpha.patient, scene.ada)
    (allocation,) = desk.rows("SELECT id FROM allocation")
    with open_as(scene.ada) as session:
        set_standing_permission(session, scene.ada, allocation.id, True)
    assert desk.book(scene.alpha.patient, scene.ada, TEN + HOUR).state == "confirmed"
    with open_as(scene.ada) as session:
        end_allocation(session, scene.ada, allocation.id)
    assert isinstance(shown(desk, open_as, scene.alpha.patient, scene.ada), OfferedDays)


@pytest.mark.parametrize("source", ["automated", "assisted", "programme", "transfer"])
def test_decided_allocations_establish_by_themselves(desk: Desk, scene: Cast, open_as: OpenAs, source: str) -> None:
    """B1: without any appointment."""
    desk.write(
        "INSERT INTO allocation (id, portal_id, patient_id, specialist_id, source)"
        " VALUES (gen_random_uuid(), :portal, :patient, :specialist, :source)",
        portal=scene.alpha.id,
        patient=scene.alpha.patient.id,
        specialist=scene.ada.id,
        source=source,
    )
    assert isinstance(shown(desk, open_as, scene.alpha.patient, scene.ada), Refusal)


def test_capacity_is_not_exceeded_by_racing(desk: Desk, scene: Cast) -> None:
    """B1, S6: two patients hold two times of a listing with room for one; one is booked."""
    desk.write("UPDATE listing SET capacity = 1 WHERE specialist_id = :id", id=scene.ada.id)
    patients = [scene.alpha.patient, scene.alpha.other_patient]
    holds = [desk.hold(patient, scene.ada, TEN + number * HOUR).id for number, patient in enumerate(patients)]
    barrier = threading.Barrier(2)

    def one(number: int) -> str:
        barrier.wait()
        with desk.app.app_context():
            try:
                return desk.confirm(patients[number], holds[number]).state
            except Conflict as refusal:
                return refusal.code

    with ThreadPoolExecutor(2) as pool:
        assert sorted(pool.map(one, range(2))) == ["confirmed", "fully-booked"]


# cancelling and completing


@pytest.mark.parametrize("who", ["patient", "specialist", "operator", "network"])
def test_cancelling_frees_the_time_for_all(desk: Desk, scene: Cast, open_as: OpenAs, who: str) -> None:
    """B5: by whom, late or not; the claim goes, the sequence rises, everybody is told; twice is once."""
    actor = {"patient": scene.alpha.patient, "specialist": scene.ada, "operator": scene.oskar, "network": scene.olga}[
        who
    ]
    appointment = desk.book(scene.alpha.patient, scene.ada)
    for _ in range(2):
        with open_as(actor) as session:
            cancelled = cancel_appointment(session, actor, appointment.id)
    assert (cancelled.state, cancelled.cancelled_by, cancelled.sequence) == ("cancelled", actor.kind, 1)
    assert cancelled.cancelled_late is False
    assert desk.rows("SELECT 1 FROM claim") == []
    assert kinds(desk) == ["appointment.confirmed", "appointment.cancelled"]
    (told,) = desk.rows("SELECT payload FROM outbox WHERE kind = 'appointment.cancelled'")
    assert told.payload["by"] == actor.kind
    (audited,) = desk.rows("SELECT * FROM audit_event WHERE action = 'appointment.cancelled'")
    assert (audited.actor_kind, audited.actor_id, audited.portal_id) == (actor.kind, actor.id, scene.alpha.id)
    assert desk.hold(scene.alpha.other_patient, scene.ada).starts_at == TEN


def test_a_late_patient_is_late_and_others_never(desk: Desk, scene: Cast, open_as: OpenAs, set_time: SetTime) -> None:
    """B6: 23 hours before, the frozen fee is due; not when the specialist cancels."""
    first = desk.book(scene.alpha.patient, scene.ada, TEN + HOUR)
    second = desk.book(scene.alpha.other_patient, scene.ada, TEN + 2 * HOUR)
    set_time(TEN + HOUR - 23 * HOUR)
    with open_as(scene.alpha.patient) as session:
        assert cancelling_means(session, scene.alpha.patient, first).fee.minor == 8000
        assert cancel_appointment(session, scene.alpha.patient, first.id).cancelled_late
    with open_as(scene.ada) as session:
        assert cancelling_means(session, scene.ada, second).fee.minor == 0
        assert cancel_appointment(session, scene.ada, second.id).cancelled_late is False


def test_what_has_begun_cannot_be_cancelled(desk: Desk, scene: Cast, open_as: OpenAs, set_time: SetTime) -> None:
    """B5: it can be completed then, by the specialist alone, once."""
    appointment = desk.book(scene.alpha.patient, scene.ada)
    with open_as(scene.ada) as session, pytest.raises(Conflict):
        complete_appointment(session, scene.ada, appointment.id)
    set_time(TEN + MINUTE)
    for actor in (scene.alpha.patient, scene.ada, scene.olga):
        with open_as(actor) as session, pytest.raises(Conflict):
            cancel_appointment(session, actor, appointment.id)
    for actor in (scene.alpha.patient, scene.olga):
        with open_as(actor) as session, pytest.raises(Forbidden):
            complete_appointment(session, actor, appointment.id)
    for _ in range(2):
        with open_as(scene.ada) as session:
            assert complete_appointment(session, scene.ada, appointment.id).state == "completed"
    assert kinds(desk) == ["appointment.confirmed", "appointment.completed"]


def test_strangers_find_no_appointment(desk: Desk, scene: Cast, open_as: OpenAs) -> None:
    """I2: to read, cancel or complete; another portal's operator included."""
    appointment = desk.book(scene.beta.patient, scene.ben)
    for stranger in (scene.beta.other_patient, scene.alpha.patient, scene.sam, scene.oskar):
        with open_as(stranger) as session:
            for use_case in (get_appointment, open_appointment, cancel_appointment, complete_appointment, messages_of):
                with pytest.raises(NotFound):
                    use_case(session, stranger, appointment.id)


def test_operators_cannot_read_what_patients_write(desk: Desk, scene: Cast, open_as: OpenAs) -> None:
    """I4: no access function, and no grant underneath; patient and specialist read it."""
    appointment = desk.book(scene.alpha.patient, scene.ada)
    for own in (scene.alpha.patient, scene.ada):
        with open_as(own) as session:
            assert messages_of(session, own, appointment.id) == {"booking": "My knee hurts."}
    for operator in (scene.oskar, scene.olga):
        with open_as(operator) as session, pytest.raises(NotFound):
            messages_of(session, operator, appointment.id)
        for table in ("appointment_message", "hold_details"):
            with open_as(operator) as session, pytest.raises(ProgrammingError, match="permission denied"):
                _read(session, table)


def _read(session: Session, table: str) -> None:
    statements = {
        "appointment_message": text("SELECT * FROM appointment_message"),
        "hold_details": text("SELECT * FROM hold_details"),
    }
    session.execute(statements[table])


def test_reads_by_staff_are_audited(desk: Desk, scene: Cast, open_as: OpenAs) -> None:
    """U3: who opened it; a patient's own look is nobody's business."""
    appointment = desk.book(scene.alpha.patient, scene.ada)
    for actor in (scene.alpha.patient, scene.ada, scene.oskar):
        with open_as(actor) as session:
            view = open_appointment(session, actor, appointment.id)
        assert view.patient_name == "Pat Alpha"
        assert (view.patient_phone is not None) == (actor is scene.ada)
    readers = desk.rows("SELECT actor_kind FROM audit_event WHERE action = 'appointment.read' ORDER BY id")
    assert [row.actor_kind for row in readers] == ["specialist", "operator"]


def test_shelves_follow_the_clock(desk: Desk, scene: Cast, open_as: OpenAs, set_time: SetTime) -> None:
    """I3: a specialist sees both portals; what is over is past though nobody marked it."""
    one = desk.book(scene.alpha.patient, scene.sam)
    two = desk.book(scene.beta.patient, scene.sam, TEN + HOUR)
    three = desk.book(scene.alpha.other_patient, scene.sam, TEN + 3 * HOUR)
    with open_as(scene.sam) as session:
        cancel_appointment(session, scene.sam, three.id, "I am ill.")
        assert [view.appointment.id for view in list_appointments(session, scene.sam, "next")] == [one.id, two.id]
        assert count_appointments(session, scene.sam) == {"next": 2, "past": 0, "cancelled": 1}
    set_time(TEN + 55 * MINUTE)
    with open_as(scene.sam) as session:
        assert [view.appointment.id for view in list_appointments(session, scene.sam, "past")] == [one.id]
        assert count_appointments(session, scene.sam) == {"next": 1, "past": 1, "cancelled": 1}
        found = appointments_between(session, scene.sam, TEN, TEN + 2 * HOUR)
        assert [view.patient_name for view in found] == ["Pat Alpha", "Pat Alpha"]
    with open_as(scene.alpha.patient) as session:
        assert count_appointments(session, scene.alpha.patient) == {"next": 0, "past": 1, "cancelled": 0}


def test_slots_agree_with_the_calendar(desk: Desk, scene: Cast, open_as: OpenAs) -> None:
    """C2: the days' slots are the calendar's, no more and no fewer."""
    desk.book(scene.alpha.other_patient, scene.ada)
    found = shown(desk, open_as, scene.alpha.patient, scene.ada)
    assert isinstance(found, OfferedDays)
    with open_as(scene.alpha.patient) as session:
        portal = desk.portal(scene.alpha)
        offer = get_offer(session, portal.id, portal.settings, scene.ada.id, scene.alpha.service)  # type: ignore[arg-type]  # the cast has ids
        begin = dt.datetime.fromisoformat("2027-03-02T00:00:00+09:00")
        expected = [slot.start for slot in offer_slots(session, offer, begin, begin + 3 * DAY)]
    assert [slot.start for day in found.days for slot in day.slots] == expected


def test_a_name_may_change_but_not_vanish(desk: Desk, scene: Cast) -> None:
    """B2: a phone left empty keeps the one on file."""
    desk.book(scene.alpha.patient, scene.ada)
    desk.confirm(scene.alpha.patient, desk.hold(scene.alpha.patient, scene.sam, TEN + HOUR).id, Details("Patricia"))
    (person,) = desk.rows("SELECT name, phone FROM patient WHERE id = :id", id=scene.alpha.patient.id)
    assert (person.name, person.phone) == ("Patricia", "+49 30 123456")

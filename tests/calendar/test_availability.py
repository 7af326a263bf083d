"""The specialist's own hand on their time, through the services (C1, C9)."""

import datetime as dt
import uuid

import pytest
from sqlalchemy import Engine, text
from sqlalchemy.orm import Session

from polyclinic.calendar.availability import (
    AtRisk,
    create_exception,
    create_rule,
    create_time_off,
    delete_entry,
    update_exception,
    update_rule,
    update_time_off,
)
from polyclinic.calendar.entries import Absence
from polyclinic.calendar.models import AvailabilityException, AvailabilityRule, TimeOff
from polyclinic.calendar.rules import DayException, WeeklyRule
from polyclinic.calendar.services import claim_slot, get_offer, offer_slots
from polyclinic.kernel.errors import Conflict, Invalid, NotFound
from polyclinic.kernel.ids import new_id
from polyclinic.tenancy.settings import Settings
from support.calendars import START, OpenAs
from support.cast import Cast

BERLIN = "Europe/Berlin"
SATURDAY, TUESDAY = dt.date(2027, 3, 6), dt.date(2027, 3, 2)
DAY = dt.timedelta(days=1)


def slots(open_as: OpenAs, cast: Cast, day: dt.date, portal: str = "alpha") -> list[str]:
    chosen = {"alpha": cast.alpha, "beta": cast.beta}[portal]
    begin = dt.datetime.combine(day, dt.time(), dt.UTC)
    with open_as(chosen) as session:
        offer = get_offer(session, chosen.id, Settings({}), _sam(cast), chosen.service)
        return [f"{slot.start:%H:%M}" for slot in offer_slots(session, offer, begin, begin + DAY)]


def _sam(cast: Cast) -> uuid.UUID:
    assert cast.sam.id is not None
    return cast.sam.id


def appointment(open_as: OpenAs, cast: Cast, start: dt.datetime) -> uuid.UUID:
    """Book a slot for good; its claim id is the appointment's."""
    appointment_id = new_id()
    with open_as(cast.beta) as session:
        offer = get_offer(session, cast.beta.id, Settings({}), _sam(cast), cast.beta.service)
        claim_slot(session, offer, start, appointment_id, None)
        session.commit()
    return appointment_id


def rows(owner: Engine, statement: str) -> list[tuple[object, ...]]:
    with owner.connect() as connection:
        return [tuple(row) for row in connection.execute(text(statement))]


def test_a_new_rule_is_offered_at_once_and_audited(scene: Cast, open_as: OpenAs, owner: Engine) -> None:
    """C1, U3: Saturdays from ten to noon."""
    with open_as(scene.sam) as session:
        changed = create_rule(session, scene.sam, WeeklyRule(5, 600, 720, BERLIN))
    assert changed.concerned == []
    assert slots(open_as, scene, SATURDAY) == ["09:00", "09:30", "10:00"]
    assert rows(owner, "SELECT actor_id, action, subject_id FROM audit_event") == [
        (scene.sam.id, "availability_rule.created", str(changed.row.id))
    ]


def test_a_rule_until_midnight_and_one_from_midnight_are_one_night(scene: Cast, open_as: OpenAs) -> None:
    """C1: 24:00 is kept, and a visit may cross it."""
    with open_as(scene.sam) as session:
        create_rule(session, scene.sam, WeeklyRule(5, 23 * 60, 1440, BERLIN))
        create_rule(session, scene.sam, WeeklyRule(6, 0, 60, BERLIN))
    assert slots(open_as, scene, SATURDAY) == ["22:00", "22:30", "23:00"]


def test_a_rule_for_one_portal_is_offered_there_only(scene: Cast, open_as: OpenAs) -> None:
    """C1: for all portals or some."""
    only = frozenset({scene.alpha.id})
    with open_as(scene.sam) as session:
        create_rule(session, scene.sam, WeeklyRule(5, 600, 720, BERLIN, portals=only))
    assert slots(open_as, scene, SATURDAY, "alpha")
    assert slots(open_as, scene, SATURDAY, "beta") == []


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"weekday": 9}, "weekday"),
        ({"starts": 700, "ends": 600}, "ends"),
        ({"zone": "Mars/Olympus"}, "zone"),
        ({"portals": frozenset({uuid.uuid4()})}, "portals"),
        ({"services": frozenset({uuid.uuid4()})}, "services"),
        ({"portals": frozenset()}, "portals"),
        ({"valid_from": TUESDAY, "valid_until": TUESDAY - DAY}, "valid_until"),
    ],
)
def test_a_wrong_rule_is_refused_with_a_sentence_at_the_field(
    scene: Cast, open_as: OpenAs, owner: Engine, changes: dict[str, object], field: str
) -> None:
    """C1: what, where, what was expected; nothing is changed."""
    values: dict[str, object] = {"weekday": 5, "starts": 600, "ends": 720, "zone": BERLIN} | changes
    with open_as(scene.sam) as session, pytest.raises(Invalid) as refusal:
        create_rule(session, scene.sam, WeeklyRule(**values))  # type: ignore[arg-type]  # wrong on purpose
    assert list(refusal.value.fields) == [field]
    assert rows(owner, "SELECT count(*) FROM audit_event") == [(0,)]


def test_anothers_portal_and_anothers_rule_do_not_exist(scene: Cast, open_as: OpenAs, owner: Engine) -> None:
    """I2: a rule for a portal that does not list one; another specialist's rule and its removal."""
    foreign = rows(owner, f"SELECT id FROM availability_rule WHERE specialist_id = '{scene.ben.id}' LIMIT 1")[0][0]
    assert isinstance(foreign, uuid.UUID)
    with open_as(scene.ada) as session:
        with pytest.raises(Invalid):
            create_rule(session, scene.ada, WeeklyRule(5, 0, 60, BERLIN, portals=frozenset({scene.beta.id})))
        with pytest.raises(NotFound):
            update_rule(session, scene.ada, foreign, WeeklyRule(5, 0, 60, BERLIN))
        with pytest.raises(NotFound):
            delete_entry(session, scene.ada, AvailabilityRule, foreign)


def test_shortening_a_rule_succeeds_and_names_the_appointment_outside(
    scene: Cast, open_as: OpenAs, owner: Engine
) -> None:
    """C9: the appointment at four stays; the specialist hears of it, and not of the one at ten."""
    ten, four = (dt.datetime(2027, 3, 2, hour, tzinfo=dt.UTC) for hour in (9, 15))
    appointment(open_as, scene, ten)
    late = appointment(open_as, scene, four)
    tuesday = f"SELECT id FROM availability_rule WHERE specialist_id = '{scene.sam.id}' AND weekday = 1"
    rule_id = rows(owner, tuesday)[0][0]
    assert isinstance(rule_id, uuid.UUID)
    with open_as(scene.sam) as session:
        changed = update_rule(session, scene.sam, rule_id, WeeklyRule(1, 540, 900, BERLIN))
    assert changed.concerned == [AtRisk(late, four, four + dt.timedelta(minutes=50))]
    assert rows(owner, "SELECT count(*) FROM claim") == [(2,)]
    with open_as(scene.sam) as session:
        assert len(delete_entry(session, scene.sam, AvailabilityRule, rule_id).concerned) == 1
    assert slots(open_as, scene, TUESDAY) == []


def test_exceptions_open_and_close_dates(scene: Cast, open_as: OpenAs) -> None:
    """C1: an extra Saturday, a closed Tuesday morning, and the Tuesday back again."""
    with open_as(scene.sam) as session:
        create_exception(session, scene.sam, DayException(SATURDAY, "extra", BERLIN, 600, 660))
        closed = create_exception(session, scene.sam, DayException(TUESDAY, "closed", BERLIN, 0, 900))
    assert slots(open_as, scene, SATURDAY) == ["09:00"]
    assert slots(open_as, scene, TUESDAY) == ["14:00", "14:30", "15:00"]
    with open_as(scene.sam) as session:
        update_exception(session, scene.sam, closed.row.id, DayException(TUESDAY, "closed", BERLIN))
    assert slots(open_as, scene, TUESDAY) == []
    with open_as(scene.sam) as session:
        with pytest.raises(Invalid) as refusal:
            create_exception(session, scene.sam, DayException(TUESDAY, "extra", BERLIN, 600, 660))
        assert list(refusal.value.fields) == ["date"]
        delete_entry(session, scene.sam, AvailabilityException, closed.row.id)
    assert len(slots(open_as, scene, TUESDAY)) == 15


def test_time_off_covers_every_portal_and_fails_for_no_appointment(scene: Cast, open_as: OpenAs) -> None:
    """C1, C9: whole days on the specialist's own calendar; the appointment in it is named, and stays."""
    booked = appointment(open_as, scene, dt.datetime(2027, 3, 2, 9, tzinfo=dt.UTC))
    with open_as(scene.sam) as session:
        absence = Absence(BERLIN, first_day=TUESDAY, last_day=TUESDAY + DAY, label="Conference")
        changed = create_time_off(session, scene.sam, absence)
    assert [one.claim_id for one in changed.concerned] == [booked]
    assert changed.row.starts_at == dt.datetime(2027, 3, 1, 23, tzinfo=dt.UTC)
    for portal in ("alpha", "beta"):
        assert slots(open_as, scene, TUESDAY, portal) == slots(open_as, scene, TUESDAY + DAY, portal) == []
    with open_as(scene.sam) as session:
        short = Absence(BERLIN, dt.datetime(2027, 3, 3, 8, tzinfo=dt.UTC), dt.datetime(2027, 3, 3, 12, tzinfo=dt.UTC))
        assert update_time_off(session, scene.sam, changed.row.id, short).concerned == []
        assert slots(open_as, scene, TUESDAY + DAY)[0] == "12:00"
        delete_entry(session, scene.sam, TimeOff, changed.row.id)
    assert len(slots(open_as, scene, TUESDAY + DAY)) == 15


@pytest.mark.parametrize(
    ("absence", "field"),
    [
        (Absence("Nowhere", first_day=TUESDAY, last_day=TUESDAY), "zone"),
        (Absence(BERLIN), "starts_at"),
        (Absence(BERLIN, START, None), "starts_at"),
        (Absence(BERLIN, START, START), "ends_at"),
        (Absence(BERLIN, START, START + 3000 * DAY), "ends_at"),
        (Absence(BERLIN, first_day=TUESDAY, last_day=TUESDAY - DAY), "last_day"),
        (Absence(BERLIN, first_day=TUESDAY, last_day=dt.date(9999, 12, 31)), "last_day"),
        (Absence(BERLIN, START, START + DAY, TUESDAY, TUESDAY), "starts_at"),
    ],
)
def test_wrong_time_off_is_refused_at_the_field(scene: Cast, open_as: OpenAs, absence: Absence, field: str) -> None:
    """C1: what, where, what was expected."""
    with open_as(scene.sam) as session, pytest.raises(Invalid) as refusal:
        create_time_off(session, scene.sam, absence)
    assert list(refusal.value.fields) == [field]


def test_nobody_books_by_what_was_true_a_moment_ago(scene: Cast, open_as: OpenAs) -> None:
    """C2, C9: a slot shown before the time off was written is refused after it."""
    ten = dt.datetime(2027, 3, 2, 9, tzinfo=dt.UTC)
    with open_as(scene.alpha) as viewer:
        offer = get_offer(viewer, scene.alpha.id, Settings({}), _sam(scene), scene.alpha.service)
        shown = offer_slots(viewer, offer, ten, ten + DAY)
        _take_off(open_as, scene)
        with pytest.raises(Conflict):
            claim_slot(viewer, offer, shown[0].start, new_id(), None)


def _take_off(open_as: OpenAs, cast: Cast) -> None:
    session: Session
    with open_as(cast.sam) as session:
        create_time_off(session, cast.sam, Absence(BERLIN, first_day=TUESDAY, last_day=TUESDAY))

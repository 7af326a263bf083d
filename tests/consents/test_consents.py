"""Agreements, versions, answers: exact texts, append-only, status derived (K1–K3)."""

import datetime as dt
import hashlib
import uuid

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import Engine, text
from sqlalchemy.exc import ProgrammingError
from sqlalchemy.orm import Session

from polyclinic.consents.models import AgreementVersion
from polyclinic.consents.rules import Answer, gates_until, status_of
from polyclinic.consents.services import (
    agreement_texts,
    consent_states,
    get_agreement_text,
    give_consents,
    require_consents,
    required_agreements,
    withdraw_consent,
)
from polyclinic.kernel.actor import Actor
from polyclinic.kernel.errors import Conflict, Forbidden, Invalid, NotFound
from polyclinic.kernel.scope import Scope, open_session
from polyclinic.tenancy.places import PortalView
from polyclinic.web.places import PlaceFlask
from support.calendars import START, OpenAs, SetTime
from support.cast import Cast, PortalCast

DAY = dt.timedelta(days=1)


def view(app: PlaceFlask, portal: PortalCast) -> PortalView:
    found = app.places.portal(portal.id)
    assert found
    return found


def publish(owner: Engine, portal: PortalCast, version: int, body: str, locale: str = "de") -> uuid.UUID:
    """Publish another version of the portal's terms."""
    row = AgreementVersion(
        id=uuid.uuid4(),
        portal_id=portal.id,
        agreement_id=portal.agreement,
        version=version,
        locale=locale,
        title="Terms",
        body=body,
        hash=hashlib.sha256(body.encode()).digest(),
    )
    with Session(owner, expire_on_commit=False) as session:
        session.add(row)
        session.commit()
    return row.id


def status(open_as: OpenAs, app: PlaceFlask, cast: Cast, patient: Actor) -> str:
    assert patient.id
    with open_as(patient) as session:
        (state,) = consent_states(session, view(app, cast.alpha), patient.id, "de")
    return state.status


def agree(open_as: OpenAs, app: PlaceFlask, cast: Cast, *versions: uuid.UUID) -> list[uuid.UUID]:
    patient = cast.alpha.patient
    with open_as(patient) as session:
        return give_consents(session, patient, view(app, cast.alpha), versions, how="booking")


def test_a_text_comes_in_the_readers_language_or_the_portals_first(
    cast: Cast, app: PlaceFlask, open_as: OpenAs
) -> None:
    """K1: agreement × version × language × portal."""
    with open_as(cast.alpha) as session:
        portal = view(app, cast.alpha)
        assert [one.locale for one in agreement_texts(session, portal, "en")] == ["en"]
        assert [one.locale for one in agreement_texts(session, portal, "fr")] == ["de"]
        found = get_agreement_text(session, portal, "terms", "en")
        assert found.hash == hashlib.sha256(found.body.encode()).digest()
        with pytest.raises(NotFound):
            get_agreement_text(session, portal, cast.beta.agreement, "en")


def test_an_agreement_is_asked_once_for_its_exact_text(
    cast: Cast, app: PlaceFlask, open_as: OpenAs, owner: Engine
) -> None:
    """K2: who, what hash, when, how, from where; what holds is not recorded twice."""
    portal, patient = view(app, cast.alpha), cast.alpha.patient
    with open_as(patient) as session:
        (asked,) = required_agreements(session, portal, "booking", "de", patient.id)
        with pytest.raises(Invalid) as refusal:
            require_consents(session, portal, "booking", "de", patient.id, [])
    assert list(refusal.value.fields) == ["agreement-terms"]
    assert len(agree(open_as, app, cast, asked.version_id)) == 1
    assert agree(open_as, app, cast, asked.version_id) == []
    with open_as(patient) as session:
        assert required_agreements(session, portal, "booking", "de", patient.id) == []
    with owner.connect() as connection:
        (row,) = connection.execute(text("SELECT * FROM consent")).all()
    assert (row.patient_id, bytes(row.hash), row.answer, row.how) == (patient.id, asked.hash, "given", "booking")


def test_a_new_version_asks_again(cast: Cast, app: PlaceFlask, open_as: OpenAs, owner: Engine) -> None:
    """K1, K3: outdated; the old version can no longer be agreed to, the page must show the new one."""
    agree(open_as, app, cast, cast.alpha.version)
    assert status(open_as, app, cast, cast.alpha.patient) == "signed"
    newer = publish(owner, cast.alpha, 2, "New terms.")
    assert status(open_as, app, cast, cast.alpha.patient) == "outdated"
    with pytest.raises(Conflict) as refusal:
        agree(open_as, app, cast, cast.alpha.version)
    assert refusal.value.code == "agreement-changed"
    with open_as(cast.alpha.patient) as session, pytest.raises(Conflict):
        require_consents(session, view(app, cast.alpha), "booking", "de", cast.alpha.patient.id, [cast.alpha.version])
    agree(open_as, app, cast, newer)
    assert status(open_as, app, cast, cast.alpha.patient) == "signed"


def test_withdrawal_is_a_new_record(cast: Cast, app: PlaceFlask, open_as: OpenAs, owner: Engine) -> None:
    """K2: both records stay; agreeing again is a third."""
    agree(open_as, app, cast, cast.alpha.version)
    patient, portal = cast.alpha.patient, view(app, cast.alpha)
    with open_as(patient) as session:
        withdraw_consent(session, patient, portal, cast.alpha.agreement, how="my consents")
        with pytest.raises(Conflict):
            withdraw_consent(session, patient, portal, cast.alpha.agreement, how="my consents")
    assert status(open_as, app, cast, patient) == "withdrawn"
    agree(open_as, app, cast, cast.alpha.version)
    assert status(open_as, app, cast, patient) == "signed"
    with owner.connect() as connection:
        answers = connection.execute(text("SELECT answer FROM consent ORDER BY at")).scalars().all()
        audited = connection.execute(text("SELECT action FROM audit_event ORDER BY id")).scalars().all()
    assert answers == ["given", "withdrawn", "given"]
    assert audited == ["consent.given", "consent.withdrawn", "consent.given"]


def test_an_answer_may_expire(cast: Cast, app: PlaceFlask, open_as: OpenAs, owner: Engine, set_time: SetTime) -> None:
    """K3: by the application's clock, counted when read."""
    with owner.begin() as connection:
        connection.execute(text("UPDATE agreement SET valid_days = 30"))
    set_time(START)
    agree(open_as, app, cast, cast.alpha.version)
    set_time(START + 29 * DAY)
    assert status(open_as, app, cast, cast.alpha.patient) == "signed"
    set_time(START + 31 * DAY)
    assert status(open_as, app, cast, cast.alpha.patient) == "expired"


def test_nobody_changes_an_answer(cast: Cast, app: PlaceFlask, open_as: OpenAs) -> None:
    """K2: append-only by grant."""
    agree(open_as, app, cast, cast.alpha.version)
    for statement in ("UPDATE consent SET answer = 'withdrawn'", "DELETE FROM consent"):
        with open_as(cast.alpha.patient) as session, pytest.raises(ProgrammingError, match="permission denied"):
            session.execute(text(statement))


def test_other_peoples_answers_and_other_portals_texts_stay_away(cast: Cast, app: PlaceFlask, open_as: OpenAs) -> None:
    """I2, P3: a patient signs for nobody else, and no text of another portal."""
    agree(open_as, app, cast, cast.alpha.version)
    assert status(open_as, app, cast, cast.alpha.other_patient) == "missing"
    with pytest.raises(NotFound):
        agree(open_as, app, cast, cast.beta.version)
    with open_as(cast.alpha) as session, pytest.raises(Forbidden):
        visitor = Actor("visitor", portal_id=cast.alpha.id)
        give_consents(session, visitor, view(app, cast.alpha), [cast.alpha.version], how="booking")


def test_registration_signs_before_anybody_is_signed_in(
    cast: Cast, app: PlaceFlask, engine: Engine, open_as: OpenAs
) -> None:
    """K2: the door writes the answer together with the account."""
    visitor, patient = Actor("visitor", portal_id=cast.alpha.id, ip="127.0.0.1"), cast.alpha.patient
    with open_session(engine, Scope("door", portal=cast.alpha.id)) as session:
        portal = view(app, cast.alpha)
        asked = required_agreements(session, portal, "booking", "de")
        versions = [one.version_id for one in asked]
        give_consents(session, visitor, portal, versions, how="registration", patient_id=patient.id)
    assert status(open_as, app, cast, patient) == "signed"


def test_gates_ask_for_everything_before_them() -> None:
    """K1: what was asked at registration and has a new version since is asked at the next gate."""
    assert gates_until("registration") == ("registration",)
    assert gates_until("joining") == ("registration", "booking", "joining")


ANSWERS = st.lists(
    st.builds(Answer, st.integers(1, 4), st.booleans(), st.integers(0, 500).map(lambda hour: START + hour * DAY / 24)),
    max_size=6,
    unique_by=lambda answer: answer.at,
)


@given(version=st.integers(1, 4), answers=ANSWERS, days=st.none() | st.integers(1, 20))
def test_status_follows_from_the_last_answer_alone(version: int, answers: list[Answer], days: int | None) -> None:
    """K3: derived, whatever came before and in whatever order it is read."""
    now, valid_for = START + 21 * DAY, None if days is None else days * DAY
    found = status_of(version, answers, now, valid_for)
    assert found == status_of(version, list(reversed(answers)), now, valid_for)
    assert (found == "missing") == (not answers)
    if answers:
        last = max(answers, key=lambda answer: answer.at)
        assert found == status_of(version, [last], now, valid_for)
        assert (found == "withdrawn") == (not last.given)
        fresh = valid_for is None or last.at + valid_for > now
        assert (found == "signed") == (last.given and last.version >= version and fresh)

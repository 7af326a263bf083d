"""Agreements as a reader gets them, and consents: given to an exact text, withdrawn by a new record (K1, K2)."""

from __future__ import annotations

import datetime as dt
import uuid
from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

from flask_babel import lazy_gettext as _l
from sqlalchemy import Row, select
from sqlalchemy.orm import Session

from polyclinic.audit.services import record
from polyclinic.consents.models import Agreement, AgreementVersion, Consent
from polyclinic.consents.rules import Answer, Gate, Status, gates_until, status_of, text_hash
from polyclinic.kernel.actor import Actor
from polyclinic.kernel.clock import now
from polyclinic.kernel.errors import Conflict, Defect, Forbidden, Invalid, NotFound
from polyclinic.kernel.ids import new_id
from polyclinic.kernel.transactions import transactional
from polyclinic.tenancy.places import PortalView
from polyclinic.tenancy.policy import LOCALES


@dataclass(frozen=True, slots=True)
class AgreementText:
    """The newest version of an agreement in the reader's language, or the nearest there is."""

    agreement_id: uuid.UUID
    version_id: uuid.UUID
    slug: str
    gate: Gate
    required: bool
    version: int
    locale: str
    title: str
    body: str
    """Markdown."""
    hash: bytes
    published_at: dt.datetime
    valid_for: dt.timedelta | None


@dataclass(frozen=True, slots=True)
class ConsentState:
    """Where one patient stands with one agreement (K3)."""

    text: AgreementText
    status: Status
    answered_at: dt.datetime | None
    answered_version: int | None

    @property
    def holds(self) -> bool:
        """Whether nothing has to be asked."""
        return self.status == "signed"


def agreement_texts(
    session: Session, portal: PortalView, locale: str, gates: Collection[Gate] | None = None
) -> list[AgreementText]:
    """Return the active agreements of a portal in their newest versions, those of some gates or all."""
    query = (
        select(Agreement, AgreementVersion)
        .join(
            AgreementVersion,
            (AgreementVersion.portal_id == Agreement.portal_id) & (AgreementVersion.agreement_id == Agreement.id),
        )
        .where(Agreement.portal_id == portal.id, Agreement.active)
        .order_by(Agreement.position, Agreement.slug, AgreementVersion.version.desc(), AgreementVersion.locale)
    )
    if gates is not None:
        query = query.where(Agreement.gate.in_(gates))
    versions: dict[uuid.UUID, list[Row[Agreement, AgreementVersion]]] = defaultdict(list)
    for row in session.execute(query):
        if not versions[row[0].id] or versions[row[0].id][0][1].version == row[1].version:
            versions[row[0].id].append(row)
    locales = (locale, locale.partition("_")[0], *portal.settings.get(LOCALES))
    return [_in_language(found, locales) for found in versions.values()]


def _in_language(versions: Sequence[Row[Agreement, AgreementVersion]], locales: Sequence[str]) -> AgreementText:
    """Choose the language of a version: the reader's, else the portal's first that there is."""
    by_locale = {version.locale: (agreement, version) for agreement, version in versions}
    wanted = next((name for name in locales if name in by_locale), next(iter(by_locale)))
    agreement, version = by_locale[wanted]
    gate: Any = agreement.gate
    return AgreementText(
        agreement.id,
        version.id,
        agreement.slug,
        gate,
        agreement.required,
        version.version,
        version.locale,
        version.title,
        version.body,
        version.hash,
        version.published_at,
        dt.timedelta(days=agreement.valid_days) if agreement.valid_days else None,
    )


def get_agreement_text(session: Session, portal: PortalView, agreement: uuid.UUID | str, locale: str) -> AgreementText:
    """Return one agreement by id or slug; raises NotFound for one that this portal does not have (I2)."""
    for text in agreement_texts(session, portal, locale):
        if agreement in (text.agreement_id, text.slug):
            return text
    raise NotFound()


def consent_states(
    session: Session,
    portal: PortalView,
    patient_id: uuid.UUID,
    locale: str,
    gates: Collection[Gate] | None = None,
) -> list[ConsentState]:
    """Return where a patient stands with each agreement of a portal, derived from their answers (K3)."""
    texts = agreement_texts(session, portal, locale, gates)
    answers: dict[uuid.UUID, list[Answer]] = defaultdict(list)
    for agreement_id, version, answer, at in session.execute(
        select(Consent.agreement_id, AgreementVersion.version, Consent.answer, Consent.at)
        .join(AgreementVersion, AgreementVersion.id == Consent.version_id)
        .where(Consent.portal_id == portal.id, Consent.patient_id == patient_id)
        .order_by(Consent.at, Consent.id)
    ):
        answers[agreement_id].append(Answer(version, answer == "given", at))
    moment = now(session)
    states = []
    for text in texts:
        own = answers[text.agreement_id]
        last = own[-1] if own else None
        status = status_of(text.version, own, moment, text.valid_for)
        states.append(ConsentState(text, status, last.at if last else None, last.version if last else None))
    return states


def required_agreements(
    session: Session, portal: PortalView, gate: Gate, locale: str, patient_id: uuid.UUID | None = None
) -> list[AgreementText]:
    """Return what must be agreed to at a gate and has not been, or for nobody yet, everything that is asked there."""
    if patient_id is None:
        return [text for text in agreement_texts(session, portal, locale, gates_until(gate)) if text.required]
    states = consent_states(session, portal, patient_id, locale, gates_until(gate))
    return [state.text for state in states if state.text.required and not state.holds]


def require_consents(
    session: Session,
    portal: PortalView,
    gate: Gate,
    locale: str,
    patient_id: uuid.UUID | None,
    given: Collection[uuid.UUID],
) -> list[AgreementText]:
    """Return what ``given`` (version ids) newly answers at a gate; raises Invalid where a required one is missing.

    Ids of versions that are no longer the newest raise Conflict: the text has changed since it was shown.
    """
    if patient_id is None:
        current = agreement_texts(session, portal, locale, gates_until(gate))
        open_texts = [text for text in current if text.required]
    else:
        states = consent_states(session, portal, patient_id, locale, gates_until(gate))
        current = [state.text for state in states]
        open_texts = [state.text for state in states if state.text.required and not state.holds]
    numbers = _numbers(session, portal.id, given)
    outdated = {
        f"agreement-{text.slug}": _l("This text has changed. Please read the new version.")
        for text in current
        if (number := numbers.get(text.agreement_id)) is not None and number < text.version
    }
    if outdated:
        raise Conflict(
            "agreement-changed",
            _l("An agreement has changed since you opened this page. Please read it again and agree."),
            fields=outdated,
        )
    missing = {
        f"agreement-{text.slug}": _l("Please read and agree to “%(title)s” to continue.", title=text.title)
        for text in open_texts
        if text.agreement_id not in numbers
    }
    if missing:
        raise Invalid("consents-missing", _l("Some agreements still need your consent."), fields=missing)
    return [text for text in current if text.agreement_id in numbers]


def _numbers(session: Session, portal_id: uuid.UUID, version_ids: Collection[uuid.UUID]) -> dict[uuid.UUID, int]:
    """Return agreement id → version number of some versions; raises NotFound for one of another portal (I2)."""
    if not version_ids:
        return {}
    rows = session.execute(
        select(AgreementVersion.agreement_id, AgreementVersion.version).where(
            AgreementVersion.portal_id == portal_id, AgreementVersion.id.in_(version_ids)
        )
    ).all()
    if len(rows) != len(set(version_ids)):
        raise NotFound()
    return {row.agreement_id: row.version for row in rows}


@transactional
def give_consents(
    session: Session,
    actor: Actor,
    portal: PortalView,
    version_ids: Collection[uuid.UUID],
    *,
    how: str,
    patient_id: uuid.UUID | None = None,
) -> list[uuid.UUID]:
    """Record that a patient agrees to exact texts: who, which hash, when, how and from where (K2).

    ``patient_id`` names who has just registered, where the actor is not yet a patient. What holds already is not
    recorded twice. Returns the ids of new consents. Raises NotFound for versions of another portal and Conflict for
    versions that are no longer the newest.
    """
    who = patient_id or _patient(actor)
    if patient_id:  # nobody who has just registered has answered before
        texts, held = agreement_texts(session, portal, ""), set()
    else:
        states = consent_states(session, portal, who, "")
        texts = [state.text for state in states]
        held = {state.text.agreement_id for state in states if state.holds}
    newest = {text.agreement_id: text.version for text in texts}
    wanted = sorted(set(version_ids))
    versions = session.scalars(
        select(AgreementVersion).where(AgreementVersion.portal_id == portal.id, AgreementVersion.id.in_(wanted))
    ).all()
    if len(versions) != len(wanted):
        raise NotFound()
    given = []
    for version in versions:
        if version.version != newest.get(version.agreement_id):
            raise Conflict(
                "agreement-changed",
                _l("An agreement has changed since you opened this page. Please read it again and agree."),
            )
        if version.hash != text_hash(version.body):
            raise Defect(f"the text of agreement version {version.id} is not the one that was hashed")
        if version.agreement_id not in held:
            given.append(_append(session, actor, portal.id, who, version, "given", how))
    return given


@transactional
def withdraw_consent(
    session: Session, actor: Actor, portal: PortalView, agreement_id: uuid.UUID, *, how: str
) -> uuid.UUID:
    """Record that a patient takes a consent back: a new record, the old one stays (K2).

    Raises NotFound for an agreement the portal does not have and Conflict where there is nothing to withdraw.
    """
    who = _patient(actor)
    state = _state(session, portal, who, agreement_id)
    if state.status in ("missing", "withdrawn"):
        raise Conflict("nothing-to-withdraw", _l("You have not agreed to this, so there is nothing to withdraw."))
    version = session.scalars(
        select(AgreementVersion)
        .join(Consent, Consent.version_id == AgreementVersion.id)
        .where(Consent.portal_id == portal.id, Consent.patient_id == who, Consent.agreement_id == agreement_id)
        .order_by(Consent.at.desc(), Consent.id)
        .limit(1)
    ).one()
    return _append(session, actor, portal.id, who, version, "withdrawn", how)


def _state(session: Session, portal: PortalView, patient_id: uuid.UUID, agreement_id: uuid.UUID) -> ConsentState:
    for state in consent_states(session, portal, patient_id, ""):
        if state.text.agreement_id == agreement_id:
            return state
    raise NotFound()


def _patient(actor: Actor) -> uuid.UUID:
    if actor.kind != "patient" or actor.id is None:
        raise Forbidden("patients-only", _l("Only patients can answer for themselves."))
    return actor.id


def _append(
    session: Session,
    actor: Actor,
    portal_id: uuid.UUID,
    patient_id: uuid.UUID,
    version: AgreementVersion,
    answer: str,
    how: str,
) -> uuid.UUID:
    consent_id = new_id()
    session.execute(
        Consent.__table__.insert().inline(),  # type: ignore[attr-defined]  # Table, typed as FromClause
        {
            "id": consent_id,
            "portal_id": portal_id,
            "patient_id": patient_id,
            "agreement_id": version.agreement_id,
            "version_id": version.id,
            "hash": version.hash,
            "answer": answer,
            "how": how,
            "ip": actor.ip,
        },
    )
    detail = {"agreement": str(version.agreement_id), "version": version.version, "how": how}
    record(session, actor, f"consent.{answer}", "consent", consent_id, portal_id=portal_id, detail=detail)
    return consent_id

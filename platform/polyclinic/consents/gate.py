"""The registration gate: which agreements a new patient is asked for, and keeping the answers (K1, K2)."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence

from flask import current_app
from flask_babel import lazy_gettext as _l
from sqlalchemy.orm import Session

from polyclinic.consents.rules import Gate
from polyclinic.consents.services import AgreementText, agreement_texts, give_consents
from polyclinic.identity.registration import Question
from polyclinic.kernel.actor import Actor
from polyclinic.kernel.errors import NotFound
from polyclinic.tenancy.places import Places, PortalView
from polyclinic.web.markup import render_markdown

_GATES: tuple[Gate, ...] = ("registration",)


class RegistrationGate:
    """Asks a new patient for the agreements of the registration gate."""

    def questions(self, session: Session, portal_id: uuid.UUID, locale: str) -> Sequence[Question]:
        """Return a box per agreement, with its whole text."""
        return [
            Question(
                _name(text),
                _l("I have read “%(title)s” and agree to it", title=text.title),
                text.required,
                render_markdown(text.body),
                _l("Please read and agree to “%(title)s” to continue.", title=text.title),
            )
            for text in agreement_texts(session, _portal(portal_id), locale, _GATES)
        ]

    def complete(self, session: Session, patient: Actor, answers: Mapping[str, bool]) -> None:
        """Keep what was agreed to; a text that has changed since it was shown is asked again at the next gate."""
        if patient.portal_id is None:
            raise NotFound()
        portal = _portal(patient.portal_id)
        texts = agreement_texts(session, portal, patient.locale or "", _GATES)
        given = [text.version_id for text in texts if answers.get(_name(text))]
        if given:
            give_consents(session, patient, portal, given, how="registration", patient_id=patient.id)


def _name(text: AgreementText) -> str:
    """Return the field's name: a new version is another question."""
    return f"agreement-{text.slug}-{text.version}"


def _portal(portal_id: uuid.UUID) -> PortalView:
    places: Places = current_app.places  # type: ignore[attr-defined]  # PlaceFlask's own
    found = places.portal(portal_id)
    if found is None:
        raise NotFound()
    return found

"""What higher features add to registering and signing in: steps of the form, and listeners.

Consents asks for its agreements here, booking takes over a guest's hold; identity knows neither.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from flask import Flask, current_app
from sqlalchemy.orm import Session

from polyclinic.kernel.actor import Actor

_STEPS, _LISTENERS = "polyclinic.identity.steps", "polyclinic.identity.listeners"


@dataclass(frozen=True, slots=True)
class Question:
    """A box to tick when registering."""

    name: str
    """The field's name; unique in the form, stable for the API."""
    label: Any
    required: bool = True
    text: str = ""
    """What is agreed to, as safe HTML (markup); empty where the label says it all."""
    refusal: Any = ""
    """The sentence beside the field when a required box is empty."""


class RegistrationStep(Protocol):
    """Adds questions to the registration of patients and keeps the answers."""

    def questions(self, session: Session, portal_id: uuid.UUID, locale: str) -> Sequence[Question]:
        """Return what is asked; the session is the door's, of this portal."""

    def complete(self, session: Session, patient: Actor, answers: Mapping[str, bool]) -> None:
        """Keep the answers of a new patient, in the door's transaction that makes the account."""


class SignInListener(Protocol):
    """Hears that somebody has signed in."""

    def __call__(self, session: Session, actor: Actor, guest: str | None) -> None:
        """Act in a session of the actor's scope; ``guest`` is the digest of the browser's guest cookie until now."""


def add_registration_step(app: Flask, step: RegistrationStep) -> None:
    """Have ``step`` asked and told when patients register."""
    app.extensions.setdefault(_STEPS, []).append(step)


def on_sign_in(app: Flask, listener: SignInListener) -> None:
    """Have ``listener`` called after every sign-in through a page or the API."""
    app.extensions.setdefault(_LISTENERS, []).append(listener)


def steps() -> Sequence[RegistrationStep]:
    """Return the steps in the order of their features."""
    return tuple(current_app.extensions.get(_STEPS, ()))


def listeners() -> Sequence[SignInListener]:
    """Return the listeners in the order of their features."""
    return tuple(current_app.extensions.get(_LISTENERS, ()))


def questions_of(session: Session, portal_id: uuid.UUID, locale: str) -> list[Question]:
    """Return every question of a registration on a portal."""
    return [question for step in steps() for question in step.questions(session, portal_id, locale)]


def missing_answers(questions: Sequence[Question], answers: Mapping[str, bool]) -> dict[str, Any]:
    """Return the refusals of required boxes that are empty, by field."""
    return {each.name: each.refusal or each.label for each in questions if each.required and not answers.get(each.name)}

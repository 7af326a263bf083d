"""Forms of coming in and of one's account."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from flask_babel import lazy_gettext as _l
from wtforms import (
    BooleanField,
    EmailField,
    PasswordField,
    SelectField,
    SelectMultipleField,
    StringField,
    TelField,
    ValidationError,
)
from wtforms.validators import InputRequired, Length, Optional

from polyclinic.identity.registration import Question
from polyclinic.identity.rules import LONGEST_EMAIL, LONGEST_NAME, LONGEST_PASSWORD, LONGEST_PHONE, clean_email
from polyclinic.web.forms import PageForm, strip


def _is_address(form: Any, field: Any) -> None:
    if clean_email(field.data or "") is None:
        raise ValidationError(_l("Enter an e-mail address such as name@example.com."))


def _email(label: Any) -> EmailField:
    needed = InputRequired(_l("Enter your e-mail address."))
    return EmailField(label, [needed, Length(max=LONGEST_EMAIL), _is_address], filters=[strip])


def _new_password(label: Any) -> PasswordField:
    return PasswordField(label, [InputRequired(_l("Enter a password.")), Length(max=LONGEST_PASSWORD)])


def _phone() -> TelField:
    return TelField(_l("Telephone"), [Optional(), Length(max=LONGEST_PHONE)], filters=[strip])


class EmailForm(PageForm):
    """An address, to which a code is sent."""

    email = _email(_l("E-mail address"))

    @property
    def address(self) -> str:
        """The address as it is stored, once the form is valid."""
        return clean_email(self.email.data or "") or ""


class PasswordForm(EmailForm):
    """Address and password."""

    password = PasswordField(_l("Password"), [Length(max=LONGEST_PASSWORD)])


class CodeForm(PageForm):
    """The code from the mail."""

    code = StringField(_l("Code"), [InputRequired(_l("Enter the six digits from the mail.")), Length(max=20)])


class ResetForm(CodeForm):
    """The code from the mail and a new password."""

    password = _new_password(_l("New password"))


class NameForm(PageForm):
    """Who it is whose address is new."""

    name = StringField(_l("Your name"), [InputRequired(_l("Enter your name.")), Length(max=LONGEST_NAME)])
    phone = _phone()


class RegisterForm(EmailForm):
    """A new patient."""

    name = StringField(_l("Your name"), [InputRequired(_l("Enter your name.")), Length(max=LONGEST_NAME)])
    phone = _phone()


class RegisterWithPasswordForm(RegisterForm):
    """A new patient on a portal where passwords are one of the ways to sign in, or the only one."""

    password = PasswordField(_l("Password"), [Length(max=LONGEST_PASSWORD)])


class ProfileForm(PageForm):
    """What people may change about themselves."""

    name = StringField(_l("Name"), [InputRequired(_l("Enter your name.")), Length(max=LONGEST_NAME)])
    phone = _phone()
    locale = SelectField(_l("Language"))
    zone = SelectField(_l("Time zone"))


class ChangePasswordForm(PageForm):
    """A new password."""

    current = PasswordField(_l("Present password"), [Length(max=LONGEST_PASSWORD)])
    new = _new_password(_l("New password"))


class TokenForm(PageForm):
    """A new API token."""

    name = StringField(_l("What is it for?"), [InputRequired(_l("Say what the token is for.")), Length(max=80)])
    scopes = SelectMultipleField(_l("What it may do"), validate_choice=False)
    days = SelectField(_l("How long it is valid"))


def with_questions(form: type[PageForm], questions: Sequence[Question]) -> type[PageForm]:
    """Return the form with a box for each question of a registration."""
    boxes = {question.name: BooleanField(question.label) for question in questions}
    return type(form.__name__, (form,), boxes)


def answers_of(form: PageForm, questions: Sequence[Question]) -> dict[str, bool]:
    """Return which boxes were ticked."""
    return {question.name: bool(form[question.name].data) for question in questions}

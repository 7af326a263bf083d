"""The enquiry form; the rules judge the values."""

from __future__ import annotations

from typing import Any

from flask_babel import lazy_gettext as _l
from wtforms import EmailField, RadioField, SelectField, SelectMultipleField, StringField, TextAreaField
from wtforms.fields.choices import SelectChoice
from wtforms.validators import InputRequired, Optional
from wtforms.widgets import CheckboxInput, ListWidget

from polyclinic.enquiries.rules import LONGEST_BODY, LONGEST_NAME
from polyclinic.web.forms import PageForm

KIND_WORDS = {
    "independent": _l("On my own"),
    "team": _l("In a team or practice"),
    "network": _l("We run a network and want websites of our own"),
}


def _boxes(label: Any, **more: Any) -> SelectMultipleField:
    boxes = {"widget": ListWidget(prefix_label=False), "option_widget": CheckboxInput()}
    return SelectMultipleField(label, [Optional()], choices=[], validate_choice=False, **boxes, **more)


class EnquiryForm(PageForm):
    """Who asks, how they work, what they would like."""

    kind = RadioField(
        _l("How do you work?"),
        [InputRequired()],
        choices=[SelectChoice(name, words) for name, words in KIND_WORDS.items()],
        validate_choice=False,
    )
    name = StringField(
        _l("Your name"), [InputRequired()], render_kw={"autocomplete": "name", "maxlength": LONGEST_NAME}
    )
    email = EmailField(
        _l("E-mail address"),
        [InputRequired()],
        description=_l("Our answer goes there."),
        render_kw={"autocomplete": "email"},
    )
    practice = StringField(
        _l("Practice or organisation"),
        [Optional()],
        render_kw={"autocomplete": "organization", "maxlength": LONGEST_NAME},
    )
    field = SelectField(_l("Your field"), [InputRequired()], choices=[], validate_choice=False)
    languages = _boxes(_l("In which languages do you work?"))
    portals = _boxes(_l("Which websites interest you?"))
    body = TextAreaField(
        _l("About your work"),
        [InputRequired()],
        description=_l("Training, experience, how many hours a week. Please write nothing about patients."),
        render_kw={"rows": 6, "maxlength": LONGEST_BODY},
    )

"""The form of a portal's contact page; the rules judge the values."""

from __future__ import annotations

from flask_babel import lazy_gettext as _l
from wtforms import EmailField, SelectField, StringField, TextAreaField
from wtforms.fields.choices import SelectChoice
from wtforms.validators import InputRequired

from polyclinic.pages.rules import LONGEST_BODY, LONGEST_NAME, TOPICS
from polyclinic.web.forms import PageForm

WORDS = {
    "booking": _l("A visit: booking, moving, cancelling"),
    "payment": _l("An invoice or a payment"),
    "technology": _l("Video, sound or the website"),
    "data": _l("My data and my account"),
    "other": _l("Something else"),
}


class ContactForm(PageForm):
    """Who writes, what about, and the text."""

    name = StringField(
        _l("Your name"), [InputRequired()], render_kw={"autocomplete": "name", "maxlength": LONGEST_NAME}
    )
    email = EmailField(
        _l("E-mail address"),
        [InputRequired()],
        description=_l("Our answer goes there."),
        render_kw={"autocomplete": "email"},
    )
    topic = SelectField(
        _l("What is it about?"),
        [InputRequired()],
        choices=[SelectChoice("", _l("Please choose")), *(SelectChoice(name, WORDS[name]) for name in TOPICS)],
        validate_choice=False,
    )
    body = TextAreaField(
        _l("Your message"),
        [InputRequired()],
        description=_l("The support desk reads it, not your specialist. You need not write about your health."),
        render_kw={"rows": 7, "maxlength": LONGEST_BODY},
    )

"""Forms of a patient's booking."""

from __future__ import annotations

from flask_babel import lazy_gettext as _l
from wtforms import StringField, TelField, TextAreaField
from wtforms.validators import InputRequired, Optional

from polyclinic.web.forms import PageForm


class DetailsForm(PageForm):
    """Who comes, how to reach them, what they want to say before; the rules judge the values."""

    name = StringField(
        _l("Your name"),
        [InputRequired(_l("Enter your name, as your specialist should call you."))],
        render_kw={"autocomplete": "name"},
    )
    phone = TelField(
        _l("Phone number"),
        [Optional()],
        description=_l("Only for the case that the video does not work."),
        render_kw={"autocomplete": "tel"},
    )
    message = TextAreaField(
        _l("What is it about?"),
        [Optional()],
        description=_l("A few words to prepare the visit. Only your specialist reads them."),
        render_kw={"rows": 4},
    )


class CancelForm(PageForm):
    """A few words to the other side."""

    message = TextAreaField(_l("A few words to your specialist"), [Optional()], render_kw={"rows": 3})

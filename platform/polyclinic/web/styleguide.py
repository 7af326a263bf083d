"""The living page of components, on the demonstration's own host only: every component in every state.

It is what accessibility tests and contact sheets look at. `?theme=` draws it in another theme, `?scheme=dark` in the
dark scheme, `?accent=` with a brand colour; the language switch of the page offers right-to-left.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from flask import Blueprint, Flask, g, jsonify, render_template, request
from flask.typing import ResponseReturnValue
from wtforms import (
    BooleanField,
    DateField,
    EmailField,
    FileField,
    Form,
    IntegerField,
    PasswordField,
    RadioField,
    SelectField,
    SelectMultipleField,
    StringField,
    TextAreaField,
)
from wtforms.fields.choices import SelectChoice
from wtforms.validators import Email, InputRequired, Optional

from polyclinic.config import Settings
from polyclinic.kernel.errors import NotFound
from polyclinic.kernel.money import Money
from polyclinic.web.errors import sentence_of, title_of
from polyclinic.web.theming import themes
from polyclinic.web.tokens import DEFINITIONS

blueprint = Blueprint("dev_styleguide", __name__, subdomain="dev", template_folder="templates")

NOW = datetime(2026, 11, 24, 13, 0, tzinfo=UTC)


def options(**texts: str) -> list[SelectChoice]:
    """Choices of a select by value and label."""
    return [SelectChoice(value, label) for value, label in texts.items()]


class Sample(Form):  # type: ignore[misc]  # WTForms has no types
    """One field of each kind."""

    name = StringField("Your name", [InputRequired("Enter your name.")], description="As it should appear on the bill.")
    email = EmailField("E-mail", [InputRequired("Enter your e-mail address."), Email("That is no e-mail address.")])
    password = PasswordField("Password", [InputRequired("Choose a password.")], description="At least 8 characters.")
    phone = StringField("Telephone", [Optional()])
    sessions = IntegerField("Sessions so far", [InputRequired("Enter a number, 0 if none.")])
    born = DateField("Date of birth", [InputRequired("Enter a date.")])
    language = SelectField("Language", choices=options(en="English", de="Deutsch", ar="العربية"))
    about = TextAreaField("What brings you here?", [Optional()], description="One or two sentences are enough.")
    format = RadioField(
        "How do you want to meet?", [InputRequired("Choose one.")], choices=options(v="Video", a="Audio only")
    )
    topics = SelectMultipleField("Topics", choices=options(s="Sleep", w="Work", p="Pain after an operation"))
    letter = FileField("Doctor's letter", [Optional()])
    terms = BooleanField("I have read and accept the terms of treatment", [InputRequired("Please accept to go on.")])


def sample_days() -> list[dict[str, Any]]:
    """Six days of times: full, busy, with notes."""
    plenty = ["08:00", "08:30", "09:30", "11:00", "14:00", "16:30"]
    days: list[dict[str, Any]] = []
    for number, times in enumerate([plenty, plenty[:3], [], plenty[1:5], ["13:00"], plenty[2:]]):
        day = (NOW + timedelta(days=number)).date()
        slots = [
            {"value": f"{day}T{time}", "label": time, "disabled": number == 1 and time == "08:30"} for time in times
        ]
        days.append({"date": day.isoformat(), "weekday": f"{day:%a}", "day": f"{day:%-d %b}", "slots": slots})
    return days


@blueprint.get("/styleguide")
def page() -> ResponseReturnValue:
    """Draw every component."""
    _choose_look()
    refused = Sample(data={"sessions": 2}, prefix="refused-")
    refused.validate()
    return render_template(
        "styleguide.html",
        form=Sample(),
        refused=refused,
        days=sample_days(),
        start=NOW,
        end=NOW + timedelta(minutes=50),
        price=Money(8000, "EUR"),
        odd_price=Money(123450, "JPY"),
        faces=["Dr Amara Okonkwo", "Jonas Albrecht", "Maximiliane von Hohenstein-Wartenburg"],
        theme_slugs=themes().slugs,
    )


@blueprint.get("/styleguide/events")
def events() -> ResponseReturnValue:
    """Answer the sample calendar."""
    rows = [
        ("1", "Lena Vogt", "2026-11-24T09:00", "2026-11-24T09:50", "appointment", "Bewegwerk", 9),
        ("2", "A. Mensah", "2026-11-24T10:00", "2026-11-24T10:50", "appointment", "Calm Harbour", 18),
        ("3", "Held", "2026-11-25T14:00", "2026-11-25T14:50", "hold", "Tsubaki", 2),
        ("4", "Dentist", "2026-11-26T12:00", "2026-11-26T13:30", "external", "", None),
        ("5", "Proposal to M. Ito", "2026-11-27T15:00", "2026-11-27T15:50", "proposal", "Tsubaki", 2),
    ]
    found: list[dict[str, Any]] = [
        {"id": i, "title": title, "start": start, "end": end, "kind": kind, "portal": portal, "hue": hue}
        for i, title, start, end, kind, portal, hue in rows
    ]
    found += [
        {
            "id": f"open-{day}",
            "title": "",
            "start": f"2026-11-{day}T08:00",
            "end": f"2026-11-{day}T17:00",
            "kind": "available",
        }
        for day in range(23, 28)
    ]
    return jsonify({"events": [{key: value for key, value in row.items() if value is not None} for row in found]})


@blueprint.get("/styleguide/error/<int:status>")
def error_page(status: int) -> ResponseReturnValue:
    """Draw the error page of a status."""
    _choose_look()
    g.anonymous = True
    return render_template("error.html", status=status, title=title_of(status), sentence=sentence_of(status)), status


def _choose_look() -> None:
    slug = request.args.get("theme", "base")
    if slug not in themes().slugs:
        raise NotFound
    overrides: dict[str, Any] = {}
    if accent := request.args.get("accent"):
        overrides["accent"] = f"#{accent}"
    if scheme := request.args.get("scheme"):
        overrides["schemes"] = scheme
    overrides |= {name: value for name, value in request.args.items() if name in DEFINITIONS}
    g.look = themes().look(themes().theme(slug), overrides)


def init_app(app: Flask, settings: Settings) -> None:
    """Add the page, never in production."""
    if not settings.production:
        app.register_blueprint(blueprint)

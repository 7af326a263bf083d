"""What component macros need of Python: attributes of form fields, words for times and money, initials, hues."""

from __future__ import annotations

from typing import Any

from flask import Flask

from polyclinic.web import formats
from polyclinic.web.tokens.colour import Colour, hue_step

_TEXTUAL = frozenset({"text", "email", "tel", "url", "search", "password", "number", "date", "time", "datetime-local"})


def kind_of(field: Any) -> str:
    """How a WTForms field is drawn: an input type, or select, textarea, radios, checkboxes, checkbox, submit."""
    drawn = {
        "RadioField": "radios",
        "SelectMultipleField": "checkboxes",
        "SelectField": "select",
        "TextAreaField": "textarea",
        "BooleanField": "checkbox",
        "SubmitField": "submit",
    }
    for ancestor in type(field).__mro__:
        if ancestor.__name__ in drawn:
            return drawn[ancestor.__name__]
    return str(getattr(field.widget, "input_type", "text"))


def field_attrs(field: Any, hint: object, extra: dict[str, Any] | None = None) -> dict[str, Any]:
    """Attributes of a field's control: its class, what describes it, whether it was refused."""
    kind = kind_of(field)
    described = [f"{field.id}-help"] if hint else []
    described += [f"{field.id}-error"] if field.errors else []
    attrs: dict[str, Any] = {"class_": f"input input-{kind if kind in ('select', 'textarea', 'file') else 'text'}"}
    if described:
        attrs["aria-describedby"] = " ".join(described)
    if field.errors:
        attrs["aria-invalid"] = "true"
    if kind == "number":
        attrs["inputmode"] = "decimal" if field.type == "DecimalField" else "numeric"
    if kind in _TEXTUAL and kind in ("email", "password", "url"):
        attrs |= {"autocapitalize": "none", "spellcheck": "false"}
    return attrs | (extra or {})


def said(messages: Any) -> list[str]:
    """The messages of a field in words; those of fields inside it stand with them."""
    return [str(message) for message in messages if not isinstance(message, list | tuple | dict)]


def hue_for_colour(text: str) -> int:
    """The badge hue nearest to a portal's accent, for its dot and badge in the Specialist Portal."""
    return hue_step(Colour.parse(text))


def init_app(app: Flask) -> None:
    """Make the functions known to every template."""
    app.jinja_env.globals.update(
        field_attrs=field_attrs,
        kind_of=kind_of,
        said=said,
        initials=formats.initials,
        hue_of=formats.hue_of,
        hue_for_colour=hue_for_colour,
        say_time=formats.say_time,
        say_date=formats.say_date,
        say_clock=formats.say_clock,
        say_parts=formats.say_parts,
        say_city=formats.say_city,
        say_money=formats.say_money,
        say_duration=formats.say_duration,
        say_left=formats.say_left,
    )

"""Forms of pages: WTForms with the page's CSRF token, and refusals of services shown beside their fields."""

from __future__ import annotations

from typing import Any

from flask_wtf import FlaskForm
from wtforms import Form

from polyclinic.kernel.errors import Refusal


class PageForm(FlaskForm):  # type: ignore[misc]  # Flask-WTF carries no types
    """The parent of every form of a page."""


def show_refusal(form: Form, refusal: Refusal) -> None:
    """Put the messages of a refusal where they belong: beside its fields, or above the form."""
    placed = False
    for name, message in refusal.fields.items():
        if name in form:
            form[name].errors = [*form[name].errors, message]
            placed = True
    if not placed:
        form.form_errors.append(refusal.message)


def strip(value: Any) -> Any:
    """A filter of text fields: without blanks around."""
    return value.strip() if isinstance(value, str) else value

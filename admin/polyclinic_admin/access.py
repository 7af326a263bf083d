"""Who may open a page of the console: operators, in their own scope; everybody else is sent to the sign-in."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar, cast

from flask import current_app
from flask_admin import expose as flask_admin_expose
from sqlalchemy.orm import Session

from polyclinic.kernel.actor import Actor
from polyclinic.kernel.errors import Unauthenticated
from polyclinic.web.auth import current_session, require_kind
from polyclinic.web.db import session_for
from polyclinic.web.places import PlaceFlask

F = TypeVar("F", bound=Callable[..., Any])


def expose(url: str, methods: tuple[str, ...] = ("GET",)) -> Callable[[F], F]:
    """Give a method of a view its address below the view's own."""
    return cast(Callable[[F], F], flask_admin_expose(url, methods))


def operator() -> Actor:
    """Return the signed-in operator; raises Unauthenticated."""
    return require_kind("operator")


def operator_session() -> Session:
    """Return the request's session in the operator's scope: the whole network, or some portals (§1)."""
    return session_for(operator().scope())


def app_of() -> PlaceFlask:
    """Return the application with its directory of places."""
    app: Any = current_app
    found: PlaceFlask = app
    return found


class OperatorsOnly:
    """Mixed into every view of Flask-Admin: fixes the scope before the view asks the database anything."""

    def is_accessible(self) -> bool:
        """Let operators in, and give their request's session its scope."""
        operator()
        current_session()
        return True

    def inaccessible_callback(self, _name: str, **_kwargs: Any) -> Any:
        """Never reached in a request: ``is_accessible`` raises what the one error handler answers."""
        raise Unauthenticated("sign-in-required", "Please sign in to continue.")

    def is_visible(self) -> bool:
        """Keep the entry out of Flask-Admin's own menu: the place's navigation has it."""
        return False

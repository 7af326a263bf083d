"""Patients, specialists and operators as people who sign in: accounts, passwords, mail codes, sign-ins, API tokens."""

from __future__ import annotations

from flask import Flask

from polyclinic.identity.authenticator import DoorAuthenticator
from polyclinic.identity.passwords import Passwords, set_passwords
from polyclinic.identity.registration import add_registration_step, on_sign_in
from polyclinic.identity.tokens import add_scopes
from polyclinic.web import limits
from polyclinic.web.auth import set_authenticator
from polyclinic.web.db import engine

__all__ = ["add_registration_step", "add_scopes", "init_app", "on_sign_in"]


def init_app(app: Flask) -> None:
    """Say who asks."""
    settings = app.config["POLYCLINIC"]
    set_passwords(app, Passwords(settings.mode))
    limits.init_app(app, settings)
    with app.app_context():
        set_authenticator(app, DoorAuthenticator(engine()))

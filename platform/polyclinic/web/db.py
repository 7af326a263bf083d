"""Database sessions of requests: Flask-SQLAlchemy over the kernel's plain base, one scope per session."""

from __future__ import annotations

from typing import cast

from flask import Flask
from flask_sqlalchemy import SQLAlchemy
from sqlalchemy import Engine
from sqlalchemy.orm import Session

from polyclinic.config import Settings
from polyclinic.kernel.models import Base
from polyclinic.kernel.scope import Scope, bind_roles, enter, open_session

# Never model_class: it fails with a type_annotation_map.
db = SQLAlchemy(metadata=Base.metadata, session_options={"expire_on_commit": False})

__all__ = ["db", "engine", "init_app", "open_session", "session_for"]


def engine_options(settings: Settings) -> dict[str, object]:
    """Return the options of a process's pool: no overflow, no prepared statements across PgBouncer."""
    return {
        "pool_size": settings.pool_size,
        "max_overflow": 0,
        "pool_timeout": settings.pool_timeout,
        "pool_pre_ping": True,
        "connect_args": {"prepare_threshold": None},
    }


def init_app(app: Flask, settings: Settings) -> None:
    """Connect Flask-SQLAlchemy as the login role and teach the engine what the roles are called."""
    app.config["SQLALCHEMY_DATABASE_URI"] = settings.database_url
    app.config["SQLALCHEMY_ENGINE_OPTIONS"] = engine_options(settings)
    db.init_app(app)
    with app.app_context():
        bind_roles(db.engine, settings.role_prefix)


def engine() -> Engine:
    """Return the current application's engine."""
    return db.engine


def session_for(scope: Scope) -> Session:
    """Return the request's session for its one scope; another scope needs ``open_session``."""
    session = cast(Session, db.session())
    enter(session, scope)
    return session

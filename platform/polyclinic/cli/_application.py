"""The application that a command works with: made when it starts, or shared by the processes of a demonstration."""

from __future__ import annotations

import gc
from collections.abc import Mapping
from importlib import import_module

from sqlalchemy import select
from sqlalchemy.orm import configure_mappers

from polyclinic.app import create_app
from polyclinic.cli._environment import settings
from polyclinic.config import read_settings
from polyclinic.kernel.due import Due
from polyclinic.kernel.scope import Scope
from polyclinic.web.db import engine, open_session
from polyclinic.web.places import PlaceFlask

_shared: list[PlaceFlask] = []
#: What forked processes would else import each for itself.
_COMMANDS = ("worker", "scheduler", "relay", "mail_sink", "sample")
_LATER = ("rq", "rq.serializers", "redis", "aiosmtpd.controller")


def application() -> PlaceFlask:
    """Return the application of this process."""
    return _shared[0] if _shared else create_app(settings())


def share(environ: Mapping[str, str]) -> None:
    """Import everything and make the application for all processes that are forked from this one.

    One transaction is tried, because the first one of a process takes 15 MB, mostly for TLS; no connection is kept.
    """
    if _shared:
        return
    for name in (*(f"polyclinic.cli.{command}" for command in _COMMANDS), *_LATER):
        import_module(name)
    _shared.append(create_app(read_settings(environ)))
    configure_mappers()
    with _shared[0].app_context(), open_session(engine(), Scope("relay")) as session:
        session.scalars(select(Due.id).limit(1)).all()
        session.rollback()
        engine().dispose()
    gc.collect()
    gc.freeze()  # a collection in a forked process would write into every shared page

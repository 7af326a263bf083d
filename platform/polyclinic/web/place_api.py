"""flask-smorest's Api for one place: without its own pages, and with a document that is written when it is first read.

Writing the OpenAPI documents takes longer than anything else while an application is made, and most processes are
never asked for one.
"""

from __future__ import annotations

import threading
from typing import Any

from flask import Flask
from flask.sansio.blueprints import Blueprint as FlaskBlueprint
from flask_smorest import Api
from marshmallow import Schema

from polyclinic.tenancy.places import PlaceName

PREFIX = "/api/v1"


class PlaceApi(Api):
    """smorest's Api without its document blueprint and its app-wide error handler, which know no places."""

    def __init__(self, app: Flask, error: type[Schema], *, config_prefix: str) -> None:
        """Register with ``app``, with the schema of its errors; the document comes later."""
        self.ERROR_SCHEMA = error
        self._described: list[Any] = []
        self._written: Any = None
        self._writing = threading.RLock()
        super().__init__(app, config_prefix=config_prefix)

    @property
    def spec(self) -> Any:
        """The OpenAPI document of everything that was registered, written at the first question."""
        with self._writing:
            if self._written is None:
                super()._init_spec()
                while self._described:
                    self._describe(self._described.pop(0))
            return self._written

    @spec.setter
    def spec(self, value: Any) -> None:
        self._written = value

    def _init_spec(self, **options: Any) -> None:
        """Nothing is written yet; see ``spec``."""

    def register_blueprint(self, blp: FlaskBlueprint, *, parameters: Any = None, **options: Any) -> None:
        """Register resources with the application; they are described when the document is written."""
        app = self._app
        app.extensions["flask-smorest"]["blp_name_to_api"][blp.name] = self
        app.register_blueprint(blp, **options)
        self._described.append(blp)

    def _describe(self, blueprint: Any) -> None:
        app = self._app
        blueprint.register_views_in_doc(self, app, self._written, name=blueprint.name, parameters=None)
        self._written.tag({"name": blueprint.name, "description": blueprint.description})

    def _register_doc_blueprint(self) -> None:
        """The document is served by ``serve``, on its own place."""

    def _register_error_handlers(self) -> None:
        """web/errors.py is the one error handler."""

    def serve(self, app: Flask, place: PlaceName) -> None:
        """Serve the OpenAPI document of this place."""
        app.add_url_rule(f"{PREFIX}/openapi.json", f"{place}_openapi", self._openapi_json, subdomain=place)

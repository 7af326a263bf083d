"""Static files on every place: the bundle under hashed names, theme files through the theme's chain, token stylesheets.

The app itself has no static folder (a rule without a place would be reachable nowhere, P1); each place gets its own
rules. Files under hashed names never change, so browsers may keep them for a year.
"""

from __future__ import annotations

import hashlib
import json
from functools import cached_property
from pathlib import Path

from flask import Flask, Response, abort, current_app, send_from_directory

from polyclinic.kernel.errors import Defect
from polyclinic.resources import PACKAGE

FOREVER = "public, max-age=31536000, immutable"


class Bundle:
    """The built front end: logical names such as `site.js` to same-origin addresses."""

    def __init__(self, folder: Path = PACKAGE / "static" / "build") -> None:
        """Remember where `npm run build` writes."""
        self.folder = folder

    @cached_property
    def manifest(self) -> dict[str, str]:
        """Logical name to file name."""
        path = self.folder / "manifest.json"
        if not path.is_file():
            raise Defect(
                f"The front-end bundle is missing: no {path.name} in {self.folder}; build it with `make build`."
            )
        return {str(name): str(file) for name, file in json.loads(path.read_text(encoding="utf-8")).items()}

    def url(self, name: str) -> str:
        """The address of a bundled file on whatever place the page is."""
        return f"/static/build/{self.manifest[name]}"


def bundle() -> Bundle:
    """The app's bundle."""
    found: Bundle = current_app.extensions["polyclinic.bundle"]
    return found


def asset(name: str) -> str:
    """`asset('site.js')` in templates."""
    return bundle().url(name)


def serve_build(filename: str) -> Response:
    """Serve one bundled file; its name carries the hash of its content."""
    response = send_from_directory(bundle().folder, filename)
    response.headers["Cache-Control"] = FOREVER
    return response


def serve_folder(folder: Path, path: str, version: str | None) -> Response:
    """Serve `path` below `folder` (joined safely): for a year if asked for with its version, else revalidated."""
    response = send_from_directory(folder, path)
    response.headers["Cache-Control"] = FOREVER if version else "no-cache"
    return response


def version_of(file: Path) -> str:
    """A short hash of a file's content, for `?v=`."""
    if not file.is_file():
        abort(404)
    return hashlib.sha256(file.read_bytes()).hexdigest()[:10]


def init_app(app: Flask, places: tuple[str, ...]) -> None:
    """Give each place its rule for the bundle."""
    app.extensions["polyclinic.bundle"] = Bundle()
    for place in places:
        app.add_url_rule(
            "/static/build/<path:filename>", f"{place}_build", serve_build, subdomain=place, methods=["GET"]
        )
    app.jinja_env.globals["asset"] = asset

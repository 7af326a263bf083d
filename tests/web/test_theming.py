"""Themes at work: no template leaks, the order of look-up, stylesheets and files of a place, error pages."""

from __future__ import annotations

import json
import re
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from flask import Blueprint, Flask
from jinja2 import FileSystemLoader
from sqlalchemy import event

from polyclinic.kernel.errors import Invalid
from polyclinic.resources import shipped
from polyclinic.web.db import db
from polyclinic.web.places import PlaceFlask
from polyclinic.web.site import draw_error
from polyclinic.web.themes import read_themes
from polyclinic.web.theming import ThemedFlask, Themes, current_look
from support.cast import Cast
from support.client import Browser

BASE_TOKENS = (shipped("themes") / "base" / "theme.toml").read_text()


def write(folder: Path, files: dict[str, str]) -> Path:
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return folder


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Three themes: a parent, and two children that replace the same names."""
    files = {"parent/theme.toml": BASE_TOKENS}
    files["parent/templates/page.html"] = (
        "{% from 'macro.html' import who %}{% include 'part.html' %}/{{ who() }}/{% block more %}{% endblock %}"
    )
    files["parent/templates/part.html"] = "parent"
    files["parent/templates/macro.html"] = "{% macro who() %}parent{% endmacro %}"
    files["parent/templates/only.html"] = "only the parent has it"
    for child in ("red", "blue"):
        files[f"{child}/theme.toml"] = f'name = "{child}"\nextends = "parent"\n'
        files[f"{child}/templates/part.html"] = child
        files[f"{child}/templates/macro.html"] = f"{{% macro who() %}}{child}{{% endmacro %}}"
        files[f"{child}/templates/sub.html"] = f"{{% extends 'page.html' %}}{{% block more %}}{child}{{% endblock %}}"
        files[f"{child}/templates/own.html"] = "{% extends '@parent/part.html' %}"
    return write(tmp_path / "themes", files)


def themes_in(folder: Path, app: Flask | None = None, tenants: Path | None = None) -> Themes:
    return Themes(app or ThemedFlask("polyclinic", static_folder=None), [folder], tenants)


def test_templates_of_the_same_name_never_leak_between_themes(folder: Path) -> None:
    """L1, P4: interleaved and in threads, with include, import and extends, each theme gets its own."""
    themes = themes_in(folder)

    def render(number: int) -> tuple[str, str]:
        slug = ("red", "blue")[number % 2]
        return slug, themes.environment(themes.theme(slug)).get_template("sub.html").render()

    with ThreadPoolExecutor(8) as pool:
        for slug, text in pool.map(render, range(400)):
            assert text == f"{slug}/{slug}/{slug}"


def test_one_shared_environment_would_leak(folder: Path) -> None:
    """L1: why there is an overlay per theme; a cache that knows names only serves the first tenant's template."""
    environment = ThemedFlask("polyclinic", static_folder=None).base_jinja_env
    loader = environment.loader = FileSystemLoader([folder / "red" / "templates", folder / "parent" / "templates"])
    assert environment.get_template("part.html").render() == "red"
    loader.searchpath[0] = str(folder / "blue" / "templates")
    assert environment.get_template("part.html").render() == "red"


def test_templates_are_found_portal_first_then_theme_parents_plugins_and_features(folder: Path, tmp_path: Path) -> None:
    """L1: the order of look-up, and a portal without a folder shares its theme's environment."""
    app = ThemedFlask("polyclinic", static_folder=None)
    for name, import_name in (("feature", "polyclinic.directory"), ("plugin", "polyclinic_sample")):
        texts = {"part.html": name, "page.html": name, "plain.html": name}
        texts |= {"feature.html": "the feature's own"} if name == "feature" else {}
        made = write(tmp_path / name, texts)
        app.register_blueprint(Blueprint(name, import_name, root_path=str(tmp_path), template_folder=str(made)))
    tenants = write(tmp_path / "tenants", {"mind/templates/part.html": "the portal's"})
    themes = themes_in(folder, app, tenants)
    red = themes.theme("red")
    own, shared = themes.environment(red, "mind"), themes.environment(red, "physio")
    assert own.get_template("part.html").render() == "the portal's"
    assert shared.get_template("part.html").render() == "red"
    assert shared.get_template("only.html").render() == "only the parent has it"
    assert shared.get_template("plain.html").render() == "plugin"
    assert shared.get_template("feature.html").render() == "the feature's own"
    assert shared.get_template("own.html").render() == "parent"
    assert shared is themes.environment(red)


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ('extends = "nobody"', "extends"),
        ('extends = "red"', "extends"),
        ('colour = "red"', "colour"),
        ("name = ", "file"),
        ('[tokens.light]\naccent = "red"', "light.accent"),
    ],
)
def test_a_broken_theme_file_says_which_key_and_what_was_expected(folder: Path, text: str, key: str) -> None:
    """L1: what, where, what was expected."""
    (folder / "red" / "theme.toml").write_text(text)
    with pytest.raises(Invalid) as refused:
        read_themes([folder])
    assert list(refused.value.fields) == [key]
    assert "expected" in str(refused.value.fields[key])


def test_two_themes_that_extend_each_other_are_refused(folder: Path) -> None:
    """L1: no circles."""
    (folder / "red" / "theme.toml").write_text('extends = "blue"')
    (folder / "blue" / "theme.toml").write_text('extends = "red"')
    with pytest.raises(Invalid):
        read_themes([folder])


def test_a_portal_gets_its_tokens_as_a_stylesheet_that_may_be_kept(cast: Cast, browser: Browser) -> None:
    """L1: same-origin, under a name that changes with it; an old name gets the current one, unkept."""
    page = browser.get(cast.alpha.host, "/nothing-here").get_data(as_text=True)
    (address,) = re.findall(r'href="(/theme/[0-9a-f]+\.css)"', page)
    with browser.get(cast.alpha.host, address) as sheet:
        assert "--accent:" in sheet.get_data(as_text=True)
        assert "immutable" in sheet.headers["Cache-Control"]
    with browser.get(cast.alpha.host, "/theme/0123456789abcdef.css") as old:
        assert old.status_code == 200
        assert old.headers["Cache-Control"] == "no-cache"


def test_static_files_stay_inside_their_folders(cast: Cast, browser: Browser) -> None:
    """P4: a place serves its own theme's chain only, and no path leads out of it."""
    host = cast.alpha.host
    with browser.get(host, "/static/theme/base/theme.css") as found:
        assert found.status_code == 200
    for path in (
        "/static/theme/console/theme.css",
        "/static/theme/specialists/theme.css",
        "/static/theme/base/../theme.toml",
        "/static/theme/base/%2e%2e/theme.toml",
        "/static/theme/base/..%2f..%2fconsole%2ftheme.toml",
        "/static/build/..%2f..%2fapp.py",
        "/static/build/nothing.js",
    ):
        with browser.get(host, path) as refused:
            assert refused.status_code == 404, path


def test_the_bundle_is_served_on_every_place_and_may_be_kept(cast: Cast, app: PlaceFlask, browser: Browser) -> None:
    """P1: the app itself has no static folder; names carry the hash of their content."""
    manifest = json.loads((app.extensions["polyclinic.bundle"].folder / "manifest.json").read_text())
    for host in (cast.alpha.host, cast.specialists_host, cast.admin_host, "dev.localhost"):
        with browser.get(host, f"/static/build/{manifest['site.js']}") as script:
            assert script.status_code == 200
            assert script.headers["Cache-Control"] == "public, max-age=31536000, immutable"


def test_nothing_is_loaded_from_another_host(cast: Cast, app: PlaceFlask, browser: Browser) -> None:
    """DESIGN "Front end": each address in a page, its styles and its icons is its own host's; nothing is inline."""
    page = browser.get("dev.localhost", "/styleguide").get_data(as_text=True)
    loaded = re.findall(r'<(?:link|script|img|use|iframe)[^>]+(?:src|href)="([^"]+)"', page)
    assert loaded
    assert [address for address in loaded if not address.startswith("/") or address.startswith("//")] == []
    assert re.findall(r'\son\w+="|\sstyle="|<style', page) == []
    assert re.findall(r"<script(?![^>]* src=)", page) == []
    for style in app.extensions["polyclinic.bundle"].folder.glob("*.css"):
        assert re.findall(r"url\(\s*[\"']?(?:https?:)?//", style.read_text()) == [], style.name


@pytest.mark.parametrize("status", [400, 403, 404, 405, 409, 410, 413, 422, 429, 500, 503])
def test_an_error_page_names_no_sibling_and_asks_no_database(cast: Cast, app: PlaceFlask, status: int) -> None:
    """P4; it is drawn when the database does not answer, in the look of the portal."""
    asked: list[str] = []
    app.places.find(cast.alpha.host)
    with app.test_request_context("/x", base_url=f"http://{cast.alpha.host}:8000"):
        count = lambda *found: asked.append(found[2])  # noqa: E731 – a name to remove it by
        event.listen(db.engine, "before_cursor_execute", count)
        page = draw_error(status, "Title of it", "What happened & what to do.")
        event.remove(db.engine, "before_cursor_execute", count)
    assert asked == []
    assert "Title of it" in page
    assert "What happened &amp; what to do." in page
    assert cast.alpha.canary in page
    for foreign in (cast.beta.canary, cast.gamma.canary, "Polyclinic", "polyclinic", "network"):
        assert foreign not in page


def test_each_place_has_its_own_look(cast: Cast, app: PlaceFlask) -> None:
    """L1: portals, Specialist Portal and admin console have each their own."""
    slugs = []
    for host in (cast.alpha.host, cast.beta.host, cast.gamma.host, cast.specialists_host, cast.admin_host):
        app.places.find(host)
        with app.test_request_context("/", base_url=f"http://{host}:8000"):
            slugs.append(current_look().theme.slug)
    assert slugs == ["tempo", "lamplight", "bento", "specialists", "console"]


def test_a_portal_can_be_installed_under_its_own_name_and_colours(cast: Cast, browser: Browser) -> None:
    """L3, P4: its manifest and mark say its own name and nobody else's."""
    with browser.get(cast.alpha.host, "/theme/site.webmanifest") as manifest:
        assert manifest.mimetype == "application/manifest+json"
        told = json.loads(manifest.get_data())
    assert cast.alpha.canary in told["name"]
    assert told["start_url"] == "/"
    with browser.get(cast.alpha.host, told["icons"][0]["src"]) as mark:
        assert mark.mimetype == "image/svg+xml"
        assert mark.get_data(as_text=True).startswith("<svg")
    for foreign in (cast.beta.canary, cast.gamma.canary, "olyclinic"):
        assert foreign not in json.dumps(told)

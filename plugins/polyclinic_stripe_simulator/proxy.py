"""The simulator's pages on `dev.localhost`, handed through from loopback. Its API and its control interface are not."""

from __future__ import annotations

from http.client import HTTPConnection, HTTPException
from urllib.parse import quote, urlencode, urlsplit

from flask import Blueprint, Flask, Response, current_app, request
from flask_babel import lazy_gettext as _l
from flask_wtf.csrf import generate_csrf

from polyclinic.config import STRIPE_SIMULATED, Settings
from polyclinic.web.navigation import add_entry

blueprint = Blueprint("dev_stripe", __name__, subdomain="dev", url_prefix="/stripe")

LOOPBACK = ("127.0.0.1", "localhost")
SECONDS = 30.0
PASSED = ("Content-Type", "Content-Security-Policy", "Cache-Control", "Referrer-Policy", "Location")
FORM_TOKEN = "Polyclinic-Form-Token"  # noqa: S105 – the name of a header, not a secret


def add_pages(app: Flask) -> None:
    """Add the pages, unless this is production or Stripe is not the simulated one."""
    if simulated_at(app.config["POLYCLINIC"]) is None:
        return
    app.register_blueprint(blueprint)
    add_entry(app, "dev", "dev_stripe.control", _l("Stripe, simulated"), "credit-card", order=20)


def simulated_at(settings: Settings) -> tuple[str, int] | None:
    """Host and port of the simulator; None where nothing of it may be shown."""
    base = urlsplit(settings.stripe.api_base)
    key = settings.stripe.secret_key or ""
    if settings.production or not key.startswith(STRIPE_SIMULATED) or base.hostname not in LOOPBACK:
        return None
    return base.hostname or "", base.port or 80


@blueprint.route("/control", methods=["GET", "POST"])
def control() -> Response:
    """Where people decide what Stripe, banks and cardholders do."""
    return _handed_through("/stripe/control")


@blueprint.get("/style.css")
def style() -> Response:
    """The style of these pages."""
    return _handed_through("/stripe/style.css")


@blueprint.route("/<any(pay,challenge,onboarding,control):name>/<string:identity>", methods=["GET", "POST"])
def page(name: str, identity: str) -> Response:
    """A page of one payment, account or object."""
    return _handed_through(f"/stripe/{name}/{quote(identity, safe='')}")


def _handed_through(path: str) -> Response:
    found = simulated_at(current_app.config["POLYCLINIC"])
    host, port = found or ("", 0)
    query = f"?{urlencode(list(request.args.items(multi=True)))}" if request.args else ""
    headers = {"Content-Type": request.content_type or "", FORM_TOKEN: generate_csrf()}
    connection = HTTPConnection(host, port, timeout=SECONDS)
    try:
        connection.request(request.method, path + query, _form(), headers)
        answer = connection.getresponse()
        content = answer.read()
    except (OSError, HTTPException):
        return Response("The Stripe simulator does not answer. It is started again; try in a moment.\n", 503)
    finally:
        connection.close()
    response = Response(content, answer.status)
    for name in PASSED:
        if value := answer.getheader(name):
            response.headers[name] = value
    response.autocorrect_location_header = False
    return response


def _form() -> bytes | None:
    """The form again: by now it was read, to check its token."""
    return urlencode(list(request.form.items(multi=True))).encode() if request.method == "POST" else None

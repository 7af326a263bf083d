"""The pages below `/stripe`: hosted checkout, 3-D Secure, hosted onboarding and control; they work without scripts."""

from __future__ import annotations

import re
import secrets
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from jinja2 import Environment, FileSystemLoader
from werkzeug.wrappers import Request, Response

from polyclinic_stripe_simulator.control import Control
from polyclinic_stripe_simulator.errors import Refused
from polyclinic_stripe_simulator.pages.checkout_page import CheckoutPage
from polyclinic_stripe_simulator.pages.control_page import ControlPage
from polyclinic_stripe_simulator.pages.onboarding_page import OnboardingPage
from polyclinic_stripe_simulator.pages.page import Page, Show
from polyclinic_stripe_simulator.simulation import Simulation

TEMPLATES = Path(__file__).parent / "templates"
MOUNT = "/stripe"
FORM_TOKEN = "Polyclinic-Form-Token"  # noqa: S105 – the name of a header, not a secret
SAME_SITE = ("same-origin", "none")


class Site:
    """Answers browsers."""

    def __init__(self, simulation: Simulation, control: Control) -> None:
        """Show one simulation."""
        self.simulation = simulation
        self.environment = Environment(loader=FileSystemLoader(TEMPLATES), autoescape=True)
        checkout, onboarding = CheckoutPage(simulation), OnboardingPage(simulation, control)
        shown = ControlPage(simulation, control)
        self.pages: list[tuple[re.Pattern[str], Page]] = [
            (re.compile(rf"{MOUNT}/pay/(cs_test_\w+)"), Page(checkout.show, checkout.pay)),
            (re.compile(rf"{MOUNT}/challenge/(pi_\w+)"), Page(checkout.ask, checkout.answer)),
            (re.compile(rf"{MOUNT}/onboarding/(link_\w+)"), Page(onboarding.show, onboarding.answer)),
            (re.compile(rf"{MOUNT}/control()"), Page(shown.show, shown.act)),
            (re.compile(rf"{MOUNT}/control/(\w+)"), Page(shown.one)),
        ]

    def answer(self, request: Request) -> Response:
        """A page, or where to go from it."""
        if request.path == f"{MOUNT}/style.css":
            return Response((TEMPLATES / "style.css").read_text(), mimetype="text/css")
        for pattern, page in self.pages:
            found = pattern.fullmatch(request.path)
            if found:
                return self._answered(request, page, found.group(1))
        return self._rendered(request, Show("message.html", {"heading": "No such page", "text": request.path}, 404))

    def _answered(self, request: Request, page: Page, identity: str) -> Response:
        handler: Callable[[str, Request], Show] | None = page.get if request.method in ("GET", "HEAD") else page.post
        if handler is None:
            return Response("Only GET is allowed here.\n", 405)
        if request.method == "POST" and request.headers.get("Sec-Fetch-Site", "none") not in SAME_SITE:
            return Response("Forms of other sites are not taken.\n", 403)
        try:
            return self._rendered(request, handler(identity, request))
        except Refused as refused:
            text = {"heading": "This cannot be done", "text": refused.error["message"]}
            return self._rendered(request, Show("message.html", text, refused.status))

    def _rendered(self, request: Request, show: Show) -> Response:
        if show.location is not None:
            response = Response(status=303)
            response.headers["Location"] = show.location
            response.autocorrect_location_header = False
            return response
        nonce = secrets.token_urlsafe(16)
        given: dict[str, Any] = {"base": MOUNT, "nonce": nonce, "form_token": request.headers.get(FORM_TOKEN, "")}
        html = self.environment.get_template(show.template).render(given | show.values)
        response = Response(html, show.status, mimetype="text/html")
        origins = " ".join(sorted({origin(address) for address in show.leads_to if address}))
        response.headers["Content-Security-Policy"] = (
            f"default-src 'none'; style-src 'self' 'nonce-{nonce}'; form-action 'self' {origins}; base-uri 'none'; "
            "frame-ancestors 'none'"
        )
        response.headers["Cache-Control"] = "no-store"
        response.headers["Referrer-Policy"] = "no-referrer"
        response.headers["X-Content-Type-Options"] = "nosniff"
        return response


def origin(address: str) -> str:
    """Scheme, host and port: browsers follow a redirect after a form only to where the policy allows."""
    parts = urlsplit(address)
    return f"{parts.scheme}://{parts.netloc}"

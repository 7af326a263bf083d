"""In whose name a mail is written: a portal's to its patients, the network's to specialists and operators (P4, T1)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, cast

from flask import current_app
from flask_babel import lazy_gettext as _l

from polyclinic.kernel.errors import Defect
from polyclinic.tenancy.places import PlaceName, PortalView
from polyclinic.tenancy.policy import BRAND_SENDER, LOCALES, TIME_ZONE
from polyclinic.web.places import PlaceFlask, link_to
from polyclinic.web.theming import Look, brand_of_portal, look_of_portal, themes


@dataclass(frozen=True, slots=True)
class Sender:
    """A name and an address, the stored host that links and ids are made with, and the look of its mails."""

    name: Any
    address: str
    place: PlaceName
    host: str
    look: Look
    zone: str
    default_locale: str
    portal: PortalView | None = None
    support_email: str = ""
    support_phone: str = ""
    crisis: Mapping[str, str] | None = None

    @property
    def slug(self) -> str | None:
        """The portal's slug, for templates of its own."""
        return self.portal.slug if self.portal else None

    def home(self) -> str:
        """The address of its front page."""
        settings = _app().config["POLYCLINIC"]
        server = self.host if settings.public_port is None else f"{self.host}:{settings.public_port}"
        return f"{settings.scheme}://{server}/"

    def page(self, endpoint: str, **values: Any) -> str:
        """A link to a page that a plugin may serve; its front page where nobody does."""
        return self.link(endpoint, **values) if endpoint in _app().view_functions else self.home()

    def link(self, endpoint: str, **values: Any) -> str:
        """An absolute link to a page of this place, on its stored host."""
        return link_to(_app(), self.place, self.host, endpoint, **values)


def _app() -> PlaceFlask:
    return cast(PlaceFlask, current_app)


def as_portal(portal: PortalView) -> Sender:
    """Write as a portal, to its patients."""
    brand = brand_of_portal(portal)
    return Sender(
        name=brand.name,
        address=portal.settings.find(BRAND_SENDER) or f"no-reply@{portal.host}",
        place="portal",
        host=portal.host,
        look=look_of_portal(portal),
        zone=portal.settings.get(TIME_ZONE),
        default_locale=portal.settings.get(LOCALES)[0],
        portal=portal,
        support_email=brand.support_email or "",
        support_phone=brand.support_phone or "",
        crisis=brand.crisis,
    )


def as_network(place: PlaceName = "specialists") -> Sender:
    """Write as the network, to specialists and operators."""
    host = _app().places.host(place)
    if host is None:
        raise Defect(f"no domain is stored for the place {place!r}")
    name = _l("Admin console") if place == "admin" else _l("Specialist Portal")
    look = themes().look(themes().theme("console" if place == "admin" else "specialists"), {})
    return Sender(
        name=name, address=f"no-reply@{host}", place=place, host=host, look=look, zone="UTC", default_locale="en"
    )

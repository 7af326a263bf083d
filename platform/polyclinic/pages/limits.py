"""How often somebody may write to a portal's support desk."""

from __future__ import annotations

from polyclinic.web.limits import Limit

CONTACT_PER_ADDRESS = Limit("contact-address", "10 per hour", "portal, and network address")
CONTACT_PER_SENDER = Limit("contact-sender", "4 per hour", "portal, and e-mail address entered")

LIMITS = (CONTACT_PER_ADDRESS, CONTACT_PER_SENDER)

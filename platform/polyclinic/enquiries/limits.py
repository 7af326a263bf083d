"""How often somebody may ask to work here."""

from __future__ import annotations

from polyclinic.web.limits import Limit

ENQUIRIES_PER_ADDRESS = Limit("enquiries-address", "10 per hour", "network address")
ENQUIRIES_PER_SENDER = Limit("enquiries-sender", "3 per day", "e-mail address entered")

LIMITS = (ENQUIRIES_PER_ADDRESS, ENQUIRIES_PER_SENDER)

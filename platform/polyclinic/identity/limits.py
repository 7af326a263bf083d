"""How often people may try to come in; docs/limits.md lists these and says why."""

from __future__ import annotations

from flask import current_app
from itsdangerous import BadSignature, URLSafeSerializer

from polyclinic.identity.people import Client, Entrance
from polyclinic.kernel.ids import new_token
from polyclinic.web.limits import Limit, current_limits

PASSWORD_PER_ACCOUNT = Limit("password-account", "10 per 15 minutes", "portal or place, and e-mail address entered")
PASSWORD_PER_DEVICE = Limit("password-device", "10 per 15 minutes", "browser that has signed in to the account before")
PASSWORD_PER_ADDRESS = Limit("password-address", "100 per 15 minutes", "portal or place, and network address")
CODES_PER_ACCOUNT = Limit("codes-account", "6 per 10 minutes", "portal or place, and e-mail address entered")
CODES_PER_DAY = Limit("codes-day", "20 per day", "portal or place, and e-mail address entered")
CODES_PER_DEVICE = Limit("codes-device", "6 per 10 minutes", "browser that has signed in to the account before")
CODES_PER_ADDRESS = Limit("codes-address", "60 per 10 minutes", "portal or place, and network address")
ENTRIES_PER_ADDRESS = Limit("entries-address", "100 per 10 minutes", "portal or place, and network address")
TOKENS_PER_PERSON = Limit("tokens-person", "20 per day", "person")

LIMITS = (
    PASSWORD_PER_ACCOUNT,
    PASSWORD_PER_DEVICE,
    PASSWORD_PER_ADDRESS,
    CODES_PER_ACCOUNT,
    CODES_PER_DAY,
    CODES_PER_DEVICE,
    CODES_PER_ADDRESS,
    ENTRIES_PER_ADDRESS,
    TOKENS_PER_PERSON,
)


def limit_passwords(entrance: Entrance, email: str, client: Client, device: str | None) -> None:
    """Count a try of a password; raises TooMany. A known browser is counted apart, so nobody can lock its owner out."""
    limits = current_limits()
    limits.hit(PASSWORD_PER_ADDRESS, entrance.key, client.ip or "")
    if device is not None:
        limits.hit(PASSWORD_PER_DEVICE, entrance.key, device)
    else:
        limits.hit(PASSWORD_PER_ACCOUNT, entrance.key, email)


def limit_codes(entrance: Entrance, email: str, client: Client, device: str | None) -> None:
    """Count a mail with a code; raises TooMany."""
    limits = current_limits()
    limits.hit(CODES_PER_ADDRESS, entrance.key, client.ip or "")
    if device is not None:
        limits.hit(CODES_PER_DEVICE, entrance.key, device)
    else:
        limits.hit(CODES_PER_ACCOUNT, entrance.key, email)
        limits.hit(CODES_PER_DAY, entrance.key, email)


def limit_entries(entrance: Entrance, client: Client) -> None:
    """Count an entered code; raises TooMany. Five tries per code are counted with the code."""
    current_limits().hit(ENTRIES_PER_ADDRESS, entrance.key, client.ip or "")


def device_cookie(entrance: Entrance, email: str) -> str:
    """Return the value of a cookie that marks this browser as one that has signed in to the account before."""
    return _signer(entrance).dumps([email, new_token(16)])


def known_device(entrance: Entrance, email: str, cookie: str | None) -> str | None:
    """Return the name of a browser that has signed in to this account before, or None."""
    if cookie is None:
        return None
    try:
        owner, device = _signer(entrance).loads(cookie)
    except (BadSignature, ValueError):
        return None
    return str(device) if owner == email else None


def _signer(entrance: Entrance) -> URLSafeSerializer:
    return URLSafeSerializer(current_app.config["SECRET_KEY"], salt=f"device:{entrance.key}")

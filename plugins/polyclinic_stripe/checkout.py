"""What Stripe is told when a patient is about to pay: neutral words and opaque ids, nothing else (T3, P4).

No customer object is made: Stripe keeps no list of a portal's patients, and nothing can be shared over portals. Never
``payment_method_types``: Stripe removed it in 2026 and answers 400; ways of paying are chosen in its dashboard.
"""

from __future__ import annotations

import datetime as dt
import re
from typing import Any

from polyclinic.hooks.providers import Brand, PaymentOrder
from polyclinic_stripe.amounts import to_stripe

#: Stripe's shortest life of a page is 30 minutes of real time. Counted from the end of the order's own time, not from
#: now: a repeated request must be the same request, or its idempotency key is refused.
MARGIN = dt.timedelta(minutes=31)
EXPANDED = ["payment_intent.latest_charge.balance_transaction"]
#: The languages of Stripe's page; in any other it follows the browser.
_LOCALES = re.findall(
    r"\S+",
    "bg cs da de el en en-GB es es-419 et fi fil fr fr-CA hi-IN hr hu id it ja ko lt lv ms mt nb nl pl pt pt-BR ro ru"
    " sk sl sv th tr vi zh zh-HK zh-TW",
)
_ALIASES = {"no": "nb", "nn": "nb", "zh-Hant": "zh-TW"}
_SUFFIX_LENGTH = 10
_COLOUR = re.compile(r"#[0-9a-fA-F]{6}")


def checkout_params(order: PaymentOrder, *, direct: bool) -> dict[str, Any]:
    """Return the parameters of a Checkout Session; ``direct`` where the specialist's account charges (E3)."""
    ids = {"payment": str(order.payment_id), "portal": str(order.portal_id)}
    intent: dict[str, Any] = {"metadata": ids}  # not copied from the session, and charges and disputes carry these
    suffix = statement_suffix(order.statement_suffix)
    if suffix:
        intent["statement_descriptor_suffix"] = suffix
    if not direct:
        intent["transfer_group"] = str(order.payment_id)
    elif order.commission:
        intent["application_fee_amount"] = to_stripe(order.commission)
    return {
        "mode": "payment",
        "ui_mode": "hosted_page",
        "submit_type": "book",
        "client_reference_id": str(order.payment_id),
        "metadata": ids,
        "line_items": [
            {
                "quantity": 1,
                "price_data": {
                    "currency": line.amount.currency.lower(),
                    "unit_amount": to_stripe(line.amount),
                    "product_data": {"name": line.name},
                },
            }
            for line in order.lines
        ],
        "payment_intent_data": intent,
        "branding_settings": branding(order.brand),
        "locale": stripe_locale(order.locale),
        "success_url": order.success_url,
        "cancel_url": order.cancel_url,
        "expires_at": int((order.expires_at + MARGIN).timestamp()),
    }


def branding(brand: Brand) -> dict[str, Any]:
    """Return how the portal looks on Stripe's page; pictures only where Stripe can fetch them."""
    look: dict[str, Any] = {
        "display_name": brand.name,
        "border_style": "rounded" if brand.rounded else "rectangular",
    }
    for name, colour in (("button_color", brand.colour), ("background_color", brand.surface)):
        if _COLOUR.fullmatch(colour):
            look[name] = colour
    if brand.logo_url and brand.logo_url.startswith("https://"):
        look["logo"] = {"type": "url", "url": brand.logo_url}
    return look


def stripe_locale(locale: str) -> str:
    """Return the language of Stripe's page for one of ours ("de", "pt_BR"), "auto" where it has none."""
    tag = locale.replace("_", "-")
    for known in (_ALIASES.get(tag, tag), _ALIASES.get(tag.split("-")[0], tag.split("-")[0])):
        if known in _LOCALES:
            return known
    return "auto"


def statement_suffix(words: str) -> str:
    """Return what card statements show, in the letters that they have; "" where nothing is left."""
    letters = re.sub(r"[^A-Z0-9 ]", "", words.upper()).strip()[:_SUFFIX_LENGTH].strip()
    return letters if re.search(r"[A-Z]", letters) else ""

"""What a portal chooses about itself: brand, languages and money."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from polyclinic.tenancy.kinds import (
    Choice,
    Currency,
    Email,
    LocaleList,
    LocalizedText,
    Percent,
    Text,
    TokenTable,
    Wording,
    Zone,
)
from polyclinic.tenancy.settings import Problem, Setting, Settings

BRAND_NAME = Setting(
    "brand.name",
    Text(max=60, example="Bewegwerk"),
    _l("Name"),
    _l("What the portal is called: on every page, in mails and calendars."),
    required=True,
    network=False,
)
BRAND_TAGLINE = Setting(
    "brand.tagline",
    LocalizedText(max=120),
    _l("Tagline"),
    _l("One line that says what people find here; the headline of the home page."),
    default={},
    network=False,
)
BRAND_INTRODUCTION = Setting(
    "brand.introduction",
    LocalizedText(max=600),
    _l("Introduction"),
    _l("Two or three sentences below the headline of the home page."),
    default={},
    network=False,
)
BRAND_THEME = Setting(
    "brand.theme",
    Text(max=60, pattern=r"[a-z][a-z0-9-]*", example="base"),
    _l("Theme"),
    _l("The folder of the theme that the portal's pages and mails use."),
    default="base",
)
BRAND_TOKENS = Setting(
    "brand.tokens",
    TokenTable(),
    _l("Design tokens"),
    _l("Colours, fonts, radius and density over the theme's own; those of dark mode under “dark”."),
    default={},
)
BRAND_WORDING = Setting(
    "brand.wording",
    Wording(),
    _l("Wording"),
    _l("Texts of the portal's pages in its own words, such as “therapist” for “specialist”. Mails keep theirs."),
    default={},
    network=False,
)
BRAND_SCHEME = Setting(
    "brand.scheme",
    Choice(("auto", "light", "dark")),
    _l("Light or dark"),
    _l("Whether pages follow the reader's device or are always light or dark."),
    default="auto",
)
BRAND_SENDER = Setting(
    "brand.sender",
    Email(),
    _l("Mail sender"),
    _l("The address that the portal's mails come from; the portal's name stands before it."),
    required=True,
    network=False,
)
BRAND_SUPPORT_EMAIL = Setting(
    "brand.support_email",
    Email(),
    _l("Support address"),
    _l("Where people write when something does not work. Unset: not shown."),
)
BRAND_SUPPORT_PHONE = Setting(
    "brand.support_phone",
    Text(max=30, min=5, pattern=r"\+?[0-9 ()/-]+", example="+49 30 5550 1820"),
    _l("Support telephone"),
    _l("Where people call when something does not work. Unset: not shown."),
)
BRAND_CRISIS = Setting(
    "brand.crisis",
    LocalizedText(max=600),
    _l("Crisis text"),
    _l("Whom to call in an emergency; at the foot of every page and in automatic answers."),
    default={
        "en": "Video visits are not for emergencies. If somebody is in danger, call your local emergency number.",
        "de": "Videosprechstunden sind nicht für Notfälle. Ist jemand in Gefahr, rufen Sie bitte den Notruf.",
    },
)

LOCALES = Setting(
    "language.locales",
    LocaleList(),
    _l("Languages"),
    _l("Languages that the portal offers; the first is its default."),
    default=("en",),
)
TIME_ZONE = Setting(
    "language.time_zone",
    Zone(),
    _l("Time zone"),
    _l("The zone in which times are shown while nothing better is known of the reader."),
    default="UTC",
)

CURRENCY = Setting(
    "money.currency",
    Currency(),
    _l("Currency"),
    _l("The one currency of the portal's prices. It cannot be changed after the first charge."),
    required=True,
    network=False,
)
TAX_RATE = Setting(
    "money.tax_rate",
    Percent(max=Decimal(50)),
    _l("Tax rate"),
    _l("The tax that is contained in prices; prices are always gross."),
    default=Decimal(0),
)
TAX_LABEL = Setting(
    "money.tax_label",
    LocalizedText(max=80),
    _l("Tax label"),
    _l("How the tax is called beside a price, such as “incl. VAT”. Unset: nothing is shown."),
    default={},
)

SETTINGS: tuple[Setting[Any], ...] = (
    BRAND_NAME,
    BRAND_TAGLINE,
    BRAND_INTRODUCTION,
    BRAND_THEME,
    BRAND_TOKENS,
    BRAND_WORDING,
    BRAND_SCHEME,
    BRAND_SENDER,
    BRAND_SUPPORT_EMAIL,
    BRAND_SUPPORT_PHONE,
    BRAND_CRISIS,
    LOCALES,
    TIME_ZONE,
    CURRENCY,
    TAX_RATE,
    TAX_LABEL,
)


def check_tax(settings: Settings) -> Iterator[Problem]:
    """A tax rate without a word for it would stand beside prices unexplained."""
    if settings.get(TAX_RATE) and not settings.get(TAX_LABEL):
        yield Problem(
            TAX_LABEL.path, _("there is a tax rate but no label"), _("a text per language, such as “incl. VAT”")
        )


CHECKS = (check_tax,)


@dataclass(frozen=True)
class Brand:
    """The brand of a portal, ready for pages and mails."""

    name: str
    tagline: Mapping[str, str]
    introduction: Mapping[str, str]
    theme: str
    tokens: Mapping[str, object]
    scheme: str
    sender: str
    support_email: str | None
    support_phone: str | None
    crisis: Mapping[str, str]


def brand_of(settings: Settings) -> Brand:
    """Read the brand group."""
    return Brand(
        name=settings.get(BRAND_NAME),
        tagline=settings.get(BRAND_TAGLINE),
        introduction=settings.get(BRAND_INTRODUCTION),
        theme=settings.get(BRAND_THEME),
        tokens=settings.get(BRAND_TOKENS),
        scheme=settings.get(BRAND_SCHEME),
        sender=settings.get(BRAND_SENDER),
        support_email=settings.find(BRAND_SUPPORT_EMAIL),
        support_phone=settings.find(BRAND_SUPPORT_PHONE),
        crisis=settings.get(BRAND_CRISIS),
    )


def text_in(texts: Mapping[str, str], locale: str, default_locale: str = "en") -> str:
    """Choose the text for a reader: their locale, its language, the portal's default, English, any, else nothing."""
    for wanted in (locale, locale.partition("_")[0], default_locale, "en"):
        if wanted in texts:
            return texts[wanted]
    return next(iter(texts.values()), "")

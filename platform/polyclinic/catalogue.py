"""What the features contribute to a portal, collected: settings with their checks, and sections of its files.

The one place below the composition root that knows every feature's policy; console, files, API and documentation
read settings through it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cache

from flask_babel import gettext as _

from polyclinic.allocation import policy as allocation
from polyclinic.booking import policy as booking
from polyclinic.booking.portal_file import currency_is_locked
from polyclinic.calendar import policy as calendar
from polyclinic.consents.portal_file import AgreementsSection
from polyclinic.directory import policy as directory
from polyclinic.directory.portal_file import ListingsSection, ServicesSection
from polyclinic.identity import policy as identity
from polyclinic.pages.portal_file import PagesSection
from polyclinic.payments import billing_policy as billing
from polyclinic.payments import policy as payments
from polyclinic.resources import shipped
from polyclinic.tenancy import policy as tenancy
from polyclinic.tenancy.files import Section
from polyclinic.tenancy.kinds import nearest
from polyclinic.tenancy.policy import BRAND_THEME, BRAND_TOKENS, BRAND_WORDING
from polyclinic.tenancy.portal_file import DomainsSection, SettingsSection
from polyclinic.tenancy.settings import Catalogue, Problem, Settings
from polyclinic.web.facts import facts_of
from polyclinic.web.themes import Theme, read_themes
from polyclinic.web.tokens import find_problems
from polyclinic.web.wording import known_texts

POLICIES = (tenancy, identity, allocation, directory, payments, billing, calendar, booking)


@cache
def settings_catalogue() -> Catalogue:
    """Return every setting of the product."""
    return Catalogue(
        [setting for policy in POLICIES for setting in policy.SETTINGS],
        [check_look, check_wording, *(check for policy in POLICIES for check in policy.CHECKS)],
    )


@cache
def file_sections() -> tuple[Section, ...]:
    """Return the sections of a portal's file, in the order in which they may refer to each other."""
    return (
        DomainsSection(),
        SettingsSection(settings_catalogue(), guards=[currency_is_locked]),
        ServicesSection(),
        AgreementsSection(),
        ListingsSection(),
        PagesSection(facts_of(settings_catalogue())),
    )


@cache
def _themes() -> Mapping[str, Theme]:
    return read_themes([shipped("themes")])


def check_look(settings: Settings) -> Iterator[Problem]:
    """The theme must be there, and its tokens must take the portal's values (L1)."""
    theme, slugs = settings.get(BRAND_THEME), sorted(_themes())
    if theme not in slugs:
        yield Problem(
            BRAND_THEME.path,
            _("there is no theme “%(theme)s”", theme=theme) + nearest(theme, slugs),
            _("one of %(names)s", names=", ".join(slugs)),
        )
    for problem in find_problems(settings.get(BRAND_TOKENS)):
        what = _("“%(value)s” is not a value for this token", value=problem.given)
        yield Problem((*BRAND_TOKENS.path, *problem.token.split(".")), what, str(problem.expected))


def check_wording(settings: Settings) -> Iterator[Problem]:
    """What a portal says otherwise must be a text of the product; a misspelt one would never be seen (L2)."""
    for text in settings.get(BRAND_WORDING):
        if text not in known_texts():
            yield Problem(
                (*BRAND_WORDING.path, text),
                _("no text of the product is “%(text)s”", text=text) + nearest(text, sorted(known_texts())),
                _("a text as it stands in English, letter by letter"),
            )

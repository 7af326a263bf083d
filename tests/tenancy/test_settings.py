"""Settings: typed definitions, the cascade, and sentences for what is wrong (§5, I6)."""

import dataclasses
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import settings as with_settings
from hypothesis import strategies as st

from polyclinic.booking.policy import BOOKING_HOLD, FREE_CANCELLATION, booking_policy_of
from polyclinic.calendar.policy import HORIZON, MINIMUM_NOTICE
from polyclinic.catalogue import settings_catalogue
from polyclinic.directory.policy import PRICE_MAXIMUM, PRICE_MINIMUM
from polyclinic.kernel.errors import Defect
from polyclinic.kernel.money import Money
from polyclinic.tenancy.kinds import Context, Duration, Kind, NotAccepted, TokenTable
from polyclinic.tenancy.policy import BRAND_NAME, BRAND_TAGLINE, LOCALES, text_in
from polyclinic.tenancy.settings import Catalogue, Settings, tightened
from polyclinic.tenancy.settings_docs import settings_markdown

EUROS = Context(currency="EUR", locales=("de", "en"))
COMPLETE: dict[str, Any] = {
    "brand": {"name": "Bewegwerk", "sender": "hallo@bewegwerk.example"},
    "language": {"locales": ["de", "en"]},
    "money": {"currency": "EUR"},
}


def wrong(changes: dict[str, Any], context: Context = EUROS) -> list[str]:
    """Parse and check a complete portal with `changes`, and return the sentences of what is wrong."""
    tables = {group: dict(table) for group, table in COMPLETE.items()}
    for group, table in changes.items():
        tables.setdefault(group, {}).update(table)
    catalogue = settings_catalogue()
    values, problems = catalogue.parse(tables, context)
    return [str(problem) for problem in problems or catalogue.check(Settings(values), context)]


def test_a_complete_portal_has_nothing_wrong() -> None:
    """Y1: the smallest portal that says what has no default."""
    assert wrong({}) == []


def test_unset_values_come_from_the_network_and_then_from_the_built_in_default() -> None:
    """§5: built-in < network < portal."""
    settings = Settings({"booking.hold": 300}, {"booking.hold": 900, "booking.horizon": 86400 * 30})
    assert settings.get(BOOKING_HOLD) == timedelta(minutes=5)
    assert settings.get(HORIZON) == timedelta(days=30)
    assert settings.get(MINIMUM_NOTICE) == timedelta(hours=12)
    sources = [settings.source_of(each) for each in (BOOKING_HOLD, HORIZON, MINIMUM_NOTICE)]
    assert sources == ["portal", "network", "built-in"]


@given(portal=st.none() | st.integers(120, 1800), network=st.none() | st.integers(120, 1800))
def test_back_to_inherited_gives_what_the_portal_would_have_without_its_choice(
    portal: int | None, network: int | None
) -> None:
    """§5: back to inherited."""
    layers = [{"booking.hold": seconds} if seconds else {} for seconds in (portal, network)]
    settings = Settings(layers[0], layers[1])
    inherited = settings.back_to_inherited(BOOKING_HOLD)
    assert inherited.get(BOOKING_HOLD) == (timedelta(seconds=network) if network else timedelta(minutes=10))
    assert settings.get(BOOKING_HOLD) == (timedelta(seconds=portal) if portal else inherited.get(BOOKING_HOLD))
    assert inherited.source_of(BOOKING_HOLD) != "portal"


def test_a_group_reads_as_one_typed_value() -> None:
    """§5: the booking defaults of the product."""
    assert dataclasses.asdict(booking_policy_of(Settings({}))) == {
        "minimum_notice": timedelta(hours=12),
        "horizon": timedelta(days=60),
        "slot_step": timedelta(minutes=30),
        "hold": timedelta(minutes=10),
        "holds_per_address": 3,
        "free_cancellation": timedelta(hours=24),
        "late_fee": Decimal(100),
    }


def test_a_required_setting_without_a_value_is_a_defect_when_read() -> None:
    with pytest.raises(Defect, match=r"brand\.name"):
        Settings({}).get(BRAND_NAME)


def test_two_definitions_of_one_key_are_a_defect() -> None:
    with pytest.raises(Defect, match="twice"):
        Catalogue([BOOKING_HOLD, BOOKING_HOLD])


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"booking": {"minimum_notise": "12 h"}}, "did you mean “minimum_notice”?"),
        ({"booking": {"hold": "10 minuts"}}, "booking.hold: “10 minuts” is not a duration; expected a duration from"),
        ({"booking": {"hold": 600}}, "booking.hold: 600 is not a duration"),
        ({"booking": {"hold": "2 h"}}, "“2 h” is outside the limits"),
        ({"booking": {"slot_step": "50 min"}}, "does not divide a day"),
        ({"booking": {"minimum_notice": "5 d", "horizon": "4 d"}}, "nothing could be booked"),
        ({"booking": {"late_fee": "120 %"}}, "expected a percentage from 0 % to 100 %"),
        ({"allocation": {"modes": ["browse", "assisted"]}}, "allocation.modes[2]: “assisted” is not available yet"),
        ({"allocation": {"modes": []}}, "too short"),
        ({"directory": {"order": "rotation"}}, "“rotation” is not available yet"),
        ({"payment": {"model": "external_invoise"}}, "did you mean “external_invoice”?"),
        ({"pricing": {"policy": "free"}}, "prices are free, but the payment model is not"),
        ({"payment": {"model": "free"}}, "the payment model is free, but prices are not"),
        ({"pricing": {"policy": "range", "minimum": "10"}}, "needs this limit"),
        ({"pricing": {"policy": "range", "minimum": "90.00", "maximum": "60.00"}}, "expected at most 60.00 EUR"),
        ({"pricing": {"minimum": "10.00"}}, "the pricing policy is not “range”"),
        ({"pricing": {"policy": "range", "minimum": "9.999", "maximum": "60"}}, "too many decimals for EUR"),
        ({"language": {"locales": ["de", "xx-nope"]}}, "language.locales[2]: “xx-nope” is not a language"),
        ({"language": {"locales": ["de", "de"]}}, "named twice"),
        ({"language": {"time_zone": "Europe/Berln"}}, "did you mean “Europe/Berlin”?"),
        ({"money": {"currency": "EURO"}}, "“EURO” is not a currency"),
        ({"money": {"tax_rate": "19 %"}}, "there is a tax rate but no label"),
        ({"brand": {"tagline": {"en": "Move again"}}}, "the portal's first language, “de”, is missing"),
        ({"brand": {"tagline": {"de": "Los", "fr": "Allez"}}}, "brand.tagline.fr: “fr” is not a language of this"),
        ({"brand": {"sender": "nobody"}}, "“nobody” is not an e-mail address"),
        ({"brand": {"tokens": {"accent": "red; } body { display: none"}}}, "brand.tokens.accent:"),
        ({"brand": {"tokens": {"dark": {"accent": "url(https://x)"}}}}, "brand.tokens.dark.accent"),
        ({"brand": {"tokens": {"Accent!": "#fff"}}}, "is not a token name"),
        ({"brand": {"name": 7}}, "7 is not a text"),
    ],
)
def test_what_is_wrong_is_said_with_its_place_and_what_was_expected(changes: dict[str, Any], sentence: str) -> None:
    """Y1, §5: unknown keys and values, and what does not fit together."""
    (problem,) = wrong(changes)
    assert sentence in problem
    assert "; expected " in problem


def test_all_that_is_wrong_is_said_at_once() -> None:
    """Y1."""
    assert len(wrong({"booking": {"hold": "soon", "horizon": "60"}, "money": {"currency": "XXQ"}})) == 3


def test_missing_required_settings_are_named() -> None:
    found = settings_catalogue().check(Settings({}), Context())
    assert {str(each).partition(":")[0] for each in found} == {"brand.name", "brand.sender", "money.currency"}


def test_stored_values_that_no_kind_reads_are_found() -> None:
    found = settings_catalogue().load({"booking.hold": "ten", "booking.hold_time": 600, "booking.horizon": 86400 * 9})
    assert [str(each).partition(":")[0] for each in found] == ["booking.hold", "booking.hold_time"]


def test_amounts_follow_the_currency() -> None:
    """E1: zero- and three-decimal currencies included."""
    kind = PRICE_MINIMUM.kind
    assert kind.parse("9800", Context("JPY")) == Money(9800, "JPY")
    assert kind.parse("85.5", Context("EUR")) == Money(8550, "EUR")
    assert kind.parse("1.234", Context("KWD")) == Money(1234, "KWD")
    assert kind.dump(Money(8550, "EUR"), Context("EUR")) == "85.50"
    with pytest.raises(NotAccepted, match="too many decimals"):
        kind.parse("98.5", Context("JPY"))
    with pytest.raises(NotAccepted, match="no currency"):
        kind.parse("98", Context())


def test_an_amount_left_in_another_currency_is_found() -> None:
    """E2: there is no conversion."""
    values = {
        "brand.name": "A",
        "brand.sender": "a@b.example",
        "money.currency": "JPY",
        "pricing.policy": "range",
        PRICE_MINIMUM.key: {"minor": 100, "currency": "EUR"},
        PRICE_MAXIMUM.key: {"minor": 200, "currency": "EUR"},
    }
    found = settings_catalogue().check(Settings(values), Context("JPY", ("en",)))
    assert [each.expected for each in found] == ["an amount in JPY", "an amount in JPY"]


@given(minutes=st.integers(0, 60 * 24 * 30))
def test_durations_survive_being_written_and_read(minutes: int) -> None:
    kind = Duration(timedelta(0), timedelta(days=30))
    value = timedelta(minutes=minutes)
    assert kind.parse(kind.dump(value, Context()), Context()) == value
    assert kind.load(kind.store(value)) == value


def plain_values() -> st.SearchStrategy[Any]:
    """Anything a TOML file can hold, and more."""
    leaves = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=20)
    return st.recursive(leaves, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner))


@pytest.mark.parametrize("setting", list(settings_catalogue()), ids=lambda setting: setting.key)
@with_settings(max_examples=25)
@given(raw=plain_values())
def test_no_value_breaks_a_kind_and_accepted_values_survive_storage(setting: Any, raw: Any) -> None:
    """Y1: wrong input gets a sentence, never a traceback."""
    kind: Kind[Any] = setting.kind
    try:
        value = kind.parse(raw, EUROS)
    except NotAccepted as refused:
        assert refused.message
        assert refused.expected
        return
    assert kind.load(kind.store(value)) == value
    assert kind.parse(kind.dump(value, EUROS), EUROS) == value


@pytest.mark.parametrize("setting", list(settings_catalogue()), ids=lambda setting: setting.key)
def test_built_in_defaults_are_values_that_their_kind_accepts(setting: Any) -> None:
    if setting.default is not None and setting.default != {}:
        assert setting.kind.load(setting.kind.store(setting.default)) == setting.default
    assert str(setting.label)
    assert str(setting.help).endswith((".", "”)."))


def test_limits_only_get_stricter_downwards() -> None:
    """I6: notice may be raised, the horizon lowered; what is no limit is free."""
    hour = timedelta(hours=1)
    assert tightened(MINIMUM_NOTICE, 12 * hour, 6 * hour) == 12 * hour
    assert tightened(MINIMUM_NOTICE, 12 * hour, 48 * hour) == 48 * hour
    assert tightened(HORIZON, 60 * hour, 90 * hour) == 60 * hour
    assert tightened(FREE_CANCELLATION, 24 * hour, 6 * hour) == 6 * hour


def test_a_reader_gets_their_language_else_the_portals() -> None:
    """L2."""
    texts = {"de": "Los", "en": "Go"}
    assert [text_in(texts, locale, "de") for locale in ("en_GB", "fr", "de")] == ["Go", "Los", "Los"]
    assert text_in({}, "de") == ""
    assert Settings({}).get(LOCALES) == ("en",)
    assert Settings({}).get(BRAND_TAGLINE) == {}


def test_tokens_take_css_values_and_nothing_that_ends_a_declaration() -> None:
    """L1: tokens become custom properties of a style sheet."""
    kind = TokenTable()
    tokens = {"type_ratio": 1.2, "font_text": "figtree", "radius": "6px", "light": {"accent": "#57c4b0"}}
    assert kind.parse(tokens, Context()) == tokens
    for value in ("red;", "a}b", "url(x)", "/*", "<b>", "expression\\28"):
        with pytest.raises(NotAccepted):
            kind.parse({"accent": value}, Context())


def test_the_documentation_of_settings_is_current() -> None:
    """§5: every setting is documented; `polyclinic portals settings > docs/settings.md` writes the page."""
    page = Path(__file__).parents[2] / "docs" / "settings.md"
    written = settings_markdown(settings_catalogue())
    assert all(f"### {setting.key}\n" in written for setting in settings_catalogue())
    assert page.read_text(encoding="utf-8") == written

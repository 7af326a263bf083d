"""Whatever a portal is, its file says it: written and read again it is the same, and comments stay (Y1)."""

import tempfile
from pathlib import Path
from typing import Any

import tomlkit
from hypothesis import given
from hypothesis import settings as with_settings
from hypothesis import strategies as st

from polyclinic.catalogue import file_sections
from polyclinic.tenancy.differences import State, differences
from polyclinic.tenancy.documents import read_document
from polyclinic.tenancy.files import PortalFile, parse_portal
from polyclinic.tenancy.kinds import Context
from support.portal_folders import TOML, make_folder

CURRENCIES = {"EUR": 2, "JPY": 0, "KWD": 3}
WORDS = st.text(st.characters(codec="utf-8", exclude_categories=["C", "Z"]), min_size=1, max_size=12)
SLUGS = st.from_regex(r"[a-z][a-z0-9]{0,5}(-[a-z0-9]{1,4})?", fullmatch=True)
PRICES = st.none() | st.integers(0, 10**7)
BUFFERS = st.none() | st.integers(0, 240)


def texts(locales: tuple[str, ...]) -> st.SearchStrategy[dict[str, str]]:
    """Texts that have at least the first language."""
    rest = dict.fromkeys(locales[1:], WORDS)
    return st.fixed_dictionaries({locales[0]: WORDS}, optional=rest)


@st.composite
def page(draw: st.DrawFn, locales: tuple[str, ...]) -> dict[str, Any]:
    """A page in some languages, with whatever front matter may say."""
    steps = st.lists(st.fixed_dictionaries({"title": WORDS, "text": WORDS}), min_size=1, max_size=3)
    parts = st.fixed_dictionaries(
        {},
        optional={
            "headline": WORDS,
            "questions": st.integers(0, 8),
            "steps": steps,
            "headings": st.fixed_dictionaries({"steps": WORDS}),
        },
    )
    words = st.fixed_dictionaries(
        {"title": WORDS, "body": st.sampled_from(["", "Text\n\n* one\n* two", "## A heading\n\nText"])},
        optional={"label": WORDS, "description": WORDS, "parts": parts.filter(bool)},
    )
    chosen = [locales[0], *(locale for locale in locales[1:] if draw(st.booleans()))]
    return {
        "kind": "text",
        "placement": draw(st.sampled_from(["header", "footer", "none"])),
        "order": draw(st.integers(0, 999)),
        "agreement": None,
        "texts": {locale: draw(words) for locale in chosen},
    }


@st.composite
def states(draw: st.DrawFn) -> State:
    """A portal of the pricing policy "own" with services, agreements and listings."""
    locales = tuple(draw(st.permutations(["de", "en", "fr"]))[: draw(st.integers(1, 3))])
    slugs = draw(st.lists(SLUGS, min_size=1, max_size=4, unique=True))
    services = {
        slug: {
            "name": draw(texts(locales)),
            "summary": draw(st.just({}) | texts(locales)),
            "duration": draw(st.integers(5, 480)),
            "price": draw(PRICES),
            "buffer_before": draw(st.integers(0, 240)),
            "buffer_after": draw(st.integers(0, 240)),
            "position": position,
        }
        for position, slug in enumerate(slugs)
    }
    agreements = {
        slug: {
            "gate": draw(st.sampled_from(["registration", "booking"])),
            "required": draw(st.booleans()),
            "valid_days": draw(st.none() | st.integers(1, 3650)),
            "version": draw(st.integers(1, 99)),
            "texts": {
                locale: {"title": title, "body": f"{title}\n\n* {title}\n"}
                for locale, title in draw(texts(locales)).items()
            },
            "position": position,
        }
        for position, slug in enumerate(draw(st.lists(SLUGS, max_size=3, unique=True)))
    }
    offers = st.fixed_dictionaries({"price": PRICES, "buffer_before": BUFFERS, "buffer_after": BUFFERS})
    listings = {
        f"{name}@practice.example": {
            "team": (team := draw(st.none() | SLUGS)),
            "team_role": draw(st.sampled_from(["member", "lead"])) if team else None,
            "capacity": draw(st.none() | st.integers(0, 99)),
            "services": draw(st.dictionaries(st.sampled_from(slugs), offers, min_size=1)),
        }
        for name in draw(st.lists(SLUGS, max_size=3, unique=True))
    }
    settings: dict[str, Any] = {
        "brand.name": draw(WORDS),
        "brand.tagline": draw(texts(locales)),
        "brand.sender": "hello@delta.example",
        "language.locales": list(locales),
        "money.currency": draw(st.sampled_from(sorted(CURRENCIES))),
        "pricing.policy": "own",
    }
    if draw(st.booleans()):
        settings["booking.hold"] = 60 * draw(st.integers(2, 30))
        settings["brand.tokens"] = {"radius": "6px", "light": {"accent": "#14624a"}}
    names = draw(st.lists(SLUGS, max_size=3, unique=True))
    pages = {f"p-{name}": draw(page(locales)) for name in names}
    if draw(st.booleans()):
        pages["home"] = draw(page(locales)) | {"kind": "home", "placement": "none"}
    hosts = draw(st.lists(SLUGS, min_size=1, max_size=3, unique=True))
    return {
        "domains": {"hosts": [f"{host}.example" for host in hosts]},
        "settings": settings,
        "services": services,
        "agreements": agreements,
        "listings": listings,
        "pages": pages,
    }


def write(folder: Path, before: State, after: State) -> None:
    """Bring a folder from one state to another, as an export does."""
    path = folder / "portal.toml"
    text = path.read_text(encoding="utf-8") if path.exists() else ""
    file = PortalFile(folder, tomlkit.parse(text), Context(), {})
    for section in file_sections():
        section.dump(file, before.get(section.name, {}), after[section.name])
    for name in file.removed:
        (folder / name).unlink()
    for name, content in {**file.texts, "portal.toml": file.toml.as_string()}.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(content, encoding="utf-8", newline="")


def read(folder: Path) -> State:
    """Read a folder; nothing may be wrong with it."""
    document = read_document(folder)
    state = parse_portal(document, file_sections())
    document.finish()
    return state


@with_settings(max_examples=60, deadline=None)
@given(one=states(), other=states())
def test_a_state_survives_its_file_and_so_does_the_next_one(one: State, other: State) -> None:
    """Y1: a new file, then the same file changed into any other portal, then written without a difference."""
    with tempfile.TemporaryDirectory() as below:
        folder = Path(below) / "delta"
        folder.mkdir()
        write(folder, {}, one)
        assert differences(read(folder), one) == []
        write(folder, read(folder), other)
        assert differences(read(folder), other) == []
        text = (folder / "portal.toml").read_text(encoding="utf-8")
        write(folder, read(folder), other)
        assert (folder / "portal.toml").read_text(encoding="utf-8") == text


@with_settings(max_examples=40, deadline=None)
@given(hold=st.integers(2, 30), duration=st.integers(5, 480), price=st.integers(0, 10**6), capacity=st.integers(0, 99))
def test_comments_survive_any_change_of_values(hold: int, duration: int, price: int, capacity: int) -> None:
    """Y1: comments stay, and nothing but the changed values is written anew."""
    with tempfile.TemporaryDirectory() as below:
        folder = make_folder(Path(below))
        before = read(folder)
        after = read(folder)
        after["settings"]["booking.hold"] = hold * 60
        after["services"]["check-in"]["duration"] = duration
        after["services"]["first-visit"]["price"] = price
        after["listings"]["sam@specialists.example"]["capacity"] = capacity
        write(folder, before, after)
        assert differences(read(folder), after) == []
        text = (folder / "portal.toml").read_text(encoding="utf-8")
        assert text.count("#") == TOML.count("#")
        changed = [new for new, old in zip(text.splitlines(), TOML.splitlines(), strict=True) if new != old]
        assert {line.partition(" ")[0] for line in changed} <= {"hold", "duration", "price", "capacity"}

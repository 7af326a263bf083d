"""Portals as files: plan, apply, export, drift, and files that are wrong (Y1)."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, func, select, update
from sqlalchemy.orm import Session

from polyclinic.audit.models import AuditEvent
from polyclinic.audit.services import record
from polyclinic.catalogue import file_sections
from polyclinic.consents.models import Agreement, AgreementVersion
from polyclinic.directory.models import Listing, ListingService, PublishedProfile, Service
from polyclinic.kernel.actor import SYSTEM
from polyclinic.kernel.clock import now
from polyclinic.kernel.errors import Conflict
from polyclinic.kernel.scope import Scope, open_session
from polyclinic.resources import shipped
from polyclinic.tenancy.documents import WrongFiles
from polyclinic.tenancy.files import Plan, apply_portal, export_portal, plan_portal
from polyclinic.tenancy.models import Domain, Portal, PortalSetting
from support.cast import Cast, add_history
from support.portal_folders import TOML, change, make_folder


@pytest.fixture
def network(engine: Engine, cast: Cast) -> Iterator[Session]:
    """A session of the network, beside the cast's portals."""
    with open_session(engine, Scope("network")) as session:
        yield session


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The folder of the portal "delta"."""
    return make_folder(tmp_path)


def apply(session: Session, folder: Path, **options: Any) -> Plan:
    """Apply as the command does."""
    return apply_portal(session, SYSTEM, folder, file_sections(), record, **options)


def plan(session: Session, folder: Path) -> Plan:
    """Plan as the command does."""
    found = plan_portal(session, folder, file_sections())
    session.rollback()
    return found


def portal_of(session: Session, slug: str = "delta") -> Portal:
    """Return the portal."""
    return session.scalars(select(Portal).where(Portal.slug == slug)).one()


def rows_of(owner: Engine) -> list[int]:
    """Count everything that an apply may write."""
    tables = (Portal, Domain, PortalSetting, Service, ListingService, Listing, Agreement, AgreementVersion, AuditEvent)
    with Session(owner) as session:
        return [session.scalar(select(func.count()).select_from(table)) or 0 for table in tables]


def complaints_of(session: Session, folder: Path) -> list[str]:
    """Return what is wrong with a folder, without the path before the file's name."""
    with pytest.raises(WrongFiles) as caught:
        apply(session, folder)
    return [complaint.partition("/delta/")[2] for complaint in caught.value.complaints]


def line_of(folder: Path, text: str) -> str:
    """Return file and line of the only place where a text stands."""
    content = (folder / "portal.toml").read_text(encoding="utf-8")
    assert content.count(text) >= 1
    return f"portal.toml:{content[: content.index(text)].count(chr(10)) + 1}"


def test_applying_a_folder_makes_the_portal_it_describes(network: Session, folder: Path, cast: Cast) -> None:
    """Y1: domains, settings, services, agreements and listings, in one transaction."""
    assert apply(network, folder).new
    portal = portal_of(network)
    hosts = dict(network.execute(select(Domain.host, Domain.canonical).where(Domain.portal_id == portal.id)).all())
    assert hosts == {"delta.localhost": True, "delta.example": False}
    assert portal.name == "Delta"
    hold = select(PortalSetting.value).where(PortalSetting.portal_id == portal.id, PortalSetting.key == "booking.hold")
    assert network.scalar(hold) == 900
    services = network.scalars(select(Service).where(Service.portal_id == portal.id).order_by(Service.position)).all()
    assert [(each.slug, each.duration_minutes, each.price_minor) for each in services] == [
        ("first-visit", 50, 8000),
        ("check-in", 25, None),
    ]
    texts = network.scalars(select(AgreementVersion).where(AgreementVersion.portal_id == portal.id)).all()
    assert {(text.locale, text.title, text.body) for text in texts} == {
        ("de", "Bedingungen", "Seien Sie nett.\n"),
        ("en", "Terms", "Be kind.\n\n* Always.\n"),
    }
    published = select(PublishedProfile.name).where(PublishedProfile.portal_id == portal.id)
    assert sorted(network.scalars(published)) == ["Ada", "Sam"]
    own = select(ListingService.price_minor).where(
        ListingService.portal_id == portal.id, ListingService.specialist_id == cast.ada.id
    )
    assert set(network.scalars(own)) == {None, 4250}
    events = set(network.scalars(select(AuditEvent.action).where(AuditEvent.portal_id == portal.id)))
    assert {"portal.applied", "listing.listed", "listing.services"} <= events


def test_a_plan_shows_what_would_change_and_writes_nothing(network: Session, folder: Path, owner: Engine) -> None:
    """Y1."""
    before = rows_of(owner)
    found = plan(network, folder)
    assert found.new
    assert rows_of(owner) == before
    apply(network, folder)
    assert plan(network, folder).empty
    change(folder, 'hold = "15 min" # people are slow', "")
    change(folder, 'price = "80.00"', 'price = "85.00"')
    change(folder, 'slug = "check-in", price = "42.50"', 'slug = "check-in", price = "45.00"')
    assert [str(each) for each in plan(network, folder).changes] == [
        "- settings.booking.hold (was 900)",
        "~ services.first-visit.price: 8000 -> 8500",
        "~ listings.ada@specialists.example.services.check-in.price: 4250 -> 4500",
    ]


def test_applying_again_changes_nothing_and_removing_goes_back_to_inherited(network: Session, folder: Path) -> None:
    """Y1, §5: back to inherited; services and agreements are switched off, listings end."""
    apply(network, folder)
    assert apply(network, folder).empty
    change(folder, 'hold = "15 min" # people are slow', "")
    change(folder, '{ slug = "check-in", price = "42.50", buffer_after = "15 min" }, ', "")
    text = (folder / "portal.toml").read_text(encoding="utf-8")
    start, end = text.index('[[services]]\nslug = "check-in"'), text.index("[[agreements]]")
    (folder / "portal.toml").write_text(text[:start] + text[end : text.index('[[listings]]\nspecialist = "ada')])
    apply(network, folder)
    portal = portal_of(network)
    assert network.get(PortalSetting, (portal.id, "booking.hold")) is None
    active = select(Service.slug).where(Service.portal_id == portal.id, Service.active)
    assert list(network.scalars(active)) == ["first-visit"]
    states = select(Listing.state).where(Listing.portal_id == portal.id).order_by(Listing.state)
    assert list(network.scalars(states)) == ["ended", "listed"]
    make_folder(folder.parent)
    apply(network, folder)
    assert list(network.scalars(states)) == ["listed", "listed"]
    assert plan(network, folder).empty


def test_export_after_apply_changes_nothing(network: Session, folder: Path) -> None:
    """Y1: byte for byte, comments included."""
    apply(network, folder)
    assert export_portal(network, "delta", folder, file_sections()).files == {}
    assert (folder / "portal.toml").read_text(encoding="utf-8") == TOML


def test_an_export_into_an_empty_folder_describes_the_same_portal(
    network: Session, folder: Path, tmp_path: Path
) -> None:
    """Y1: what is written can be applied, and then nothing differs."""
    apply(network, folder)
    fresh = tmp_path / "fresh" / "delta"
    for name, content in export_portal(network, "delta", fresh, file_sections()).files.items():
        (fresh / name).parent.mkdir(parents=True, exist_ok=True)
        (fresh / name).write_text(content, encoding="utf-8")
    assert sorted(path.name for path in fresh.rglob("*.md")) == ["terms.de.md", "terms.en.md"]
    assert plan(network, fresh).empty


def console(owner: Engine, key: str, value: Any) -> None:
    """Change a setting behind the file's back, as the console does."""
    with Session(owner) as session:
        portal = portal_of(session)
        session.merge(PortalSetting(portal_id=portal.id, key=key, value=value))
        session.commit()


def test_a_change_made_elsewhere_is_drift_and_only_overwritten_on_request(
    network: Session, folder: Path, owner: Engine
) -> None:
    """Y1."""
    apply(network, folder)
    console(owner, "booking.hold", 600)
    found = plan(network, folder)
    assert [str(each) for each in found.drift] == ["~ settings.booking.hold: 900 -> 600"]
    assert [str(each) for each in found.changes] == ["~ settings.booking.hold: 600 -> 900"]
    with pytest.raises(Conflict):
        apply(network, folder)
    assert apply(network, folder, overwrite=True).drift
    assert plan(network, folder).empty


def test_an_exported_console_change_keeps_the_comments_of_the_file(
    network: Session, folder: Path, owner: Engine
) -> None:
    """Y1: only the lines that differ are written."""
    apply(network, folder)
    console(owner, "booking.hold", 600)
    console(owner, "brand.tokens", {"radius": "6px", "light": {"accent": "#223344"}})
    console(owner, "booking.horizon", 86400 * 30)
    with Session(owner) as session:
        session.execute(update(Service).where(Service.slug == "check-in").values(duration_minutes=30))
        session.commit()
    network.rollback()
    written = export_portal(network, "delta", folder, file_sections()).files["portal.toml"]
    expected = (
        TOML.replace('hold = "15 min" # people are slow', 'hold = "10 min" # people are slow\nhorizon = "30 d"')
        .replace('accent = "#14624a" # dark green', 'accent = "#223344" # dark green')
        .replace('duration = "25 min"', 'duration = "30 min"')
    )
    assert [line for line in written.splitlines() if line] == [line for line in expected.splitlines() if line]
    (folder / "portal.toml").write_text(written, encoding="utf-8")
    network.rollback()
    assert plan(network, folder).empty


def test_everything_wrong_in_a_file_is_said_with_its_line_and_nothing_changes(
    network: Session, folder: Path, owner: Engine
) -> None:
    """Y1: file, line, what was wrong, what was expected; all at once."""
    before = rows_of(owner)
    change(folder, 'hold = "15 min" # people are slow', 'hold = "15 minutes"\nminimum_notise = "2 h"')
    change(folder, 'policy = "own"', 'policy = "fixed"')
    change(folder, 'gate = "registration"', 'gate = "joining"')
    change(folder, "texts/terms.en.md", "../../../etc/passwd")
    change(folder, ', "first-visit"]', ', "frist-visit"]')
    change(folder, "[pricing]", "[video]\nblur = true\n\n[pricing]")
    found = complaints_of(network, folder)
    assert rows_of(owner) == before
    places = [
        "[video]",
        "15 minutes",
        "minimum_notise",
        '[[services]]\nslug = "check-in" #',
        "joining",
        "passwd",
        *["frist-visit"] * 2,
    ]
    assert [complaint.partition(": ")[0] for complaint in found] == [line_of(folder, place) for place in places]
    assert all("expected" in complaint for complaint in found)
    assert "booking.hold: “15 minutes” is not a duration" in found[1]
    assert "did you mean “minimum_notice”?" in found[2]
    assert any("did you mean “first-visit”?" in complaint for complaint in found)


def test_what_only_the_database_knows_to_be_wrong_is_said_too(network: Session, folder: Path) -> None:
    """Y1: a specialist nobody knows, a team that is none, a domain of somebody else."""
    change(folder, "ada@specialists.example", "adda@specialists.example")
    change(folder, '"north"', '"south"')
    change(folder, '"delta.example"', '"alpha.localhost"')
    change(folder, 'hold = "15 min"', 'hold = "soon"')
    found = complaints_of(network, folder)
    places = ["alpha.localhost", '"soon"', "adda@", '"south"']
    assert [complaint.partition(": ")[0] for complaint in found] == [line_of(folder, place) for place in places]
    assert "belongs to another place" in found[0]
    assert "did you mean “ada@specialists.example”?" in found[2]


@pytest.mark.parametrize(
    ("old", "new", "sentence"),
    [
        ('[money]\ncurrency = "EUR"', '[money]\ncurrency = "EUR', "portal.toml:21: this is not TOML"),
        ('currency = "EUR"', "", "money.currency: this setting is missing"),
        ('currency = "EUR"', 'currency = "EUR"\n[[brand]]', "this is not TOML"),
        ('"delta.example"', '"Delta Example"', "portal.domains[2]"),
        ('domains = ["delta.localhost", "delta.example"] # the first is canonical', "", "the portal has no domain"),
        ('slug = "check-in" #', 'slug = "first-visit" #', "is there twice"),
        ('duration = "25 min"', 'duration = "25"', "services[2].duration: “25” is not a duration"),
        ('accent = "#14624a"', 'accent = "green"', "expected a colour such as"),
        ('radius = "6px"', 'radios = "6px"', "brand.tokens.radios"),
        ('sender = "hello@delta.example"', 'sender = "hello@delta.example"\ntheme = "bass"', "did you mean “base”?"),
        ("version = 1\ntext", "version = 0\ntext", "expected a whole number from 1"),
        ("sam@specialists.example", "ada@specialists.example", "is listed twice"),
        ('team = "north"', 'team_role = "lead"', "there is no team"),
        ('name = { de = "Kurz", en = "Short" }', 'name = { en = "Short" }', "first language, “de”, is missing"),
        ('["first-visit"]', "[]", "the listing offers nothing"),
        ('["first-visit"]', "[7]", "this is not a service"),
        ("capacity = 12", "capasity = 12", "did you mean “capacity”?"),
    ],
)
def test_each_slip_has_its_sentence(network: Session, folder: Path, old: str, new: str, sentence: str) -> None:
    """Y1."""
    change(folder, old, new)
    found = complaints_of(network, folder)
    assert any(sentence in complaint for complaint in found), found


@pytest.mark.parametrize("line", ['currency = "EURO"', "", "currency = 7"])
def test_a_wrong_currency_is_one_complaint_and_not_one_for_each_price(
    network: Session, folder: Path, line: str
) -> None:
    """Y1: what only follows from a mistake is not reported beside it."""
    change(folder, 'currency = "EUR"', line)
    (complaint,) = complaints_of(network, folder)
    assert "money.currency: " in complaint


def test_files_that_are_no_files_get_a_sentence(network: Session, folder: Path, tmp_path: Path) -> None:
    """Y1."""
    for broken, sentence in (
        (tmp_path / "nowhere", "there is no such file"),
        (make_folder(tmp_path, "Not A Slug"), "the folder is no slug"),
    ):
        with pytest.raises(WrongFiles, match=sentence):
            apply(network, broken)
    (folder / "portal.toml").write_bytes(b"\xff\xfe")
    assert complaints_of(network, folder) == ["portal.toml: the file is not UTF-8 text"]


def test_a_published_text_cannot_be_rewritten_but_a_new_version_asks_again(network: Session, folder: Path) -> None:
    """K1: the exact text is fixed; a new version stands beside the old one."""
    apply(network, folder)
    (folder / "texts" / "terms.en.md").write_text("# Terms\n\nBe very kind.\n", encoding="utf-8")
    (complaint,) = complaints_of(network, folder)
    assert complaint.startswith(f"{line_of(folder, 'terms.en.md')}: agreements[1].text.en: version 1")
    assert complaint.endswith("expected version = 2")
    change(folder, "version = 1", "version = 2")
    apply(network, folder)
    versions = select(AgreementVersion.version, AgreementVersion.locale).order_by(AgreementVersion.version)
    portal = portal_of(network)
    found = network.execute(versions.where(AgreementVersion.portal_id == portal.id)).all()
    assert sorted(found) == [(1, "de"), (1, "en"), (2, "de"), (2, "en")]
    change(folder, "version = 2", "version = 1")
    assert "older than the published one" in complaints_of(network, folder)[0]


def test_the_currency_is_locked_once_something_was_owed(
    network: Session, cast: Cast, owner: Engine, tmp_path: Path
) -> None:
    """E2: there is no conversion."""
    folder = make_folder(
        tmp_path, "alpha", TOML.replace("delta.", "alpha.").replace('"EUR"', '"GBP"').replace('"terms"', '"rules"')
    )
    apply(network, folder, overwrite=True)
    change(folder, '"GBP"', '"EUR"')
    apply(network, folder)
    with open_session(network.get_bind(), Scope("network")) as session:  # type: ignore[arg-type]  # it is an Engine
        moment = now(session)
    add_history(owner, cast.alpha, cast.alpha.patient, cast.ada, moment)
    change(folder, '"EUR"', '"GBP"')
    with pytest.raises(WrongFiles, match="visits were already booked in EUR"):
        apply(network, folder)


def test_one_portal_is_changed_and_no_other(network: Session, folder: Path, owner: Engine) -> None:
    """I1: what belongs to the cast's portals stays as it is."""

    def others() -> list[Any]:
        with Session(owner) as session:
            delta = select(Portal.id).where(Portal.slug == "delta").scalar_subquery()
            tables = (PortalSetting, Service, Listing, Agreement)
            return [
                sorted(
                    map(repr, session.execute(select(table.__table__).where(table.portal_id.is_distinct_from(delta))))
                )
                for table in tables
            ]

    before = others()
    apply(network, folder)
    assert others() == before


@pytest.mark.parametrize("slug", ["physio", "mind", "nutrition"])
def test_the_sample_portals_say_nothing_wrong(slug: str, network: Session) -> None:
    """Y1: only their specialists and teams are unknown to a network without the sample people."""
    with pytest.raises(WrongFiles) as caught:
        plan_portal(network, shipped("tenants") / slug, file_sections())
    assert all("nobody in the network" in each or "there is no team" in each for each in caught.value.complaints)

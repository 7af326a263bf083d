"""P1: the directory of hosts costs the same however many portals there are."""

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import Engine, event

from polyclinic.tenancy.places import Places
from polyclinic.tenancy.policy import BRAND_NAME
from support.cast import Cast


@contextmanager
def statements(engine: Engine) -> Iterator[list[str]]:
    """What is asked of the database meanwhile, settings of portals only."""
    asked: list[str] = []

    def note(*found: object) -> None:
        if "FROM portal_setting" in str(found[2]):
            asked.append(str(found[2]))

    event.listen(engine, "before_cursor_execute", note)
    try:
        yield asked
    finally:
        event.remove(engine, "before_cursor_execute", note)


def test_settings_are_read_of_portals_that_are_visited(engine: Engine, cast: Cast) -> None:
    """A process that serves one portal of many reads one portal's settings, and reads them again when it refreshes."""
    places = Places(engine, fresh_for=60)
    with statements(engine) as asked:
        found = places.find("alpha.localhost")
        assert found is not None and found.portal is not None
        assert cast.alpha.canary in found.portal.settings.get(BRAND_NAME)
        places.find("alpha.localhost")
        assert len(asked) == 1
        places.forget()
        assert [portal.slug for portal in places.portals()] == ["alpha", "beta", "gamma"]
        assert len(asked) == 2, "what is in use is read with the directory, the rest when it is asked for"
        beta = places.portal(cast.beta.id)
        assert beta is not None and cast.beta.canary in beta.settings.get(BRAND_NAME)
        assert len(asked) == 3


def test_settings_of_a_page_are_there_before_its_transaction(engine: Engine, cast: Cast) -> None:
    """A request never needs a second connection for its own portal: a small pool would dead-lock."""
    places = Places(engine, fresh_for=60)
    found = places.find("gamma.localhost")
    assert found is not None and found.portal is not None
    with statements(engine) as asked:
        found.portal.settings.get(BRAND_NAME)
    assert asked == []

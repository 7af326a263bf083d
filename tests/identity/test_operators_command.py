"""U1: the first operator of an installation is made by a command."""

from __future__ import annotations

import re

import pytest
from click.testing import CliRunner, Result

from polyclinic.cli import main
from polyclinic.config import Settings
from support.cast import Cast
from support.client import Browser


@pytest.fixture
def environ(settings: Settings) -> dict[str, str]:
    """The environment of a command on the tests' servers."""
    return {
        "MODE": "test",
        "POLYCLINIC_HOME": str(settings.home),
        "DATABASE_URL": settings.database_url,
        "REDIS_URL": settings.redis_url,
        "SECRET_KEY": settings.secret_key,
        "ASYNC_MODE": "threading",
        "DB_POOL_SIZE": "2",
    }


def create(environ: dict[str, str], *more: str) -> Result:
    """Run the command where nobody can be asked."""
    return CliRunner().invoke(main, ["operators", "create", "--name", "Ona", *more], env=environ)


def test_an_operator_is_made_and_signs_in(cast: Cast, environ: dict[str, str], browser: Browser) -> None:
    """U1: with the password that was generated and printed once."""
    answer = create(environ, "--email", "Ona@network.example", "--portal", "alpha", "--role", "support")
    assert answer.exit_code == 0, answer.output
    found = re.search(r"Password: (\S{24})", answer.output)
    assert found is not None
    form = {"email": "ona@network.example", "password": found[1]}
    assert browser.post(cast.admin_host, "/sign-in", form).status_code == 303
    me = browser.send("GET", cast.admin_host, "/api/v1/me").json
    assert me is not None
    assert (me["role"], me["portals"]) == ("support", [str(cast.alpha.id)])


@pytest.mark.parametrize(
    ("more", "words"),
    [
        (["--email", "ona"], "e-mail address"),
        (["--email", "olga@network.example"], "already"),
        (["--email", "ona@network.example", "--portal", "delta"], "no portal delta"),
        (["--email", "ona@network.example", "--zone", "Nowhere"], "time zone"),
    ],
)
def test_what_is_wrong_is_said_in_a_sentence(cast: Cast, environ: dict[str, str], more: list[str], words: str) -> None:
    """Exit code 1, no traceback, nothing made."""
    answer = create(environ, *more)
    assert answer.exit_code == 1
    assert words in answer.output and "Traceback" not in answer.output

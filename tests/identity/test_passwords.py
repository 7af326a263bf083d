"""U1, V6.2, V11.4.2: what passwords must be, how they are kept, and that hashing stops nobody."""

from __future__ import annotations

import subprocess
import sys
import textwrap

import pytest
from argon2 import PasswordHasher, extract_parameters
from sqlalchemy import Engine, text

from polyclinic.identity.passwords import Passwords
from polyclinic.identity.rules import common_passwords, password_problem
from polyclinic.kernel.actor import Kind
from polyclinic.web.places import PlaceFlask
from support.cast import PASSWORD, SHARED_EMAIL, Cast
from support.client import Browser


@pytest.mark.parametrize(
    ("kind", "password", "accepted"),
    [
        ("patient", "shorter", False),
        ("patient", "8 leters", True),
        ("specialist", "elevenchars", False),
        ("specialist", "twelve chars", True),
        ("operator", "elevenchars", False),
        ("patient", "password1", False),
        ("patient", "PassWord1", False),
        ("patient", "nia@example.org", False),
        ("patient", "Nia Newman", False),
        ("patient", "ヰヱヲンヴヵヶ平仮名", True),
        ("patient", "a sentence with blanks and no digits", True),
        ("patient", "x" * 256, True),
        ("patient", "x" * 257, False),
    ],
)
def test_length_and_guessability_decide(kind: Kind, password: str, accepted: bool) -> None:
    """V6.2.1, V6.2.4: no rules of composition, every script, long ones too."""
    assert (password_problem(password, kind, "nia@example.org", "Nia Newman") is None) == accepted


def test_the_list_of_common_passwords_is_long() -> None:
    """V6.2.4: at least the 3000 most common; offline, part of the product."""
    assert len(common_passwords()) > 3000
    assert all(word == word.casefold() for word in common_passwords())


def test_production_hashes_with_argon2id_at_full_cost() -> None:
    """V11.4.2: 19 MiB, two passes; only test mode is cheap."""
    found = extract_parameters(Passwords("production").hash("a sentence"))
    assert (found.type.name, found.memory_cost, found.time_cost, found.parallelism) == ("ID", 19 * 1024, 2, 1)
    assert extract_parameters(Passwords("demo").hash("a sentence")) == found
    assert extract_parameters(Passwords("test").hash("a sentence")).memory_cost < 1024


def test_an_old_hash_is_renewed_at_the_next_sign_in(cast: Cast, app: PlaceFlask, owner: Engine) -> None:
    """V11.4.2: a change of cost reaches everybody who signs in."""
    host, mine = cast.alpha.host, {"id": cast.alpha.patient.id}
    read = text("SELECT password_hash FROM credential WHERE subject_id = :id")
    with owner.begin() as connection:
        old = PasswordHasher(time_cost=3, memory_cost=64, parallelism=1).hash(PASSWORD)
        connection.execute(
            text("UPDATE credential SET password_hash = :old WHERE subject_id = :id"), mine | {"old": old}
        )
    for _ in range(2):
        answer = Browser(app).post(host, "/sign-in", {"email": SHARED_EMAIL, "password": PASSWORD})
        assert answer.status_code == 303
    with owner.connect() as connection:
        assert extract_parameters(connection.execute(read, mine).scalar_one()).time_cost == 1


def test_a_damaged_hash_is_a_wrong_password() -> None:
    """U1: never an error, never a way in."""
    passwords = Passwords("test")
    assert not passwords.verify("", PASSWORD)
    assert not passwords.verify("$argon2id$nonsense", PASSWORD)
    assert not passwords.verify(None, PASSWORD)


GREEN = """
    import sys, time
    mode, way = sys.argv[1:]
    if mode == "eventlet":
        import warnings; warnings.filterwarnings("ignore", r"\\s*Eventlet is deprecated")
        import eventlet; eventlet.monkey_patch(); spawn, sleep = eventlet.spawn, eventlet.sleep
    else:
        from gevent import monkey; monkey.patch_all()
        import gevent; spawn, sleep = gevent.spawn, gevent.sleep
    from argon2 import PasswordHasher
    from polyclinic.web.offload import offload
    heavy = PasswordHasher(8, 64 * 1024, 1).hash
    ticks = []
    def tick():
        while True:
            ticks.append(time.monotonic()); sleep(0.005)
    spawn(tick); sleep(0.02); ticks.clear()
    stored = offload(heavy, "a sentence") if way == "offload" else heavy("a sentence")
    assert stored.startswith("$argon2id$"), stored
    print(len(ticks))
    def broken(): raise KeyError("told")
    try: offload(broken)
    except KeyError: print("raised")
"""


@pytest.mark.parametrize("mode", ["eventlet", "gevent"])
def test_hashing_stops_no_other_request(mode: str) -> None:
    """DESIGN, Processes: the hub ticks on while Argon2 runs; without offload() it stands still."""
    found = {}
    for way in ("offload", "direct"):
        run = [sys.executable, "-c", textwrap.dedent(GREEN), mode, way]
        lines = subprocess.run(run, capture_output=True, text=True, check=True, timeout=60).stdout.split()
        found[way], raised = int(lines[0]), lines[1:]
        assert raised == ["raised"]
    assert found["direct"] == 0
    assert found["offload"] >= 5

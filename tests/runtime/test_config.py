"""Settings from the environment: every wrong value is named at once, secrets are never repeated."""

import re
from pathlib import Path

import pytest

from polyclinic.config import ConfigError, read_settings
from support.source import ROOT

SECRET = "s" * 48
DEMO = {
    "MODE": "demo",
    "DATABASE_URL": "postgresql://login:pw@/polyclinic?host=/run/pg",
    "REDIS_URL": "unix:///run/valkey.sock",
    "SECRET_KEY": SECRET,
}


def test_a_demo_needs_only_its_addresses_and_a_secret() -> None:
    settings = read_settings(DEMO)
    assert settings.database_url == "postgresql+psycopg://login:pw@/polyclinic?host=/run/pg"
    assert (settings.port, settings.public_port, settings.scheme) == (8000, 8000, "http")
    assert settings.home == Path("var").absolute()
    assert not settings.production


def test_without_a_mode_it_is_production_and_links_are_https() -> None:
    settings = read_settings(DEMO | {"MODE": "", "SMTP_URL": "smtp://mail.example"})
    assert settings.production
    assert (settings.scheme, settings.public_port) == ("https", None)


def test_every_wrong_variable_is_named_at_once() -> None:
    wrong = {
        "MODE": "prod",
        "PORT": "70000",
        "ASYNC_MODE": "asyncio",
        "DATABASE_URL": "mysql://root:hunter2@db/x",
        "REDIS_URL": "localhost:6379",
        "POLYCLINIC_ROLE_PREFIX": "pg_mine",
        "DB_POOL_SIZE": "many",
        "TRUSTED_PROXIES": "10.0.0.0/8, proxy",
        "POLYCLINIC_HOME": __file__,
        "OWNER_DATABASE_URL": "postgresql://owner@db:port/x",
    }
    with pytest.raises(ConfigError) as caught:
        read_settings(wrong)
    named = [problem.split()[0] for problem in caught.value.problems]
    assert sorted(named) == sorted([*wrong, "SECRET_KEY", "SMTP_URL"])
    assert "hunter2" not in str(caught.value)
    assert "'70000'; expected a whole number from 1 to 65535" in str(caught.value)


def test_secrets_appear_neither_in_problems_nor_in_the_representation() -> None:
    with pytest.raises(ConfigError) as caught:
        read_settings(DEMO | {"SECRET_KEY": "short"})
    assert "short" not in str(caught.value)
    assert SECRET not in repr(read_settings(DEMO))


def test_production_refuses_what_is_for_demo_and_tests_only() -> None:
    with pytest.raises(ConfigError, match="PRIVATE_HOSTS is set"):
        read_settings(DEMO | {"MODE": "production", "SMTP_URL": "smtp://mail", "PRIVATE_HOSTS": "127.0.0.1"})
    assert read_settings(DEMO | {"PRIVATE_HOSTS": "127.0.0.1, ::1"}).private_hosts == ("127.0.0.1", "::1")


STRIPE = {
    "STRIPE_SECRET_KEY": "sk_test_sim123456",
    "STRIPE_API_BASE": "http://127.0.0.1:12111/",
    "STRIPE_WEBHOOK_SECRETS_ACCOUNT": "whsec_simaccount1, whsec_simaccount2",
    "STRIPE_WEBHOOK_SECRETS_CONNECT": "whsec_simconnect",
    "STRIPE_WEBHOOK_SECRETS_THIN": "whsec_simthin01",
}
LIVE = {"MODE": "production", "SMTP_URL": "smtp://mail"}


def test_stripe_is_reached_with_six_variables_and_not_at_all_without() -> None:
    """E7: two signing secrets while one is being replaced; nothing of it shows in the representation."""
    assert read_settings(DEMO).stripe.secret_key is None
    settings = read_settings(DEMO | STRIPE)
    assert settings.stripe.api_base == "http://127.0.0.1:12111"
    assert settings.stripe.account_secrets == ("whsec_simaccount1", "whsec_simaccount2")
    assert not settings.stripe.live
    assert settings.stripe.pages == ("http://127.0.0.1:12111",)
    own = {"STRIPE_PAGES": "https://pay.example.org, https://connect.stripe.com"}
    assert read_settings(DEMO | STRIPE | own).stripe.pages == ("https://pay.example.org", "https://connect.stripe.com")
    assert "sk_test" not in repr(settings)
    assert "whsec" not in repr(settings)


@pytest.mark.parametrize(
    ("environ", "words"),
    [
        (DEMO | STRIPE | {"STRIPE_SECRET_KEY": "pk_test_123456"}, "STRIPE_SECRET_KEY is no secret key"),
        (DEMO | STRIPE | {"STRIPE_SECRET_KEY": "sk_live_123456"}, "STRIPE_SECRET_KEY is a live key"),
        (DEMO | STRIPE | {"STRIPE_SECRET_KEY": "sk_test_123456"}, "STRIPE_API_BASE leads elsewhere"),
        (DEMO | STRIPE | {"STRIPE_API_BASE": "http://10.0.0.1:12111"}, "STRIPE_API_BASE is"),
        (DEMO | STRIPE | {"STRIPE_API_BASE": "https://stripe.example"}, "STRIPE_API_BASE is"),
        (DEMO | STRIPE | {"STRIPE_API_BASE": "http://127.0.0.1:99999"}, "STRIPE_API_BASE is"),
        (DEMO | STRIPE | {"STRIPE_PAGES": "https://pay.example.org/x; script-src *"}, "STRIPE_PAGES has a word"),
        (DEMO | STRIPE | {"STRIPE_WEBHOOK_SECRETS_THIN": "hunter2"}, "STRIPE_WEBHOOK_SECRETS_THIN has a word"),
        (DEMO | LIVE | STRIPE, "STRIPE_API_BASE is"),
        (DEMO | LIVE | STRIPE | {"STRIPE_API_BASE": ""}, "STRIPE_SECRET_KEY is a key of the simulator"),
        (DEMO | LIVE | {"STRIPE_SECRET_KEY": "rk_live_123456"}, "STRIPE_WEBHOOK_SECRETS_ACCOUNT is not set"),
    ],
)
def test_keys_of_stripe_and_of_its_simulator_are_never_mixed_up(environ: dict[str, str], words: str) -> None:
    """R3: no real money in a demonstration, no play money in production, no real key to a local process."""
    with pytest.raises(ConfigError) as caught:
        read_settings(environ)
    assert words in str(caught.value)
    assert not re.search(r"123456|hunter2", str(caught.value))


def test_a_database_address_needs_a_name() -> None:
    with pytest.raises(ConfigError, match="DATABASE_URL names no database"):
        read_settings(DEMO | {"DATABASE_URL": "postgresql://login:pw@db/"})


def test_every_variable_is_documented() -> None:
    """A setting that nobody can find does not exist."""
    read = set(re.findall(r'reader\.\w+\(\s*"([A-Z_]+)"', (ROOT / "platform/polyclinic/config.py").read_text()))
    documented = set(re.findall(r"`([A-Z][A-Z_]+)`", (ROOT / "docs/operations.md").read_text()))
    assert len(read) > 15
    assert read - documented == set()

"""Typed settings of a process, read from its environment.

`read_settings` reports every wrong value at once: which variable, what was found, what was expected. The value of a
secret is never repeated.
"""

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from ipaddress import IPv4Network, IPv6Network, ip_network
from pathlib import Path
from typing import Literal, cast
from urllib.parse import urlsplit

Mode = Literal["production", "demo", "test"]
AsyncMode = Literal["eventlet", "gevent", "threading"]
Scheme = Literal["http", "https"]

MODES: tuple[Mode, ...] = ("production", "demo", "test")
ASYNC_MODES: tuple[AsyncMode, ...] = ("eventlet", "gevent", "threading")
REDIS_SCHEMES = ("redis", "rediss", "unix")
SMTP_SCHEMES = ("smtp", "smtps")
SECRET_KEY_LENGTH = 32
STRIPE_API = "https://api.stripe.com"
STRIPE_PAGES = ("https://checkout.stripe.com", "https://connect.stripe.com")
STRIPE_SIMULATED = "sk_test_sim"
"""How keys of the simulator begin."""


class ConfigError(Exception):
    """The environment is wrong; `problems` holds one sentence for each variable."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__("\n".join(problems))
        self.problems = problems


@dataclass(frozen=True, slots=True)
class StripeKeys:
    """How to reach Stripe (docs/stripe.md); without a key the payment models that need it are not available."""

    secret_key: str | None = field(default=None, repr=False)
    api_base: str = STRIPE_API
    account_secrets: tuple[str, ...] = field(default=(), repr=False)
    connect_secrets: tuple[str, ...] = field(default=(), repr=False)
    thin_secrets: tuple[str, ...] = field(default=(), repr=False)
    """Signing secrets of the three webhook endpoints; two of each while one is being replaced."""
    pages: tuple[str, ...] = STRIPE_PAGES
    """Origins of the pages on which people pay and open accounts: browsers may be sent there, and nowhere else."""

    @property
    def live(self) -> bool:
        """Whether real money moves."""
        return "_live_" in (self.secret_key or "")


@dataclass(frozen=True, slots=True)
class Settings:
    """What a process needs to know before it can ask the database."""

    mode: Mode
    home: Path
    database_url: str = field(repr=False)
    redis_url: str = field(repr=False)
    secret_key: str = field(repr=False)
    owner_database_url: str | None = field(default=None, repr=False)
    role_prefix: str = "polyclinic"
    async_mode: AsyncMode = "eventlet"
    bind: str = "127.0.0.1"
    port: int = 8000
    internal_port: int | None = None
    """Health, readiness and metrics; None starts no such listener."""
    scheme: Scheme = "http"
    """How browsers reach the places: links are built with it."""
    public_port: int | None = 8000
    """The port in links; None where it is the scheme's own."""
    smtp_url: str | None = field(default=None, repr=False)
    pool_size: int = 12
    pool_timeout: float = 10.0
    specialist_idle_minutes: int = 240
    operator_idle_minutes: int = 60
    """How long people of the network's places stay signed in without using them (docs/limits.md)."""
    domains_fresh_seconds: int = 5
    """How long a process may believe what it read of domains and settings."""
    trusted_proxies: tuple[IPv4Network | IPv6Network, ...] = ()
    """Only these may send forwarded headers."""
    private_hosts: tuple[str, ...] = ()
    """Private addresses that outgoing requests may reach in spite of the guard; never in production."""
    stripe: StripeKeys = StripeKeys()

    @property
    def production(self) -> bool:
        """Whether demo-only things (dev host, clock, simulator) must be impossible."""
        return self.mode == "production"


def read_settings(environ: Mapping[str, str] | None = None) -> Settings:
    """The settings of this process; raises ConfigError with every problem found."""
    reader = Reader(os.environ if environ is None else environ)
    mode = cast("Mode", reader.choice("MODE", MODES, "production"))
    production = mode == "production"
    port = reader.number("PORT", 8000, 1, 65535)
    scheme = cast("Scheme", reader.choice("URL_SCHEME", ("http", "https"), "https" if production else "http"))
    settings = Settings(
        mode=mode,
        home=reader.folder("POLYCLINIC_HOME", "var"),
        database_url=reader.database("DATABASE_URL", required=True) or "",
        owner_database_url=reader.database("OWNER_DATABASE_URL"),
        redis_url=reader.url("REDIS_URL", REDIS_SCHEMES, required=True) or "",
        secret_key=reader.secret("SECRET_KEY"),
        role_prefix=reader.role_prefix(),
        async_mode=cast("AsyncMode", reader.choice("ASYNC_MODE", ASYNC_MODES, "eventlet")),
        bind=reader.text("BIND", "127.0.0.1"),
        port=port,
        internal_port=reader.number("INTERNAL_PORT", 0, 0, 65535) or None,
        scheme=scheme,
        public_port=reader.number("PUBLIC_PORT", 0 if production else port, 0, 65535) or None,
        smtp_url=reader.url("SMTP_URL", SMTP_SCHEMES, required=production),
        pool_size=reader.number("DB_POOL_SIZE", 12, 1, 100),
        pool_timeout=float(reader.number("DB_POOL_TIMEOUT", 10, 1, 120)),
        specialist_idle_minutes=reader.number("SPECIALIST_IDLE_MINUTES", 240, 5, 24 * 60),
        operator_idle_minutes=reader.number("OPERATOR_IDLE_MINUTES", 60, 5, 24 * 60),
        domains_fresh_seconds=reader.number("DOMAINS_FRESH_SECONDS", 5, 0, 60),
        trusted_proxies=reader.networks("TRUSTED_PROXIES"),
        private_hosts=reader.words("PRIVATE_HOSTS"),
        stripe=read_stripe(reader, mode),
    )
    if production and settings.private_hosts:
        reader.problem("PRIVATE_HOSTS", "is set", "nothing: it opens private addresses and is for demo and tests only")
    if reader.problems:
        raise ConfigError(reader.problems)
    return settings


def read_stripe(reader: "Reader", mode: Mode) -> StripeKeys:
    """The six variables of Stripe; real keys stay out of demonstrations, simulated ones out of production."""
    base = reader.stripe_base("STRIPE_API_BASE", local=mode != "production")
    keys = StripeKeys(
        secret_key=reader.stripe_key("STRIPE_SECRET_KEY"),
        api_base=base,
        account_secrets=reader.signing_secrets("STRIPE_WEBHOOK_SECRETS_ACCOUNT"),
        connect_secrets=reader.signing_secrets("STRIPE_WEBHOOK_SECRETS_CONNECT"),
        thin_secrets=reader.signing_secrets("STRIPE_WEBHOOK_SECRETS_THIN"),
        pages=reader.origins("STRIPE_PAGES") or (STRIPE_PAGES if base == STRIPE_API else (base,)),
    )
    simulated = (keys.secret_key or "").startswith(STRIPE_SIMULATED)
    if mode == "production" and simulated:
        reader.problem("STRIPE_SECRET_KEY", "is a key of the simulator", "a key from Stripe's dashboard")
    if mode == "production" and keys.secret_key and not keys.account_secrets:
        reader.problem("STRIPE_WEBHOOK_SECRETS_ACCOUNT", "is not set", "the endpoint's signing secret (whsec_…)")
    if mode != "production" and keys.live:
        reader.problem("STRIPE_SECRET_KEY", "is a live key", f"a test key (sk_test_…) in {mode} mode")
    if keys.secret_key and keys.api_base != STRIPE_API and not simulated:
        expected = f"nothing, or a key of the simulator ({STRIPE_SIMULATED}…) in STRIPE_SECRET_KEY"
        reader.problem("STRIPE_API_BASE", "leads elsewhere than to Stripe, and the key is Stripe's", expected)
    return keys


@dataclass(frozen=True, slots=True)
class Launch:
    """What `polyclinic demo` needs to know before there is a database."""

    home: Path
    port: int
    bind: str
    role_prefix: str
    async_mode: AsyncMode
    database_url: str | None = field(default=None, repr=False)
    owner_database_url: str | None = field(default=None, repr=False)
    redis_url: str | None = field(default=None, repr=False)
    smtp_url: str | None = field(default=None, repr=False)


def read_launch(environ: Mapping[str, str] | None = None) -> Launch:
    """What the environment says about a demonstration; raises ConfigError with every problem found."""
    reader = Reader(os.environ if environ is None else environ)
    mode = reader.text("MODE", "demo")
    if mode not in ("demo", "test"):
        reader.problem("MODE", f"is '{mode}'", "demo, test or nothing: a demonstration never runs in production mode")
    database_url = reader.database("DATABASE_URL")
    launch = Launch(
        home=reader.folder("POLYCLINIC_HOME", "var"),
        port=reader.number("PORT", 8000, 1, 65535),
        bind=reader.text("BIND", "127.0.0.1"),
        role_prefix=reader.role_prefix(),
        async_mode=cast("AsyncMode", reader.choice("ASYNC_MODE", ASYNC_MODES, "eventlet")),
        database_url=database_url,
        owner_database_url=reader.database("OWNER_DATABASE_URL", required=database_url is not None),
        redis_url=reader.url("REDIS_URL", REDIS_SCHEMES),
        smtp_url=reader.url("SMTP_URL", SMTP_SCHEMES),
    )
    if reader.problems:
        raise ConfigError(reader.problems)
    return launch


class Reader:
    """Read variables one by one and collect what is wrong with them."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        self.environ = environ
        self.problems: list[str] = []

    def problem(self, name: str, found: str, expected: str) -> None:
        """Note that variable `name` is wrong."""
        self.problems.append(f"{name} {found}; expected {expected}.")

    def text(self, name: str, default: str) -> str:
        """A variable as it stands; empty counts as not set."""
        return self.environ.get(name, "").strip() or default

    def choice(self, name: str, allowed: tuple[str, ...], default: str) -> str:
        """One of a few words."""
        found = self.text(name, default)
        if found in allowed:
            return found
        self.problem(name, f"is '{found}'", f"one of {', '.join(allowed)}")
        return default

    def number(self, name: str, default: int, least: int, most: int) -> int:
        """A whole number between two limits."""
        found = self.text(name, str(default))
        if re.fullmatch(r"\d{1,9}", found) and least <= int(found) <= most:
            return int(found)
        self.problem(name, f"is '{found}'", f"a whole number from {least} to {most}")
        return default

    def folder(self, name: str, default: str) -> Path:
        """An absolute path; relative ones start at the working directory."""
        path = Path(self.text(name, default)).expanduser().absolute()
        if path.exists() and not path.is_dir():
            self.problem(name, f"is '{path}', which is a file", "a folder, or a path where one can be made")
        return path

    def words(self, name: str) -> tuple[str, ...]:
        """Words separated by commas."""
        return tuple(word.strip() for word in self.text(name, "").split(",") if word.strip())

    def networks(self, name: str) -> tuple[IPv4Network | IPv6Network, ...]:
        """Addresses or networks separated by commas."""
        return tuple(found for word in self.words(name) if (found := self._network(name, word)) is not None)

    def _network(self, name: str, word: str) -> IPv4Network | IPv6Network | None:
        try:
            return ip_network(word)
        except ValueError:
            self.problem(name, f"has '{word}'", "addresses or networks such as 10.0.0.0/8, separated by commas")
            return None

    def secret(self, name: str) -> str:
        """A long random text; its value is never shown."""
        found = self.text(name, "")
        if len(found) < SECRET_KEY_LENGTH:
            state = f"has {len(found)} characters" if found else "is not set"
            how = "python3 -c 'import secrets; print(secrets.token_urlsafe(48))'"
            self.problem(name, state, f"at least {SECRET_KEY_LENGTH} random characters (make them with: {how})")
        return found

    def stripe_key(self, name: str) -> str | None:
        """A secret or restricted key of Stripe; its value is never shown."""
        found = self.text(name, "")
        if not found or re.fullmatch(r"(sk|rk)_(test|live)_[A-Za-z0-9_]{6,250}", found):
            return found or None
        self.problem(name, "is no secret key of Stripe", "one such as sk_test_… or rk_live_… (not pk_…)")
        return None

    def stripe_base(self, name: str, *, local: bool) -> str:
        """Where Stripe's API is: Stripe itself, or with ``local`` a simulator on this machine over http."""
        found = self.text(name, STRIPE_API).rstrip("/")
        if found == STRIPE_API:
            return found
        expected = f"{STRIPE_API}, or outside production an address such as http://127.0.0.1:12111"
        if local and re.fullmatch(r"http://(127\.0\.0\.1|localhost|\[::1\]):\d{1,5}", found) and _port_of(found) != -1:
            return found
        self.problem(name, f"is '{found}'", expected)
        return STRIPE_API

    def signing_secrets(self, name: str) -> tuple[str, ...]:
        """Signing secrets of a webhook endpoint, separated by commas; their values are never shown."""
        found = self.words(name)
        if all(re.fullmatch(r"whsec_[A-Za-z0-9+/=_-]{8,250}", word) for word in found):
            return found
        self.problem(name, "has a word that is no signing secret", "whsec_…, or two of them separated by a comma")
        return ()

    def origins(self, name: str) -> tuple[str, ...]:
        """Origins of pages, separated by commas: scheme, host and port, nothing behind."""
        found = self.words(name)
        if all(re.fullmatch(r"https?://[A-Za-z0-9.-]+(:\d{1,5})?", word) for word in found):
            return found
        self.problem(name, "has a word that is no origin", "origins such as https://checkout.stripe.com, with commas")
        return ()

    def role_prefix(self) -> str:
        """The prefix of this installation's PostgreSQL roles."""
        name, default = "POLYCLINIC_ROLE_PREFIX", "polyclinic"
        found = self.text(name, default)
        if re.fullmatch(r"[a-z][a-z0-9_]{0,39}", found) and not found.startswith("pg_"):
            return found
        self.problem(name, f"is '{found}'", "a lower-case name of letters, digits and _, at most 40, not pg_…")
        return default

    def database(self, name: str, *, required: bool = False) -> str | None:
        """A PostgreSQL address, in the form SQLAlchemy gives to psycopg."""
        found = self.url(name, ("postgresql", "postgres", "postgresql+psycopg"), required=required, database=True)
        return None if found is None else "postgresql+psycopg://" + found.split("://", 1)[1]

    def url(self, name: str, schemes: tuple[str, ...], *, required: bool = False, database: bool = False) -> str | None:
        """An address with one of the schemes. It may hold a password, so only its scheme is ever shown."""
        expected = f"an address such as {schemes[0]}://user:password@host/{'name' if database else ''}"
        found = self.text(name, "")
        if not found:
            if required:
                self.problem(name, "is not set", expected)
            return None
        scheme = found.split("://", 1)[0] if "://" in found else ""
        if scheme not in schemes:
            self.problem(name, f"begins with '{scheme}://'" if scheme else "has no scheme", expected)
        elif _port_of(found) == -1:
            self.problem(name, "has a port that is no number from 1 to 65535", expected)
        elif database and not urlsplit(found).path.strip("/"):
            self.problem(name, "names no database", expected)
        else:
            return found
        return None


def _port_of(address: str) -> int | None:
    try:
        return urlsplit(address).port
    except ValueError:
        return -1

"""`make demo` (R1): servers, schema, sample network and every process of an installation, on this machine alone."""

import os
import signal
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from types import FrameType
from typing import Protocol

from polyclinic.config import Launch
from polyclinic.runtime import simulated_stripe
from polyclinic.runtime.demofile import Addresses, publish, unpublish
from polyclinic.runtime.folders import folder_aside, held_lock, prepare_home, remove_tree
from polyclinic.runtime.frontend import build_front_end
from polyclinic.runtime.joining import forget_environment, keep_environment
from polyclinic.runtime.output import Console
from polyclinic.runtime.passwords import Passwords
from polyclinic.runtime.ports import check_free, free_port
from polyclinic.runtime.postgres import Postgres
from polyclinic.runtime.schema import upgrade
from polyclinic.runtime.serving import serving_command
from polyclinic.runtime.simulated_stripe import SimulatedStripe
from polyclinic.runtime.supervisor import Server, Spec, Supervisor
from polyclinic.runtime.trouble import Trouble
from polyclinic.runtime.valkey import Valkey

DATABASE = "polyclinic"
PROCESSES = ("mail-sink", "worker", "scheduler", "relay")
"""Beside the web process, in the order of their start; each does what the command of its name does."""
OURS = ("postgres", "valkey", "logs", "mail", "files", "stripe")
OUR_FILES = ("passwords.json", "sample.json", "sample.stamp", "demo.json", "environment.json")


class Crew(Protocol):
    """What the processes beside the web process share: the application, imported and made once."""

    def prepare(self, environ: Mapping[str, str]) -> None:
        """Import everything and make the application, before any process is forked."""

    def work(self, command: str) -> Callable[[], object]:
        """Return what does the work of one of our commands in a forked process."""


@dataclass
class Demo:
    """One start of the demonstration in one home."""

    launch: Launch
    console: Console
    has_command: Callable[[str], bool]
    crew: Crew
    compile_texts: Callable[[], None] = lambda: None
    began: float = field(default_factory=time.monotonic)

    def run(self, *, afresh: bool = False) -> None:
        """Start everything, say where it is, watch over it until Ctrl-C. Raises Trouble."""
        home = prepare_home(self.launch.home)
        busy = (
            f"A demonstration already runs in {home} (process {{pid}}). Stop it with Ctrl-C where it runs, "
            "or start this one elsewhere: make demo POLYCLINIC_HOME=/another/folder PORT=8001"
        )
        with held_lock(home / "demo.lock", busy), ExitStack() as finally_:
            for number in (signal.SIGTERM, signal.SIGHUP):
                signal.signal(number, _interrupt)
            check_free(self.launch.port, self.launch.bind)
            if afresh:
                self._forget_everything()
            supervisor = Supervisor(os.environ, self.console, Path.cwd())
            finally_.callback(self._end, supervisor)
            self._start(supervisor)
            supervisor.catch_signals()
            supervisor.run()

    def _end(self, supervisor: Supervisor) -> None:
        supervisor.catch_signals()  # a second Ctrl-C hurries, it does not break off
        self.console.line()
        with self.console.step("Everything stopped; the data stays") as step:
            unpublish(self.launch.home)
            forget_environment(self.launch.home)
            supervisor.stop()
            step.title = f"Everything stopped; the data stays in {self.launch.home}"

    def _start(self, supervisor: Supervisor) -> None:
        with self.console.step("Front end") as step:
            self.compile_texts()
            step.title = f"Front end ({build_front_end() or 'unchanged'})"
        addresses = self._addresses()
        stripe = self._stripe(addresses)
        paying = supervisor.launch(stripe.spec(answers)) if stripe else None
        web = supervisor.launch(self._web(addresses), held=self.launch.async_mode == "eventlet")
        environ = {**self._database(supervisor), **self._valkey(supervisor)}
        supervisor.environ |= self._environment(environ, addresses)
        self._schema(environ)
        joined = self._environment(environ, addresses) | {"OWNER_DATABASE_URL": environ["OWNER_DATABASE_URL"]}
        keep_environment(self.launch.home, os.getpid(), joined)
        if paying:
            supervisor.await_ready(paying)
        self._sample_network(supervisor, environ, joined)
        with self.console.step("Processes") as step:
            supervisor.let_go(web)
            self.crew.prepare(supervisor.environ)
            names = [name for name in PROCESSES if self.has_command(name)]
            for name in names:
                supervisor.start(Spec(name, polyclinic(name), work=self.crew.work(name)))
            supervisor.await_ready(web)
            step.title = f"Processes: web, {', '.join(names)}"
        self._greet(addresses)

    def _addresses(self) -> Addresses:
        mail_is_kept = self.has_command("mail-sink") and not self.launch.smtp_url
        return Addresses(
            self.launch.port,
            free_port(),
            f"smtp://127.0.0.1:{free_port()}" if mail_is_kept else self.launch.smtp_url,
            free_port() if simulated_stripe.wanted() else None,
        )

    def _stripe(self, addresses: Addresses) -> SimulatedStripe | None:
        """The simulator, unless the environment has a key of the real Stripe."""
        port = addresses.stripe_port
        if port is None:
            return None
        pages, hooks = addresses.of("dev", simulated_stripe.PLACE_PATH), addresses.host("hooks")
        return SimulatedStripe(self.launch.home, port, self.launch.port, pages, hooks)

    def _database(self, supervisor: Supervisor) -> dict[str, str]:
        launch = self.launch
        if launch.database_url and launch.owner_database_url:
            self.console.line("  PostgreSQL: DATABASE_URL is set, so none is started.")
            return {"DATABASE_URL": launch.database_url, "OWNER_DATABASE_URL": launch.owner_database_url}
        with self.console.step("PostgreSQL 18") as step:
            fresh = not any(self.launch.home.glob("postgres/data"))
            postgres = Postgres(launch.home, say=self.console.notice_once)
            running = [postgres.start()]

            def start_again() -> None:
                running[0] = postgres.start()

            supervisor.watch(Server("PostgreSQL", lambda: running[0].process, start_again, lambda: running[0].stop()))
            installation = running[0].prepare(DATABASE, launch.role_prefix)
            step.title = "PostgreSQL 18, a new database" if fresh else "PostgreSQL 18, data of the last start"
        return {
            "DATABASE_URL": running[0].url(DATABASE, installation.login.name),
            "OWNER_DATABASE_URL": running[0].url(DATABASE, installation.owner.name),
            "CLUSTER": running[0].identifier(),
        }

    def _valkey(self, supervisor: Supervisor) -> dict[str, str]:
        if self.launch.redis_url:
            self.console.line("  Valkey: REDIS_URL is set, so none is started.")
            return {"REDIS_URL": self.launch.redis_url}
        with self.console.step("Valkey 9"):
            valkey = Valkey(self.launch.home, say=self.console.notice_once)
            running = [valkey.start()]

            def start_again() -> None:
                running[0] = valkey.start()

            supervisor.watch(Server("Valkey", lambda: running[0].process, start_again, lambda: running[0].stop()))
        return {"REDIS_URL": running[0].url}

    def _environment(self, environ: Mapping[str, str], addresses: Addresses) -> dict[str, str]:
        """What every process gets; not the owner's address, which only migrations need."""
        launch = self.launch
        stripe = self._stripe(addresses)
        return {
            **(stripe.environment() if stripe else {}),
            "MODE": "demo",
            "POLYCLINIC_HOME": str(launch.home),
            "POLYCLINIC_ROLE_PREFIX": launch.role_prefix,
            "DATABASE_URL": environ["DATABASE_URL"],
            "OWNER_DATABASE_URL": "",
            "REDIS_URL": environ["REDIS_URL"],
            "SECRET_KEY": os.environ.get("SECRET_KEY") or Passwords(launch.home / "passwords.json").of("secret_key"),
            "ASYNC_MODE": launch.async_mode,
            "BIND": launch.bind,
            "PORT": str(launch.port),
            "PUBLIC_PORT": str(launch.port),
            "URL_SCHEME": "http",
            "SMTP_URL": addresses.smtp or "",
            "PRIVATE_HOSTS": "127.0.0.1,::1",
        }

    def _schema(self, environ: Mapping[str, str]) -> None:
        with self.console.step("Schema") as step:
            before = upgrade(environ["OWNER_DATABASE_URL"], self.launch.role_prefix)
            step.title = "Schema is current" if before.up_to_date else "Schema brought to this version"

    def _sample_network(self, supervisor: Supervisor, environ: Mapping[str, str], joined: Mapping[str, str]) -> None:
        stamp = self.launch.home / "sample.stamp"
        cluster = environ.get("CLUSTER", "")
        if not self.has_command("sample") or (cluster and stamp.is_file() and stamp.read_text() == cluster):
            return
        with self.console.step("Sample network"):
            self.crew.prepare(joined)
            supervisor.run_once(Spec("sample", polyclinic("sample"), joined, work=self.crew.work("sample")))
            stamp.write_text(cluster)

    def _web(self, addresses: Addresses) -> Spec:
        internal = addresses.internal_port
        argv = serving_command(self.launch.async_mode, self.launch.bind, self.launch.port)
        env = {"INTERNAL_PORT": str(internal), "MODE": "demo", "ASYNC_MODE": self.launch.async_mode}
        return Spec("web", argv, env, lambda: answers(internal))

    def _forget_everything(self) -> None:
        if self.launch.database_url:
            raise Trouble("DATABASE_URL is set: demo-reset only resets its own database. Unset it, or empty yours.")
        with self.console.step("Everything of the last start deleted"):
            aside = folder_aside(self.launch.home)
            for folder in (*(self.launch.home / name for name in OURS), *([aside] if aside else [])):
                remove_tree(folder)
            for name in OUR_FILES:
                (self.launch.home / name).unlink(missing_ok=True)

    def _greet(self, addresses: Addresses) -> None:
        content = publish(self.launch.home, addresses)
        say, bold = self.console.line, self.console.bold
        say()
        say(bold(f"Polyclinic is ready after {time.monotonic() - self.began:.1f} s."))
        for portal in content["portals"]:
            say()
            say(f"  {bold(portal.get('name', portal['slug']))}  {portal['url']}")
            self._people("patient", portal["patients"])
        for title, place, people in (
            ("Specialist Portal", "specialist_portal", content["specialists"]),
            ("Admin console", "admin_console", content["operators"]),
            ("Mailbox and demo tools", "dev", []),
        ):
            say()
            say(f"  {bold(title)}  {content[place]}")
            self._people(title.split()[0].lower(), people)
        say()
        if content["stripe"]:
            say(f"  {bold('Stripe, simulated')}  {content['stripe']['control']}")
            say()
        say(f"  All of it is in {self.launch.home / 'demo.json'}. Ctrl-C stops everything.")
        say()

    def _people(self, kind: str, people: Sequence[Mapping[str, object]]) -> None:
        for person in people[:3]:
            self.console.line(f"    {person['email']}  {person['password']}  {person['name']}")
        if len(people) > 3:
            self.console.line(f"    and {len(people) - 3} more")


def polyclinic(command: str) -> list[str]:
    """The command line of one of our own commands."""
    return [sys.executable, "-m", "polyclinic", command]


def answers(port: int) -> bool:
    """Whether a process says at its internal port that it is ready."""
    connection = HTTPConnection("127.0.0.1", port, timeout=5)
    try:
        connection.request("GET", "/ready")
        return connection.getresponse().status == 200
    except (OSError, HTTPException):
        return False
    finally:
        connection.close()


def _interrupt(number: int, frame: FrameType | None) -> None:
    raise KeyboardInterrupt

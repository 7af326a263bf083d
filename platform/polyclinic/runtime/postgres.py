"""The embedded PostgreSQL: made once, started and stopped by our own launcher, reached by a unix socket only.

Nothing here ever deletes data: an interrupted set-up is set aside, a damaged database is reported and left alone.
"""

import os
import re
import signal
import subprocess
import time
from collections.abc import Sequence
from pathlib import Path

import psycopg
from psycopg import sql
from psycopg.conninfo import make_conninfo

from polyclinic.runtime.binaries import CLEAN_ENVIRONMENT, POSTGRES
from polyclinic.runtime.cluster import Account, Installation, prepare_cluster
from polyclinic.runtime.folders import (
    ASIDE_ROOTS,
    held_lock,
    leave_socket_folder,
    make_folder,
    set_aside,
    socket_folder,
)
from polyclinic.runtime.leash import alive, command_of, start_leashed, wait_until
from polyclinic.runtime.passwords import Passwords
from polyclinic.runtime.placement import Placement, Say, place
from polyclinic.runtime.trouble import Trouble

SUPERUSER = "postgres"
SOCKET = ".s.PGSQL.5432"
START_SECONDS = 120.0
STOP_SECONDS = 30.0
FAST = {
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "checkpoint_timeout": "1h",
    "max_connections": "300",
}


class PostgresServer:
    """A running server: addresses for it, and its end."""

    def __init__(self, process: "subprocess.Popen[bytes]", sockets: Path, passwords: Passwords) -> None:
        self.process = process
        self.sockets = sockets
        self.passwords = passwords

    def url(self, database: str = "postgres", user: str = SUPERUSER) -> str:
        """The address of a database for a role, with its generated password, for SQLAlchemy."""
        return f"postgresql+psycopg://{user}:{self.passwords.of(user)}@/{database}?host={self.sockets}"

    def connect(self, database: str = "postgres") -> "psycopg.Connection[tuple[object, ...]]":
        """A superuser's connection in autocommit, for set-up only; close it."""
        password = self.passwords.of(SUPERUSER)
        return psycopg.connect(
            host=str(self.sockets), dbname=database, user=SUPERUSER, password=password, autocommit=True
        )

    def ensure_database(self, name: str, *, owner: str | None = None, template: str | None = None) -> bool:
        """Make a database if it is missing, as a copy of `template` if given; whether it was made."""
        statement = sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name))
        if owner:
            statement += sql.SQL(" OWNER {}").format(sql.Identifier(owner))
        if template:
            statement += sql.SQL(" TEMPLATE {} STRATEGY file_copy").format(sql.Identifier(template))
        with self.connect() as connection:
            if connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [name]).fetchone():
                return False
            connection.execute(statement)
            return True

    def drop_database(self, name: str) -> None:
        """Drop a database and whoever is connected to it."""
        with self.connect() as connection:
            connection.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))

    def prepare(self, database: str = "polyclinic", prefix: str = "polyclinic") -> Installation:
        """Make the roles and the database of an installation; idempotent."""
        owner, login = f"{prefix}_owner", f"{prefix}_login"
        installation = Installation(
            database, prefix, Account(owner, self.passwords.of(owner)), Account(login, self.passwords.of(login))
        )
        admin = make_conninfo("", host=str(self.sockets), user=SUPERUSER, password=self.passwords.of(SUPERUSER))
        prepare_cluster(make_conninfo(admin, dbname="postgres"), installation)
        return installation

    def identifier(self) -> str:
        """What tells this database cluster from every other."""
        with self.connect() as connection:
            row = connection.execute("SELECT system_identifier FROM pg_control_system()").fetchone()
        return str(row[0]) if row else ""

    def stop(self) -> None:
        """Shut down: roll back what is open, write everything to disk, end."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGINT)
            try:
                self.process.wait(STOP_SECONDS)
            except subprocess.TimeoutExpired:
                self.process.send_signal(signal.SIGQUIT)  # it recovers at the next start
                self.process.wait(STOP_SECONDS)
        leave_socket_folder(self.sockets)


class Postgres:
    """The PostgreSQL of one home. `fast` trades safety at a power cut for speed: tests only."""

    def __init__(
        self, home: Path, *, fast: bool = False, say: Say = print, aside_roots: tuple[Path, ...] = ASIDE_ROOTS
    ) -> None:
        self.home = home.absolute()
        self.fast = fast
        self.say = say
        self.aside_roots = aside_roots
        self.passwords = Passwords(self.home / "passwords.json")

    def start(self) -> PostgresServer:
        """Make the database cluster if there is none, start it, wait until it answers. Raises Trouble."""
        placed = place(POSTGRES, "postgres", self.home, self.say, self.aside_roots)
        busy = f"Another program is starting the database in {placed.folder} (process {{pid}}). Wait for it to finish."
        with held_lock(self.home / "postgres.lock", busy):
            data = placed.folder / "data"
            if not data.is_dir():
                self._make_cluster(placed, data)
            elif not self.passwords.known(SUPERUSER):
                raise Trouble(
                    f"The database in {data} has lost its passwords: {self.passwords.file} is missing. "
                    "Restore that file, or move the database folder away to begin with an empty one."
                )
            self._clear_the_way(data)
            end = time.monotonic() + STOP_SECONDS
            while (server := self._launch(placed, data, patient=time.monotonic() < end)) is None:
                time.sleep(0.1)
            return server

    def _make_cluster(self, placed: Placement, data: Path) -> None:
        fresh = placed.folder / "data.new"
        if fresh.exists():
            self.say(f"An interrupted set-up of the database was set aside as {set_aside(fresh, 'interrupted').name}.")
        pwfile = placed.folder / "password"
        pwfile.unlink(missing_ok=True)
        pwfile.touch(0o600)
        pwfile.write_text(self.passwords.of(SUPERUSER))
        if placed.account:
            os.chown(pwfile, *placed.account)
        try:
            self._run_initdb(placed, fresh, pwfile)
        finally:
            pwfile.unlink()
        fresh.rename(data)

    def _run_initdb(self, placed: Placement, fresh: Path, pwfile: Path) -> None:
        argv = [str(placed.program.with_name("initdb")), "-D", str(fresh), "-U", SUPERUSER, f"--pwfile={pwfile}"]
        argv += ["--auth-local=scram-sha-256", "--auth-host=scram-sha-256", "-E", "UTF8", "--no-instructions"]
        argv += ["--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--locale=C"]
        argv += ["--no-sync", "--no-data-checksums"] if self.fast else []
        child = start_leashed(argv, env=CLEAN_ENVIRONMENT, output=subprocess.PIPE, account=placed.account)
        said = child.communicate()[0].decode(errors="replace")
        if child.returncode != 0:
            raise Trouble(f"The database could not be set up in {fresh}: {_explain(said, fresh)}")

    def _clear_the_way(self, data: Path) -> None:
        """Deal with a postmaster.pid left behind: end our own orphan, set aside one whose number somebody else has."""
        note = data / "postmaster.pid"
        pid = first_number(note)
        if pid is None or not alive(pid):
            return
        if not serves(pid, data):
            set_aside(note, "stale")
        elif _parent(pid) != 1:
            raise Trouble(
                f"The database in {data} is already running (process {pid}). Stop what runs it, or use another home."
            )
        else:
            self.say(f"Stopping a database that lost its supervisor (process {pid}).")
            os.kill(pid, signal.SIGINT)
            if not wait_until(lambda: not alive(pid), STOP_SECONDS):
                raise Trouble(f"The database in {data} still runs (process {pid}) and does not stop: kill {pid}")

    def _launch(self, placed: Placement, data: Path, *, patient: bool) -> PostgresServer | None:
        """Start the server; None where the helpers of a killed one are about to end and we may be patient."""
        sockets = socket_folder(placed.folder / "run", SOCKET, placed.account)
        log = make_folder(self.home / "logs", 0o755) / "postgres.log"
        argv = [str(placed.program), "-D", str(data), *self._options(sockets)]
        with log.open("ab") as output:
            begin = output.tell()
            process = start_leashed(
                argv,
                env=CLEAN_ENVIRONMENT,
                output=output,
                account=placed.account,
                at_parents_death=signal.SIGINT,
            )
        server = PostgresServer(process, sockets, self.passwords)
        wait_until(lambda: process.poll() is not None or _ready(data, process.pid), START_SECONDS)
        if process.poll() is None and _ready(data, process.pid):
            return server
        server.stop()
        with log.open("rb") as output:
            output.seek(begin)
            said = output.read().decode(errors="replace")
        if patient and "pre-existing shared memory block" in said:
            return None
        raise Trouble(f"The database in {data} did not start: {_explain(said, data)} The whole story is in {log}.")

    def _options(self, sockets: Path) -> Sequence[str]:
        options = {
            "listen_addresses": "",
            "unix_socket_directories": str(sockets),
            "unix_socket_permissions": "0700",
            "max_connections": "100",
            "timezone": "UTC",
            "log_timezone": "UTC",
            "log_line_prefix": "%m [%p] %q%d %e ",
            "log_min_messages": "warning",
            **(FAST if self.fast else {}),
        }
        return [word for name, value in options.items() for word in ("-c", f"{name}={value}")]


def first_number(note: Path) -> int | None:
    """The process id in a postmaster.pid; None where there is none."""
    try:
        first = note.read_text().split("\n", 1)[0].strip()
    except FileNotFoundError:
        return None
    return int(first) if first.isdigit() else None


def serves(pid: int, data: Path) -> bool:
    """Whether a process is the PostgreSQL of a data folder."""
    return re.search(rf"postgres .*-D {re.escape(str(data))}( |$)", command_of(pid)) is not None


def _parent(pid: int) -> int:
    found = subprocess.run(["ps", "-o", "ppid=", "-p", str(pid)], capture_output=True, text=True, check=False)
    return int(found.stdout.strip() or 0)


def _ready(data: Path, pid: int) -> bool:
    """pg_ctl's own sign: the eighth line of postmaster.pid."""
    try:
        lines = (data / "postmaster.pid").read_text().splitlines()
    except FileNotFoundError:
        return False
    return len(lines) > 7 and lines[0] == str(pid) and lines[7].strip() == "ready"


_KNOWN = (
    (r"No space left on device", "the disk is full. Make room and start again."),
    (
        r"has invalid permissions",
        "other accounts may read it, which PostgreSQL refuses. Give it back its mode with: chmod 700 {data}",
    ),
    (
        r"incompatible with server|initialized by PostgreSQL version",
        "it was made by another version of PostgreSQL. Run the version that made it, or dump and restore the data.",
    ),
    (
        r"pre-existing shared memory block",
        "processes of an earlier start still use it. End them (ps aux | grep postgres) and start again.",
    ),
    (
        r"could not look up effective user ID",
        "this system does not know the account it runs as ({line}). Add it to /etc/passwd, or set DATABASE_URL.",
    ),
    (r"could not (create|open) shared memory|shmget", "the system gives it no shared memory: check /dev/shm."),
    (r"Permission denied", "a file may not be read ({line}). Give the folder back to its owner."),
    (
        r"PANIC|checkpoint record|could not (open|read) file|invalid magic|is not a database cluster|pg_control"
        r"|No such file|does not exist|bogus data|invalid data in file|missing",
        "its files are damaged or incomplete ({line}). Nothing was changed. Restore a backup, or set the folder aside "
        "with `mv {data} {data}.damaged` and start again with an empty database.",
    ),
)


def _explain(said: str, data: Path) -> str:
    """The sentence for what PostgreSQL said when it gave up."""
    lines = [line for line in said.splitlines() if re.search(r"FATAL|PANIC|error|could not|not found", line, re.I)]
    line = re.sub(r"^.*?(FATAL|PANIC|LOG|ERROR|error):\s*", "", lines[0]).rstrip(".") if lines else "it said nothing"
    for pattern, sentence in _KNOWN:
        if re.search(pattern, said):
            return sentence.format(data=data, line=line)
    return f"{line}."

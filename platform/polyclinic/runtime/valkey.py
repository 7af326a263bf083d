"""The embedded Valkey: queues, rooms and limits. It holds nothing that PostgreSQL does not know better."""

import signal
import socket
import subprocess
from pathlib import Path

from polyclinic.runtime.binaries import CLEAN_ENVIRONMENT, VALKEY
from polyclinic.runtime.folders import (
    ASIDE_ROOTS,
    held_lock,
    leave_socket_folder,
    make_folder,
    set_aside,
    socket_folder,
)
from polyclinic.runtime.leash import start_leashed, wait_until
from polyclinic.runtime.placement import Placement, Say, place
from polyclinic.runtime.trouble import Trouble

SOCKET = "valkey.sock"
START_SECONDS = 30.0
STOP_SECONDS = 15.0


class ValkeyServer:
    """A running server."""

    def __init__(self, process: "subprocess.Popen[bytes]", address: Path) -> None:
        self.process = process
        self.socket = address

    @property
    def url(self) -> str:
        """Its address; add `?db=N` for another of its 64 databases."""
        return f"unix://{self.socket}"

    def stop(self) -> None:
        """Shut down, writing what is in memory to disk."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(STOP_SECONDS)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        self.socket.unlink(missing_ok=True)
        leave_socket_folder(self.socket.parent)


class Valkey:
    """The Valkey of one home; `fast` keeps nothing on disk: tests only."""

    def __init__(
        self, home: Path, *, fast: bool = False, say: Say = print, aside_roots: tuple[Path, ...] = ASIDE_ROOTS
    ) -> None:
        self.home = home.absolute()
        self.fast = fast
        self.say = say
        self.aside_roots = aside_roots

    def start(self) -> ValkeyServer:
        """Start it and wait until it answers. Raises Trouble."""
        placed = place(VALKEY, "valkey", self.home, self.say, self.aside_roots)
        busy = f"Another program is starting Valkey in {placed.folder} (process {{pid}}). Wait for it to finish."
        with held_lock(self.home / "valkey.lock", busy):
            server, said = self._launch(placed)
            if server is None and (placed.folder / "dump.rdb").exists() and "rdb" in said.lower():
                # A damaged snapshot costs nothing: jobs are sent again from the outbox.
                aside = set_aside(placed.folder / "dump.rdb", "damaged")
                self.say(f"Valkey could not read its last snapshot, which was set aside as {aside}.")
                server, said = self._launch(placed)
        if server is None:
            last = said.strip().splitlines()[-1] if said.strip() else "it said nothing"
            raise Trouble(f"Valkey did not start: {last}. The whole story is in {self.home / 'logs' / 'valkey.log'}.")
        return server

    def _launch(self, placed: Placement) -> tuple[ValkeyServer | None, str]:
        address = socket_folder(placed.folder / "run", SOCKET, placed.account) / SOCKET
        if _answers(address):
            raise Trouble(f"Valkey already runs at {address}. Stop what runs it, or use another POLYCLINIC_HOME.")
        address.unlink(missing_ok=True)
        log = make_folder(self.home / "logs", 0o755) / "valkey.log"
        with log.open("ab") as output:
            begin = output.tell()
            process = start_leashed(
                [str(placed.program), *self._options(placed.folder, address)],
                env=CLEAN_ENVIRONMENT,
                output=output,
                account=placed.account,
            )
        server = ValkeyServer(process, address)
        wait_until(lambda: process.poll() is not None or _answers(address), START_SECONDS)
        if process.poll() is None and _answers(address):
            return server, ""
        server.stop()
        with log.open("rb") as output:
            output.seek(begin)
            return None, output.read().decode(errors="replace")

    def _options(self, folder: Path, address: Path) -> list[str]:
        return [
            *("--port", "0", "--unixsocket", str(address), "--unixsocketperm", "700", "--dir", str(folder)),
            *("--save", "" if self.fast else "60 1", "--appendonly", "no", "--databases", "64", "--loglevel", "notice"),
            *("--maxmemory-policy", "noeviction", "--daemonize", "no"),
        ]


def _answers(address: Path) -> bool:
    """Ask for a PONG, without a client: importing one takes as long as starting the server."""
    try:
        with socket.socket(socket.AF_UNIX) as asking:
            asking.settimeout(2)
            asking.connect(str(address))
            asking.sendall(b"PING\r\n")
            return asking.recv(64).startswith(b"+PONG")
    except OSError:
        return False

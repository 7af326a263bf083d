"""Decide as whom a server runs, where its data lies, and which copy of its program it uses."""

import os
import pwd
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from polyclinic.runtime.binaries import Program, try_program
from polyclinic.runtime.folders import (
    ASIDE_ROOTS,
    Account,
    account_can,
    folder_aside,
    make_folder,
    prepare_home,
)
from polyclinic.runtime.trouble import Trouble

Say = Callable[[str], None]


@dataclass(frozen=True)
class Placement:
    """Where one server lives."""

    folder: Path
    """Holds its data; owned by the account, 0700."""
    program: Path
    account: Account | None
    """The account to drop to; None where we are not root."""


def place(program: Program, name: str, home: Path, say: Say, aside_roots: tuple[Path, ...] = ASIDE_ROOTS) -> Placement:
    """Find a place where the server can run; `name` is its folder's. Parent folders keep their modes.

    As root the servers drop to an unprivileged account. Where that account cannot reach the home or the installed
    program (a checkout below a 0700 folder such as /root), both go to a folder aside, and one line says so.
    """
    prepare_home(home)
    if os.geteuid() != 0:
        return _place_as_ourselves(program, name, home)
    aside = folder_aside(home, aside_roots)
    account = _owner_of(home / name) or _owner_of(aside / name if aside else None) or _unprivileged()
    in_home = not (aside and (aside / name).is_dir()) and account_can(account, "-x", home)
    folder = home if in_home else _aside(aside, home)
    path = program.within(program.installed())
    unreachable = home
    try:
        try_program(program, path, account)
    except PermissionError:
        unreachable = home if not in_home else path.parent
        path = program.within(program.copy_to(_aside(aside, home)))
        _try_copy(program, path, account)
        in_home = False
    if not in_home:
        say(f"The servers run from {aside}: their account cannot reach {unreachable}.")
    return Placement(make_folder(folder / name, 0o700, account), path, account)


def _place_as_ourselves(program: Program, name: str, home: Path) -> Placement:
    path = program.within(program.installed())
    _try_copy(program, path, None)
    folder = make_folder(home / name, 0o700)
    if folder.stat().st_uid != os.geteuid():
        raise Trouble(
            f"{folder} belongs to another account ({_name(folder.stat().st_uid)}), probably because it was made as "
            "root. Run as that account, or name another folder with POLYCLINIC_HOME=/path/to/folder."
        )
    return Placement(folder, path, None)


def _try_copy(program: Program, path: Path, account: Account | None) -> None:
    try:
        try_program(program, path, account)
    except PermissionError as error:
        raise Trouble(
            f"{path} may not be run by the account '{_name(account[0] if account else os.geteuid())}': "
            "its folder is not reachable or mounted noexec. Move the checkout, or set DATABASE_URL and REDIS_URL."
        ) from error


def _aside(aside: Path | None, home: Path) -> Path:
    if aside is None:
        raise Trouble(
            f"The servers cannot run as root, and no other account can reach {home}. Set POLYCLINIC_HOME to a folder "
            "that every account may enter, such as /srv/polyclinic, or run as an ordinary user."
        )
    if not aside.is_dir():
        make_folder(aside, 0o755)
        (aside / "home").write_text(f"{home}\n")
    return aside


def _owner_of(folder: Path | None) -> Account | None:
    """Who owns existing data; root never does."""
    if folder is None or not folder.is_dir():
        return None
    found = folder.stat()
    return (found.st_uid, found.st_gid) if found.st_uid != 0 else None


def _unprivileged() -> Account:
    # initdb asks for the account's name, so it must be one the system knows.
    for name in ("nobody", "daemon", "bin"):
        try:
            found = pwd.getpwnam(name)
        except KeyError:
            continue
        if found.pw_uid != 0:
            return found.pw_uid, found.pw_gid
    raise Trouble(
        "The servers cannot run as root, and this system has no account 'nobody' to run them as. "
        "Add one, run as an ordinary user, or set DATABASE_URL and REDIS_URL."
    )


def _name(uid: int) -> str:
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return str(uid)

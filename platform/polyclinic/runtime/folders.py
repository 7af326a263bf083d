"""Where an installation keeps what runs on this machine: the home, its locks, and folders that a server can reach."""

import fcntl
import hashlib
import os
import shutil
import stat
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from polyclinic.runtime.trouble import Trouble

ASIDE_ROOTS = (Path("/var/lib"), Path("/usr/local/var"), Path("/opt"))
SOCKET_LIMIT = 100
"""Bytes of a socket's path; the kernel's limit is 108 on Linux and 104 on macOS."""

Account = tuple[int, int]


def short_hash(home: Path) -> str:
    """Eight hex digits that stand for a home."""
    return hashlib.sha256(os.fsencode(home)).hexdigest()[:8]


def prepare_home(home: Path) -> Path:
    """Make the home if it is missing and check that we may write there."""
    try:
        make_folder(home, 0o755)
        with tempfile.NamedTemporaryFile(dir=home, prefix=".writable-"):
            pass
    except OSError as error:
        raise Trouble(
            f"The folder {home} cannot be used: {error.strerror}. Make it writable for this account, run as its owner, "
            "or name another folder with POLYCLINIC_HOME=/path/to/folder."
        ) from error
    return home


def make_folder(folder: Path, mode: int, account: Account | None = None) -> Path:
    """Make a folder with exactly this mode and owner. Existing ones, and parents above them, are left as they are."""
    if folder.is_dir():
        return folder
    if not folder.parent.is_dir():
        make_folder(folder.parent, 0o755)
    folder.mkdir()
    if account:
        os.chown(folder, *account)
    folder.chmod(mode)
    return folder


def account_can(account: Account | None, test: str, path: Path) -> bool:
    """Whether the account passes `test -x`, `-r` or `-w` on a path. The kernel decides: modes alone do not tell."""
    if account is None:
        return os.access(path, {"-x": os.X_OK, "-r": os.R_OK, "-w": os.W_OK}[test])
    uid, gid = account
    answer = subprocess.run(
        ["/bin/sh", "-c", 'test "$1" "$2"', "sh", test, str(path)],
        user=uid,
        group=gid,
        extra_groups=[],
        cwd="/",
        check=False,
    )
    return answer.returncode == 0


def folder_aside(home: Path, roots: tuple[Path, ...] = ASIDE_ROOTS) -> Path | None:
    """A folder outside the home, for servers that cannot reach it; None where no root can hold one."""
    for root in roots:
        if root.is_dir() and os.access(root, os.W_OK | os.X_OK):
            return root / f"polyclinic-{short_hash(home)}"
    return None


def socket_folder(wanted: Path, socket_name: str, account: Account | None) -> Path:
    """A folder for a socket, private to the server's account: `wanted`, or a short one where its path is too long."""
    if len(os.fsencode(wanted / socket_name)) < SOCKET_LIMIT:
        return make_folder(wanted, 0o700, account)
    note = wanted.with_name(wanted.name + ".location")
    for folder in (*_noted(note), Path(tempfile.gettempdir()) / f"polyclinic-{short_hash(wanted)}"):
        if not folder.exists() or _is_private(folder, account):
            found = make_folder(folder, 0o700, account)
            break
    else:
        found = Path(tempfile.mkdtemp(prefix="polyclinic-"))
        os.chown(found, *(account or (-1, -1)))
    if len(os.fsencode(found / socket_name)) >= SOCKET_LIMIT:
        raise Trouble(
            f"The path {found / socket_name} is too long for a socket ({SOCKET_LIMIT} bytes). "
            "Set TMPDIR to a folder with a short path, such as /tmp."
        )
    note.write_text(f"{found}\n")
    return found


def leave_socket_folder(folder: Path) -> None:
    """Take away a short folder made by `socket_folder`, once it is empty; others stay."""
    if folder.parent == Path(tempfile.gettempdir()) and folder.is_dir() and not any(folder.iterdir()):
        folder.rmdir()


def _noted(note: Path) -> list[Path]:
    return [Path(note.read_text().strip())] if note.is_file() else []


def _is_private(folder: Path, account: Account | None) -> bool:
    found = folder.lstat()
    owner = account[0] if account else os.geteuid()
    return stat.S_ISDIR(found.st_mode) and found.st_uid == owner and stat.S_IMODE(found.st_mode) == 0o700


def set_aside(path: Path, why: str) -> Path:
    """Rename something out of the way, so that nothing is lost; returns its new name."""
    number = 1
    while (target := path.with_name(f"{path.name}.{why}-{number}")).exists():
        number += 1
    path.rename(target)
    return target


def remove_tree(folder: Path) -> None:
    """Delete a folder of ours; does nothing when there is none."""
    if folder.is_dir():
        shutil.rmtree(folder)


@contextmanager
def held_lock(path: Path, otherwise: str) -> Iterator[None]:
    """Hold a lock on a file; the kernel lets go of it when the process dies, so it never goes stale.

    Raises Trouble(otherwise), with {pid} replaced, when another process holds it.
    """
    handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            pid = os.read(handle, 20).decode().strip() or "unknown"
            raise Trouble(otherwise.format(pid=pid)) from error
        os.ftruncate(handle, 0)
        os.pwrite(handle, f"{os.getpid()}\n".encode(), 0)
        yield
    finally:
        os.close(handle)

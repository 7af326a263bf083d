"""Install the pinned packages, checked against their hashes, and the checkout itself into .venv; run by the Makefile.

Needs Python 3.11 and nothing else. Does nothing while lock file, interpreter and checkout are what they were.
"""

import hashlib
import json
import os
import shutil
import subprocess
import sys
import time

if sys.version_info < (3, 11):
    found = ".".join(str(part) for part in sys.version_info[:3])
    sys.exit(f"Polyclinic needs Python 3.11 or newer; {sys.executable} is {found}. Try: make PYTHON=python3.12 …")

from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
PYTHON = VENV / "bin" / "python"
STAMP = VENV / "installed.json"


def main() -> None:
    """Install the set named on the command line: run or dev."""
    wanted = sys.argv[1] if len(sys.argv) > 1 else "run"
    began = time.monotonic()
    # Three times slower without compiled modules, measured.
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    done, state = known(), current(wanted)
    if all(done.get(name) == value for name, value in state.items()):
        return
    if not usable():
        print(f"Making {VENV.name} with Python {sys.version.split()[0]} …", flush=True)
        STAMP.unlink(missing_ok=True)
        make_environment()
        done = {}
    if done.get(wanted) != state[wanted]:
        print(f"Installing the packages of requirements/{wanted}.txt …", flush=True)
        install("--require-hashes", "-r", str(ROOT / "requirements" / f"{wanted}.txt"))
    install("--no-deps", "--no-build-isolation", "-e", str(ROOT))
    STAMP.write_text(json.dumps({**done, **state}))
    print(f"Python packages are ready ({time.monotonic() - began:.1f} s).", flush=True)


def current(wanted: str) -> dict[str, str]:
    """What the environment depends on; dev contains run, so it stands for both."""
    locks = {name: digest(ROOT / "requirements" / f"{name}.txt") for name in ("run", "dev")}
    sets = {"run": locks["run"], "dev": locks["dev"]} if wanted == "dev" else {"run": locks["run"]}
    checkout = f"{ROOT} {digest(ROOT / 'pyproject.toml')}"
    return {**sets, "interpreter": f"{os.path.realpath(sys.executable)} {sys.version}", "checkout": checkout}


def known() -> dict[str, str]:
    """What was installed last; empty after an interruption."""
    try:
        return dict(json.loads(STAMP.read_text()))
    except (OSError, ValueError):
        return {}


def digest(file: Path) -> str:
    """The SHA-256 of a file."""
    return hashlib.sha256(file.read_bytes()).hexdigest()


def usable() -> bool:
    """Whether .venv has this very interpreter and something to install with; an interrupted one may have neither."""
    if not PYTHON.exists():
        return False
    answer = subprocess.run(
        [PYTHON, "-c", "import sys; print(sys.version)"], capture_output=True, text=True, check=False
    )
    if answer.returncode != 0 or answer.stdout.strip() != sys.version.strip():
        return False
    return bool(shutil.which("uv")) or (VENV / "bin" / "pip").exists() or pip_beside()


def make_environment() -> None:
    """Make .venv afresh: with uv, with venv, or with venv and somebody else's pip."""
    attempts = [[sys.executable, "-m", "venv", "--clear", str(VENV)]]
    if uv := shutil.which("uv"):
        attempts.insert(0, [uv, "venv", "--quiet", "--clear", "--python", sys.executable, str(VENV)])
    if pip_beside():
        attempts.append([sys.executable, "-m", "venv", "--clear", "--without-pip", str(VENV)])
    said = ""
    for attempt in attempts:
        answer = subprocess.run(attempt, capture_output=True, text=True, check=False)
        if answer.returncode == 0:
            return
        said = (answer.stderr or answer.stdout).strip()
    last = said.splitlines()[-1] if said else "no reason given"
    sys.exit(
        f"The environment {VENV} could not be made: {last}\n"
        "On Debian and Ubuntu install the package python3-venv; elsewhere install uv. Then run the command again."
    )


def pip_beside() -> bool:
    """Whether the interpreter that runs this has a pip of its own."""
    answer = subprocess.run([sys.executable, "-m", "pip", "--version"], capture_output=True, check=False)
    return answer.returncode == 0


def install(*arguments: str) -> None:
    """Install with uv where it is on the path, else with pip; uv does not read pip's settings, so pip gets a try."""
    commands = []
    if uv := shutil.which("uv"):
        commands.append([uv, "pip", "install", "--quiet", "--python", str(PYTHON)])
    if (VENV / "bin" / "pip").exists():
        commands.append([str(PYTHON), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"])
    elif pip_beside():
        commands.append([sys.executable, "-m", "pip", "--python", str(PYTHON), "install", "--quiet"])
    said = ""
    for command in commands:
        answer = subprocess.run([*command, *arguments], cwd=ROOT, stderr=subprocess.PIPE, text=True, check=False)
        if answer.returncode == 0:
            return
        said = answer.stderr.strip()
    lines = "\n".join(said.splitlines()[-8:])
    sys.exit(
        f"{lines}\nThe packages could not be installed. Is the package index reachable, and has it all of them? "
        "Set PIP_INDEX_URL (or UV_DEFAULT_INDEX for uv) to one that has, and run the command again."
    )


if __name__ == "__main__":
    main()

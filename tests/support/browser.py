"""The Chromium of the browser tests: find it, or install Debian's where root and apt allow; `make test` runs this."""

import os
import shutil
import subprocess
import sys

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
VARIABLE = "CHROMIUM"


class NoBrowser(Exception):
    """None was found; the text names the package to install."""


def chromium() -> str:
    """The path of a Chromium: of the variable CHROMIUM, or on the path. Raises NoBrowser."""
    if named := os.environ.get(VARIABLE):
        if shutil.which(named):
            return named
        raise NoBrowser(f"{VARIABLE} is '{named}'; expected a program that can be run.")
    for name in NAMES:
        if found := shutil.which(name):
            return found
    raise NoBrowser(
        "The browser tests need Chromium and none was found. Install the package chromium "
        f"(Debian: apt-get install chromium), or name one: {VARIABLE}=/path/to/chromium make test"
    )


def install() -> str:
    """The path of a Chromium, installed by apt if that is possible. Raises NoBrowser."""
    try:
        return chromium()
    except NoBrowser as missing:
        if os.environ.get(VARIABLE) or os.geteuid() != 0 or shutil.which("apt-get") is None:
            raise
        said = _apt()
        try:
            return chromium()
        except NoBrowser:
            raise NoBrowser(f"{missing}\napt-get could not install it: {said}") from missing


def _apt() -> str:
    """Install the package; the last line of what apt said when it failed."""
    print("Installing Chromium for the browser tests (apt-get install chromium) …", flush=True)  # noqa: T201 – for make
    quiet = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    said = ""
    for command in (["update"], ["install", "-y", "--no-install-recommends", "chromium"]):
        answer = subprocess.run(["apt-get", "-qq", *command], env=quiet, capture_output=True, text=True, check=False)
        if answer.returncode != 0:
            said = (answer.stderr.strip() or answer.stdout.strip() or "no reason given").splitlines()[-1]
    return said


def main() -> None:
    """Make sure there is one, or fail and say which package is missing."""
    try:
        install()
    except NoBrowser as missing:
        sys.exit(str(missing))


if __name__ == "__main__":
    main()

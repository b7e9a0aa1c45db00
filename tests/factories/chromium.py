"""Finds a Chromium for the browser tests: Debian's, else Playwright's own, else installs Debian's when this is root."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
PLACES_OF_PLAYWRIGHT = ("~/.cache/ms-playwright", "~/Library/Caches/ms-playwright")
PROGRAMS_OF_PLAYWRIGHT = ("chrome-linux*/chrome", "chrome-mac*/*.app/Contents/MacOS/*")
HOW_TO_GET_ONE = (
    "The browser tests need Chromium, and none was found. Install it (Debian: apt-get install chromium), "
    "or run `.venv/bin/python -m playwright install chromium`, or set CHROMIUM to its path."
)
ARGUMENTS = [
    "--no-sandbox",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-gpu",
    "--disable-dev-shm-usage",
]


def find_chromium() -> str | None:
    """Return the path of a Chromium on this machine, the one of the variable `CHROMIUM` first."""
    given = os.environ.get("CHROMIUM")
    if given:
        return given
    on_path = (shutil.which(name) for name in NAMES)
    return next((path for path in on_path if path), None) or _of_playwright()


def ensure_chromium() -> str:
    """Return a Chromium, installed now if need be and if this is root on Debian. Raises SystemExit."""
    found = find_chromium()
    if not found and os.geteuid() == 0 and shutil.which("apt-get"):
        _install()
        found = find_chromium()
    if not found:
        raise SystemExit(HOW_TO_GET_ONE)
    return found


def _of_playwright() -> str | None:
    places = (os.environ.get("PLAYWRIGHT_BROWSERS_PATH"), *map(os.path.expanduser, PLACES_OF_PLAYWRIGHT))
    for place in filter(None, places):
        for program in PROGRAMS_OF_PLAYWRIGHT:
            for path in sorted(Path(place).glob(f"chromium-*/{program}"), reverse=True):
                return str(path)
    return None


def _install() -> None:
    print("Installing Chromium for the browser tests", file=sys.stderr)
    quietly = {"stdout": sys.stderr, "check": False, "env": os.environ | {"DEBIAN_FRONTEND": "noninteractive"}}
    subprocess.run(["apt-get", "update", "-qq"], **quietly)
    subprocess.run(["apt-get", "install", "-y", "-qq", "--no-install-recommends", "chromium"], **quietly)


if __name__ == "__main__":
    print(ensure_chromium())

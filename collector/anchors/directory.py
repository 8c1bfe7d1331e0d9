"""A directory: each checkpoint a file of its own, written once. Put it on a volume that others administer."""

from __future__ import annotations

import errno
import os
import secrets
from pathlib import Path

from pydantic import Field

from collector.anchors.contract import Anchor, AnchorSettings, file_name, newest_name
from collector.errors import DeliveryError, HistoryError
from collector.model import Json
from collector.private_files import sync_folder


class DirectorySettings(AnchorSettings):
    """Where the directory is."""

    path: str = Field(description="Absolute, or beginning with ~; it must be there: an unmounted volume is no anchor.")


class DirectoryAnchor:
    """Files ``ORIGIN/SIZE.note`` in a directory, never opened for writing twice."""

    def __init__(self, name: str, path: Path) -> None:
        self._name = name
        self._path = path

    def push(self, origin: str, size: int, note: bytes) -> dict[str, Json]:
        """See `Anchor.push`; the file and its name are on disk when this returns."""
        path = self._path / origin / file_name(size)
        try:
            self._require_there()
            path.parent.mkdir(parents=True, exist_ok=True)
            if not path.exists():
                _write_once(path, note)
            elif path.read_bytes() != note:
                raise HistoryError(f"the anchor {self._name} holds another checkpoint of size {size}: {path}")
        except OSError as error:
            raise self._trouble(error) from error
        return {"path": str(path)}

    def newest(self, origin: str) -> bytes | None:
        """See `Anchor.newest`."""
        folder = self._path / origin
        try:
            self._require_there()
            name = newest_name(os.listdir(folder)) if folder.is_dir() else None  # noqa: PTH208 - names, not paths
            return (folder / name).read_bytes() if name else None
        except OSError as error:
            raise self._trouble(error) from error

    def _require_there(self) -> None:
        # A volume that is not mounted must not pass for an empty one.
        if not self._path.is_dir():
            raise NotADirectoryError(errno.ENOTDIR, "there is no such directory; make it, or mount what it is on")

    def _trouble(self, error: OSError) -> DeliveryError:
        return DeliveryError(f"the anchor {self._name}: {self._path}: {error.strerror}")


class _Type:
    settings = DirectorySettings

    def open(self, name: str, settings: DirectorySettings) -> Anchor:
        """See `AnchorType.open`."""
        return DirectoryAnchor(name, Path(settings.path).expanduser())


anchor_type = _Type()


def _write_once(path: Path, note: bytes) -> None:
    # Written beside and then linked: the final name is never that of half a note, and never replaces another.
    draft = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o444)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(note)
            file.flush()
            os.fsync(handle)
        os.link(draft, path)
        sync_folder(path.parent)
    finally:
        draft.unlink()

"""The signer's memory: a small file outside the database with the last head of each log that it signed."""

from __future__ import annotations

import fcntl
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from collector.errors import ConfigError, IntegrityError, StoreError
from collector.model import Json
from collector.private_files import sync_folder


@dataclass(frozen=True, slots=True)
class Remembered:
    """The last head of a log that was signed; *note* is the signed note, empty right after a new epoch began."""

    epoch: int
    size: int
    root: bytes
    note: bytes


class Memory:
    """The file *path*; its owner alone can read it. What is remembered is on disk before a signature leaves."""

    def __init__(self, path: Path) -> None:
        self._path = path

    @contextmanager
    def held(self) -> Iterator[None]:
        """Keep other processes from signing meanwhile."""
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            handle = os.open(f"{self._path}.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise StoreError(f"{self._path}: the signer's memory cannot be kept there: {error.strerror}") from error
        try:
            fcntl.flock(handle, fcntl.LOCK_EX)
            yield
        finally:
            os.close(handle)

    def recall(self, log: str) -> Remembered | None:
        """Return what is remembered of *log*, or None. Raises `IntegrityError` when the file is not one of ours."""
        found = self._read().get(log)
        if found is None:
            return None
        try:
            root = bytes.fromhex(found["root"])
            return Remembered(int(found["epoch"]), int(found["size"]), root, found["note"].encode())
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise self._spoilt() from error

    def remember(self, log: str, head: Remembered) -> None:
        """Put *head* in the place of what is remembered of *log*; on disk when this returns. Raises `StoreError`."""
        entry = {"epoch": head.epoch, "size": head.size, "root": head.root.hex(), "note": head.note.decode()}
        data = json.dumps({**self._read(), log: entry}, indent=1, sort_keys=True, ensure_ascii=False).encode()
        new = self._path.with_name(self._path.name + ".new")
        try:
            handle = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
            with os.fdopen(handle, "wb") as file:
                file.write(data)
                file.flush()
                os.fsync(handle)
            new.replace(self._path)
            sync_folder(self._path.parent)
        except OSError as error:
            raise StoreError(
                f"{self._path}: the signer cannot remember what it signs: {error.strerror}",
                hint="Nothing was signed. Give it space and write access.",
            ) from error

    def _read(self) -> dict[str, Json]:
        try:
            found = json.loads(self._path.read_text(encoding="utf-8"))
        except FileNotFoundError:
            return {}
        except OSError as error:
            raise ConfigError(f"{self._path}: the signer's memory cannot be read: {error.strerror}") from error
        except ValueError as error:
            raise self._spoilt() from error
        if not isinstance(found, dict):
            raise self._spoilt()
        return found

    def _spoilt(self) -> IntegrityError:
        return IntegrityError(
            f"{self._path}: this is not the signer's memory",
            hint="Compare the store with its anchors; then move the file away: the signer begins with the next head.",
        )

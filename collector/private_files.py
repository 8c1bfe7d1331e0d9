"""Files that hold a key: read only when nobody but their owner can read them, and never written over."""

from __future__ import annotations

import os
import stat
from pathlib import Path

from collector.errors import ConfigError

_OTHERS = stat.S_IRWXG | stat.S_IRWXO
_MOST_BYTES = 4096


def read_private(path: Path, what: str, otherwise: str) -> str | None:
    """Return the text of the file *path*, or None when there is none. Raises `ConfigError` when others can read it.

    *what* it holds is said in messages, as is what to do *otherwise* than chmod when somebody may have read it.
    """
    try:
        handle = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise ConfigError(f"{path}: the {what} cannot be read: {error.strerror}") from error
    with os.fdopen(handle, "rb") as file:
        # Of the file that is open, not of whatever has its name by then.
        found = os.fstat(handle)
        if not stat.S_ISREG(found.st_mode):
            raise ConfigError(f"{path}: the {what} is not a file")
        if found.st_mode & _OTHERS:
            raise ConfigError(
                f"{path}: others than its owner can read the {what} (mode {stat.S_IMODE(found.st_mode):04o})",
                hint=f"chmod 600 {path}; if somebody may have read it, {otherwise}",
            )
        return file.read(_MOST_BYTES).decode("utf-8", "replace").strip()


def write_private(path: Path, text: str) -> None:
    """Write *text* to a new file *path* for its owner alone. Raises `ConfigError`, also when the file is there."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(text + "\n")
            file.flush()
            os.fsync(handle)
        sync_folder(path.parent)
    except FileExistsError:
        raise ConfigError(f"{path} is there already and was left as it is") from None
    except OSError as error:
        raise ConfigError(f"{path}: the key cannot be written: {error.strerror}") from error


def sync_folder(path: Path) -> None:
    """Put the names in the folder *path* on disk."""
    handle = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)

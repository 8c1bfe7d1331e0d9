"""A zipped BagIt bag (RFC 8493), written in one go: each member is hashed and packed as it is read.

The same members give the same bytes: names, order, times and the level of packing are fixed. The last 64 bytes of the
file are the SHA-256, in hex, of all before them.
"""

from __future__ import annotations

import hashlib
import json
import zipfile
from collections.abc import Iterable
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from types import TracebackType
from typing import IO

from collector import __version__
from collector.errors import QueryError
from collector.export import verifier
from collector.model import Json

_LEVEL = 6
_EARLIEST = (1980, 1, 1, 0, 0, 0)
_REGULAR = 0o100644 << 16


class _Sealed:
    """Writes to *file*, but in place of the last 64 bytes the digest of the others."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self._digest = hashlib.sha256()
        self._held = b""

    def write(self, data: bytes) -> int:
        """See `io.RawIOBase.write`."""
        whole = self._held + bytes(data)
        self._held = whole[-verifier.DIGITS :]
        self._put(whole[: -verifier.DIGITS])
        return len(data)

    def flush(self) -> None:
        """Hold what is held."""

    def seal(self) -> None:
        """End with the digest."""
        self._file.write(self._digest.hexdigest().encode("ascii"))

    def _put(self, data: bytes) -> None:
        self._digest.update(data)
        self._file.write(data)


class Bag:
    """A bag written to *path*: there whole at the end or not at all. Raises `QueryError` where it cannot be."""

    def __init__(self, path: Path) -> None:
        self._path, self._part = path, path.with_name(path.name + ".part")
        self._payload: dict[str, str] = {}
        self.octets = 0
        try:
            self._file = self._part.open("wb")
        except OSError as error:
            raise QueryError(f"{path}: cannot be written: {error.strerror}") from error
        self._sealed = _Sealed(self._file)
        # It is written like a pipe, so that no byte is ever written twice and the digest is that of what is there.
        self._zip = zipfile.ZipFile(self._sealed, "w")  # type: ignore[call-overload]

    def __enter__(self) -> Bag:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None) -> None:
        if kind is not None:
            # What cannot be ended is thrown away; left open, it would be ended when nothing is there to write to.
            with suppress(OSError, ValueError):
                self._zip.close()
            self._file.close()
            self._part.unlink()
            if isinstance(error, OSError):
                raise QueryError(f"{self._path}: cannot be written: {error.strerror}") from error

    @property
    def files(self) -> int:
        """How many files of evidence are in it."""
        return len(self._payload)

    def add(self, name: str, parts: Iterable[bytes], *, large: bool = False) -> None:
        """Write the payload file ``data/NAME`` that *parts* make together; *large* ones may be of any size."""
        found = hashlib.sha256()
        with self._zip.open(_info(f"data/{name}"), "w", force_zip64=large) as file:
            for each in parts:
                found.update(each)
                self.octets += len(each)
                file.write(each)
        self._payload[f"data/{name}"] = found.hexdigest()

    def add_document(self, name: str, said: Json) -> None:
        """Write *said* as the payload file ``data/NAME``: JSON that people can read, keys sorted."""
        self.add(name, [json.dumps(said, indent=1, sort_keys=True).encode("ascii") + b"\n"])

    def close(self, about: dict[str, str], at: datetime) -> None:
        """End the bag with its manifests, and put it in place. *about* is what its bag-info.txt says."""
        tags = {
            "bag-info.txt": _bag_info(about, at, f"{self.octets}.{self.files}"),
            "bagit.txt": verifier.BAGIT,
            "manifest-sha256.txt": _manifest(self._payload),
            "verify.py": Path(verifier.__file__).read_bytes(),
        }
        tags["tagmanifest-sha256.txt"] = _manifest({name: _sha256(data) for name, data in tags.items()})
        for name, data in tags.items():
            self._zip.writestr(_info(name), data)
        self._zip.comment = verifier.SEAL + b"0" * verifier.DIGITS
        self._zip.close()
        self._sealed.seal()
        self._file.close()
        self._part.replace(self._path)


def _info(name: str) -> zipfile.ZipInfo:
    made = zipfile.ZipInfo(verifier.ROOT + name, _EARLIEST)
    made.compress_type, made.create_system, made.external_attr = zipfile.ZIP_DEFLATED, 3, _REGULAR
    return made


def _manifest(digests: dict[str, str]) -> bytes:
    return "".join(f"{digests[name]}  {name}\n" for name in sorted(digests)).encode("ascii")


def _bag_info(about: dict[str, str], at: datetime, oxum: str) -> bytes:
    said = {
        "Bag-Software-Agent": f"evidenced {__version__}",
        **about,
        "Bagging-Date": f"{at:%Y-%m-%d}",
        "Payload-Oxum": oxum,
    }
    return "".join(f"{name}: {verifier.shown(value)}\n" for name, value in said.items()).encode("utf-8")


def _sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()

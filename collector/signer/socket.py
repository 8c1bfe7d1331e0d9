"""A signer in a process of its own, under a user who alone can read the key, asked over a Unix socket.

One request a connection: a line of JSON each way. Whoever may open the socket may ask for signatures, and gets none
for a log that shrank or forked; nobody gets the key.
"""

from __future__ import annotations

import json
import os
import socket
import socketserver
import threading
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path

from collector import errors
from collector.errors import ConfigError, EvidencedError
from collector.log.note import VerifierKey
from collector.model import Json
from collector.signer.memory import Remembered
from collector.signer.role import LogSigner

_TIMEOUT_S = 30
_MOST_BYTES = 1_000_000
_ERRORS = {
    each.__name__: each
    for each in (errors.ConfigError, errors.HistoryError, errors.IntegrityError, errors.KeeperError, errors.StoreError)
}


class SocketSigner:
    """A `LogSigner` that asks the one listening at *path*."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def held(self, log: str) -> tuple[VerifierKey, ...]:
        """See `LogSigner.held`."""
        return tuple(VerifierKey.parse(each) for each in self._ask({"do": "held", "log": log}))

    def create(self, name: str) -> VerifierKey:
        """See `LogSigner.create`."""
        return VerifierKey.parse(self._ask({"do": "create", "name": name}))

    def recall(self, log: str) -> Remembered | None:
        """See `LogSigner.recall`."""
        found = self._ask({"do": "recall", "log": log})
        if found is None:
            return None
        return Remembered(found["epoch"], found["size"], bytes.fromhex(found["root"]), found["note"].encode())

    def sign(
        self, log: str, epoch: int, head: tuple[int, bytes], proof: Sequence[bytes], keys: Sequence[VerifierKey]
    ) -> bytes:
        """See `LogSigner.sign`."""
        request = {"do": "sign", "log": log, "epoch": epoch, "size": head[0], "root": head[1].hex()}
        given = {"proof": [each.hex() for each in proof], "keys": [str(each) for each in keys]}
        note: str = self._ask(request | given)
        return note.encode()

    def begin_epoch(self, log: str, epoch: int) -> None:
        """See `LogSigner.begin_epoch`."""
        self._ask({"do": "begin_epoch", "log": log, "epoch": epoch})

    def _ask(self, request: dict[str, Json]) -> Json:
        try:
            with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as conn:
                conn.settimeout(_TIMEOUT_S)
                conn.connect(str(self._path))
                conn.sendall(json.dumps(request).encode() + b"\n")
                with conn.makefile("rb") as answer:
                    said = json.loads(answer.readline(_MOST_BYTES))
        except (OSError, ValueError) as error:
            raise ConfigError(
                f"{self._path}: the signer does not answer: {error}", hint="Is `evidenced keys serve` running?"
            ) from error
        if "error" in said:
            kind = _ERRORS.get(said["error"], EvidencedError)
            raise kind(said["message"], hint=said["hint"])
        return said["answer"]


def serve(signer: LogSigner, path: Path, *, ready: Callable[[Callable[[], None]], None]) -> None:
    """Answer for *signer* at the Unix socket *path* until told to stop.

    *ready* is called once it listens, with what stops it from any thread. Only the owner and the group of the socket
    may ask. Raises `ConfigError` when it cannot listen there.
    """
    with suppress(FileNotFoundError):
        path.unlink()
    lock = threading.Lock()

    class Handler(socketserver.StreamRequestHandler):
        timeout = _TIMEOUT_S

        def handle(self) -> None:
            with lock:
                said = _answered(signer, self.rfile.readline(_MOST_BYTES))
            self.wfile.write(json.dumps(said).encode() + b"\n")

    mask = os.umask(0o117)
    try:
        server = socketserver.ThreadingUnixStreamServer(str(path), Handler)
    except OSError as error:
        raise ConfigError(f"{path}: the signer cannot listen there: {error.strerror}") from error
    finally:
        os.umask(mask)
    with server:
        ready(lambda: threading.Thread(target=server.shutdown).start())
        server.serve_forever()
    path.unlink(missing_ok=True)


def _answered(signer: LogSigner, line: bytes) -> dict[str, Json]:
    try:
        return {"answer": _do(signer, json.loads(line))}
    except EvidencedError as error:
        kind = next((name for name, each in _ERRORS.items() if type(error) is each), "ConfigError")
        return {"error": kind, "message": error.message, "hint": error.hint()}
    except (ValueError, KeyError, TypeError) as error:
        return {"error": "ConfigError", "message": f"not a request to a signer: {error}", "hint": ""}


def _do(signer: LogSigner, request: dict[str, Json]) -> Json:
    match request["do"]:
        case "held":
            return [str(each) for each in signer.held(request["log"])]
        case "create":
            return str(signer.create(request["name"]))
        case "recall":
            last = signer.recall(request["log"])
            if last is None:
                return None
            return {"epoch": last.epoch, "size": last.size, "root": last.root.hex(), "note": last.note.decode()}
        case "sign":
            head = request["size"], bytes.fromhex(request["root"])
            proof = [bytes.fromhex(each) for each in request["proof"]]
            keys = [VerifierKey.parse(each) for each in request["keys"]]
            return signer.sign(request["log"], request["epoch"], head, proof, keys).decode()
        case "begin_epoch":
            return signer.begin_epoch(request["log"], request["epoch"])
        case other:
            raise ValueError(f"a signer does not {other}")

"""The HTTP side of the fakes: threads, keep-alive, and the ways to break off."""

from __future__ import annotations

import contextlib
import sys
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self


@dataclass(frozen=True)
class Http:
    """A request as it came: *target* is path and query, header names are as sent."""

    method: str
    target: str
    headers: Mapping[str, str]
    body: bytes

    def header(self, name: str) -> str:
        """Return the value of the header *name* in any case; empty when absent."""
        return next((value for key, value in self.headers.items() if key.lower() == name.lower()), "")


@dataclass(frozen=True)
class Reply:
    """What goes back. *send* bytes of the body are sent before the connection is closed; None sends all of it."""

    status: int
    headers: dict[str, str]
    body: bytes
    delay: float = 0.0
    send: int | None = None
    hang_up: bool = False


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False
    request_queue_size = 128

    failed: Callable[[BaseException], None]

    def handle_error(self, *_: object) -> None:
        """Tell of what went wrong here; a client that goes away in the middle is what half of the tests are about."""
        error = sys.exc_info()[1]
        if error is not None and not isinstance(error, OSError):
            self.failed(error)


class Listener:
    """Serves *answer* on a random port of 127.0.0.1 until `close`; *failed* is told of exceptions that it raised."""

    def __init__(self, answer: Callable[[Http], Reply], failed: Callable[[BaseException], None]) -> None:
        self._closing = threading.Event()
        handler = type("Handler", (_Handler,), {"answer": staticmethod(answer), "closing": self._closing})
        self._server = _Server(("127.0.0.1", 0), handler)
        self._server.failed = failed
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True)
        self._thread.start()

    @property
    def url(self) -> str:
        """``http://127.0.0.1:<port>``."""
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    def close(self) -> None:
        """Stop listening and wake the slow answers."""
        self._closing.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


class Judge:
    """A fake that complains: what it is asked wrongly is kept in *violations*, and fails the test at the end.

    Leaving the ``with`` block raises AssertionError when there are any; a test that means one clears the list.
    """

    def __init__(self, answer: Callable[[Http], Reply]) -> None:
        self.violations: list[str] = []
        self._listener = Listener(answer, self._failed)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        self.close()
        if kind is None:
            self.verify()

    def verify(self) -> None:
        """Raise AssertionError when a request or an answer was not what the descriptions allow."""
        assert not self.violations, "\n".join(self.violations)

    def close(self) -> None:
        """Stop serving."""
        self._listener.close()

    def _failed(self, error: BaseException) -> None:
        self.violations.append(f"the fake itself failed: {error!r}")


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = -1
    answer: Callable[[Http], Reply]
    closing: threading.Event

    def _handle(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        reply = self.answer(Http(self.command, self.path, dict(self.headers.items()), body))
        if reply.delay:
            self.closing.wait(reply.delay)
        if reply.hang_up:
            self.close_connection = True
            return
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):
            self._send(reply)

    def _send(self, reply: Reply) -> None:
        self.send_response_only(reply.status)
        for name, value in {"Date": self.date_time_string(), **reply.headers}.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(reply.body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(reply.body[: reply.send])
        self.wfile.flush()
        self.close_connection |= reply.send is not None

    def __getattr__(self, name: str) -> Any:
        if name.startswith("do_"):
            return self._handle
        raise AttributeError(name)

    def log_message(self, format: str, *args: Any) -> None:
        """Keep quiet."""

"""A server on loopback that answers as a test tells it to, also as no server should. It hears every request."""

from __future__ import annotations

import gzip
import json
import ssl
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, urlsplit


@dataclass(frozen=True)
class Heard:
    """One request: *path* as it was on the wire, *query* and *form* decoded, *headers* with lower-case names."""

    method: str
    path: str
    query: dict[str, str]
    headers: dict[str, str]
    body: Any
    form: dict[str, str] = field(default_factory=dict)
    client: int = 0


@dataclass
class Reply:
    """What is answered; a header may come several times or, as an empty list, not at all.

    *raw* writes to the socket by itself, after nothing else was.
    """

    body: Any = None
    status: int = 200
    headers: dict[str, str | list[str]] = field(default_factory=dict)
    raw: Callable[[BaseHTTPRequestHandler], None] | None = None


Answerer = Callable[[Heard], Any]


class Loopback:
    """Answers by method and path; a path without an answer is 404. *url* has no slash at its end."""

    def __init__(self, tls: ssl.SSLContext | None = None) -> None:
        self.heard: list[Heard] = []
        self.stopping = threading.Event()
        self._answers: dict[str, Answerer] = {}
        self._lock = threading.Lock()
        self._server = _Server(("127.0.0.1", 0), _handler(self))
        self._server.daemon_threads = True
        if tls:
            self._server.socket = tls.wrap_socket(self._server.socket, server_side=True)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,))
        self._thread.start()
        self.url = f"{'https' if tls else 'http'}://127.0.0.1:{self._server.server_address[1]}"

    def on(self, operation: str, answer: Any) -> None:
        """Answer *operation* (``GET /things``) with *answer*: a value, a `Reply`, or a function of what was heard."""
        self._answers[operation] = answer if callable(answer) else lambda _: answer

    def in_turn(self, operation: str, *answers: Any) -> None:
        """Answer *operation* with each of *answers* in turn, the last one for ever."""
        left = list(answers)

        def next_answer(heard: Heard) -> Any:
            with self._lock:
                answer = left.pop(0) if len(left) > 1 else left[0]
            return answer(heard) if callable(answer) else answer

        self.on(operation, next_answer)

    def asked(self, operation: str) -> list[Heard]:
        """Return every request of *operation* so far."""
        return [each for each in self.heard if f"{each.method} {each.path}" == operation]

    def answer(self, heard: Heard) -> Reply:
        with self._lock:
            self.heard.append(heard)
        answerer = self._answers.get(f"{heard.method} {heard.path}")
        answer = answerer(heard) if answerer else Reply({"message": "no such place"}, 404)
        return answer if isinstance(answer, Reply) else Reply(answer)

    def close(self) -> None:
        self.stopping.set()
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


class _Server(ThreadingHTTPServer):
    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say nothing: tests leave in the middle of answers."""


def _handler(loopback: Loopback) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def _answer(self) -> None:
            parts = urlsplit(self.path)
            sent = self.rfile.read(int(self.headers.get("content-length", 0)))
            is_form = "form" in self.headers.get("content-type", "")
            heard = Heard(
                self.command,
                parts.path,
                dict(parse_qsl(parts.query, keep_blank_values=True)),
                {name.lower(): value for name, value in self.headers.items()},
                json.loads(sent) if sent and not is_form else None,
                dict(parse_qsl(sent.decode())) if is_form else {},
                self.client_address[1],
            )
            reply = loopback.answer(heard)
            if reply.raw is not None:
                self.close_connection = True
                reply.raw(self)
                return
            body = reply.body if isinstance(reply.body, bytes) else json.dumps(reply.body).encode()
            headers = {"Content-Type": "application/json", "Content-Length": str(len(body)), **reply.headers}
            self.send_response(reply.status)
            for name, values in headers.items():
                for value in [values] if isinstance(values, str) else values:
                    self.send_header(name, value)
            self.end_headers()
            if reply.status not in (204, 304):
                self.wfile.write(body)

        do_GET = do_POST = _answer

        def log_message(self, *args: object) -> None:
            """Say nothing."""

    return Handler


def zipped(value: Any) -> Reply:
    """Return *value* as a gzip-encoded answer."""
    return Reply(gzip.compress(json.dumps(value).encode()), headers={"Content-Encoding": "gzip"})

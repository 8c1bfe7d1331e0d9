"""A server that answers from memory what an upstream answered once, after a fixed delay: a cloud without moto's cost.

``python -m tests.bench.replay UPSTREAM DELAY_MS`` prints its address and serves until it is killed.
"""

from __future__ import annotations

import http.client
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import ClassVar
from urllib.parse import urlsplit

_HOP_BY_HOP = {"connection", "content-length", "transfer-encoding", "server", "date"}
# What differs between two requests for the same thing: signatures, ids, times.
_ASKED = ("X-Amz-Target", "Content-Type")


class Replay(BaseHTTPRequestHandler):
    """One connection."""

    protocol_version = "HTTP/1.1"
    upstream = ""
    delay_s = 0.0
    known: ClassVar[dict[tuple[str, ...], tuple[int, list[tuple[str, str]], bytes]]] = {}
    lock = threading.Lock()

    def answer(self) -> None:
        """Answer from memory, asking the upstream the first time."""
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        scope = self.headers.get("Authorization", "").partition("Credential=")[2].split(",")[0].split("/")[2:4]
        asked = (self.command, self.path, str(body), *scope, *(self.headers.get(name, "") for name in _ASKED))
        with self.lock:
            reply = self.known.get(asked)
        if reply is None:
            reply = self._ask(body)
            with self.lock:
                self.known[asked] = reply
        time.sleep(self.delay_s)
        status, headers, data = reply
        self.send_response(status)
        for name, value in headers:
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    do_GET = do_POST = do_PUT = do_HEAD = answer

    def log_message(self, *_: object) -> None:
        """Say nothing: the terminal belongs to the figures."""

    def _ask(self, body: bytes) -> tuple[int, list[tuple[str, str]], bytes]:
        place = urlsplit(self.upstream)
        connection = http.client.HTTPConnection(place.hostname or "", place.port, timeout=60)
        headers = {name: value for name, value in self.headers.items() if name.lower() not in ("host", "connection")}
        connection.request(self.command, self.path, body, headers)
        got = connection.getresponse()
        kept = [(name, value) for name, value in got.getheaders() if name.lower() not in _HOP_BY_HOP]
        reply = got.status, kept, got.read()
        connection.close()
        return reply


def main() -> None:
    """Serve until killed."""
    Replay.upstream, Replay.delay_s = sys.argv[1], float(sys.argv[2]) / 1000
    ThreadingHTTPServer.request_queue_size = 256
    server = ThreadingHTTPServer(("127.0.0.1", 0), Replay)
    server.daemon_threads = True
    print(f"http://127.0.0.1:{server.server_address[1]}", flush=True)
    server.serve_forever()


if __name__ == "__main__":
    main()

"""One exchange over HTTP, with everything that could go wrong on the way named. Nothing is retried or judged here."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from http.cookiejar import DefaultCookiePolicy

import requests
import urllib3
from requests.adapters import HTTPAdapter

from collector.connector import Reading
from collector.errors import Invalid, ReadError, Truncated, Unavailable
from collector.http.auth import Request
from collector.http.body import collected

_CHUNK = 64 * 1024
_SHORTEST_TIMEOUT_S = 0.05
_SEE_NETWORK = "See that the address can be reached from here; the next slot tries again."


@dataclass(frozen=True)
class Answer:
    """What came back, whatever its status. *headers* have lower-case names; *body* is decompressed."""

    status: int
    headers: Mapping[str, str]
    body: bytes


class Transport:
    """The connections of one source; safe to use from many threads.

    Proxies and certificate authorities are those of the environment (``HTTPS_PROXY``, ``REQUESTS_CA_BUNDLE``);
    certificates are always verified, cookies never kept, and nothing but the `Request` carries credentials.
    """

    def __init__(self, user_agent: str, connections: int, connect_timeout_s: float, read_timeout_s: float) -> None:
        self._session = requests.Session()
        for scheme in ("https://", "http://"):
            self._session.mount(scheme, HTTPAdapter(pool_connections=16, pool_maxsize=connections))
        self._session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))
        # Without this, requests looks into ~/.netrc and puts what it finds over our own header.
        self._session.auth = lambda prepared: prepared
        self._session.headers.clear()
        self._headers = {"user-agent": user_agent, "accept": "application/json", "accept-encoding": "gzip"}
        self._connect_timeout_s = connect_timeout_s
        self._read_timeout_s = read_timeout_s

    def exchange(self, request: Request, reading: Reading, most_bytes: int) -> Answer:
        """Send *request* and return what came back.

        Raises `Unavailable` when nothing did, `Truncated` when it stopped early or is longer than *most_bytes*,
        `Invalid` when it is no HTTP. The message names no address.
        """
        left = reading.deadline - reading.clock.monotonic()
        limit = max(_SHORTEST_TIMEOUT_S, left) if math.isfinite(left) else math.inf
        timeout = (min(self._connect_timeout_s, limit), min(self._read_timeout_s, limit))
        try:
            answer = self._session.request(
                request.method,
                request.url,
                headers={**self._headers, **request.headers},
                data=request.body,
                timeout=timeout,
                allow_redirects=False,
                stream=True,
            )
            with answer:
                encoding = answer.headers.get("content-encoding", "").strip().lower()
                body = collected(_chunks(answer), encoding, most_bytes, reading.check)
        except (requests.RequestException, urllib3.exceptions.HTTPError, OSError) as error:
            raise _failed(error) from error
        return Answer(answer.status_code, {name.lower(): value for name, value in answer.headers.items()}, body)

    def close(self) -> None:
        """Close every connection."""
        self._session.close()


def _chunks(answer: requests.Response) -> Iterator[bytes]:
    # `read1` gives what is there: a drip of single bytes reaches the deadline instead of filling a block first.
    while chunk := answer.raw.read1(_CHUNK, decode_content=False):
        yield chunk


def _failed(error: Exception) -> ReadError:
    """Return the reason for *error*: its words are not passed on, for they hold the address."""
    name = type(error).__name__
    if isinstance(error, requests.exceptions.SSLError | urllib3.exceptions.SSLError):
        return Unavailable(
            "the connection is not secure: the certificate was not accepted",
            hint="If a proxy re-signs TLS, set REQUESTS_CA_BUNDLE to its certificate authority.",
        )
    if isinstance(error, requests.exceptions.Timeout | urllib3.exceptions.TimeoutError):
        return Unavailable("there was no answer in time", hint=_SEE_NETWORK)
    if isinstance(error, requests.exceptions.ChunkedEncodingError | urllib3.exceptions.ProtocolError):
        return Truncated("the answer stopped early: its body was cut", hint="The next slot tries again.")
    if isinstance(error, requests.exceptions.ConnectionError | OSError) and not isinstance(
        error, requests.exceptions.InvalidURL
    ):
        return Unavailable(f"the connection failed ({name})", hint=_SEE_NETWORK)
    return Invalid(f"no HTTP came back ({name})")

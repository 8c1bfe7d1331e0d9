"""RFC 3161: asking an authority to put its time on a checkpoint's note.

The response is kept as it came, so that ``openssl ts -verify`` reads it. It is looked at before it is kept: granted,
over this note, to this request, at this time, and signed under the authority's root where the configuration names one.
"""

from __future__ import annotations

import http.client
import urllib.request
from pathlib import Path

from rfc3161_client import HashAlgorithm, TimestampRequestBuilder

from collector.clock import Clock, SystemClock
from collector.errors import DeliveryError
from collector.tokens import read_roots, read_token, token_trouble, untimely

_TIMEOUT_S = 20
_MOST_BYTES = 1_000_000


class Authority:
    """One time stamp authority at *url*; *roots* is a PEM file to check its answers against, or None."""

    def __init__(self, name: str, url: str, roots: Path | None = None, clock: Clock | None = None) -> None:
        self._name = name
        self._url = url
        self._roots = roots
        self._clock = clock or SystemClock()

    def stamp(self, note: bytes) -> bytes:
        """Return the authority's response over *note*, checked.

        Raises `DeliveryError` when it does not answer or its answer does not hold, `ConfigError` for unusable roots.
        """
        roots = [read_roots(self._roots, f"checkpoints.authorities.{self._name}.roots")] if self._roots else []
        request = TimestampRequestBuilder().data(note).hash_algorithm(HashAlgorithm.SHA256).build()
        asked = self._clock.now()
        answer = self._post(request.as_bytes())
        token = read_token(answer)
        trouble = token_trouble(token, note, roots)
        if trouble or token is None:
            raise self._refused(f"the answer is not taken: {trouble}")
        if token.nonce != request.nonce:
            raise self._refused("the token answers another request")
        if late := untimely(token, asked, self._clock.now()):
            raise self._refused(f"a clock is wrong, its or ours: {late}", hint="Let this machine's clock follow NTP.")
        return answer

    def _post(self, body: bytes) -> bytes:
        headers = {"Content-Type": "application/timestamp-query", "Accept": "application/timestamp-reply"}
        request = urllib.request.Request(self._url, body, headers)  # noqa: S310 - the settings take only http and https
        try:
            with urllib.request.urlopen(request, timeout=_TIMEOUT_S) as answer:  # noqa: S310
                data: bytes = answer.read(_MOST_BYTES)
                return data
        except (OSError, http.client.HTTPException, ValueError) as error:
            raise self._refused(f"{self._url} does not answer: {error}") from error

    def _refused(self, said: str, hint: str = "") -> DeliveryError:
        return DeliveryError(f"the authority {self._name}: {said}", hint=hint)

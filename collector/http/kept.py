"""Answers kept for their ETags (RFC 9110 section 13.1.2), so that what did not change costs no quota."""

from __future__ import annotations

import threading
from collections import OrderedDict
from http import HTTPStatus

from collector.http.auth import Request
from collector.http.transport import Answer

_OVERHEAD = 1024
Key = tuple[str, ...]


class Kept:
    """Answers by source, principal and request, at most *most_bytes* of them; the longest unused go first.

    What one principal may see is never shown to another: without a principal nothing is kept or found.
    """

    def __init__(self, most_bytes: int) -> None:
        self._most = most_bytes
        self._lock = threading.Lock()
        self._answers: OrderedDict[Key, Answer] = OrderedDict()
        self._size = 0

    def find(self, key: Key) -> Answer | None:
        """Return the last good answer under *key*, or None."""
        with self._lock:
            answer = self._answers.get(key)
            if answer is not None:
                self._answers.move_to_end(key)
            return answer

    def keep(self, key: Key, answer: Answer) -> None:
        """Keep *answer* under *key* if it is a good one with an ETag."""
        if answer.status != HTTPStatus.OK or "etag" not in answer.headers:
            return
        with self._lock:
            old = self._answers.pop(key, None)
            self._size += _size(answer) - (_size(old) if old else 0)
            self._answers[key] = answer
            while self._size > self._most:
                self._size -= _size(self._answers.popitem(last=False)[1])


def key_of(source: str, principal: str, request: Request) -> Key | None:
    """Return under what the answer to *request*, not yet authorised, is kept; None when it is not to be kept."""
    if not principal or request.method != "GET":
        return None
    return (source, principal, request.url, *(f"{name}: {value}" for name, value in sorted(request.headers.items())))


def _size(answer: Answer) -> int:
    return len(answer.body) + _OVERHEAD

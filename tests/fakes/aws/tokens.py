"""Continuation tokens: opaque, each good for one question, remembering the answer it goes on with."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from tests.fakes.aws.paging import Page, Paging, look, put
from tests.fakes.aws.refusal import NotUnderstood
from tests.fakes.aws.wire import Ask


@dataclass(frozen=True)
class _Bookmark:
    question: tuple[str, str, str]
    whole: Mapping[str, Any]
    start: int


class Tokens:
    """The tokens given out so far."""

    def __init__(self) -> None:
        self._bookmarks: dict[str, _Bookmark] = {}
        self._lock = threading.Lock()

    def resume(self, paging: Paging, ask: Ask, token: str) -> tuple[Mapping[str, Any], int]:
        """Return the whole answer that *token* goes on with, and from which item on.

        Raises `NotUnderstood` when it was never given, or for other parameters: AWS wants them unchanged.
        """
        mark = self._bookmarks.get(token)
        if mark is None or mark.question != _question(paging, ask):
            raise NotUnderstood("ValidationException", f"{ask.name}: the token was not given for this question")
        return mark.whole, mark.start

    def output(self, page: Page, ask: Ask) -> dict[str, Any]:
        """Return the answer of *page*, with a token when there is a next one."""
        output = page.output()
        if page.next is None:
            return output
        if page.token is not None:
            put(output, page.paging.token_out, page.token)
            return output
        with self._lock:
            token = hashlib.sha256(f"{ask.name} {len(self._bookmarks)}".encode()).hexdigest()
            # Where the next request carries the last item's name (kinesis, importexport), that is the token.
            if "[-1]" in page.paging.token_out:
                token = look(output, page.paging.token_out)
            else:
                put(output, page.paging.token_out, token)
            self._bookmarks[token] = _Bookmark(_question(page.paging, ask), page.whole, page.next)
        return output


def _question(paging: Paging, ask: Ask) -> tuple[str, str, str]:
    return ask.name, ask.region, repr(sorted(paging.bare(ask.params).items()))

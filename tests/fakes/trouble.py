"""What the bad days of all fakes have in common: when one strikes, and what can happen to an answer on its way."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

from tests.fakes.listener import Reply


@dataclass(frozen=True)
class Trouble:
    """One way to misbehave: *refuse* instead of answering, bend the *page*, bend the *reply*.

    What *refuse* and *page* are given is the affair of each fake.
    """

    name: str
    refuse: Callable[..., Any] | None = None
    page: Callable[..., Any] | None = None
    reply: Callable[[Reply], Reply] | None = None


@dataclass
class Rule:
    """Strikes at requests that *match*, from the *nth* on, *times* times or for ever."""

    trouble: Trouble
    match: Callable[[Any], bool]
    nth: int
    times: int | None
    seen: int = 0

    def strikes(self, ask: object) -> bool:
        """Return whether *ask* is struck; it counts."""
        if not self.match(ask):
            return False
        self.seen += 1
        return self.seen >= self.nth and (self.times is None or self.seen < self.nth + self.times)


def slow(seconds: float) -> Trouble:
    """Answer after *seconds*."""
    return Trouble("slow", reply=lambda reply: replace(reply, delay=seconds))


def cut(share: float = 0.5) -> Trouble:
    """Announce the whole body, send *share* of it and close the connection."""
    return Trouble("cut", reply=lambda reply: replace(reply, send=int(len(reply.body) * share)))


def shorten(share: float = 0.5) -> Trouble:
    """Send *share* of the body with a matching length, as a broken proxy does."""
    return Trouble("shorten", reply=lambda reply: replace(reply, body=reply.body[: int(len(reply.body) * share)]))


def hang_up() -> Trouble:
    """Close the connection without a word."""
    return Trouble("hang up", reply=lambda reply: replace(reply, hang_up=True))


def garbage(body: bytes = b"<html><body>Welcome to the hotel network</body></html>", status: int = 200) -> Trouble:
    """Answer something else altogether, as a captive portal does."""
    return Trouble("garbage", reply=lambda _: Reply(status, {"Content-Type": "text/html"}, body))


def skew(by: timedelta) -> Trouble:
    """Date the answer *by* off the true time."""

    def date(reply: Reply) -> Reply:
        said = format_datetime(datetime.now(UTC) + by, usegmt=True)
        return replace(reply, headers={**reply.headers, "Date": said})

    return Trouble("skew", reply=date)

"""Bad days: what a source can do to its client, to be switched on per operation, call or predicate.

Three places: refuse instead of answering, bend the page, bend what is sent.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

from tests.fakes.aws import refusal
from tests.fakes.aws.paging import Page
from tests.fakes.aws.refusal import Refusal
from tests.fakes.aws.wire import Ask, Reply


@dataclass(frozen=True)
class Trouble:
    """One way to misbehave; *page* also gets the token that the request carried."""

    name: str
    refuse: Callable[[Ask, str], Refusal] | None = None
    page: Callable[[Page, str | None], Page] | None = None
    reply: Callable[[Reply], Reply] | None = None


def deny() -> Trouble:
    """Refuse for want of the permission, naming it and the principal."""
    return Trouble("deny", refuse=lambda ask, principal: refusal.denied(ask.model, principal))


def throttle() -> Trouble:
    """Refuse as the service does when asked too fast."""
    return Trouble("throttle", refuse=lambda ask, _: refusal.throttled(ask.model))


def expire() -> Trouble:
    """Refuse because the temporary credentials are over."""
    return Trouble("expire", refuse=lambda ask, _: refusal.expired(ask.model))


def fail(status: int = 500) -> Trouble:
    """Answer 500 InternalFailure or 503 ServiceUnavailable."""
    code = "ServiceUnavailable" if status == 503 else "InternalFailure"
    return Trouble(f"fail {status}", refuse=lambda *_: Refusal(code, "We encountered an internal error.", status))


def refuse(code: str, message: str = "", **members: object) -> Trouble:
    """Answer the error *code*, which the operation must declare."""
    return Trouble(code, refuse=lambda ask, _: refusal.declared(ask.model, code, message, **members))


def repeat_token() -> Trouble:
    """From the second page on, give the very token that was asked with: the page comes again and again."""
    return Trouble("repeat token", page=lambda page, token: replace(page, token=token) if token else page)


def go_round() -> Trouble:
    """Let the last page lead to the first one, with ever new tokens."""
    return Trouble("go round", page=lambda page, _: replace(page, next=page.next or 0))


def page_for_ever() -> Trouble:
    """Answer empty pages, each with a new token, without end."""
    return Trouble("page for ever", page=lambda page, _: replace(page, stop=page.start, next=page.start))


def empty_page() -> Trouble:
    """Answer a page without items that leads to those it left out; AWS does so, and it is no error."""
    return replace(page_for_ever(), name="empty page")


def lose_token() -> Trouble:
    """Say that there is more, without a token to get it with; only where the answer has such a member."""

    def lose(page: Page, _: str | None) -> Page:
        if page.paging.more is None:
            raise ValueError("this operation does not say whether there is more")
        return replace(page, next=None, more=True)

    return Trouble("lose token", page=lose)


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
    return Trouble("garbage", reply=lambda reply: Reply(status, {"Content-Type": "text/html"}, body))


def skew(by: timedelta) -> Trouble:
    """Date the answer *by* off the true time."""

    def date(reply: Reply) -> Reply:
        said = format_datetime(datetime.now(UTC) + by, usegmt=True)
        return replace(reply, headers={**reply.headers, "Date": said})

    return Trouble("skew", reply=date)

"""Bad days: what a source can do to its client, to be switched on per operation, call or predicate.

`refuse` is given the request and the principal, `page` the page and the token that the request carried.
"""

from __future__ import annotations

from dataclasses import replace

from tests.fakes.aws import refusal
from tests.fakes.aws.paging import Page
from tests.fakes.aws.refusal import Refusal
from tests.fakes.trouble import Trouble, cut, garbage, hang_up, shorten, skew, slow

__all__ = [
    "Trouble",
    "cut",
    "deny",
    "empty_page",
    "expire",
    "fail",
    "garbage",
    "go_round",
    "hang_up",
    "lose_token",
    "page_for_ever",
    "refuse",
    "repeat_token",
    "shorten",
    "skew",
    "slow",
    "throttle",
]


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

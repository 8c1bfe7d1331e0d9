"""Bad days: what a vendor can do to its client, to be switched on per operation, call or predicate.

The names are those of `tests.fakes.aws.trouble`. `refuse` is given the vendor, `page` the page.
"""

from __future__ import annotations

from dataclasses import replace

from tests.fakes.described.wire import Refusal
from tests.fakes.trouble import Trouble, cut, garbage, hang_up, shorten, skew, slow

__all__ = [
    "Trouble",
    "cut",
    "deny",
    "disable",
    "elsewhere",
    "empty_page",
    "expire",
    "fail",
    "garbage",
    "go_round",
    "gone",
    "hang_up",
    "lose_token",
    "page_for_ever",
    "refuse",
    "repeat_token",
    "shorten",
    "skew",
    "slow",
    "slow_down",
    "throttle",
]


def _named(name: str, seconds: float = 1) -> Trouble:
    return Trouble(name, refuse=lambda vendor: vendor.refusal(name).after(seconds))


def deny() -> Trouble:
    """Refuse for want of the permission, in the vendor's own words."""
    return _named("denied")


def throttle(seconds: float = 1) -> Trouble:
    """Refuse as the vendor does when asked too fast; its headers say to wait *seconds*."""
    return _named("throttled", seconds)


def slow_down(seconds: float = 1) -> Trouble:
    """Refuse by the vendor's other limit, where it has one (GitHub's secondary rate limit)."""
    return _named("slow down", seconds)


def expire() -> Trouble:
    """Refuse because the token is over, whichever it is; `Fake.expire` ends those that were given so far."""
    return _named("expired")


def disable() -> Trouble:
    """Refuse because the service or feature is not enabled."""
    return _named("disabled")


def gone() -> Trouble:
    """Answer that there is no such thing: it was deleted after it was listed."""
    return _named("missing")


def fail(status: int = 500) -> Trouble:
    """Answer 500, or 503 and the like."""
    return Trouble(f"fail {status}", refuse=lambda _: Refusal(status, "", "the service cannot answer at the moment"))


def refuse(status: int, code: str, message: str = "") -> Trouble:
    """Answer any other error in the vendor's form."""
    return Trouble(code, refuse=lambda _: Refusal(status, code, message))


def repeat_token() -> Trouble:
    """From the second page on, give the very token that was asked with: the page comes again and again."""
    return Trouble("repeat token", page=lambda page: replace(page, token=page.asked, next=page.next or page.stop))


def go_round() -> Trouble:
    """Let the last page lead to the first one, with ever new tokens."""
    return Trouble("go round", page=lambda page: replace(page, next=page.next or 0))


def page_for_ever() -> Trouble:
    """Answer empty pages, each with a new token, without end."""
    return Trouble("page for ever", page=lambda page: replace(page, stop=page.start, next=page.start))


def empty_page() -> Trouble:
    """Answer a page without items that leads to those it left out; some vendors do so, and it is no error."""
    return replace(page_for_ever(), name="empty page")


def lose_token() -> Trouble:
    """Leave out what leads to the next page."""
    return Trouble("lose token", page=lambda page: replace(page, lost=True))


def elsewhere(url: str = "https://collector.example.net") -> Trouble:
    """Let the next address lead to another host."""
    return Trouble("elsewhere", page=lambda page: replace(page, host=url))

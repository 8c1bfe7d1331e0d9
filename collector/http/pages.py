"""How a list goes on, style by style. Each ends only when the source says so in the way that the spec declares."""

from __future__ import annotations

import hashlib
import json
from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, field

from collector.errors import Invalid, ReadError, Truncated
from collector.http.links import followed, next_link
from collector.http.prepare import Ready
from collector.model import Json


@dataclass(frozen=True)
class Next:
    """What the next request differs in: a whole address, or a value for the paging parameter."""

    url: str = ""
    value: Json = None


@dataclass(frozen=True)
class Page:
    """One page as it came: *headers* (lower-case names), the JSON, the *items* in it, the address it was asked at."""

    headers: Mapping[str, str]
    document: Json
    items: list[Json]
    url: str


@dataclass
class Continuation(ABC):
    """One list being read; asked once a page, in order. *base* is the address of the host it is read from."""

    call: Ready
    base: str
    count: int = 0
    _seen: set[str] = field(default_factory=set)

    def after(self, page: Page) -> Next | None:
        """Return what to ask after *page*, or None when the source says that there is no more.

        Raises `Truncated` for a page or a continuation that comes again, and when more is announced but not how to
        get it; `Invalid` when the answer does not say what it is declared to say.
        """
        self.count += len(page.items)
        if page.items:
            self._once("page", hashlib.sha256(json.dumps(page.items).encode()).hexdigest())
        following = self.following(page)
        if following is not None:
            self._once("continuation", f"{following.url} {json.dumps(following.value)}")
        return following

    @abstractmethod
    def following(self, page: Page) -> Next | None:
        """Return what the source says comes after *page*."""

    def first(self) -> Json:
        """Return the value of the paging parameter in the first request; None leaves it out."""
        return None

    def total(self, page: Page) -> int | None:
        """Return how many items the source counts; None where no total is declared."""
        if self.call.total is None:
            return None
        total = self.call.total.search(page.document)
        if isinstance(total, bool) or not isinstance(total, int):
            raise Invalid(f"{self.call.name} gave no total at {self.call.total.text!r}")
        return total

    def more(self, page: Page) -> bool | None:
        """Return whether the source says that there is more; None where it is not asked."""
        if self.call.more is None:
            return None
        more = self.call.more.search(page.document)
        if not isinstance(more, bool):
            raise Invalid(f"{self.call.name} does not say at {self.call.more.text!r} whether there is more")
        return more

    def truncated(self, what: str) -> ReadError:
        """Return the error that says so."""
        return Truncated(f"{self.call.name} {what}: the list is not complete")

    def _once(self, what: str, name: str) -> None:
        if f"{what} {name}" in self._seen:
            raise self.truncated(f"gave a {what} a second time")
        self._seen.add(f"{what} {name}")


class _Single(Continuation):
    def following(self, page: Page) -> None:
        """One page is all; a source that links to another says otherwise."""
        if next_link(page.headers.get("link", "")) is not None or self.more(page):
            raise self.truncated("offers more than one page, and no paging is declared")


class _Link(Continuation):
    def following(self, page: Page) -> Next | None:
        target = next_link(page.headers.get("link", ""))
        return None if target is None else Next(url=followed(target, page.url, self.base))


class _Told(Continuation):
    """The answer holds what continues: a token, a cursor or an address."""

    def following(self, page: Page) -> Next | None:
        assert self.call.next is not None
        more = self.more(page)
        if more is False:
            return None
        told = self.call.next.search(page.document)
        if told is None or told == "":
            if more:
                raise self.truncated("says that there is more but not how to get it")
            return None
        if isinstance(told, bool) or not isinstance(told, str | int):
            raise Invalid(
                f"{self.call.name}: {self.call.next.text!r} is {type(told).__name__}, which continues nothing"
            )
        if self.call.paging.style != "next_url":
            return Next(value=told)
        return Next(url=followed(str(told), page.url, self.base))


@dataclass
class _Counted(Continuation):
    """We count on: the offset of the next item, or the number of the next page."""

    _page: int = -1

    def first(self) -> int:
        start = self.call.paging.start
        self._page = start if start >= 0 else int(self.call.paging.style == "page")
        return self._page

    def following(self, page: Page) -> Next | None:
        if self._ended(page):
            return None
        if not page.items:
            raise self.truncated("gave an empty page before the end")
        self._page += 1 if self.call.paging.style == "page" else len(page.items)
        return Next(value=self._page)

    def _ended(self, page: Page) -> bool:
        paging = self.call.paging
        if paging.last == "more":
            return self.more(page) is False
        if paging.last == "total":
            return self.count >= (self.total(page) or 0)
        return len(page.items) < (paging.size if paging.last == "short" else 1)


_STYLES: dict[str, type[Continuation]] = {
    "none": _Single,
    "link": _Link,
    "token": _Told,
    "next_url": _Told,
    "cursor": _Told,
    "offset": _Counted,
    "page": _Counted,
}


def continuation(call: Ready, base: str) -> Continuation:
    """Return how the list of *call* goes on."""
    return _STYLES[call.paging.style](call, base)

"""What an author's test plays the vendor with: the vendor's side of every promise, over real sockets."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from enum import StrEnum
from typing import Protocol

from collector.model import Json, Scope
from collector.procedure import Kind


class Trouble(StrEnum):
    """What the vendor does instead of answering, in its own words and codes."""

    DENIED = "denied"  # the permission is missing
    THROTTLED = "throttled"  # asked too fast; it may ask to wait
    CUT = "cut"  # the whole answer is announced, half of it comes


class World(Protocol):
    """One vendor as a test plays it, in which somebody else has put what the connector is to find."""

    def hold(self, kind: Kind, count: int) -> Collection[str]:
        """Hold *count* items of *kind*, in pages of two items at most; return their keys, each as often as it is held.

        A kind without a list is one item, whose key is the scope's name. It happened within the last hour, of an event
        kind. What was held before is forgotten. A vendor that answers 304 holds something new each time: there is no
        body to cut.
        """

    def settings(self) -> Mapping[str, Json]:
        """Return the settings of a source that reads this world, with two attempts at each request.

        Asked after every `hold`; equal settings share a session.
        """

    def scope(self, kind: Kind) -> Scope:
        """Return the scope in which the items are held."""

    def operations(self, kind: Kind) -> Sequence[str]:
        """Return what reading *kind* calls, in the world's own names, the list that pages first."""

    def trouble(self, operation: str, trouble: Trouble, *, nth: int = 1, times: int | None = None) -> None:
        """Give *trouble* for *operation* from its *nth* request on, *times* times or for ever."""

    def plant(self, kind: Kind, secret: str) -> None:
        """Put *secret* into a text of the items held, one that people fill in and the kind reads."""

    def credentials(self) -> Collection[str]:
        """Return the secrets that the settings refer to."""

    def calm(self) -> None:
        """End all trouble and forget the requests so far."""

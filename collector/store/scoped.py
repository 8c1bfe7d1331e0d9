"""The store as far as one engagement goes: whoever holds it can read nothing outside of the engagement's terms."""

from __future__ import annotations

from collector.engagement import Engagement
from collector.store.store import Store


class Scoped(Store):
    """A store within the terms of *engagement*; it shares the connections of *whole*, and closing it does nothing."""

    def __init__(self, whole: Store, engagement: Engagement) -> None:
        self.__dict__.update(vars(whole))
        self.engagement = engagement

    def close(self) -> None:
        """Do nothing: the connections are the whole store's."""

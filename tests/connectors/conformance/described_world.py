"""A described fake as the world of a trial; a vendor's own says what is held and which calls a kind makes."""

from __future__ import annotations

from abc import ABC, abstractmethod
from datetime import UTC, datetime, timedelta

from collector.model import Scope
from collector.testing.world import Trouble
from tests.fakes.described import described, trouble

TROUBLES = {Trouble.DENIED: trouble.deny, Trouble.THROTTLED: lambda: trouble.throttle(0), Trouble.CUT: trouble.cut}


class DescribedWorld(ABC):
    """Plays *vendor*; *calls* has the operations of each kind, the list first. See `collector.testing.World`."""

    vendor: object
    calls: dict[str, tuple[str, ...]]
    place: tuple[str, str]

    def __init__(self, folder):
        self.fake = described(self.vendor, pages_of=2)
        self.folder = folder
        self.now = datetime.now(UTC)
        self._held = 0

    def __enter__(self):
        self.fake.__enter__()
        self.secret_file = self.folder / f"{self.vendor.name}.secret"
        self.credential = self.fake.token()
        self.secret_file.write_text(self.credential)
        self.settle()
        return self

    def __exit__(self, *error):
        self.fake.__exit__(*error)

    def settle(self):  # noqa: B027
        """Put what is there whatever is held: who we are."""

    @abstractmethod
    def furnish(self, kind, count, text):
        """Hold *count* items of the kind of that name, with *text* where people write; return their keys."""

    @abstractmethod
    def own(self):
        """Return the vendor's own settings."""

    def hold(self, kind, count):
        self._held = count
        return self.furnish(kind.name, count, "plain")

    def plant(self, kind, secret):
        self.furnish(kind.name, self._held, secret)

    def settings(self):
        return {"addresses": {"main": self.fake.url}, "requests_per_second": {"*": 1e6}, "attempts": 2, **self.own()}

    def scope(self, kind):
        return Scope(*self.place)

    def operations(self, kind):
        return self.calls[kind.name]

    def trouble(self, operation, what, *, nth=1, times=None):
        self.fake.trouble(operation, TROUBLES[what](), nth=nth, times=times)

    def credentials(self):
        return [self.credential]

    def calm(self):
        self.fake.calm()

    def ago(self, minutes):
        """Return the instant *minutes* before the world began, as most vendors write it."""
        return (self.now - timedelta(minutes=minutes)).strftime("%Y-%m-%dT%H:%M:%S.000Z")

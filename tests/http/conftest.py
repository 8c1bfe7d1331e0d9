"""A connector over HTTP whose vendor is a server on loopback."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest

from collector.clock import SystemClock
from collector.connector import Reading
from collector.http import Api, HttpConnector, HttpSession, HttpSettings, Unauthenticated
from collector.model import Principal, Scope
from collector.procedure import Kind
from tests.http.loopback import Loopback

ORG = Scope("acme", "org")


class VendorSession(HttpSession):
    """Everybody is reader@acme; there is one organisation."""

    def identify(self):
        return Principal("reader@acme", "acme")

    def find_scopes(self):
        return [ORG]


class VendorConnector(HttpConnector):
    """What a connector adds to the engine, and no more."""

    name = "vendor"
    level_names = ("org",)
    folder = Path(__file__).parent

    def __init__(self, api, authorizer=None):
        self.api = api
        self._authorizer = authorizer or Unauthenticated()
        super().__init__()

    def authorizer(self, settings, clock):
        return self._authorizer

    def session(self, opening):
        return VendorSession(opening)


class Vendor:
    """A loopback server and the connector that reads it. Times are short, retries few."""

    def __init__(self):
        self.server = Loopback()
        self.clock = SystemClock()
        self.authorizer = None
        self._api = {"rates": {"*": 1000.0}, "limits": {"backoff_s": 0.01, "longest_backoff_s": 0.02}}
        self._settings = {"read_timeout_s": 5, "connect_timeout_s": 2, "attempts": 3}
        self.reading = None
        self.connector = None

    def api(self, **changes):
        """Change what the connector declares."""
        limits = {**self._api["limits"], **changes.pop("limits", {})}
        self._api = {**self._api, **changes, "limits": limits}

    def set(self, **changes):
        """Change the source's settings."""
        self._settings |= changes

    def connect(self):
        """Return the connector, made at its first use."""
        if self.connector is None:
            api = Api.model_validate({"hosts": {"main": "https://vendor.invalid"}, **self._api})
            self.connector = VendorConnector(api, self.authorizer)
        return self.connector

    def open(self, clock=None):
        """Return a session with the server."""
        addresses = {"main": self.server.url, **self._settings.pop("addresses", {})}
        settings = HttpSettings.model_validate({"connector": "vendor", **self._settings, "addresses": addresses})
        return self.connect().open("vendor:acme", settings, clock or self.clock)

    def read(self, spec, *, limit=20.0, sample=False, clock=None):
        """Return every item of the kind that *spec* (TOML) declares; the reading is kept as `reading`."""
        clock = clock or self.clock
        self.reading = Reading(clock, clock.monotonic() + limit, sample=sample)
        session = self.open(clock)
        try:
            return list(session.read(kind(spec), ORG, self.reading))
        finally:
            session.close()

    def calls(self):
        """Return what the ledger of the last reading has, by operation."""
        return {each.operation: each for each in self.reading.calls.operations()}


def kind(spec):
    """Return the kind of organisations that the TOML *spec* declares."""
    return Kind.model_validate(
        {"name": "vendor.things", "title": "Things of a vendor", "scope": "org", "grants": ["things:read"]}
        | tomllib.loads(spec)
    )


@pytest.fixture
def vendor():
    """A vendor of things, on loopback."""
    vendor = Vendor()
    yield vendor
    vendor.server.close()

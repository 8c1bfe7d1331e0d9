"""An account on loopback and the AWS connector reading it; and boto3 alone, to compare with."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta

import pytest

from collector.connector import Reading
from collector.model import Scope, Window
from collector.testing import HurriedClock
from connectors.aws import connector
from tests.fakes.aws import FakeAws
from tests.fakes.aws.account import furnish
from tests.fakes.aws.boto import Boto
from tests.fakes.aws.fixtures import ACCOUNT, START

REGIONS = ("us-east-1", "eu-west-1")
COUNT, PAGE = 12, 5
WINDOW = Window(START + timedelta(minutes=1), START + timedelta(minutes=8))


@pytest.fixture(autouse=True)
def credentials(monkeypatch):
    """Credentials of nobody, and nothing of the machine's own."""
    for name in ("AWS_PROFILE", "AWS_REGION", "AWS_DEFAULT_REGION", "AWS_ENDPOINT_URL", "AWS_SESSION_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    for name in ("AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE"):
        monkeypatch.setenv(name, "/nonexistent")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIAFAKE")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")


@pytest.fixture(scope="module")
def _account():
    with FakeAws() as server:
        furnish(server, COUNT, REGIONS)
        server.at_most("*", "*", PAGE)
        yield server


@pytest.fixture
def aws(_account):
    """Twelve of everything in two regions, five a page."""
    _account.calm()
    yield _account
    _account.calm()
    _account.verify()


@dataclass
class Reader:
    """Reads kinds of the account at *url* by the connector, as the daemon does."""

    url: str
    settings: dict = field(default_factory=dict)
    sessions: list = field(default_factory=list)
    clock: HurriedClock = field(default_factory=HurriedClock)

    def read(self, kind, region="us-east-1", *, limit_s=60.0, window=WINDOW):
        """Return every item and the ledger's operations by name; *kind* is a name or a `Kind`."""
        items = []
        reading = self.reading(kind, region, items.append, limit_s=limit_s, window=window)
        return items, {each.operation: each for each in reading.calls.operations()}

    def reading(self, kind, region, take, *, limit_s=60.0, window=WINDOW):
        """Hand every item to *take* as it comes, and return the reading."""
        kind = connector.kinds()[kind] if isinstance(kind, str) else kind
        reading = Reading(self.clock, self.clock.monotonic() + limit_s, window=window if kind.since else None)
        scope = Scope(ACCOUNT if kind.scope == "account" else region, kind.scope)
        for item in self.session().read(kind, scope, reading):
            take(item)
        return reading

    def session(self):
        """Return the session, opened when first asked for."""
        if not self.sessions:
            fast = {"requests_per_second": {"*": 1e6}, "attempts": 1, "regions": list(REGIONS)}
            settings = connector.settings(endpoint_url=self.url, **{**fast, **self.settings})
            self.sessions.append(connector.open(f"aws:{id(self)}", settings, self.clock))
        return self.sessions[0]

    def close(self):
        for session in self.sessions:
            session.close()


@pytest.fixture(scope="module")
def _readers():
    """Sessions by server, closed after the last test of the file: building clients is what takes long."""
    kept = {}
    yield kept
    for each in kept.values():
        each.close()


@pytest.fixture
def reader(_readers):
    """Make a `Reader` of a server; with *settings* it has a session of its own."""
    made = []

    def make(aws, **settings):
        if settings:
            made.append(Reader(aws.url, settings))
            return made[-1]
        return _readers.setdefault(aws.url, Reader(aws.url))

    yield make
    for each in made:
        each.close()


@pytest.fixture(scope="module")
def _clients():
    return {}


@pytest.fixture
def boto(aws, _clients):
    """boto3 alone, on the same account."""
    return lambda region="us-east-1": Boto(aws.client, region, WINDOW.since, WINDOW.until, clients=_clients)

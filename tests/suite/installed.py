"""An installation that reads a fake AWS account in this process, by the real connector, dispatcher and store."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

import pytest

from collector.ask.coverage import Question, coverage
from collector.config import load_config
from collector.dispatch import Dispatcher
from collector.model import Period
from collector.store import open_store
from connectors.aws import connector as shipped
from tests.fakes.aws import FakeAws
from tests.fakes.aws.account import furnish
from tests.fakes.clock import PlayedClock

START = datetime(2026, 3, 14, 3, tzinfo=UTC)
REGION = "us-east-1"
CONFIG = """
[store]
url = "{url}"
[plan]
jitter = "0s"
grace = "5m"
[every]
"*" = "1h"
[sources."aws:prod"]
kinds = {kinds}
regions = {regions}
endpoint_url = "{endpoint}"
requests_per_second = {{ "*" = 1e6 }}
attempts = 1
read_timeout_s = {patience}
"""


class Installed:
    """Reads *kinds* of the account that *aws* plays, every hour from `START` on."""

    def __init__(self, folder, url, aws, *kinds, regions=f'["{REGION}"]', connector=shipped, patience=20):
        self.clock = PlayedClock(START)
        self.kind = kinds[0]
        self.connectors = {"aws": connector}
        self.path = folder / "evidenced.toml"
        named = {"kinds": json.dumps(kinds), "regions": regions, "endpoint": aws.url, "patience": patience}
        self.path.write_text(CONFIG.format(url=url, **named))
        self.store = open_store(url, clock=self.clock)
        self.start()

    def start(self):
        self.dispatcher = Dispatcher(load_config(self.path, self.connectors), self.connectors, self.store, self.clock)
        self.dispatcher.start()

    def tick(self, by=timedelta(0)):
        """Let *by* pass, read what is due then, and return the newest run of the first kind."""
        self.clock.move(by)
        self.dispatcher.tick()
        self.dispatcher.settle()
        return self.last(self.kind)

    def last(self, kind):
        return max(self.store.runs(kind=kind, limit=1000), key=lambda run: run.finished)

    def items(self, kind=None):
        return {
            each.key: json.loads(self.store.artifact(each.artifact))
            for each in self.store.as_of(kind or self.kind, self.clock.now())
        }

    def coverage(self, by="criterion"):
        """Return how the slots since the start were covered, a minute from now."""
        now = self.clock.move(timedelta(minutes=1))
        return coverage(self.store, Question(Period(START, now), by=by), now=now, grace=timedelta(minutes=5))

    def close(self):
        self.dispatcher.stop()
        self.store.close()


def identify(patch):
    """Give this process the credentials of nobody, and nothing of the machine's own."""
    for name in ("AWS_PROFILE", "AWS_REGION", "AWS_DEFAULT_REGION", "AWS_ENDPOINT_URL", "AWS_SESSION_TOKEN"):
        patch.delenv(name, raising=False)
    for name in ("AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE"):
        patch.setenv(name, "/nonexistent")
    patch.setenv("AWS_ACCESS_KEY_ID", "AKIAFAKE")
    patch.setenv("AWS_SECRET_ACCESS_KEY", "secret")


@pytest.fixture
def account():
    """An account with six of everything in one region."""
    with FakeAws() as server:
        furnish(server, 6, [REGION])
        yield server


@pytest.fixture
def install(tmp_path, sqlite_url, account, monkeypatch):
    """What installs the daemon's parts for some kinds of the account."""
    identify(monkeypatch)
    made = []

    def make(*kinds, **more):
        made.append(Installed(tmp_path, sqlite_url, account, *kinds, **more))
        return made[-1]

    yield make
    for each in made:
        each.close()

"""A paper vendor, a plan over it, a clock the test moves, and a dispatcher that runs them on a real store."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from collector.config import load_config
from collector.dispatch import Dispatcher
from collector.store import open_store
from tests.fakes.clock import PlayedClock
from tests.fakes.paper import Paper
from tests.suite.installed import account, install
from tests.suite.site import aws, site

__all__ = ["account", "aws", "install", "site"]

CONFIG = """
[store]
url = "{url}"

[plan]
daily_at = "03:00"
jitter = "0s"
grace = "5m"

[sources."paper:hq"]
{more}
"""


START = datetime(2026, 3, 14, 3, 10, tzinfo=UTC)


class Desk:
    """Everything of one installation, and `pass_time`, which ticks as the daemon does."""

    def __init__(self, tmp_path, url, opening=None):
        self.path = tmp_path / "evidenced.toml"
        self.url = url
        self.clock = PlayedClock(START)
        self.paper = Paper({"paper.users": [{"id": "ana"}], "paper.rooms": [{"id": "1"}], "paper.doors": []})
        self.paper.opening = opening
        self.configure()
        self.store = open_store(url, clock=self.clock)
        self.dispatcher = self.start()

    def configure(self, more=""):
        self.path.write_text(CONFIG.format(url=self.url, more=more))
        return load_config(self.path, {"paper": self.paper})

    def start(self, more=""):
        self.dispatcher = Dispatcher(self.configure(more), {"paper": self.paper}, self.store, self.clock)
        self.dispatcher.start()
        return self.dispatcher

    def tick(self):
        self.dispatcher.tick()
        self.dispatcher.settle()

    def pass_time(self, by, *, step=None):
        end = self.clock.at + by
        while self.clock.at < end:
            self.clock.move(min(step or by, end - self.clock.at))
            self.tick()

    def close(self):
        self.dispatcher.stop()
        self.store.close()


@pytest.fixture
def desk(tmp_path, store_url):
    desk = Desk(tmp_path, store_url)
    yield desk
    desk.close()

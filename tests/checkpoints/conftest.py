"""An installation that signs its log: a store on each engine, a signer with a key, an anchor, a clock that is moved."""

from __future__ import annotations

import io
import json
import logging
from datetime import timedelta

import pytest
import structlog

from collector.anchors.directory import DirectoryAnchor
from collector.checkpointing import Checkpointing
from collector.checkpoints import Checkpointer
from collector.config import load_config
from collector.deliveries import Deliveries, anchor_queue, authority_queue
from collector.log.origin import log_name
from collector.logs import configure_logs
from collector.signer import FileSigner
from collector.store import open_store
from collector.timestamps import Authority
from tests.fakes.authority import TimeStampAuthority
from tests.fakes.backup import beside, copy_database
from tests.fakes.clock import PlayedClock


class Office:
    """One installation. `grow` adds leaves; `back_up` and `restore` copy the database as an operator does."""

    def __init__(self, folder, url):
        self.folder, self.url = folder, url
        self.clock = PlayedClock()
        self.references = [f"file:{folder}/one.key"]
        self.memory = folder / "signer.json"
        self.vault = folder / "vault"
        self.vault.mkdir()
        self.anchors = {"vault": DirectoryAnchor("vault", self.vault)}
        self.open()

    def open(self):
        self.store = open_store(self.url, clock=self.clock)
        self.signer = FileSigner(self.references, self.memory)
        self.checkpointer = Checkpointer(self.store, self.signer, self.clock)

    @property
    def checkpoints(self):
        return self.store.checkpoints

    @property
    def log(self):
        return log_name(self.store.id)

    def use(self, *references):
        self.references = list(references)
        self.signer = FileSigner(self.references, self.memory)
        self.checkpointer = Checkpointer(self.store, self.signer, self.clock)

    def grow(self, leaves=1):
        for number in range(leaves):
            self.store.append_tag("run:1-0", "C-1", f"note {number}", "Ana")

    def take(self):
        """Take a checkpoint and deliver it to the anchors."""
        taken = self.checkpointer.take()
        self.deliveries().send(now=True)
        return taken

    def deliveries(self, authorities=None):
        queues = [authority_queue(self.store, name, each) for name, each in (authorities or {}).items()]
        queues += [anchor_queue(self.store, name, each) for name, each in self.anchors.items()]
        return Deliveries(self.store, queues, self.clock)

    def pass_time(self, **by):
        self.clock.move(timedelta(**by))

    def back_up(self):
        self.store.close()
        copy_database(self.url, self._backup)
        self.open()

    def restore(self):
        self.store.close()
        copy_database(self._backup, self.url)
        self.open()

    @property
    def _backup(self):
        return beside(self.url, "backup")

    def close(self):
        self.store.close()


@pytest.fixture
def office(tmp_path, store_url):
    """An installation whose log has a key, on each engine in turn."""
    office = Office(tmp_path, store_url)
    office.checkpointer.create_key("Ana")
    yield office
    office.close()


@pytest.fixture
def small_office(tmp_path, sqlite_url):
    """An installation whose log has a key, on SQLite alone: for what does not depend on the engine."""
    office = Office(tmp_path, sqlite_url)
    office.checkpointer.create_key("Ana")
    yield office
    office.close()


@pytest.fixture
def configured(small_office):
    """What makes the daemon's `Checkpointing` of the small office from the text of its section."""

    def configured(text, unasked=()):
        path = small_office.folder / "evidenced.toml"
        path.write_text(f'[store]\nurl = "{small_office.url}"\n[checkpoints]\nmemory = "signer.json"\n{text}')
        config = load_config(path, {})
        return Checkpointing(config, small_office.store, small_office.clock, frozenset(unasked))

    return configured


@pytest.fixture(scope="session", params=["tidy", "untidy"])
def made_authority(request, tmp_path_factory):
    """An authority whose certificates were made once: one that reads strictly, and one that only openssl reads."""
    return TimeStampAuthority(tmp_path_factory.mktemp("authority"), untidy=request.param == "untidy")


@pytest.fixture
def tsa(made_authority):
    """A time stamp authority that is up."""
    made_authority.instead, made_authority.asked = None, 0
    made_authority.up()
    yield made_authority
    made_authority.down()


@pytest.fixture
def stamper(tsa):
    """The authority as the collector sees it, its root known."""
    return Authority("paper", tsa.url, tsa.root)


@pytest.fixture
def lines():
    """What was logged so far, each line as a dict."""
    out = io.StringIO()
    configure_logs(form="json", stream=out)
    yield lambda: [json.loads(line) for line in out.getvalue().splitlines()]
    structlog.reset_defaults()
    logging.getLogger().handlers.clear()

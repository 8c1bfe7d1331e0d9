"""An installation that signs its log: a store on each engine, a signer with a key, an anchor, a clock that is moved."""

from __future__ import annotations

import io
import json
import logging
import shutil
import threading
from dataclasses import dataclass
from datetime import timedelta

import pytest
import structlog

from collector.anchors.directory import DirectoryAnchor
from collector.checkpointing import Checkpointing
from collector.checkpoints import Checkpointer
from collector.cli.exits import run
from collector.config import load_config
from collector.deliveries import Deliveries, anchor_queue, authority_queue
from collector.log.origin import log_name
from collector.logs import configure_logs
from collector.signer import FileSigner, serve
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

    def configured(self, text):
        """Return the configuration with *text* in its section [checkpoints]."""
        path = self.folder / "evidenced.toml"
        path.write_text(f'[store]\nurl = "{self.url}"\n[checkpoints]\nmemory = "signer.json"\n{text}')
        return load_config(path, {})

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
def keyless_office(tmp_path, sqlite_url):
    """An installation whose log has no key yet, on SQLite alone: for what does not depend on the engine."""
    office = Office(tmp_path, sqlite_url)
    yield office
    office.close()


@pytest.fixture
def small_office(keyless_office):
    """The same, with a key."""
    keyless_office.checkpointer.create_key("Ana")
    return keyless_office


@pytest.fixture
def served(tmp_path):
    """What lets a signer listen in a thread of its own, and gives its socket."""
    running = []

    def served(signer):
        path, up = tmp_path / "s", threading.Event()

        def ready(stop):
            running.append((stop, thread))
            up.set()

        thread = threading.Thread(target=serve, args=(signer, path), kwargs={"ready": ready})
        thread.start()
        assert up.wait(10)
        return path

    yield served
    for stop, thread in running:
        stop()
        thread.join(10)


@pytest.fixture
def configured(keyless_office):
    """What makes the daemon's `Checkpointing` of the small office from the text of its section."""
    office = keyless_office

    def configured(text, unasked=()):
        office.config = office.configured(text)
        return Checkpointing(office.config, office.store, office.clock, frozenset(unasked))

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


@dataclass
class Answer:
    code: int
    out: str
    err: str

    @property
    def json(self):
        return json.loads(self.out)


class Site:
    """A folder with a configuration; `evidenced` runs a command in this process."""

    def __init__(self, folder, capsys):
        self.folder, self.capsys = folder, capsys
        (folder / "vault").mkdir()
        self.configure()

    def configure(self, more="", keys=("one",)):
        named = json.dumps([f"file:{self.folder}/{each}.key" for each in keys])
        (self.folder / "evidenced.toml").write_text(
            f'[checkpoints]\nkeys = {named}\n[checkpoints.anchors.vault]\ntype = "directory"\n'
            f'path = "{self.folder}/vault"\n{more}'
        )

    def evidenced(self, *arguments):
        code = run([*arguments, "--config", str(self.folder / "evidenced.toml")])
        printed = self.capsys.readouterr()
        return Answer(code, printed.out, printed.err)

    def store(self):
        return open_store(f"sqlite:///{self.folder}/evidenced.db", clock=PlayedClock())

    def restore(self, backup):
        for each in self.folder.glob("evidenced.db*"):
            if each.is_file():
                each.unlink()
        shutil.copyfile(backup, self.folder / "evidenced.db")

    def back_up(self):
        self.store().close()
        return shutil.copyfile(self.folder / "evidenced.db", self.folder / "backup.db")


@pytest.fixture
def site(tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("EVIDENCED_CONFIG", raising=False)
    return Site(tmp_path, capsys)


@pytest.fixture
def keyed(site):
    """A site whose log has its first key."""
    assert site.evidenced("keys", "create", "--as", "Ana").code == 0
    return site


@pytest.fixture
def sourced(keyed, monkeypatch, tmp_path_factory):
    """A keyed site with a source of the paper vendor, installed as a stranger's package is."""
    info = tmp_path_factory.mktemp("installed") / "paper_vendor-1.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: paper-vendor\nVersion: 1\n")
    (info / "entry_points.txt").write_text("[evidenced.connectors]\npaper = tests.fakes.paper_file:connector\n")
    monkeypatch.syspath_prepend(str(info.parent))
    (keyed.folder / "world.json").write_text('{"paper.users": [{"id": "ana"}]}')
    keyed.configure(f'[sources."paper:hq"]\nworld = "{keyed.folder}/world.json"\n')
    return keyed

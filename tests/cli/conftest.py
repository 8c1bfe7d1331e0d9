"""An installation with a paper vendor, the command line as a user calls it, and a story that was collected before."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import uuid
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import psycopg
import pytest

from collector.cli.exits import run
from collector.config import load_config
from collector.dispatch import Dispatcher
from collector.store import open_store
from tests.fakes.clock import PlayedClock
from tests.fakes.paper_file import PaperFile

CONFIG = """
[store]
url = "{url}"

[plan]
jitter = "0s"
grace = "5m"
daily_at = "03:00"

[sources."paper:hq"]
world = "{world}"
{more}
"""
PROGRAM = [sys.executable, "-c", "from collector.cli import main; main()"]
ROOT = Path(__file__).resolve().parents[2]
DENIED = {
    "raises": "Denied",
    "message": "GET /users was refused, it needs paper:read_users",
    "hint": "Grant it to paper:reader.",
}
HOSTILE = "\x1b[31mred\x1b[0m \u202egnp.exe [bold]loud[/bold]\nforged: line"


@dataclass
class Answer:
    """What a command printed, and its exit code."""

    code: int
    out: str
    err: str

    @property
    def json(self):
        return json.loads(self.out)


@pytest.fixture(scope="session")
def paper_package(tmp_path_factory):
    """A folder that makes the paper vendor an installed connector, as a stranger's package would."""
    folder = tmp_path_factory.mktemp("installed")
    info = folder / "paper_vendor-1.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: paper-vendor\nVersion: 1\n")
    (info / "entry_points.txt").write_text("[evidenced.connectors]\npaper = tests.fakes.paper_file:connector\n")
    return folder


class Site:
    """A folder with a configuration and a world; `evidenced` runs a command in this process, `start` in another."""

    def __init__(self, folder, url, capsys=None, package=None):
        self.folder, self.url, self.capsys, self.package = folder, url, capsys, package
        self.config = folder / "evidenced.toml"
        self.world_file = folder / "world.json"
        self.configure()
        self.world({"paper.users": [{"id": "ana"}], "paper.rooms": [{"id": "1"}], "paper.doors": []})

    def configure(self, more="", url=None):
        self.config.write_text(CONFIG.format(url=url or self.url, world=self.world_file, more=more))

    def world(self, world):
        self.world_file.write_text(json.dumps(world))

    def evidenced(self, *arguments, config=True):
        code = run([*arguments, "--config", str(self.config)] if config else list(arguments))
        printed = self.capsys.readouterr()
        return Answer(code, printed.out, printed.err)

    def environment(self, **more):
        path = os.pathsep.join([str(ROOT), str(self.package)])
        return {**os.environ, "PYTHONPATH": path, "EVIDENCED_CONFIG": str(self.config), **more}

    def start(self, *arguments, environment=None, **more):
        return subprocess.Popen(
            [*PROGRAM, *arguments],
            env=self.environment(**(environment or {})),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            cwd=self.folder,
            **more,
        )

    def call(self, *arguments, environment=None, **more):
        process = self.start(*arguments, environment=environment, **more)
        out, err = process.communicate(timeout=60)
        return Answer(process.returncode, out, err)

    def start_on(self, terminal, *arguments, **environment):
        return subprocess.Popen(
            [*PROGRAM, *arguments],
            env={**self.environment(), **environment},
            stdin=terminal,
            stdout=terminal,
            stderr=terminal,
            cwd=self.folder,
        )

    def store(self, clock=None):
        return open_store(self.url, clock=clock or PlayedClock())


@pytest.fixture
def site(tmp_path, sqlite_url, capsys, paper_package, monkeypatch):
    """An installation on SQLite; nothing was collected yet."""
    monkeypatch.syspath_prepend(str(paper_package))
    for name in ("EVIDENCED_CONFIG", "EVIDENCED_DEBUG", "COLUMNS", "NO_COLOR"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.chdir(tmp_path)
    return Site(tmp_path, sqlite_url, capsys, paper_package)


# The story: nine hours of 14 March 2025, users and doors hourly, rooms daily at three.
MIDNIGHT = datetime(2025, 3, 14, tzinfo=UTC)


def clock_time(text):
    """Return the time of day *text* (``05:00``) of the story, as a user types it."""
    return f"2025-03-14T{text}:00Z"


class Story:
    """Plays the daemon through a morning, on a real store, with a clock that the story moves."""

    def __init__(self, folder, url):
        self.site = Site(folder, url)
        self.clock = PlayedClock(MIDNIGHT + timedelta(minutes=30))
        self.store = open_store(url, clock=self.clock)
        self.users = [{"id": "ana", "role": "admin", "groups": ["a", "b"], "seen": 1, "token": "t-1"}]

    def play(self):
        with self.daemon("00:30") as tick:
            tick("00:30")
            tick("01:00")
            self.users[0] |= {"role": "reader", "groups": ["b", "c"]}
            self.users.append({"id": "ben", "role": "reader", "groups": [], "seen": 1})
            tick("02:00")
            tick("03:00", DENIED)
            tick("04:00", DENIED)
            self.users[0]["seen"] = 2
            tick("05:00")
        del self.users[0]
        with self.daemon("08:20") as tick:  # it was down since 05:00
            tick("08:20")
            self.users.append({"id": HOSTILE, "role": "[red]reader[/red]", "groups": []})
            tick("09:00")

    def set_users(self, users):
        self.site.world({"paper.users": users, "paper.rooms": [{"id": "1"}], "paper.doors": [{"id": "d1"}]})

    def at(self, text):
        hour, minute = map(int, text.split(":"))
        self.clock.at = MIDNIGHT + timedelta(hours=hour, minutes=minute)

    @contextmanager
    def daemon(self, started):
        """Yield `tick`, which reads at a time of day; users as they are then, unless others are given."""
        self.at(started)
        connectors = {"paper": PaperFile()}
        dispatcher = Dispatcher(load_config(self.site.config, connectors), connectors, self.store, self.clock)
        self.set_users(self.users)
        dispatcher.start()

        def tick(text, users=None):
            self.at(text)
            self.set_users(users or self.users)
            dispatcher.tick()
            dispatcher.settle()

        yield tick
        dispatcher.stop()


@pytest.fixture(scope="session", params=["sqlite", "postgresql"])
def told(request, tmp_path_factory):
    """The site of the story after it was played, on each engine in turn; to be asked, not to be changed."""
    folder = tmp_path_factory.mktemp("told")
    if request.param == "sqlite":
        url = f"sqlite:///{folder}/evidence.db"
    else:
        server = request.getfixturevalue("postgresql_server")
        name = f"story_{uuid.uuid4().hex}"
        with psycopg.connect(server, autocommit=True) as conn:
            conn.execute(f"CREATE DATABASE {name}")
        url = server.replace("/postgres?", f"/{name}?")
    story = Story(folder, url)
    story.play()
    story.store.close()
    return story.site


@pytest.fixture
def story(told, capsys, paper_package, monkeypatch):
    """The told story, to be asked by the command line."""
    monkeypatch.syspath_prepend(str(paper_package))
    monkeypatch.delenv("COLUMNS", raising=False)
    told.capsys, told.package = capsys, paper_package
    return told

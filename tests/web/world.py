"""A quarter's evidence in one store, made by the daemon's own code: what pages and API are asked about.

Two accounts of two vendors, read daily from January to March 2025. `acme:hq` lies in the engagement `soc2-2025`;
everything of `vaultmark:cellar`, which lies in the other one, has `MARK` in its name. Between them: days on which
users were refused, a region that was throttled, days on which nothing ran, a service that is switched off, people who
came, left and changed, doors that opened, and names that would do harm where they are not shown as text.
"""

from __future__ import annotations

import shutil
import sqlite3
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from pathlib import Path

from structlog.testing import capture_logs

from collector.ask import engagements, populations, requests, reviews, samples, uploads
from collector.ask.reconciling import Side, reconciled
from collector.ask.reconciling import record as record_reconciliation
from collector.checkpoints import Checkpointer
from collector.clock import SystemClock
from collector.config import load_config
from collector.dispatch import Dispatcher
from collector.engagement import Examination, Terms
from collector.model import Period
from collector.sample import Method
from collector.signer import FileSigner
from collector.store import open_store
from collector.tag import load_controls
from tests.fakes.clock import PlayedClock
from tests.web.vendors import DENIED, DOWN, FORMULA, MARK, SCRIPT, show
from tests.web.vendors import vendors as vendors_of

ENGAGEMENT, OTHER = "soc2-2025", f"{MARK}-2025"
AUDITOR = "eva@auditors.example"
"""Who is an auditor of `ENGAGEMENT` when they sign in through a provider."""
HQ, CELLAR = "acme:hq", f"{MARK}:cellar"
PERIOD = Period(datetime(2025, 1, 1, tzinfo=UTC), datetime(2025, 4, 1, tzinfo=UTC))
_DAY = timedelta(days=1)
GRACE = timedelta(minutes=30)

CONFIG = """
controls = "controls.toml"
[store]
url = "{url}"
[plan]
jitter = "0s"
grace = "30m"
daily_at = "03:00"
[sources."acme:hq"]
[sources."{mark}:cellar"]
"""

CONTROLS = f"""
[[control]]
id = "AC-01"
title = "People sign in with a second factor"
criteria = ["CC6.1"]
kinds = ["acme.users"]
from = 2000-01-01

[[control]]
id = "AC-02"
title = "Accounts are opened on request and closed the day a person leaves"
criteria = ["CC6.2", "CC6.3"]
kinds = ["acme.users"]
from = 2000-01-01

[[control]]
id = "PH-01"
title = "Rooms with equipment are known, locked and counted"
criteria = ["CC6.4"]
kinds = ["acme.rooms"]
upload = "quarterly"
from = 2000-01-01

[[control]]
id = "MO-01"
title = "Openings of doors are recorded and looked at"
criteria = ["CC7.2"]
kinds = ["acme.doors", "{MARK}.ledgers"]
from = 2000-01-01
"""

REQUESTS = (
    "id,title,criterion,due\n"
    "R-01,Population of users for the period with joiners and leavers,CC6.1,2025-04-10\n"
    'R-02,"Sample of 25 users: approval of their access",CC6.2,2025-04-17\n'
    "R-03,List of visitors of the equipment rooms,CC6.4,2025-04-17\n"
    f'R-04,"{FORMULA} {SCRIPT}",CC7.2,\n'
)
VISITORS = b"day,visitor,room\n2025-01-14,=1+1,r-2\n2025-02-20,Marta Ruiz,r-1\n"


@dataclass(frozen=True, slots=True)
class Made:
    """The ids of what people recorded in the world."""

    population: int
    doors: int
    foreign: int
    sample: int
    foreign_sample: int
    upload: int
    foreign_upload: int
    review: int
    reconciliation: int


@dataclass(frozen=True, slots=True)
class World:
    """The folder with ``evidenced.toml`` and the database, where the store is, and what it holds."""

    folder: Path
    url: str
    made: Made

    @property
    def config(self) -> Path:
        """The configuration."""
        return self.folder / "evidenced.toml"

    def copy(self, folder: Path, url: str = "") -> World:
        """Copy the world to *folder*, to be recorded in; its store is at *url*, a copy already, or on SQLite."""
        for each in self.folder.iterdir():
            if each.is_file():
                shutil.copy(each, folder)
        url = url or f"sqlite:///{folder}/evidence.db"
        write_config(folder, url)
        return World(folder, url, self.made)


def write_config(folder: Path, url: str, more: str = "") -> Path:
    """Write the configuration and the controls; *more* is TOML that comes last: tables."""
    (folder / "controls.toml").write_text(CONTROLS, encoding="utf-8")
    path = folder / "evidenced.toml"
    path.write_text(CONFIG.format(url=url, mark=MARK) + more, encoding="utf-8")
    return path


def build(folder: Path, url: str) -> World:
    """Make the world in *folder*, with its store at *url*; nothing of it is logged."""
    with capture_logs():
        return _built(folder, url)


def _built(folder: Path, url: str) -> World:
    config = load_config(write_config(folder, url), vendors := vendors_of())
    clock = PlayedClock(PERIOD.start - _DAY)
    store = open_store(url, clock=clock)
    checkpointer = Checkpointer(store, _signer(folder), clock)
    checkpointer.create_key("Ana")
    for days in ((clock.at.date(), DOWN[0]), (DOWN[1], PERIOD.end.date() + _DAY)):
        clock.at = datetime.combine(days[0], time(2, 30), UTC)
        _collect(Dispatcher(config, vendors, store, clock), vendors, checkpointer, clock, days)
    clock.at = PERIOD.end + timedelta(days=2, hours=9)
    made = _desk(store, folder, clock)
    checkpointer.take()
    store.close()
    if url.startswith("sqlite"):
        with sqlite3.connect(folder / "evidence.db") as conn:
            conn.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        conn.close()
    return World(folder, url, made)


def _collect(dispatcher, vendors, checkpointer, clock, days) -> None:
    """Let a daemon run on *days* (first, end): a tick a day at three, and a checkpoint on Sundays."""
    day, end = days
    show(vendors, day)
    dispatcher.start()
    while day < end:
        clock.at = datetime.combine(day, time(3), UTC)
        show(vendors, day)
        dispatcher.tick()
        dispatcher.settle()
        if day.weekday() == 6:
            checkpointer.take()
        day += _DAY
    dispatcher.stop()


def _desk(store, folder: Path, clock: PlayedClock) -> Made:
    """Let people record what they do in an audit."""
    config = load_config(folder / "evidenced.toml", vendors_of())
    controls = load_controls(config.controls_path)
    for name, source in ((ENGAGEMENT, HQ), (OTHER, CELLAR)):
        auditor = AUDITOR if name == ENGAGEMENT else f"otto@{MARK}.example"
        terms = Terms(Examination.TYPE_II, PERIOD, sources=(source,), auditors=(auditor,))
        engagements.create(store, controls, name, terms, actor="Ana Alder")

    def frozen(kind, name):
        made = engagements.engagement_of(store, name)
        over = populations.over_period(store, kind, made, now=clock.now(), grace=GRACE)
        clock.move(timedelta(minutes=1))
        return populations.freeze(store, over, made, actor="Eva Lind").id

    def drawn(population, size, seed):
        wanted = samples.Wanted(Method.RANDOM, seed, size)
        return samples.draw(store, f"population:{population}", wanted, config.samples, actor="Eva Lind").id

    def uploaded(name, said, data, control="PH-01"):
        (folder / name).write_bytes(data)
        new = uploads.NewUpload(folder / name, control, "2025-01-01..2025-03-31", said)
        return uploads.upload(store, controls, made_for, new, config.uploads, actor="Ana Alder").id

    users, doors, ledgers = (
        frozen(*each) for each in (("acme.users", ENGAGEMENT), ("acme.doors", ENGAGEMENT), (f"{MARK}.ledgers", OTHER))
    )
    sample = drawn(users, "10", "Lottery of 2 April 2025: 4 8 15 16 23 42")
    foreign_sample = drawn(ledgers, "2", f"{MARK} seed")
    made_for = ENGAGEMENT
    upload = uploaded("visitors.csv", "The reception keeps this list by hand.", VISITORS)
    made_for = OTHER
    foreign = uploaded(f"{MARK}.txt", f"A {MARK} by hand.", MARK.encode())
    decision = reviews.NewReview(f"population:{users}", "exceptions-noted", "Two accounts left late; see R-02.")
    review = reviews.review(store, controls, decision, actor="Marta Ruiz").id
    left, right = Side(f"population:{users}", where="role=='admin'"), Side(f"population:{users}", where="second_factor")
    found = reconciled(store, left, right, at=clock.now(), now=clock.now())
    both = record_reconciliation(store, left, right, "", found, actor="Eva Lind").id
    _requests(store, folder, users, sample)
    return Made(users, doors, ledgers, sample, foreign_sample, upload, foreign, review, both)


def _requests(store, folder: Path, users: int, sample: int) -> None:
    for name, text in ((ENGAGEMENT, REQUESTS), (OTHER, f"id,title\nV-01,Every {MARK} of the period\n")):
        (folder / f"{name}.csv").write_text(text, encoding="utf-8")
        requests.import_requests(store, name, folder / f"{name}.csv", actor="Eva Lind")
    first = requests.request_of(store, "R-01", ENGAGEMENT)
    first = requests.link(store, first, f"population:{users}", note="", actor="Ana Alder")
    requests.set_status(store, first, "answered", note="Frozen after the period ended.", actor="Ana Alder")
    second = requests.link(
        store, requests.request_of(store, "R-02", ENGAGEMENT), f"sample:{sample}", note="", actor="Ana"
    )
    requests.comment(store, second, "Approvals follow by upload.", actor="Ana Alder")


def sign(world: World, store) -> None:
    """Take a checkpoint of *store*, a copy of *world*'s."""
    Checkpointer(store, _signer(world.folder), SystemClock()).take()


def _signer(folder: Path) -> FileSigner:
    return FileSigner([f"file:{folder}/log.key"], folder / "signer.json")


def last_run(store, kind: str, before: datetime) -> str:
    """Return the id of the last run of *kind* that was due before *before*."""
    return store.runs(Period(before - _DAY, before), kind=kind, limit=1)[0].id


def failed_run(store) -> str:
    """Return the id of the first run of users that was refused."""
    day = datetime(DENIED[0].year, DENIED[0].month, DENIED[0].day, tzinfo=UTC)
    return store.runs(Period(day, day + _DAY), kind="acme.users", limit=1)[0].id

"""A lived-in store with an engagement over all of it, and its bundle."""

from __future__ import annotations

import zipfile
from datetime import timedelta

import pytest

from collector.access import Role
from collector.act import ActKind, NewAct
from collector.ask.access import grant, record_reads
from collector.ask.coverage import Coverage, Question
from collector.coverage import Tally
from collector.engagement import Dated, Engagement, Examination, Terms
from collector.export import export
from collector.export.facts import GROUPED, Facts, Head
from collector.model import Period
from tests.verify.conftest import HOUR, NOON, USERS, Site, live

GRACE = timedelta(minutes=5)
NAME = "whole"
HOSTILE = {
    "=cmd|' /C calc'!A0": {"v": 1},
    "+1": {"v": 1},
    "-1": {"v": 1},
    "@SUM(1)": {"v": 1},
    "'quoted": {"v": 1},
    "../../etc/passwd": {"v": 1},
    "<script>alert(1)</script>": {"v": 1},
    "\t=1": {"v": 1},
    "nl\n=1": {"v": 1},
    "bidi\u202e\u200bgnp.exe": {"v": 1},
    "nul\x00": {"v": 1},
    "long" * 20_000: {"v": "x" * 300_000},
}


def engaged(site, name=NAME, start=NOON, end=NOON + 20 * 24 * HOUR, **terms):
    """Record the engagement *name*, and take a checkpoint over it."""
    made = Terms(Examination.TYPE_II, Period(start, end), ("CC6.1",), auditors=("Eva",), **terms)
    document = {"did": "created", "name": name, **made.document()}
    [act] = site.store.desk.record([NewAct(ActKind.ENGAGEMENT, document, "Ana", people=made.auditors)])
    return act


def exported(site, path, name=NAME):
    return export(site.store, name, path, grace=GRACE)


def members(path):
    """Return the files of the bundle at *path*, by name within its folder."""
    with zipfile.ZipFile(path) as file:
        return {name.removeprefix("bundle/"): file.read(name) for name in file.namelist()}


def facts(*, gaps=(), days=(), name=NAME, head_at=NOON, size=7, **rows):
    """Return what a bundle has to say of five days in March: *gaps*, and *rows* of coverage by grouping."""
    period = Period(NOON, NOON + 5 * 24 * HOUR)
    terms = Terms(Examination.TYPE_II, period, ("CC6.1",))
    engagement = Engagement(1, name, (Dated(NOON, "Ana", terms),))
    covered = {
        by: Coverage(Question(period, by=by, terms=terms), period.end, tuple(rows.get(by, days if by == "day" else ())),
                     Tally(), tuple(gaps), 0, (), ())
        for by in GROUPED
    }  # fmt: skip
    return Facts(engagement, Head(size, "evidenced/0", 2, head_at, 0), covered, {}, (), 3, 0, 0)


def lived(folder, url):
    """Return a site with a row of everything, hostile names too, and the engagement over it."""
    site = Site(folder, url)
    live(site)
    site.see(USERS, {"ann": {"v": 5}, **HOSTILE})
    act = engaged(site)
    for kind in (ActKind.UPLOAD, ActKind.POPULATION):
        said = {"kind": "<b>paper.users</b>", "note": "=1+1"}
        site.store.desk.record([NewAct(kind, said, "<i>Bea</i>", act.id, data=f"bytes of {kind}".encode())])
    for name, engagement in (("Rea", ""), ("Eva", NAME)):
        grant(site.store, name, Role.READER, engagement, now=NOON, lasts=timedelta(days=9), actor="Ana")
    record_reads(site.store, act.id, "<i>Eva</i>", [{"at": "2026-03-14T12:00:00Z", "path": "/e/whole", "status": 200}])
    site.take()
    return site


@pytest.fixture(scope="session")
def whole(tmp_path_factory):
    """A site on SQLite; to be read, not to be changed."""
    folder = tmp_path_factory.mktemp("whole")
    site = lived(folder, f"sqlite:///{folder}/evidence.db")
    yield site
    site.close()


@pytest.fixture(scope="session")
def key(whole):
    return str(whole.store.checkpoints.key_events()[0].key)


@pytest.fixture(scope="session")
def bundle(whole):
    """The bundle of the engagement over everything."""
    path = whole.folder / "bundle.zip"
    exported(whole, path)
    return path

"""A lived-in store with an engagement over all of it, and its bundle."""

from __future__ import annotations

from datetime import timedelta

import pytest

from collector.access import Role
from collector.act import ActKind, NewAct
from collector.ask.access import grant, record_reads
from collector.engagement import Examination, Terms
from collector.export import export
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

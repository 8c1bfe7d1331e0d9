"""What auditors read is on record: by whom, of which engagement, with no secret; and nothing is shown that is not."""

from __future__ import annotations

import hashlib
import sqlite3
import time
from contextlib import closing, contextmanager
from datetime import timedelta

import pytest

from collector.access import Role
from collector.act import ActKind
from collector.gate import reads as gate_reads
from collector.gate.reads import BATCH, MOST_WAITING, Reads
from collector.verify import Verdict, verify
from tests.web.gated import MINE, OTHERS, gated


@pytest.fixture
def site(tmp_path, store_url, clock):
    with gated(tmp_path, store_url, clock, "[web]\nrequests_a_minute = 1000000") as served:
        yield served


@pytest.fixture
def lite(tmp_path, sqlite_url, clock):
    with gated(tmp_path, sqlite_url, clock, "[web]\nrequests_a_minute = 1000000") as served:
        yield served


def auditor(site, engagement=MINE, name="Ana"):
    """Return the token of an auditor."""
    return site.token(Role.AUDITOR, engagement, name=name)


def number(site, name):
    """Return the id of the engagement *name*."""
    return next(each.id for each in site.store.engagements() if each.name == name)


def test_reads_by_page_and_by_api_are_recorded_by_auditor_and_engagement(site):
    browser, program = site.browser(auditor(site)), site.program(auditor(site, OTHERS, "Dan"))
    browser.get(f"/api/gated/e/{MINE}?at=2026-03-14")
    site.clock.move(timedelta(seconds=1))
    browser.get(f"/api/gated/e/{MINE}")
    program.get(f"/api/gated/by-token/{OTHERS}?kind=a")
    site.gate.reads.record()
    assert site.reads() == [
        (number(site, MINE), "Ana", [f"/api/gated/e/{MINE}?at=2026-03-14", f"/api/gated/e/{MINE}"]),
        (number(site, OTHERS), "Dan", [f"/api/gated/by-token/{OTHERS}?kind=a"]),
    ]
    (read, *_), *_ = [act.document["reads"] for act in site.store.desk.acts(ActKind.ACCESS)]
    assert read == {
        "at": "2026-03-14T03:00:00Z",
        "method": "GET",
        "path": f"/api/gated/e/{MINE}?at=2026-03-14",
        "status": 200,
    }


def test_a_store_with_recorded_reads_verifies(site):
    site.browser(auditor(site)).get(f"/api/gated/e/{MINE}")
    site.gate.reads.record()
    assert verify(site.store).verdict is Verdict.INTACT


def test_what_others_read_and_what_is_of_no_engagement_is_not_recorded(lite):
    lite.browser(lite.token(Role.READER)).get(f"/api/gated/e/{MINE}")
    browser = lite.browser(auditor(lite))
    browser.get("/api/gated/page")
    browser.get(f"/api/gated/e/{OTHERS}")
    lite.gate.reads.record()
    assert lite.reads() == []


@pytest.mark.parametrize("written", ["{}", "{:}"])
def test_a_token_in_a_query_goes_no_further(lite, written):
    token = auditor(lite)
    shown = token if written == "{}" else token.replace("_", "%5F")
    lite.browser(token).get(f"/api/gated/e/{MINE}?key={shown}&token={shown}")
    lite.gate.reads.record()
    ((_, _, (path,)),) = lite.reads()
    assert token not in path and shown not in path and "[redacted:evidenced_token]" in path


def test_the_key_of_an_item_and_a_text_searched_for_are_recorded_by_digits_alone(lite):
    """What is recorded stays, and a key may be somebody's address; with the key one can still tell what was read."""
    lite.browser(auditor(lite)).get(f"/api/gated/e/{MINE}?key=ana%40acme.example&at=2026-03-14&q=ana+b")
    lite.gate.reads.record()
    ((_, _, (path,)),) = lite.reads()
    digits = hashlib.sha256(b"ana@acme.example").hexdigest()[:16]
    assert f"?key=sha256:{digits}&at=2026-03-14&q=sha256:" in path
    assert "ana" not in path


def test_no_cookie_and_no_token_is_in_any_record(lite):
    token = auditor(lite)
    browser = lite.browser(token)
    browser.get(f"/api/gated/e/{MINE}")
    lite.gate.reads.record()
    said = repr([act.document for act in lite.store.desk.acts(ActKind.ACCESS)])
    assert browser.cookies["evidenced"] not in said and token not in said


def test_a_batch_is_recorded_as_soon_as_it_is_full(lite):
    program = lite.program(auditor(lite))
    visit = lite.gate.by_token(program.headers["Authorization"].removeprefix("Bearer "))
    visit.engaged(MINE)
    for _ in range(BATCH):
        lite.gate.note(visit, "GET", "/x", 200)
    _until(lambda: lite.gate.reads.waiting() == 0)
    assert [len(paths) for _, _, paths in lite.reads()] == [BATCH]


def test_what_waits_is_recorded_when_the_server_ends(tmp_path, sqlite_url, clock):
    with gated(tmp_path, sqlite_url, clock) as site:
        site.browser(auditor(site)).get(f"/api/gated/e/{MINE}")
        assert site.gate.reads.waiting() == 1 and site.reads() == []
        site.end()
        assert [paths for _, _, paths in site.reads()] == [[f"/api/gated/e/{MINE}"]]


def test_reads_are_recorded_within_seconds_by_themselves(lite, monkeypatch):
    monkeypatch.setattr(gate_reads, "SECONDS", 0.05)
    reads = Reads(lite.store, lite.clock)
    reads.start()
    visit = lite.gate.by_token(auditor(lite))
    visit.engaged(MINE)
    reads.note(visit, "GET", "/x", 200)
    _until(lite.reads)
    reads.stop()
    assert [paths for _, _, paths in lite.reads()] == [["/x"]]


def test_what_cannot_be_recorded_is_kept_and_recorded_later_once(lite):
    lite.browser(auditor(lite)).get(f"/api/gated/e/{MINE}")
    with refusing(lite):
        lite.gate.reads.record()
        assert lite.gate.reads.waiting() == 1
    lite.gate.reads.record()
    lite.gate.reads.record()
    assert [paths for _, _, paths in lite.reads()] == [[f"/api/gated/e/{MINE}"]]


def test_while_too_many_reads_wait_auditors_are_refused_and_others_are_not(lite):
    token = auditor(lite)
    browser, program, reader = lite.browser(token), lite.program(token), lite.browser(lite.token())
    visit = lite.gate.by_token(token)
    visit.engaged(MINE)
    with refusing(lite):
        for _ in range(MOST_WAITING):
            lite.gate.note(visit, "GET", "/x", 200)
        answers = [
            browser.get(f"/api/gated/e/{MINE}"),
            program.get(f"/api/gated/by-token/{MINE}"),
            reader.get(f"/api/gated/e/{MINE}"),
        ]
        assert [each.status_code for each in answers] == [503, 503, 200]
        assert MINE not in answers[0].text and "retry-after" in answers[0].headers
        assert lite.browser().get("/readyz").status_code == 503
    lite.gate.reads.record()
    assert browser.get(f"/api/gated/e/{MINE}").status_code == 200
    assert sum(len(paths) for _, _, paths in lite.reads()) == MOST_WAITING


def test_a_long_address_is_cut_after_secrets_are_taken_out(lite):
    token = auditor(lite)
    lite.browser(token).get(f"/api/gated/e/{MINE}?x={'a' * 1969}-{token}")
    lite.gate.reads.record()
    ((_, _, (path,)),) = lite.reads()
    assert len(path) == 2_000 and "evd_" not in path


@contextmanager
def refusing(site):
    """Have the database of *site* (SQLite) take no act until the block ends."""
    with closing(sqlite3.connect(site.file)) as conn:
        conn.execute("CREATE TRIGGER full BEFORE INSERT ON desk_act BEGIN SELECT RAISE(ABORT, 'no'); END")
        yield
        conn.execute("DROP TRIGGER full")


def _until(so, seconds=20):
    end = time.monotonic() + seconds
    while not so():
        assert time.monotonic() < end, "it did not happen"
        time.sleep(0.02)

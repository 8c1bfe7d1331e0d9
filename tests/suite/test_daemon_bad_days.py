"""Bad days of a running daemon: what it says, what it records, and that it goes on by itself."""

from __future__ import annotations

import resource
import signal
import sqlite3
from datetime import timedelta

from tests.fakes.aws import trouble

KEPT = "the store does not take what was read; it is kept and tried again"


def no_slot_is_lost(site):
    """Every slot between the first and the last recorded one has a run or a missed interval."""
    coverage = site.answer("coverage", "--from", "2020-01-01", "--to", "2100-01-01")
    text = str(coverage)
    assert "no record" not in text, text[:2000]


def test_a_locked_database_delays_what_was_read_and_loses_none_of_it(site):
    site.configure(options="?timeout=0.2")
    with site.daemon() as daemon:
        site.wait(lambda: site.said("recorded"))
        with sqlite3.connect(site.folder / "evidenced.db", isolation_level=None) as other:
            other.execute("BEGIN IMMEDIATE")
            # What was read is kept; a job that had yet to read finds the store locked and leaves its slots due.
            site.wait(lambda: site.said(KEPT) or site.said("job ended early"))
            assert "locked" in [*site.said(KEPT), *site.said("job ended early")][0]["error"]
            other.execute("ROLLBACK")
        known = len(site.said("recorded"))
        site.wait(lambda: len(site.said("recorded")) > known + 1)
        daemon.send_signal(signal.SIGTERM)
        assert daemon.wait(30) == 0
    no_slot_is_lost(site)


def test_a_full_disk_delays_what_was_read_and_the_daemon_goes_on_when_there_is_room(site):
    with site.daemon() as daemon:
        site.wait(lambda: site.said("recorded"))
        _, most = resource.prlimit(daemon.pid, resource.RLIMIT_FSIZE)
        resource.prlimit(daemon.pid, resource.RLIMIT_FSIZE, (4096, most))
        site.wait(lambda: any(KEPT in line for line in site.log.read_text().splitlines()) or _full(site))
        resource.prlimit(daemon.pid, resource.RLIMIT_FSIZE, (most, most))
        known = len(site.said("recorded"))
        site.wait(lambda: len(site.said("recorded")) > known + 1)
        daemon.send_signal(signal.SIGTERM)
        assert daemon.wait(30) == 0
    no_slot_is_lost(site)
    with sqlite3.connect(site.folder / "evidenced.db") as database:
        assert database.execute("PRAGMA integrity_check").fetchone() == ("ok",)


def _full(site):
    # The log is a file of the same process: while it cannot grow either, the store's size tells.
    return (site.folder / "evidenced.db").stat().st_size > 0 and site.log.stat().st_size >= 4096


def test_an_endpoint_that_cannot_be_reached_is_recorded_as_unavailable_for_every_kind(site, aws):
    aws.close()
    site.configure(kinds='["aws.iam.account_summary"]')
    with site.daemon():
        site.wait(lambda: site.said("run failed") and site.said("recorded"), seconds=90)
    assert {run["reason"] for run in site.runs(outcome="failed")} == {"unavailable"}


def test_expired_credentials_are_the_operators_to_correct_and_say_so(site, aws):
    with site.daemon():
        site.wait(lambda: site.said("recorded"))
        aws.trouble("sts", "*", trouble.expire())
        aws.trouble("iam", "*", trouble.expire())
        site.wait(lambda: site.said("run failed"))
        failed = site.said("run failed")[0]
    assert failed["reason"] == "misconfigured"
    assert "redentials" in failed["hint"]


def test_a_clock_that_is_wrong_by_minutes_is_said_in_the_run(site, aws):
    aws.trouble("iam", "*", trouble.skew(timedelta(minutes=-10)))
    site.configure(kinds='["aws.iam.account_summary"]')
    with site.daemon():
        site.wait(lambda: site.said("clocks differ") and site.said("recorded"))
    (run, *_) = site.runs(outcome="collected")
    assert "our clock is" in run["message"]
    assert abs(run["skew_ms"] - 600_000) < 30_000


def test_a_database_of_a_newer_version_is_refused_with_what_to_do(site):
    site.ask("snapshot", "--source", "aws:test", "--reason", "makes the store")
    with sqlite3.connect(site.folder / "evidenced.db") as database:
        database.execute("UPDATE store_version SET version_num = '9999'")
    for command in (["run"], ["status"], ["runs"]):
        done = site.ask(*command)
        assert done.returncode == 4, done.stderr
        assert "newer" in done.stderr
        assert "Traceback" not in done.stderr

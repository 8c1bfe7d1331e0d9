"""Bad days of a running daemon: what it says, what it records, and that it goes on by itself."""

from __future__ import annotations

import sqlite3
from datetime import timedelta

from tests.fakes.aws import trouble


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

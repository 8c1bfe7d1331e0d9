"""The daemon as a process of its own: signals, a second one, a kill, a denied permission, and what it never writes."""

from __future__ import annotations

import json
import signal
import sqlite3
from datetime import UTC, datetime

from tests.fakes.aws import trouble
from tests.suite.site import SECRET


def test_sigterm_ends_the_daemon_in_order_and_what_was_read_is_recorded(site):
    with site.daemon() as daemon:
        site.wait(lambda: len(site.said("collected")) >= 4)
        daemon.send_signal(signal.SIGTERM)
        assert daemon.wait(30) == 0
    assert site.said("stopped")
    assert len(site.runs(outcome="collected")) == len(site.said("collected"))


def test_a_second_daemon_on_the_same_store_refuses_to_start(site):
    with site.daemon():
        site.wait(lambda: site.said("started"))
        second = site.ask("run")
    assert second.returncode == 6
    assert "another daemon is running" in second.stderr
    assert "Traceback" not in second.stderr


def test_a_daemon_with_nothing_to_read_refuses_to_start(site):
    site.configure(kinds='["aws.kms.keys"]\nexclude = ["*"]')
    done = site.ask("run")
    assert done.returncode == 3
    assert "nothing is planned" in done.stderr


def test_sighup_reloads_the_plan_and_a_wrong_config_leaves_it_in_force(site):
    with site.daemon() as daemon:
        site.wait(lambda: site.said("collected"))
        site.configure(kinds='["aws.iam.*"]')
        daemon.send_signal(signal.SIGHUP)
        site.wait(lambda: site.said("reloaded"))
        (site.folder / "evidenced.toml").write_text("[sources.nonsense")
        daemon.send_signal(signal.SIGHUP)
        site.wait(lambda: site.said("not reloaded; the plan stays as it was"))
        (site.folder / "evidenced.toml").write_text("")
        daemon.send_signal(signal.SIGHUP)
        site.wait(lambda: len(site.said("not reloaded; the plan stays as it was")) == 2)
        before = len(site.said("collected"))
        site.wait(lambda: len(site.said("collected")) > before)
    assert [each["version"] for each in site.said("plan")] == [1, 2]


def test_a_killed_daemon_leaves_nothing_half_visible_and_goes_on_where_it_was(site):
    for _ in range(3):
        with site.daemon() as daemon:
            known = len(site.said("collected"))
            site.wait(lambda known=known: len(site.said("collected")) > known + 1)
            daemon.kill()
            daemon.wait()
    runs = site.runs()
    assert len({run["id"] for run in runs}) == len(runs)
    keys = [(json.dumps(run["subject"], sort_keys=True), run["due"]) for run in runs if run["trigger"] != "catch-up"]
    assert len(keys) == len(set(keys)), "a slot was recorded twice"
    with sqlite3.connect(site.folder / "evidenced.db") as database:
        assert database.execute("PRAGMA integrity_check").fetchone() == ("ok",)


def test_a_removed_permission_is_a_gap_with_its_cause_and_the_last_population_stays(site, aws):
    site.configure(kinds='["aws.iam.authorization_details"]')
    with site.daemon():
        site.wait(lambda: len(site.said("collected")) >= 2)
        before = site.answer("as-of", "aws.iam.authorization_details", "--at", now())
        aws.trouble("iam", "GetAccountAuthorizationDetails", trouble.deny())
        site.wait(lambda: len(site.said("run failed")) >= 2)
    failed = site.runs(outcome="failed", reason="denied")
    assert failed
    assert "iam:GetAccountAuthorizationDetails" in failed[0]["message"]
    after = site.answer("as-of", "aws.iam.authorization_details", "--at", now())
    assert _items(after) == _items(before) != []
    coverage = site.ask("coverage", "--from", "2020-01-01", "--to", "2100-01-01", "--criterion", "CC6.1")
    assert "denied" in coverage.stdout
    assert site.ask("coverage", "--from", "2020-01-01", "--fail-on-gap").returncode == 1


def now():
    return datetime.now(UTC).isoformat()


def _items(answer):
    found = []

    def walk(value):
        if isinstance(value, dict):
            if {"key", "artifact"} <= value.keys():
                found.append((value["key"], value["artifact"]))
            for each in value.values():
                walk(each)
        elif isinstance(value, list):
            for each in value:
                walk(each)

    walk(answer)
    return sorted(found)


def test_a_snapshot_is_taken_with_and_without_a_daemon_and_says_who_and_why(site):
    site.configure(every="1h")
    alone = site.ask("snapshot", "--source", "aws:test", "--reason", "before the change", "--as", "on-call")
    assert alone.returncode == 0, alone.stderr
    with site.daemon():
        site.wait(lambda: site.said("started"))
        with_daemon = site.ask(
            "snapshot", "--source", "aws:test", "--kind", "aws.kms.keys", "--reason", "after it", "--as", "on-call"
        )
    assert with_daemon.returncode == 0, with_daemon.stderr
    assert {run["subject"]["kind"] for run in site.runs(trigger="adhoc")} == {
        "aws.kms.keys",
        "aws.iam.authorization_details",
    }


def test_credentials_reach_neither_the_store_nor_the_log_nor_an_answer(site, aws):
    aws.trouble("kms", "*", trouble.refuse("InternalError", f"while signing with {SECRET}"), times=3)
    with site.daemon() as daemon:
        site.wait(lambda: len(site.said("collected")) >= 3)
        daemon.send_signal(signal.SIGTERM)
        daemon.wait(30)
    everything = b"".join(path.read_bytes() for path in site.folder.rglob("*") if path.is_file())
    assert SECRET.encode() not in everything
    assert SECRET not in json.dumps(site.answer("runs", "--limit", "10000"))

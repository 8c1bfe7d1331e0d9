"""The daemon as a process of its own: signals, a second one, a kill, a denied permission, and what it never writes."""

from __future__ import annotations

import json
import os
import signal
import sqlite3
import subprocess
import sys
import time
from contextlib import contextmanager
from datetime import UTC, datetime

import pytest

from tests.fakes.aws import FakeAws, trouble
from tests.fakes.aws.account import furnish

SECRET = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYFAKESECRET"
REGION = "eu-west-1"
CONFIG = """
[store]
url = "sqlite:///evidenced.db"

[log]
level = "debug"

[plan]
jitter = "0s"
grace = "1m"

[every]
"*" = "{every}"

[sources."aws:test"]
kinds = {kinds}
regions = ["eu-west-1"]
endpoint_url = "{url}"
"""


@pytest.fixture
def aws():
    fake = FakeAws()
    furnish(fake, 3, [REGION])
    yield fake
    fake.close()


class Site:
    """One installation of the daemon in a folder."""

    def __init__(self, folder, aws):
        self.folder, self.url = folder, aws.url
        self.log = folder / "daemon.log"
        self.configure()
        self.environment = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")} | {
            "AWS_ACCESS_KEY_ID": "AKIAIOSFODNN7EXAMPLE",
            "AWS_SECRET_ACCESS_KEY": SECRET,
            "AWS_EC2_METADATA_DISABLED": "true",
            "HOME": str(folder),
        }

    def configure(self, every="1s", kinds='["aws.iam.authorization_details", "aws.kms.keys"]'):
        config = CONFIG.format(every=every, kinds=kinds, url=self.url)
        (self.folder / "evidenced.toml").write_text(config)

    def command(self, *arguments):
        return [sys.executable, "-c", "from collector.cli import main; main()", *arguments]

    def ask(self, *arguments):
        return subprocess.run(
            self.command(*arguments),
            cwd=self.folder,
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=90,
            check=False,
        )

    def answer(self, *arguments):
        done = self.ask(*arguments, "--json")
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    @contextmanager
    def daemon(self):
        with self.log.open("a") as log:
            process = subprocess.Popen(self.command("run"), cwd=self.folder, env=self.environment, stderr=log)
            self.process = process
            try:
                yield process
            finally:
                process.kill()
                process.wait()

    def wait(self, ready, seconds=60):
        end = time.monotonic() + seconds
        while not ready():
            assert time.monotonic() < end and self.process.poll() is None, self.log.read_text()[-3000:]
            time.sleep(0.1)

    def events(self):
        lines = self.log.read_text().splitlines()
        return [json.loads(line) for line in lines if line.startswith("{") and line.endswith("}")]

    def said(self, event):
        return [each for each in self.events() if each["event"] == event]

    def runs(self, **like):
        return [run for run in self.answer("runs", "--limit", "10000")["runs"] if like.items() <= run.items()]


@pytest.fixture
def site(tmp_path, aws):
    return Site(tmp_path, aws)


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

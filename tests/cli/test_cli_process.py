"""The command line as a process: starting fast, pipes, terminals, signals, and beside a running daemon."""

from __future__ import annotations

import os
import pty
import re
import signal
import sys
import time

import pytest

from collector.running import DAEMON_LOCK

HEAVY = ("boto3", "botocore", "sqlalchemy", "alembic", "psycopg", "jmespath", "structlog", "apscheduler", "connectors")
IMPORTS = """
import sys
from collector.cli import main
try:
    main()
except SystemExit as end:
    code = end.code
print("loaded:", *sorted({name.partition(".")[0] for name in sys.modules}), file=sys.stderr)
sys.exit(code)
"""


def loaded(site, *arguments):
    """Return the top-level packages that a command loaded."""
    import subprocess

    done = subprocess.run(
        [sys.executable, "-c", IMPORTS, *arguments],
        env=site.environment(),
        capture_output=True,
        text=True,
        cwd=site.folder,
        check=False,
    )
    return set(done.stderr.rpartition("loaded: ")[2].split())


def wait_until(true, seconds=30):
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end, "it did not happen"
        time.sleep(0.05)


# Starting


def test_help_loads_nothing_heavy(site):
    assert not loaded(site, "--help") & set(HEAVY)


def test_a_question_loads_no_cloud_sdk(site):
    site.store().close()
    assert not loaded(site, "runs") & {"boto3", "botocore", "connectors"}


def test_the_version_is_one_line(site):
    answer = site.call("--version")
    assert re.fullmatch(r"evidenced \d+\.\d+\.\d+\S*\n", answer.out)
    assert answer.code == 0


# Pipes and terminals

ON_SQLITE = pytest.mark.parametrize("told", ["sqlite"], indirect=True)


@ON_SQLITE
def test_a_closed_pipe_ends_the_command_quietly(story):
    process = story.start("runs", "--limit", "1000")
    process.stdout.close()
    assert process.stderr.read() == ""
    assert process.wait(30) == 141
    process.stderr.close()


def on_a_terminal(site, *arguments, **environment):
    """Return what a command prints on a terminal of 80 columns."""
    leader, follower = pty.openpty()
    os.set_blocking(leader, True)
    process = site.start_on(follower, *arguments, **environment)
    os.close(follower)
    printed = b""
    while True:
        try:
            chunk = os.read(leader, 65536)
        except OSError:  # Linux says EIO when the last writer has gone
            break
        if not chunk:
            break
        printed += chunk
    process.wait(30)
    os.close(leader)
    return printed.decode()


@ON_SQLITE
def test_a_terminal_gets_colour(story):
    assert "\x1b[31m" in on_a_terminal(story, "runs", "--outcome", "failed", TERM="xterm-256color")


@ON_SQLITE
def test_no_color_is_honoured_on_a_terminal(story):
    assert "\x1b" not in on_a_terminal(story, "runs", "--outcome", "failed", TERM="xterm-256color", NO_COLOR="1")


@ON_SQLITE
def test_evidence_cannot_colour_a_terminal(story):
    printed = on_a_terminal(
        story, "as-of", "paper.users", "--at", "2025-03-14T09:30:00Z", TERM="xterm-256color", NO_COLOR="1"
    )
    assert r"\x1b[31mred" in printed
    assert "\x1b" not in printed


def test_a_terminal_without_unicode_still_gets_the_answer(site):
    site.world({"paper.users": [{"id": "žofie"}], "paper.rooms": [], "paper.doors": []})
    made = site.call("snapshot", "--source", "paper:hq", "--reason", "why not")
    assert made.code == 0
    now = site.evidenced("runs", "--json").json["runs"][0]["recorded"]
    answer = site.call("as-of", "paper.users", "--at", now, environment={"PYTHONIOENCODING": "ascii"})
    assert r"\u017eofie" in answer.out


# Beside a daemon


@pytest.fixture
def held(site):
    """The store's daemon lock, held by this process as a daemon would."""
    store = site.store()
    with store.lock(DAEMON_LOCK):
        yield store
    store.close()


def test_a_second_daemon_is_refused(site, held):
    answer = site.call("run")
    assert answer.code == 6
    assert "another daemon" in answer.err


def test_status_tells_that_a_daemon_runs(site, held):
    assert site.evidenced("status", "--json").json["daemon_running"] is True


def test_an_interrupted_snapshot_stays_requested(site, held):
    process = site.start("snapshot", "--source", "paper:hq", "--reason", "why not", "--as", "mira")
    wait_until(held.pending_requests)
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=30)
    assert (process.returncode, out) == (130, "")
    assert "Traceback" not in err
    assert err.endswith("interrupted\n")
    [request] = held.pending_requests()
    assert (request.actor, request.reason) == ("mira", "why not")


def test_a_snapshot_left_by_a_daemon_that_ends_is_read_here(site):
    store = site.store()
    with store.lock(DAEMON_LOCK):
        process = site.start("snapshot", "--source", "paper:hq", "--reason", "why not", "--json")
        wait_until(store.pending_requests)
    out, _ = process.communicate(timeout=60)
    assert process.returncode == 0
    assert '"read_by": "this process"' in out
    store.close()


def test_a_running_daemon_collects_answers_snapshots_and_ends_in_order(site):
    site.configure('every = { "paper.users" = "5s" }')
    daemon = site.start("run", "--log-format", "json")
    try:
        wait_until(lambda: site.call("runs", "--json").out.count('"id"') >= 4)
        assert site.call("status", "--json").out.count('"daemon_running": true') == 1
        answer = site.call("snapshot", "--source", "paper:hq", "--kind", "paper.rooms", "--reason", "why not")
        assert answer.code == 0
        assert "2 runs, 0 failed" in answer.out
    finally:
        daemon.send_signal(signal.SIGTERM)
        _, err = daemon.communicate(timeout=60)
    assert daemon.returncode == 0
    assert '"event": "stopped"' in err
    assert site.evidenced("status", "--json").json["daemon_running"] is False

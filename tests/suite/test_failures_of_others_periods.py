"""How other tools lost the truth about periods, 21 to 24: events, gaps, and what is shown of them."""

from __future__ import annotations

import json
import subprocess
import sys
from datetime import datetime, timedelta
from itertools import pairwise

import pytest
from structlog.testing import capture_logs

from collector.ask.coverage import Question, coverage
from collector.cli.exits import run as evidenced
from collector.clock import SystemClock, iso
from collector.errors import Denied, Throttled, Unavailable
from collector.model import Detail, Outcome, Period, Reason, SnapshotRequest
from tests.fakes.paper import PaperSession

HOUR = timedelta(hours=1)
DAY = timedelta(days=1)


class Corridor(PaperSession):
    """A paper source that gives of the doors' events only those in the window, as a source does."""

    def read(self, kind, scope, reading):
        for item in super().read(kind, scope, reading):
            window = reading.window
            if window is None or window.since <= datetime.fromisoformat(item["at"]) < window.until:
                yield item


@pytest.fixture
def desk(desk):
    """A desk that has been read once, at 04:00 on the dot; `happen` opens a door there."""
    desk.paper.open = lambda *_: Corridor(desk.paper)
    desk.events = desk.paper.world["paper.doors"]
    desk.clock.move(timedelta(minutes=50))
    desk.tick()
    return desk


def happen(desk, event):
    desk.events.append({"id": event, "at": desk.clock.now().isoformat()})


def doors(desk, outcome=Outcome.COLLECTED):
    found = desk.store.runs(kind="paper.doors", outcome=outcome, limit=1000)
    return sorted(found, key=lambda run: int(run.id.partition("-")[0]))


def look(desk):
    """Read the doors by hand, now."""
    desk.store.request_snapshot(SnapshotRequest("paper:hq", ("paper.doors",), "a look", "ana", desk.clock.now()))
    desk.tick()
    return doors(desk)[-1]


def covered(desk, since, kind="paper.doors"):
    now = desk.clock.now()
    return coverage(desk.store, Question(Period(since, now), kind=kind), now=now, grace=timedelta(minutes=5))


def seen(desk):
    return {each.key for each in desk.store.as_of("paper.doors", desk.clock.now())}


def test_windows_follow_one_another_without_a_hole_whoever_asks(desk):
    """21: A window nested in another moved the cursor backwards; gaps shorter than one window were dropped."""
    for step in range(12):
        happen(desk, f"e{step}")
        desk.paper.world["paper.doors"] = Unavailable("away") if step % 5 == 2 else desk.events
        desk.pass_time(timedelta(minutes=25))
        if step % 3 == 0:
            desk.paper.world["paper.doors"] = desk.events
            look(desk)
    desk.paper.world["paper.doors"] = desk.events
    desk.pass_time(HOUR)
    assert doors(desk, Outcome.FAILED)
    for before, after in pairwise(doors(desk)):
        assert after.watermark_before == before.watermark_after == before.window.until
        assert after.window.since < before.window.until <= after.window.until
    assert seen(desk) == {f"e{step}" for step in range(12)}


@pytest.mark.parametrize("wrong", [timedelta(hours=-2), timedelta(hours=3)])
def test_a_clock_that_was_wrong_for_a_while_leaves_no_hole(desk, wrong):
    """21: nor an inverted window; the cursor is where reading really got to, also when that is earlier."""
    happen(desk, "before")
    desk.clock.at += wrong
    strange = look(desk)
    assert strange.window.since < strange.window.until
    desk.clock.at -= wrong
    desk.clock.move(timedelta(minutes=10))
    happen(desk, "then")
    desk.clock.move(timedelta(minutes=10))
    look(desk)
    desk.clock.move(timedelta(minutes=10))
    happen(desk, "after")
    desk.clock.move(5 * HOUR)
    look(desk)
    assert seen(desk) == {"before", "then", "after"}


def test_nothing_happened_and_nobody_looked_are_told_apart(desk):
    """22: "No facts in the window" was read as "no collection", and the reverse."""
    happen(desk, "e1")
    desk.pass_time(HOUR)
    quiet = desk.clock.now() + timedelta(minutes=1)
    desk.pass_time(DAY, step=HOUR)
    found = covered(desk, quiet)
    assert (found.total.due, found.total.empty, found.gaps) == (23, 22, ())
    assert doors(desk)[-1].detail is Detail.EMPTY
    assert seen(desk) == {"e1"}
    blind = desk.clock.now()
    desk.paper.world["paper.doors"] = Denied("no")
    desk.pass_time(DAY, step=HOUR)
    found = covered(desk, blind + timedelta(minutes=1))
    assert (found.total.failed, found.total.collected, len(found.gaps)) == (found.total.due, 0, 1)
    assert seen(desk) == {"e1"}


def test_what_a_failed_window_left_is_read_by_the_next_good_one(desk):
    """23: Failed windows behind the cursor were never retried."""
    failing = desk.clock.now()
    for step in range(5):
        happen(desk, f"e{step}")
        desk.paper.world["paper.doors"] = [Unavailable("away"), Throttled("slow down"), Denied("no")][step % 3]
        desk.pass_time(HOUR)
    assert seen(desk) == set()
    desk.paper.world["paper.doors"] = desk.events
    desk.pass_time(HOUR)
    assert doors(desk)[-1].window.since < failing
    assert seen(desk) == {f"e{step}" for step in range(5)}


def test_what_the_source_will_forget_is_said_before_and_what_it_forgot_after(desk, capsys):
    """23 and 24: nothing warned before the source forgot them; a loss known inside was not shown to the auditor."""
    start = desk.clock.now()
    desk.paper.world["paper.doors"] = Denied("no", hint="Grant it.")
    with capture_logs() as logged:
        desk.pass_time(2 * DAY, step=6 * HOUR)
    failed = doors(desk, Outcome.FAILED)[-1]
    forgotten = iso(start + 7 * DAY)
    assert (
        failed.hint == f"Grant it. Events since {iso(start)} are unread; the source forgets them from {forgotten} on."
    )
    assert f"the source forgets them from {forgotten} on" in str(logged)
    assert covered(desk, start).lost == ()
    desk.pass_time(7 * DAY, step=6 * HOUR)
    desk.paper.world["paper.doors"] = desk.events
    desk.pass_time(HOUR)
    until = desk.clock.now() - 7 * DAY
    desk.clock.move(timedelta(minutes=1))
    (lost,) = covered(desk, start).lost
    assert lost.message == f"events from {iso(start)} to {iso(until)} are lost: the source no longer keeps them"
    now = desk.clock.now()
    asked = ["--to", iso(now), "--kind", "paper.doors", "--config", str(desk.path)]
    assert evidenced(["coverage", "--from", iso(start), *asked]) == 0
    assert lost.message in " ".join(capsys.readouterr().out.split())
    assert evidenced(["coverage", "--from", iso(now - timedelta(minutes=30)), *asked, "--fail-on-gap"]) == 1


def shown(desk, *arguments):
    """Return what an auditor is shown by `evidenced coverage`, as one line."""
    command = [sys.executable, "-c", "from collector.cli import main; main()", "coverage", *arguments]
    done = subprocess.run(
        [*command, "--config", str(desk.path)], capture_output=True, text=True, timeout=60, check=False
    )
    if "--json" not in arguments:
        done.stdout = " ".join(done.stdout.split())
    return done


def test_every_gap_that_is_known_is_shown_with_its_cause(desk):
    """24: Gaps were known inside but not shown to the auditor."""
    start = desk.clock.now()
    desk.paper.world["paper.users"] = Denied("GET /users was refused to paper:reader")
    desk.pass_time(2 * HOUR, step=HOUR)
    desk.paper.world["paper.users"] = [{"id": "ana"}]
    desk.pass_time(HOUR)
    desk.paper.world["paper.rooms", "north"] = Throttled("north is busy")
    desk.pass_time(DAY, step=HOUR)
    desk.dispatcher.stop()
    desk.clock.move(timedelta(hours=3, minutes=30))
    desk.start()
    desk.pass_time(2 * HOUR, step=timedelta(minutes=30))
    period = Period(start, desk.clock.now())
    known = coverage(desk.store, Question(period), now=SystemClock().now(), grace=timedelta(minutes=5)).gaps
    assert {gap.reason for gap in known} == {Reason.DENIED, Reason.THROTTLED, None}
    asked = ("--from", iso(period.start), "--to", iso(period.end))
    document = json.loads(shown(desk, *asked, "--json").stdout)
    told = [
        (each["subject"]["kind"], each["subject"]["scope"], each["period"], each["cause"]) for each in document["gaps"]
    ]
    assert told == [
        (gap.subject.kind, gap.subject.scope, {"start": iso(gap.period.start), "end": iso(gap.period.end)}, gap.cause)
        for gap in known
    ]
    text = shown(desk, *asked).stdout
    assert f"{len(known)} gaps" in text
    for gap in known:
        for words in (iso(gap.period.start), gap.subject.kind, gap.subject.scope, gap.cause):
            assert words in text

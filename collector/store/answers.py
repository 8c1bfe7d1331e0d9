"""What the store answers: populations, items, sweeps, runs, what was expected, asked and claimed. Writes nothing."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from datetime import datetime
from itertools import islice

from sqlalchemy import Connection

from collector.clock import from_ms, to_ms
from collector.coverage import RunOutcome
from collector.engagement import Engagement
from collector.errors import Withheld
from collector.model import Head, Json, Missed, Outcome, Period, Run, SnapshotRequest, Subject
from collector.store import lives, neighbours, plans, reading, requests, searching, tables
from collector.store import tags as claims
from collector.store.bulk import PAGE
from collector.store.connection import Database
from collector.store.desk import Desk
from collector.store.names import Names
from collector.store.records import (
    ControlsRecord,
    Existence,
    ItemVersion,
    PlanRecord,
    RecordedChange,
    SweepRecord,
)
from collector.store.slot_pages import Page
from collector.store.sweeps import SweepReader
from collector.store.unsealing import Unsealing
from collector.tag import Tag


class Answers:
    """The questions of a `Store`, each answered from one state of the database."""

    desk: Desk
    _database: Database
    _names: Names
    _sweeps: SweepReader
    _plans: dict[int, PlanRecord]
    _controls: dict[int, ControlsRecord]
    _planned: dict[int, frozenset[Subject]]
    _unsealing: Unsealing

    # Populations and items

    def head(self, subject: Subject) -> Head:
        """Return the last good population of *subject*; an empty head when it was never observed."""
        with self._database.reading() as conn:
            return reading.head(conn, self._names.subject(conn, subject), subject)

    def subjects(self) -> list[Subject]:
        """Return every subject that was ever observed, planned or missed, in order."""
        with self._database.reading() as conn:
            planned = filter(self._names.holds, plans.planned_subjects(conn, self._planned))
            return sorted({*self._names.subjects(conn), *planned})

    def as_of(
        self, kind: str, at: datetime, *, source: str | None = None, scope: str | None = None, key: str | None = None
    ) -> list[ItemVersion]:
        """Return the items of *kind* as they were at *at*, by subject and key.

        Nothing for a subject means that it was empty then, or not yet observed: `observations` tells which.
        """
        with self._database.reading() as conn:
            return reading.as_of(conn, self._named(conn, kind, source, scope), at, key, self._unsealing)

    def history(self, kind: str, key: str, *, source: str | None = None, scope: str | None = None) -> list[ItemVersion]:
        """Return every version of the item *key*, by subject, oldest first."""
        with self._database.reading() as conn:
            return reading.history(conn, self._named(conn, kind, source, scope), key, self._unsealing)

    def items_named(self, beginning: str, limit: int) -> list[tuple[Subject, str]]:
        """Return the first *limit* items ever observed whose key begins so, by key, each with its subject.

        Items of sealed subjects are not among them: their keys are not at hand to be compared.
        """
        with self._database.reading() as conn:
            return reading.items_named(conn, self._named(conn, None, None, None), beginning, limit)

    def lives(self, subject: Subject, before: datetime) -> Iterator[lives.ItemLife]:
        """Yield every item of *subject* that was there before *before*, by key digest, with its forms so far."""
        with self._database.reading() as conn:
            number = self._names.subject(conn, subject)
        return iter(()) if number is None else lives.lives(self._database.reading, number, before)

    def changes(
        self, period: Period, *, kind: str | None = None, source: str | None = None, scope: str | None = None
    ) -> list[RecordedChange]:
        """Return what good observations in *period* found different from the ones before, oldest first."""
        every = self._names.whole and kind is source is scope is None
        with self._database.reading() as conn:
            subjects = None if every else self._named(conn, kind, source, scope)
            return reading.changes(conn, subjects, self._names, period, self._unsealing)

    def population(
        self,
        period: Period,
        *,
        kind: str,
        source: str | None = None,
        scope: str | None = None,
        after: str | None = None,
        limit: int | None = None,
    ) -> list[Existence]:
        """Return every item of *kind* that existed at any time in *period*, by subject as first recorded.

        With *limit* the first so many of them, and with the `Existence.place` of the last of these as *after* the next.
        """
        with self._database.reading() as conn:
            return reading.population(
                conn, self._named(conn, kind, source, scope), period, self._unsealing, after=after, limit=limit
            )

    def artifact(self, digest: bytes) -> bytes:
        """Return the bytes of an artifact, verified against *digest*, and opened when it is sealed.

        Raises `QueryError` when there is none, `Withheld` when it was erased or its key is not at hand,
        `IntegrityError` when the stored bytes have another digest.
        """
        with self._database.reading() as conn:
            return self._unsealing.read(conn, digest)

    def artifacts(self, digests: Iterable[bytes]) -> Iterator[bytes | Withheld]:
        """Yield for each of *digests* what `artifact` returns, or the `Withheld` that it would raise, in their order.

        Some hundred are read together: one by one they take more than twice as long. Raises what else `artifact` does.
        """
        given = iter(digests)
        while page := list(islice(given, PAGE)):
            with self._database.reading() as conn:
                found = list(self._unsealing.read_many(conn, page))
            yield from found

    def volatile(self, subject: Subject, at: datetime) -> dict[str, Json] | None:
        """Return the volatile fields of *subject* last kept at or before *at*, ``{key: {path: value}}``, or None."""
        with self._database.reading() as conn:
            number = self._names.subject(conn, subject)
            found = None if number is None else reading.volatile_fields(conn, number, at)
            return found if number is None or found is None else self._unsealing.volatile(conn, number, found)

    # Sweeps and runs

    def sweeps(self, period: Period, source: str | None = None) -> Iterator[SweepRecord]:
        """Yield every sweep with a run that was due in *period* or finished in it, in the order recorded.

        Such a sweep is yielded whole; its other runs may lie outside of the period.
        """
        return searching.sweeps_between(self._database.reading, self._names, self._sweeps, period, source)

    def slot_pages(self, period: Period, source: str | None = None) -> dict[str, list[Page]]:
        """Return what became of the runs of all sweeps that overlap *period* (and of more), by source, condensed."""
        with self._database.reading() as conn:
            found = {}
            for number in self._names.sources(conn) if source is None else [self._names.source(conn, source)]:
                if number is not None:
                    name = self._names.source_named(conn, number)
                    found[name] = self._sweeps.paging.pages(conn, number, period)
            return found

    def outcomes(self, runs: Collection[str]) -> list[RunOutcome]:
        """Return what coverage needs of *runs* (ids). Raises `Unknown` when there is no such run."""
        if not runs:
            return []
        with self._database.reading() as conn:
            return self._sweeps.paging.outcomes(conn, runs)

    def last_sweep(self, source: str) -> int | None:
        """Return the id of the sweep of *source* that was recorded last, or None."""
        with self._database.reading() as conn:
            return searching.last_sweep(conn, self._names, source)

    def accounted_until(self, source: str) -> datetime | None:
        """Return the instant up to which every slot of *source* has an outcome, or None when it has none.

        It is the last due time of a whole scheduled or catch-up sweep, or the end (less a millisecond) of a missed
        interval of the whole source; an interval missed by some of its subjects accounts for those alone.
        """
        with self._database.reading() as conn:
            found = searching.accounted_until(conn, self._names, source)
            return None if found is None else from_ms(found)

    def runs(
        self,
        period: Period | None = None,
        *,
        source: str | None = None,
        kind: str | None = None,
        scope: str | None = None,
        outcome: Outcome | None = None,
        limit: int = 50,
        before: str | None = None,
    ) -> list[Run]:
        """Return the last *limit* runs that fit, newest first; of a *period*, those due in it.

        With *before*, the id of the last run of the page before, those after it.
        """

        def wanted(run: RunOutcome) -> bool:
            subject = run.subject
            asked = kind in (None, subject.kind) and scope in (None, subject.scope) and outcome in (None, run.outcome)
            return asked and self._names.holds(subject)

        with self._database.reading() as conn:
            return searching.newest_runs(
                conn, self._names, self._sweeps, wanted, period=period, source=source, limit=limit, before=before
            )

    def run(self, id: str) -> Run:
        """Return the run ``<sweep>-<position>``. Raises `QueryError` when there is none."""
        with self._database.reading() as conn:
            return searching.run_by_id(conn, self._names, self._sweeps, id)

    def observations(self, subject: Subject, at: datetime) -> tuple[Run | None, Run | None]:
        """Return the last good run of *subject* that finished at or before *at*, and the next good one after it."""
        with self._database.reading() as conn:
            return neighbours.good_runs_around(conn, self._names, self._sweeps, subject, to_ms(at))

    # What was expected, asked and claimed

    def plans(self) -> list[PlanRecord]:
        """Return every version of the plan, oldest first."""
        with self._database.reading() as conn:
            return plans.versions(conn, tables.plan, PlanRecord, self._plans)

    def controls(self) -> list[ControlsRecord]:
        """Return every version of the control set, oldest first."""
        with self._database.reading() as conn:
            return plans.versions(conn, tables.controls, ControlsRecord, self._controls)

    def missed(self, period: Period, source: str | None = None) -> list[Missed]:
        """Return the records of missed slots that overlap *period*, oldest first."""
        with self._database.reading() as conn:
            return plans.missed_between(conn, self._names, period, source)

    def tags(self, *, target: str | None = None, control: str | None = None) -> list[Tag]:
        """Return every tag by hand, withdrawn ones and withdrawals too, oldest first."""
        with self._database.reading() as conn:
            return claims.tags(conn, target=target, control=control)

    def pending_requests(self) -> list[SnapshotRequest]:
        """Return the snapshot requests that no last sweep has answered yet, oldest first."""
        with self._database.reading() as conn:
            return requests.pending_requests(conn)

    def snapshot_request(self, number: int) -> SnapshotRequest:
        """Return the snapshot request *number*. Raises `Unknown` when there is none."""
        with self._database.reading() as conn:
            return requests.request(conn, number)

    def answers_to(self, request: int) -> list[SweepRecord]:
        """Return the sweeps that answer the snapshot *request* (an id), in the order recorded; none while it waits."""
        with self._database.reading() as conn:
            return searching.sweeps_for(conn, self._sweeps, request)

    def request_of(self, run: str) -> SnapshotRequest | None:
        """Return the snapshot request that *run* (an id) answered; None when it answered none."""
        with self._database.reading() as conn:
            return requests.request_of(conn, int(run.partition("-")[0]))

    def engagements(self) -> list[Engagement]:
        """Return every engagement, closed ones too, oldest first; what people record for one is in `desk`."""
        return self.desk.engagements()

    def _named(self, conn: Connection, kind: str | None, source: str | None, scope: str | None) -> dict[int, Subject]:
        return {
            number: each
            for each, number in self._names.subjects(conn).items()
            if kind in (None, each.kind) and source in (None, each.source) and scope in (None, each.scope)
        }

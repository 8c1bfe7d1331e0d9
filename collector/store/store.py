"""The store as everyone else sees it. Every method is safe to call from many threads and raises `StoreError` when the
database does not do its part; what was acknowledged before stays.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from datetime import datetime
from itertools import islice
from typing import TYPE_CHECKING

from sqlalchemy import Connection

from collector.clock import Clock, from_ms, to_ms
from collector.engagement import Engagement
from collector.errors import ConfigError
from collector.log import ledger
from collector.log.leaf import Leaf, OutsideProfile
from collector.model import Artifact, Json, Missed, SnapshotRequest, Subject, Sweep
from collector.store import contents, plans, requests, statistics, tables
from collector.store import tags as claims
from collector.store.answers import Answers
from collector.store.checkpoints import Checkpoints
from collector.store.connection import Database, size
from collector.store.desk import Desk
from collector.store.door import Door
from collector.store.erasing import Erasing
from collector.store.evidence import Evidence, Misread, Read, read_evidence
from collector.store.locks import locked
from collector.store.names import Names
from collector.store.rebuilding import rebuild
from collector.store.recent import Recent
from collector.store.records import ControlsRecord, PlanRecord, Receipt
from collector.store.retaining import Retaining
from collector.store.rewrapping import Rewrapping
from collector.store.sealing import Sealing
from collector.store.sweeps import SweepReader
from collector.store.unsealing import Unsealing
from collector.store.writing import Writer
from collector.tag import Tag

if TYPE_CHECKING:
    from collector.store.scoped import Scoped
    from collector.store.sight import NamesWithin

_STAGED_AT_A_TIME = 2_000
_LEAVES_AT_A_TIME = 1_000
_SIGHTS_KEPT = 64


class Store(Answers):
    """One store of evidence, as `open_store` gives it. *id* is random, given once, and in the log's genesis leaf."""

    def __init__(self, database: Database, clock: Clock, id: str) -> None:
        self.id = id
        self._database = database
        self._clock = clock
        self._names = Names()
        self._sweeps = SweepReader(self._names)
        self._plans: dict[int, PlanRecord] = {}
        self._controls: dict[int, ControlsRecord] = {}
        self._planned: dict[int, frozenset[Subject]] = {}
        self.checkpoints = Checkpoints(database, self._writing)
        self.desk = Desk(database, self._writing)
        self._recent = Recent()
        self._door = Door(self._append)
        self.sealing = Sealing(database, self._writing, self._names)
        self._unsealing = Unsealing(self.sealing.keys)
        self.rewrapping = Rewrapping(database, self._writing, self._names, self.sealing.keys)
        self.erasing = Erasing(database, self._writing, self._names, self._unsealing)
        self.retaining = Retaining(database, self._writing, self._names)
        self._sights: dict[tuple[tuple[str, ...], tuple[str, ...]], NamesWithin] = {}

    def close(self) -> None:
        """Close every connection; locks held keep theirs until they are let go."""
        self._database.close()

    def within(self, engagement: Engagement) -> Scoped:
        """Return this store as far as the terms of *engagement* go: nothing else can be read or recorded through it.

        See `collector.store.scoped`.
        """
        from collector.store.scoped import Scoped
        from collector.store.sight import NamesWithin

        terms = engagement.terms
        place = terms.sources, terms.scopes
        if place not in self._sights:
            if len(self._sights) >= _SIGHTS_KEPT:
                self._sights = {}
            self._sights[place] = NamesWithin(self._names, terms, self._planned)
        return Scoped(self, self._sights[place], engagement)

    # Appending

    def append(self, sweep: Sweep) -> Receipt:
        """Record *sweep* in one transaction with one leaf, and return after the commit; see `Door` for who waits.

        A sweep that is recorded already, run for run, is not recorded twice: its first receipt is returned. Raises
        `IntegrityError` for a sweep that contradicts itself or what is stored; then nothing of it is recorded.
        """
        return self._door.append(sweep)

    def _append(self, sweeps: Sequence[Sweep]) -> list[Receipt]:
        with self._writing() as (conn, now):
            receipts = Writer(conn, self._names, self._recent, self._sweeps, now).append(sweeps)
            for each in sweeps:
                given = (artifact for one in each.observations for artifact in one.artifacts)
                self.sealing.keep(conn, given, each.observations)
            return receipts

    def stage(self, artifacts: Iterable[Artifact]) -> None:
        """Store contents ahead of the sweep that will name them; until then nothing refers to them.

        Commits in batches. Raises `IntegrityError` for bytes that do not have their digest.
        """
        given = iter(artifacts)
        while batch := list(islice(given, _STAGED_AT_A_TIME)):
            with self._writing() as (conn, _):
                contents.keep(conn, batch)
                self.sealing.keep(conn, batch)

    def append_missed(self, missed: Missed) -> int:
        """Record slots that passed unread, and return the id of the record."""
        with self._writing() as (conn, now):
            return plans.append_missed(conn, self._names, missed, now)

    def append_plan(self, document: Json, digest: bytes, valid_from: datetime) -> int:
        """Record *document* as the plan from *valid_from* on, and return its version, from 1.

        Raises `IntegrityError` when *digest* is not that of the document's canonical form.
        """
        with self._writing() as (conn, now):
            return plans.append_version(conn, tables.plan, document, digest, valid_from=valid_from, recorded_ms=now)

    def append_controls(self, document: Json, digest: bytes, valid_from: datetime) -> int:
        """Record *document* as the control set from *valid_from* on, as `append_plan` does."""
        with self._writing() as (conn, now):
            return plans.append_version(conn, tables.controls, document, digest, valid_from=valid_from, recorded_ms=now)

    def append_tag(self, target: str, control: str, note: str, actor: str, withdraws: int | None = None) -> int:
        """Record a claim by *actor* that *target* supports *control*, or that tag *withdraws* no longer holds.

        Returns the tag's id. Raises `QueryError` when there is no tag *withdraws*.
        """
        with self._writing() as (conn, now):
            return claims.append_tag(conn, Tag(0, target, control, note, actor, from_ms(now), withdraws))

    def request_snapshot(self, request: SnapshotRequest) -> int:
        """Record an ad hoc trigger, and return its id; a sweep that names the id answers it."""
        with self._writing() as (conn, _):
            return requests.append_request(conn, request)

    # The log, and locks

    def leaves(self, start: int = 0, end: int | None = None) -> Iterator[Leaf]:
        """Yield the leaves ``[start, end)`` of the log in order; to the last one when *end* is None."""
        while end is None or start < end:
            upto = start + _LEAVES_AT_A_TIME if end is None else min(end, start + _LEAVES_AT_A_TIME)
            with self._database.reading() as conn:
                page = list(ledger.leaves(conn, start, upto))
            yield from page
            if len(page) < upto - start:
                return
            start = upto

    def evidence(self, misread: Misread, read: Read) -> AbstractContextManager[Evidence]:
        """Give every row of one state of the store, for verification; *misread* and *read* hear how it goes."""
        return read_evidence(self._database, misread, read)

    def one_state(self) -> AbstractContextManager[None]:
        """Let everything that this thread reads meanwhile see the store as it is now, whoever records meanwhile."""
        return self._database.one_state()

    def rebuild(self) -> dict[str, int]:
        """Make the projections again from evidence; return, by table, in how many rows they differ from what was there.

        Raises `StoreError` on PostgreSQL for a login that may not act for the owner of the tables.
        """
        with self._writing() as (conn, _):
            found = rebuild(conn, self._sweeps.paging)
        self._sweeps.paging.clear()
        return found

    def sweeps_recorded(self) -> int:
        """Return how many sweeps are recorded."""
        with self._database.reading() as conn:
            return statistics.sweeps_recorded(conn)

    def analyse(self) -> list[str]:
        """Let the database's planner look at the tables; return the names of those that the login may not analyse."""
        with self._database.writing(lock=False) as conn:
            return statistics.analyse(conn)

    def size(self) -> int:
        """Return how many bytes the store takes, as its database counts them (indexes included)."""
        with self._database.reading() as conn:
            return size(conn)

    def lock(self, name: str) -> AbstractContextManager[None]:
        """Hold *name* against other processes and threads. Raises `BusyError` at once when it is held.

        Let go by the operating system or the server when the holder dies.
        """
        return locked(self._database, name)

    @contextmanager
    def _writing(self) -> Iterator[tuple[Connection, int]]:
        """The writer's transaction, and the present in ms: read behind the lock, so that times follow the ids."""
        try:
            with self._database.writing(lock=False) as conn:  # the log's end is locked next
                if self._recent.begin(conn):
                    self._sweeps.paging.forget()
                yield conn, to_ms(self._clock.now())
        except BaseException as error:
            self._names.forget()
            self._recent.forget()
            self.sealing.keys.forget()
            self._sweeps.forget()
            if isinstance(error, OutsideProfile):
                raise ConfigError(f"a name is too long for a leaf of the log: {error}", hint="Shorten it.") from error
            raise

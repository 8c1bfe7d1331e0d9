"""The store as far as one engagement goes: whoever holds it can read nothing outside of the engagement's terms.

- What is outside is not told apart from what was never there: the same answers, the same words.
- Sources and scopes limit what is read. The period does not: an examiner may look at what held before it. Nor do
  criteria and controls, which depend on what people say; the control sets are the installation's own words.
- Nothing is recorded through it but acts at the desk of the engagement.
- On PostgreSQL, where the login is the desk's, a transaction sees only rows in scope (`collector.store.policies`).

What is not a question of an examiner is refused; a test has every method of a store declared, one way or the other.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from typing import NoReturn, cast

from sqlalchemy import Connection

from collector.engagement import Engagement
from collector.errors import QueryError, Unknown
from collector.model import Missed, Period, SnapshotRequest
from collector.store import plans
from collector.store.checkpoints import Checkpoints
from collector.store.contents import PAGE
from collector.store.desk import Desk
from collector.store.erasing import Erasing
from collector.store.reach import UnsealingWithin
from collector.store.records import PlanRecord, RunOutcome, SweepRecord
from collector.store.retaining import Retaining
from collector.store.rewrapping import Rewrapping
from collector.store.sealing import Sealing
from collector.store.sight import NamesWithin
from collector.store.slot_pages import Page
from collector.store.store import Store
from collector.store.sweeps import unknown_run
from collector.tag import Tag

_RUN = re.compile("run:[0-9]{1,15}-[0-9]{1,15}")
_ARTIFACT = re.compile("sha256:[0-9a-f]{64}")


def refuse(what: str) -> NoReturn:
    """Raise `QueryError`: *what* is not done from within an engagement."""
    raise QueryError(f"one does not {what} from within an engagement", hint="Ask somebody who sees the whole store.")


def _refusal(what: str) -> Callable[..., NoReturn]:
    """Return a method that refuses to do *what*."""

    def refused(*_: object, **__: object) -> NoReturn:
        refuse(what)

    return refused


class _Closed:
    """A part of a store that is not for who is within an engagement."""

    def __init__(self, name: str) -> None:
        self._name = name

    def __getattr__(self, _: str) -> NoReturn:
        refuse(f"use {self._name}")


class Scoped(Store):
    """A store within the terms of *engagement* as given: take it anew for each request, so that they are in force.

    It shares the connections and the memory of *whole*, and closing it does nothing.
    """

    _names: NamesWithin

    def __init__(self, whole: Store, names: NamesWithin, engagement: Engagement) -> None:
        self.engagement = engagement
        self.id, self._whole, self._clock, self._names = whole.id, whole, whole._clock, names
        self._database = whole._database.beginning(partial(names.begin, engagement.id))
        self._sweeps, self._planned = whole._sweeps, whole._planned
        self._unsealing: UnsealingWithin = UnsealingWithin(whole.sealing.keys, names, engagement.id)
        self.desk = Desk(self._database, self._recording, engagement.id)
        # Digests and signatures over the log say nothing of what is in it, and every proof needs them.
        self.checkpoints = Checkpoints(whole._database, self._writing)
        self.sealing = cast(Sealing, _Closed("sealing"))
        self.rewrapping = cast(Rewrapping, _Closed("rewrapping"))
        self.erasing = cast(Erasing, _Closed("erasing"))
        self.retaining = cast(Retaining, _Closed("retaining"))

    def close(self) -> None:
        """Do nothing: the connections are the whole store's."""

    def within(self, engagement: Engagement) -> Scoped:
        """Return this store for its own engagement. Raises `Unknown` for any other."""
        if engagement.id != self.engagement.id:
            raise Unknown(f"there is no engagement {engagement.name!r}")
        return self

    def whole_for_export(self) -> Store:
        """Return the whole store: for who exports this engagement as a bundle, and for `prove`. For nobody else.

        A bundle holds every leaf of the log, those of other engagements too, so that none can be left out; leaves hold
        digests, counts and names of sources. What else goes in is narrowed by the bundle's own rules, from leaves.
        """
        return self._whole

    # Sweeps and runs

    def sweeps(self, period: Period, source: str | None = None) -> Iterator[SweepRecord]:
        """Yield what `Store.sweeps` yields, with the runs in scope alone; not where there are none."""
        for each in super().sweeps(period, source):
            runs = tuple(run for run in each.runs if self._names.holds(run.subject))
            if runs:
                yield replace(each, runs=runs)

    def slot_pages(self, period: Period, source: str | None = None) -> dict[str, list[Page]]:
        """Return the pages as `Store.slot_pages`, with the runs in scope alone."""
        found = super().slot_pages(period, source)
        return {name: [page.within(self._names.holds) for page in pages] for name, pages in found.items()}

    def outcomes(self, runs: Iterable[str]) -> list[RunOutcome]:
        """See `Store.outcomes`. Raises `Unknown` for a run that is out of scope."""
        found = super().outcomes(runs)
        for each in found:
            if not self._names.holds(each.subject):
                raise unknown_run(each.id)
        return found

    # What was expected, asked and claimed

    def plans(self) -> list[PlanRecord]:
        """Return every version of the plan, each document without what is out of scope.

        The *digest* of each is that of the whole document, which the log commits to.
        """
        terms = self.engagement.terms
        return [replace(each, document=terms.planned(each.document)) for each in super().plans()]

    def missed(self, period: Period, source: str | None = None) -> list[Missed]:
        """See `Store.missed`: of sources in scope, and of the subjects named only those in scope."""
        found = []
        with self._database.reading() as conn:
            every = plans.missed_between(conn, self._whole._names, period, source)
        for each in every:
            if each.subjects is not None:
                each = replace(each, subjects=tuple(filter(self._names.holds, each.subjects)))  # noqa: PLW2901
            if self._names.holds_source(each.source) and each.subjects != ():
                found.append(each)
        return found

    def tags(self, *, target: str | None = None, control: str | None = None) -> list[Tag]:
        """See `Store.tags`: of runs and artifacts in scope."""
        found = super().tags(target=target, control=control)
        with self._database.reading() as conn:
            seen = self._reached(conn, {each.target for each in found})
        return [each for each in found if each.target in seen]

    def pending_requests(self) -> list[SnapshotRequest]:
        """See `Store.pending_requests`: of sources in scope."""
        return [each for each in super().pending_requests() if self._names.holds_source(each.source)]

    def request_of(self, run: str) -> SnapshotRequest | None:
        """See `Store.request_of`; None for a run that is out of scope."""
        with self._database.reading() as conn:
            if not self._reached(conn, {f"run:{run}"}):
                return None
        return super().request_of(run)

    def _reached(self, conn: Connection, targets: set[str]) -> set[str]:
        """Return those of *targets* (``run:12-3``, ``sha256:...``) that are in scope."""
        found = {each for each in targets if _RUN.fullmatch(each) and self._has_run(conn, each.removeprefix("run:"))}
        digests = {bytes.fromhex(each.removeprefix("sha256:")): each for each in targets if _ARTIFACT.fullmatch(each)}
        names = list(digests)
        for start in range(0, len(names), PAGE):
            found |= {digests[name] for name in self._unsealing.reached(conn, names[start : start + PAGE])}
        return found

    def _has_run(self, conn: Connection, run: str) -> bool:
        try:
            [found] = self._sweeps.paging.outcomes(conn, [run])
        except Unknown:
            return False
        return self._names.holds(found.subject)

    # What is refused: the daemon's and the operator's. Whatever else records asks `_writing` first.

    append = _refusal("append a sweep")
    snapshot_request = _refusal("follow what was asked of the daemon")
    answers_to = _refusal("follow what was asked of the daemon")
    leaves = _refusal("read leaves, which name every source")
    evidence = _refusal("read every row")
    sweeps_recorded = _refusal("count all sweeps")
    analyse = _refusal("analyse tables")
    size = _refusal("measure the store")
    lock = _refusal("hold a lock, which keeps others waiting")

    @contextmanager
    def _writing(self) -> Iterator[tuple[Connection, int]]:
        """Refuse, whatever was to be recorded."""
        refuse("record anything but acts at the desk of the engagement")
        yield

    @contextmanager
    def _recording(self) -> Iterator[tuple[Connection, int]]:
        """The writer's transaction, for acts at the desk."""
        with self._whole._writing() as (conn, now):
            self._database.record_for(conn, self.engagement.id)
            yield conn, now

"""Ask every source whether it answers, and for every planned kind whether it may be read. Stores nothing."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from collector.clock import Clock
from collector.collect import explained
from collector.connector import Connector, Reading
from collector.errors import QueryError
from collector.intake import Population
from collector.model import Head, Principal, Reason, Scope, Subject, Window
from collector.plan import PlannedSource, build_plan
from collector.procedure import Kind
from collector.source import Source, Visit, visit

if TYPE_CHECKING:
    from collector.config import Config

_SAMPLE_SECONDS = 60.0
_EVENTS = timedelta(hours=1)
_SOURCES_AT_A_TIME = 4

Progress = Callable[[str], None]


@dataclass(frozen=True)
class Trouble:
    """Why something does not answer, in the words a failed run would carry."""

    reason: Reason
    message: str
    hint: str


@dataclass(frozen=True)
class KindCheck:
    """One kind sampled in one scope. *grants* are the permissions it needs; *trouble* is None when it answers."""

    subject: Subject
    items: int
    grants: tuple[str, ...]
    trouble: Trouble | None


@dataclass(frozen=True)
class SourceCheck:
    """One source: who it says we are, its scopes (those not read say why), and each kind that is to be read.

    *trouble* is why the source itself does not answer; then *kinds* is empty.
    """

    source: str
    connector: str
    principal: Principal
    scopes: tuple[Scope, ...]
    excluded: tuple[str, ...]
    kinds: tuple[KindCheck, ...]
    trouble: Trouble | None

    @property
    def in_order(self) -> bool:
        """Return whether the source and every kind answered."""
        return self.trouble is None and all(each.trouble is None for each in self.kinds)


def check(
    config: Config,
    connectors: Mapping[str, Connector],
    clock: Clock,
    *,
    only: str = "",
    every_scope: bool = False,
    progress: Progress = lambda _: None,
) -> list[SourceCheck]:
    """Return what every source (or *only* one) says, by name; a trouble of one never hides another.

    A kind is sampled (one page, the details of one item) in the first readable scope of its level, or in each with
    *every_scope*. Raises `QueryError` for a source that is not configured.
    """
    if only and only not in config.sources:
        names = ", ".join(sorted(config.sources)) or "none"
        raise QueryError(f"the configuration has no source {only!r}", hint=f"It has: {names}.")
    asking = _Asking(config, connectors, clock, every_scope, progress)
    sources = [
        Source(name, connectors[settings.connector], settings)
        for name, settings in sorted(config.sources.items())
        if only in ("", name)
    ]
    with ThreadPoolExecutor(_SOURCES_AT_A_TIME, thread_name_prefix="check") as pool:
        checks = [pool.submit(asking.source, each) for each in sources]
        try:
            return [each.result() for each in checks]
        except BaseException:
            asking.stopping.set()
            raise


@dataclass
class _Asking:
    config: Config
    connectors: Mapping[str, Connector]
    clock: Clock
    every_scope: bool
    progress: Progress
    stopping: threading.Event = field(default_factory=threading.Event)

    def source(self, source: Source) -> SourceCheck:
        with (
            visit(source, self.clock) as opening,
            ThreadPoolExecutor(source.settings.concurrency, thread_name_prefix=f"check-{source.name}") as pool,
        ):
            who, where = pool.submit(_principal, opening), pool.submit(_scopes, opening)
            trouble = _trouble(who) or _trouble(where)
            if trouble is not None:
                self.progress(f"{source.name} does not answer: {trouble.reason}")
                return SourceCheck(source.name, source.connector.name, Principal(""), (), (), (), trouble)
            self.progress(f"{source.name} answers as {who.result().id}")
            plan = build_plan(self.config, self.connectors, {source.name: where.result()}, {})
            planned = next(each for each in plan.sources if each.name == source.name)
            samples = [
                (
                    Subject(source.name, kind.name, scope.name),
                    pool.submit(self.sample, opening, kind, scope, source.name),
                )
                for kind, scope in self.samples(source, planned)
            ]
            kinds = tuple(self.answer(source, subject, sample) for subject, sample in samples)
        excluded = tuple(kind.name for kind in planned.kinds if kind.excluded)
        scopes = tuple(where.result())
        return SourceCheck(source.name, source.connector.name, who.result(), scopes, excluded, kinds, None)

    def samples(self, source: Source, planned: PlannedSource) -> Iterator[tuple[Kind, Scope]]:
        known, sampled = source.connector.kinds(), set[str]()
        for _, kind, scope in planned.subjects():
            if kind.excluded or scope.excluded or (kind.name in sampled and not self.every_scope):
                continue
            sampled.add(kind.name)
            yield known[kind.name], scope

    def sample(self, opening: Visit, kind: Kind, scope: Scope, source: str) -> int:
        """Read a sample the whole way to its digest, so that what only shows there (a missing key) shows; drop it."""
        now = self.clock.now()
        reading = Reading(
            self.clock,
            self.clock.monotonic() + _SAMPLE_SECONDS,
            window=Window(now - _EVENTS, now) if kind.since else None,
            sample=True,
            stopping=self.stopping,
        )
        head = Head(Subject(source, kind.name, scope.name))
        population = Population(kind, scope, head, lambda _: None, keep_volatile=False)
        session, _ = opening()
        for item in session.read(kind, scope, reading):
            population.add(item)
            reading.check()
        return len(population.contents)

    def answer(self, source: Source, subject: Subject, sample: Future[int]) -> KindCheck:
        trouble = _trouble(sample)
        self.progress(f"{subject.source} {subject.kind}: {trouble.reason if trouble else 'answers'}")
        grants = source.connector.grants(source.connector.kinds()[subject.kind])
        return KindCheck(subject, 0 if trouble else sample.result(), grants, trouble)


def _principal(opening: Visit) -> Principal:
    return opening()[1]


def _scopes(opening: Visit) -> list[Scope]:
    return opening()[0].scopes()


def _trouble(answer: Future[Any]) -> Trouble | None:
    error = answer.exception()
    return None if error is None else Trouble(*explained(error))

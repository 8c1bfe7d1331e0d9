"""The plan: which kinds are read from which scopes of which sources at which cadence. Data, and pure questions to it.

A plan is content-addressed: `Plan.document` is what the store keeps and `Plan.digest` names, so the expected slots of
any past period can be computed again from the store alone, without the configuration they came from.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from fnmatch import fnmatchcase
from functools import cached_property

from pydantic import TypeAdapter, ValidationError

from collector.cadence import jitter_offset, parse_duration
from collector.canonical import canonical, digest
from collector.config import Config, source_digest
from collector.connector import Connector, Settings
from collector.errors import IntegrityError
from collector.model import Json, Scope, Subject, show_digest
from collector.procedure import Kind, select

UNRESOLVED = "unresolved"
_FORM = 1


@dataclass(frozen=True)
class PlannedKind:
    """One kind of a source. *procedure* is ``sha256:<hex>``; *excluded* says why it is not read, empty: it is.

    What is *sealed* is encrypted before it is stored.
    """

    name: str
    level: str
    procedure: str
    cadence: str
    events: bool
    criteria: tuple[str, ...] = ()
    excluded: str = ""
    sealed: bool = False


@dataclass(frozen=True)
class PlannedSource:
    """One source as planned. *config* is the digest of its settings (``sha256:<hex>``).

    Every slot of the source is moved by *jitter_ms* whole milliseconds (the offset itself, not its window).
    *scopes* may hold `UNRESOLVED` ones: a level whose scopes the source has not told us yet.
    """

    name: str
    connector: str
    connector_version: str
    config: str
    account: str
    timezone: str
    daily_at: str
    jitter_ms: int
    scopes: tuple[Scope, ...]
    kinds: tuple[PlannedKind, ...]

    @property
    def offset(self) -> timedelta:
        """By how much every slot of the source is moved."""
        return timedelta(milliseconds=self.jitter_ms)

    def subjects(self) -> Iterator[tuple[Subject, PlannedKind, Scope]]:
        """Yield every kind with every scope of its level, excluded ones too, in the order of kinds, then scopes."""
        for kind in self.kinds:
            for scope in self.scopes:
                if scope.level == kind.level:
                    yield Subject(self.name, kind.name, scope.name), kind, scope

    @cached_property
    def by_cadence(self) -> dict[str, tuple[Subject, ...]]:
        """The subjects by their cadence: what falls due together is reckoned once for all of them."""
        found: dict[str, list[Subject]] = {}
        for subject, kind, _ in self.subjects():
            found.setdefault(kind.cadence, []).append(subject)
        return {cadence: tuple(subjects) for cadence, subjects in found.items()}


@dataclass(frozen=True)
class Plan:
    """All sources, sorted by name. *version* and *valid_from* (UTC) are given by the store when it is recorded."""

    sources: tuple[PlannedSource, ...]
    version: int = 0
    valid_from: datetime | None = None

    def document(self) -> dict[str, Json]:
        """Return the plan as plain JSON, without version and validity: what is recorded and digested."""
        return {"form": _FORM, "sources": _SOURCES.dump_python(self.sources, mode="json")}

    @classmethod
    def of(cls, document: Json, version: int = 0, valid_from: datetime | None = None) -> Plan:
        """Return the plan that *document* records. Raises `IntegrityError` when it is not a plan's document."""
        try:
            return cls(_SOURCES.validate_python(document["sources"]), version, valid_from)
        except (KeyError, TypeError, ValidationError) as error:
            raise IntegrityError(f"version {version} of the plan is not a plan: {type(error).__name__}") from error

    @cached_property
    def digest(self) -> bytes:
        """SHA-256 of the canonical document; equal plans are one, however their configuration was ordered."""
        return digest(canonical(self.document()))

    def source(self, name: str) -> PlannedSource | None:
        """Return the source *name*, or None when the plan has none of that name."""
        return self._by_name.get(name)

    def subjects(self) -> Iterator[tuple[Subject, PlannedKind, Scope]]:
        """Yield what `PlannedSource.subjects` yields, of every source."""
        for source in self.sources:
            yield from source.subjects()

    def excluded(self, subject: Subject) -> str:
        """Return why *subject* is not read; empty when it is, and for one that is not planned at all.

        An unplanned subject is not excluded: that would excuse slots which fell due while it still was planned.
        """
        return self._exclusions.get(subject, "")

    @cached_property
    def _by_name(self) -> dict[str, PlannedSource]:
        return {source.name: source for source in self.sources}

    @cached_property
    def _exclusions(self) -> dict[Subject, str]:
        reasons = ((subject, scope.excluded or kind.excluded) for subject, kind, scope in self.subjects())
        return {subject: reason for subject, reason in reasons if reason}


_SOURCES = TypeAdapter(tuple[PlannedSource, ...])


def build_plan(
    config: Config,
    connectors: Mapping[str, Connector],
    scopes: Mapping[str, Sequence[Scope]],
    accounts: Mapping[str, str],
) -> Plan:
    """Return the plan that *config* asks for: a pure function of its arguments.

    *scopes* holds what each source said of itself, by source name, and *accounts* where it is. A level that a planned
    kind is read at and *scopes* does not name gets the scope `UNRESOLVED`, so that its slots are due all the same.
    """
    planned = []
    for name in sorted(config.sources):
        settings = config.sources[name]
        connector = connectors[settings.connector]
        kinds = tuple(_kinds(settings, config.every, connector))
        planned.append(
            PlannedSource(
                name=name,
                connector=connector.name,
                connector_version=connector.version,
                config=show_digest(source_digest(settings)),
                account=accounts.get(name, ""),
                timezone=config.plan.timezone,
                daily_at=config.plan.daily_at,
                jitter_ms=jitter_offset(name, parse_duration(config.plan.jitter)) // timedelta(milliseconds=1),
                scopes=_scopes(scopes.get(name, ()), kinds),
                kinds=kinds,
            )
        )
    return Plan(tuple(planned))


def cadence_of(kind: Kind, *overrides: Mapping[str, str]) -> str:
    """Return the cadence of *kind*: of the first of *overrides* with a pattern for it, else the kind's own.

    Among the patterns of one mapping the one with the most literal characters rules; the order of keys never matters.
    """
    for patterns in overrides:
        matching = [pattern for pattern in patterns if fnmatchcase(kind.name, pattern)]
        if matching:
            return patterns[max(matching, key=lambda each: (len(each) - each.count("*"), each))]
    return kind.every


def _kinds(settings: Settings, every: Mapping[str, str], connector: Connector) -> Iterator[PlannedKind]:
    known = connector.kinds()
    for name in select(known, settings.kinds):
        kind = known[name]
        if kind.optional and name not in settings.kinds:
            continue
        yield PlannedKind(
            name=name,
            level=kind.scope,
            procedure=show_digest(kind.digest),
            cadence=cadence_of(kind, settings.every, every),
            events=kind.since is not None,
            criteria=tuple(sorted(kind.criteria)),
            excluded=_exclusion(name, settings.exclude),
            sealed=any(fnmatchcase(name, pattern) for pattern in settings.sealed),
        )


def _exclusion(name: str, patterns: Iterable[str]) -> str:
    matching = sorted(pattern for pattern in patterns if fnmatchcase(name, pattern))
    return f"excluded by the configuration: {matching[0]}" if matching else ""


def _scopes(known: Sequence[Scope], kinds: Iterable[PlannedKind]) -> tuple[Scope, ...]:
    named = {(scope.level, scope.name): scope for scope in known}
    missing = {kind.level for kind in kinds} - {scope.level for scope in known}
    unresolved = [Scope(UNRESOLVED, level) for level in missing]
    return tuple(sorted([*named.values(), *unresolved], key=lambda scope: (scope.level, scope.name)))


def changes(old: Plan | None, new: Plan) -> list[str]:
    """Return how *new* differs from *old* (None: there was no plan), each difference in plain words, sorted by source.

    Empty when their digests are equal. Two plans whose documents differ always differ in words too.
    """
    before = {source.name: source for source in old.sources} if old else {}
    after = {source.name: source for source in new.sources}
    found = []
    for name in sorted(before.keys() | after.keys()):
        if name not in before:
            found.append(f"source {name} added: {len(after[name].kinds)} kinds, {len(after[name].scopes)} scopes")
        elif name not in after:
            found.append(f"source {name} removed")
        else:
            found += [f"source {name}: {words}" for words in _source_changes(before[name], after[name])]
    return found


_SOURCE_WORDS = {
    "connector": "connector",
    "connector_version": "connector version",
    "account": "account",
    "timezone": "time zone",
    "daily_at": "daily time",
}
_KIND_WORDS = {
    "level": "level",
    "cadence": "cadence",
    "events": "event kind",
    "criteria": "criteria",
    "sealed": "sealed",
}


def _source_changes(old: PlannedSource, new: PlannedSource) -> Iterator[str]:
    yield from _differences(old, new, _SOURCE_WORDS)
    if old.jitter_ms != new.jitter_ms:
        yield f"jitter {old.jitter_ms} ms -> {new.jitter_ms} ms"
    if old.config != new.config:
        yield "settings changed"
    yield from _scope_changes(old.scopes, new.scopes)
    before, after = ({kind.name: kind for kind in source.kinds} for source in (old, new))
    for name in sorted(before.keys() | after.keys()):
        if name not in before:
            yield f"kind {name} added" + _because(after[name].excluded)
        elif name not in after:
            yield f"kind {name} removed"
        else:
            yield from (f"kind {name}: {words}" for words in _kind_changes(before[name], after[name]))


def _scope_changes(old: Iterable[Scope], new: Iterable[Scope]) -> Iterator[str]:
    before, after = ({(scope.level, scope.name): scope for scope in scopes} for scopes in (old, new))
    for level, name in sorted(before.keys() | after.keys()):
        place = f"scope {name} ({level})"
        if (level, name) not in before:
            yield f"{place} added" + _because(after[level, name].excluded)
        elif (level, name) not in after:
            yield f"{place} removed"
        else:
            yield from (f"{place}: {words}" for words in _exclusion_changes(before[level, name], after[level, name]))


def _kind_changes(old: PlannedKind, new: PlannedKind) -> Iterator[str]:
    yield from _differences(old, new, _KIND_WORDS)
    if old.procedure != new.procedure:
        yield "procedure changed"
    yield from _exclusion_changes(old, new)


def _exclusion_changes(old: PlannedKind | Scope, new: PlannedKind | Scope) -> Iterator[str]:
    if old.excluded != new.excluded:
        yield f"now excluded: {new.excluded}" if new.excluded else "no longer excluded"


def _differences(old: object, new: object, words: Mapping[str, str]) -> Iterator[str]:
    for name, word in words.items():
        before, after = getattr(old, name), getattr(new, name)
        if before != after:
            yield f"{word} {_show(before)} -> {_show(after)}"


def _show(value: object) -> str:
    return " ".join(value) or "none" if isinstance(value, tuple) else str(value) or "unknown"


def _because(excluded: str) -> str:
    return f", excluded: {excluded}" if excluded else ""

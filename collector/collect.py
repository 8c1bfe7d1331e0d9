"""One run: read a kind in a scope, whatever comes of it, and say how it differs from the last good population.

The one catch-all of the codebase is here, around the *iteration*: a reader is a generator and raises when consumed.
"""

from __future__ import annotations

import io
import pickle
import re
import threading
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

import jmespath

from collector import fields
from collector.canonical import canonical, digest, population_root
from collector.clock import Clock, iso
from collector.connector import Reading, Session
from collector.coverage import LOST
from collector.errors import EvidencedError, Invalid, ReadError, StoreError, Truncated, Unavailable
from collector.model import (
    Artifact,
    Counts,
    Detail,
    Head,
    ItemChange,
    Json,
    Observation,
    Outcome,
    Prepared,
    Principal,
    Provenance,
    Reason,
    Redaction,
    Run,
    Scope,
    Subject,
    Trigger,
    Window,
)
from collector.plan import UNRESOLVED
from collector.procedure import Kind
from collector.redact import redact, scrub, without_people
from collector.schedule import parse_duration
from collector.sealer import Sealer
from collector.source import Visit, require_account

STAGE_BYTES = 32 * 1024 * 1024
SKEW_WARNING_MS = 120_000

_WORD = re.compile(r"[\w-]+")
_PLAIN_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
Stage = Callable[[Iterable[Artifact]], None]


@dataclass(frozen=True)
class Task:
    """One run to be made: what to read, for which slot, and why; *account* is where the source is, if that is known."""

    subject: Subject
    kind: Kind
    scope: Scope
    due: datetime
    trigger: Trigger
    provenance: Provenance
    account: str = ""
    sealed: bool = False


@dataclass
class Population:
    """The items of one run as they come in: digests of all of them, bytes only of those the store has not seen.

    Memory is about 250 bytes an item, plus new contents, which are staged each time they reach `STAGE_BYTES`.
    """

    kind: Kind
    scope: Scope
    head: Head
    stage: Stage
    keep_volatile: bool
    contents: dict[bytes, bytes] = field(default_factory=dict)
    keys: dict[bytes, str] = field(default_factory=dict)
    new: dict[bytes, bytes] = field(default_factory=dict)
    volatile: dict[str, dict[str, Json]] = field(default_factory=dict)
    redactions: Counter[tuple[str, str]] = field(default_factory=Counter)
    prepared: dict[bytes, Prepared] = field(default_factory=dict)
    _new_bytes: int = 0

    def __post_init__(self) -> None:
        self._key = jmespath.compile(self.kind.key) if self.kind.key else None
        self._key_is_a_field = bool(_PLAIN_NAME.fullmatch(self.kind.key or ""))
        # Nothing is ever unpickled. It writes type and value of whatever it is given, so that NaN and null, text and
        # time, 1 and 1.0 differ; "fast" is without references to what came before, so that equal items are equal bytes.
        self._pickled = io.BytesIO()
        self._pickler = pickle.Pickler(self._pickled, 5)
        self._pickler.fast = True

    def add(self, item: dict[str, Json]) -> None:
        """Take one item as read: remove, redact, name, split, canonicalise, digest. Raises `Invalid`."""
        if not isinstance(item, dict):
            raise Invalid(f"an item of {self.kind.name} is {type(item).__name__}, not an object")
        if self.kind.never:
            fields.remove(item, self.kind.never)
        name = self._likeness(item)
        seen = self.head.prepared.get(name)
        if (
            seen is None
            or (self.keep_volatile and self.kind.volatile)
            or self.head.contents.get(seen.key_digest) != seen.artifact
        ):
            seen = self._prepare(item)
        else:
            self._place(seen.key_digest, seen.artifact)
        if seen.redactions:
            self.redactions.update(seen.redactions)
        self.prepared[name] = seen

    def _prepare(self, item: dict[str, Json]) -> Prepared:
        """Redact, name, split, canonicalise and digest."""
        # A path names what is in the document, and some documents have people for names.
        redactions = tuple(dict.fromkeys((without_people(path), rule) for path, rule in redact(item, self.kind)))
        key = self._key_of(item)
        key_digest = digest(key.encode("utf-8", "surrogatepass"))
        self._split(key, item)
        data = canonical(item)
        artifact = digest(data)
        self._place(key_digest, artifact)
        if self.head.contents.get(key_digest) != artifact:
            self.keys[key_digest] = key
            self._keep(artifact, data)
        return Prepared(key_digest, artifact, redactions)

    def _place(self, key_digest: bytes, artifact: bytes) -> None:
        # For an event kind a page that shifts under new arrivals repeats an event; for a state it means that the
        # listing changed while it was read, or that the key is no key: either way the population is not known.
        if key_digest in self.contents and self.kind.since is None:
            raise Invalid(f"two items of {self.kind.name} have one key (its SHA-256 is {key_digest.hex()})")
        self.contents[key_digest] = artifact

    def _likeness(self, item: dict[str, Json]) -> bytes:
        """Return what tells *item* as read, without its volatile fields, from any other; empty when nothing does.

        Not its canonical form: that costs several times as much, and two items of one likeness have the same.
        """
        try:
            self._pickler.dump(fields.without(item, self.kind.volatile))
        except (pickle.PicklingError, TypeError, ValueError, AttributeError, RecursionError):
            return b""  # it is no plain JSON: `canonical` says whether it may be kept
        finally:
            data = self._pickled.getvalue()
            self._pickled.seek(0)
            self._pickled.truncate()
        # The procedure is part of it: with another one, another document is made of the same item.
        return digest(self.kind.digest + data)

    def changes(self) -> tuple[ItemChange, ...]:
        """Return every difference from the last good population, in key digest order."""
        known = self.head.contents
        changed = [
            ItemChange(self.keys[key], key, self.contents[key])
            for key in self.keys
            if known.get(key) != self.contents[key]
        ]
        if self.kind.since is None:
            gone = known.keys() - self.contents.keys()
            changed += [ItemChange(self.head.keys.get(key, ""), key, None) for key in gone]
        return tuple(sorted(changed, key=lambda change: change.key_digest))

    def root(self, changes: tuple[ItemChange, ...]) -> bytes:
        """Return the Merkle root over the items read; an unchanged state keeps the root it has."""
        if not changes and self.kind.since is None and self.head.population is not None:
            return self.head.population
        return population_root(self.contents.items())

    def artifacts(self) -> tuple[Artifact, ...]:
        """Return the contents that were not staged yet."""
        return tuple(Artifact(each, data, self.kind.name) for each, data in self.new.items())

    def known(self) -> dict[bytes, Prepared]:
        """Return what may be taken from here the next time: of documents that name their item without their rest."""
        self.prepared.pop(b"", None)
        return self.prepared if _named_without_volatile(self.kind) else {}

    def _key_of(self, item: dict[str, Json]) -> str:
        if self._key is None:
            return self.scope.name
        key = item.get(self.kind.key or "") if self._key_is_a_field else self._key.search(item)
        if isinstance(key, bool) or not isinstance(key, str | int) or key == "":
            raise Invalid(f"an item of {self.kind.name} has no key at {self.kind.key!r}")
        return str(key)

    def _split(self, key: str, item: dict[str, Json]) -> None:
        values = fields.split(item, self.kind.volatile, self.kind.sets)
        if values and self.keep_volatile:
            self.volatile[key] = values

    def _keep(self, artifact: bytes, data: bytes) -> None:
        if artifact in self.new:
            return
        self.new[artifact] = data
        self._new_bytes += len(data)
        if self._new_bytes >= STAGE_BYTES:
            self.stage(self.artifacts())
            self.new.clear()
            self._new_bytes = 0


def _named_without_volatile(kind: Kind) -> bool:
    """Tell whether no volatile field can be part of an item's key."""
    words = set(_WORD.findall(kind.key or ""))
    for path in kind.volatile:
        first = fields.parse(path)[0]
        if isinstance(first, fields.Walk):
            return not words
        if any(first == word if isinstance(first, str) else first.fullmatch(word) for word in words):
            return False
    return True


def collect(
    opening: Visit,
    task: Task,
    head: Head,
    *,
    clock: Clock,
    limit: timedelta,
    stage: Stage,
    stopping: threading.Event,
    sealer: Sealer | None = None,
) -> Observation:
    """Return what came of reading *task*: an observation whatever opening the source or reading it raises.

    *head* is the last good population to compare with. A failed read gives an observation without changes, whose
    run says the reason. *stage* may be called with contents ahead of the observation that names them; the
    `StoreError` it may raise is the caller's to handle, for the store's trouble is not the source's. A *sealer* seals
    what comes of it.
    """
    started = clock.now()
    window, lost = window_of(task.kind, head, started)
    reading = Reading(clock, clock.monotonic() + limit.total_seconds(), window=window, stopping=stopping)
    day = started.astimezone(UTC).date().isoformat()
    keep_volatile = bool(task.kind.volatile) and (task.trigger is Trigger.ADHOC or head.volatile_day != day)
    population = Population(task.kind, task.scope, head, stage, keep_volatile)
    principal, failure = _read(opening, task, reading, population)
    run = Run(
        subject=task.subject,
        due=task.due,
        trigger=task.trigger,
        provenance=task.provenance,
        started=started,
        finished=clock.now(),
        outcome=Outcome.FAILED,
        principal=principal,
        operations=reading.calls.operations(),
        skew_ms=reading.calls.skew_ms,
        window=window,
        watermark_before=head.watermark,
        redactions=tuple(Redaction(path, rule, n) for (path, rule), n in sorted(population.redactions.items())),
    )
    if failure is not None:
        run = failed(run, failure) if sealer is None else sealer.failed(run, failure)
        hint = f"{run.hint} {_forgotten(task.kind, head)}".strip()
        return Observation(replace(run, hint=hint), events=task.kind.since is not None)
    found = _collected(replace(run, message=_remarks(lost, run.skew_ms)), population)
    return found if sealer is None else sealer.seal(found, population.contents)


def failed(run: Run, error: Exception) -> Run:
    """Return *run* as failed for *error*: the reason of a `ReadError`, else ``internal`` with the error's type."""
    reason, message, hint = explained(error)
    return replace(run, outcome=Outcome.FAILED, detail=None, reason=reason, message=message, hint=hint)


def explained(error: BaseException) -> tuple[Reason, str, str]:
    """Return the reason, the message and the hint for *error*, as they may be stored: bounded, no secret, no person."""
    if isinstance(error, ReadError):
        reason, message, hint = error.reason, error.message, error.hint()
    elif isinstance(error, EvidencedError):
        reason, message, hint = Reason.MISCONFIGURED, error.message, error.hint()
    else:
        reason, message = Reason.INTERNAL, f"{type(error).__name__}: {error}"
        hint = "This is a defect of the connector; report it with the run's sheet."
    return reason, without_people(scrub(message))[:2000], without_people(scrub(hint))[:500]


def window_of(kind: Kind, head: Head, now: datetime) -> tuple[Window | None, Window | None]:
    """Return the window to ask an event kind for, and the interval that is lost because the source forgot it.

    The window starts at the watermark less the overlap, at the first reading at the horizon; both are None for a
    kind of state. *now* and the results are UTC.
    """
    if kind.since is None:
        return None, None
    horizon = now - parse_duration(kind.since.horizon)
    if head.watermark is None:
        return Window(horizon, now), None
    # A clock that was set back may be behind the watermark; no window ends before it begins.
    since = min(head.watermark, now) - parse_duration(kind.since.overlap)
    lost = Window(head.watermark, horizon) if head.watermark < horizon else None
    return Window(max(since, horizon), now), lost


def _read(opening: Visit, task: Task, reading: Reading, population: Population) -> tuple[Principal, Exception | None]:
    principal = Principal("")
    try:
        session, principal = opening()
        require_account(task.account, principal)
        _require_scope(task, session)
        for item in session.read(task.kind, task.scope, reading):
            population.add(item)
            reading.check()
    except StoreError:
        raise
    except Exception as error:  # noqa: BLE001
        return principal, error
    return principal, _incomplete(reading)


def _incomplete(reading: Reading) -> Truncated | None:
    for calls in reading.calls.operations():
        if not calls.drained:
            return Truncated(f"{calls.operation} offered more than was read")
        if calls.total is not None and calls.items < calls.total:
            return Truncated(f"{calls.operation} gave {calls.items} of the {calls.total} items that the source counts")
    return None


def _require_scope(task: Task, session: Session) -> None:
    """Raise why the scopes of the level are not known; what stands in for them is no place to read."""
    if task.scope.name == UNRESOLVED:
        session.scopes()
        raise Unavailable(f"the source has not named a {task.scope.level} yet", hint="It is asked again in minutes.")


def _collected(run: Run, population: Population) -> Observation:
    changes = population.changes()
    population.head.prepared = population.known()
    gone = sum(change.artifact is None for change in changes)
    added = sum(change.artifact is not None and change.key_digest not in population.head.contents for change in changes)
    counts = Counts(len(population.contents), added, len(changes) - added - gone, gone)
    detail = Detail.EMPTY if not counts.items else Detail.CHANGED if changes else Detail.UNCHANGED
    run = replace(
        run,
        outcome=Outcome.COLLECTED,
        detail=detail,
        counts=counts,
        population=population.root(changes),
        watermark_after=run.window.until if run.window else None,
    )
    volatile = canonical(population.volatile) if population.volatile else None
    return Observation(run, changes, population.artifacts(), volatile, events=population.kind.since is not None)


def _remarks(lost: Window | None, skew_ms: int | None) -> str:
    remarks = []
    if lost is not None:
        remarks.append(f"events from {iso(lost.since)} to {iso(lost.until)} {LOST}")
    if skew_ms is not None and abs(skew_ms) > SKEW_WARNING_MS:
        side = "ahead of" if skew_ms > 0 else "behind"
        remarks.append(f"our clock is {abs(skew_ms) // 1000} s {side} the source's")
    return "; ".join(remarks)


def _forgotten(kind: Kind, head: Head) -> str:
    """Return from when on the source forgets what an event kind has left unread; empty for a kind of state."""
    if kind.since is None or head.watermark is None:
        return ""
    end = iso(head.watermark + parse_duration(kind.since.horizon))
    return f"Events since {iso(head.watermark)} are unread; the source forgets them from {end} on."

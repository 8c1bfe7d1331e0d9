"""Populations over time: what a good run changes, kept as evidence (states, changes) and as intervals (versions).

Only a collected run comes here; whatever failed leaves every item as it was.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import repeat
from typing import NamedTuple

from sqlalchemy import Connection, Table, bindparam, cast, insert, null, select, update

from collector.clock import to_ms
from collector.errors import IntegrityError
from collector.model import ItemChange, Json, Observation, Run, Subject, show_digest
from collector.store.bulk import among, insert_rows
from collector.store.contents import next_id
from collector.store.entries import GONE, state_entry, subject_name
from collector.store.tables import change, item, item_version, population_state


@dataclass(frozen=True, slots=True)
class State:
    """The population of a subject as last seen."""

    id: int
    at: int
    count: int
    root: bytes
    since: int | None
    watermark: int | None


class _Difference(NamedTuple):
    """One item's step from one state to the next; artifacts by number."""

    item: int
    before: int | None
    after: int | None
    opened: int  # the state that opened the version which ends here


@dataclass
class Additions:
    """What a sweep adds to the populations, written together: a statement for each table, not for each subject."""

    conn: Connection
    _subjects: set[int] = field(default_factory=set)
    _rows: dict[Table, list[tuple[Json, ...]]] = field(default_factory=dict)
    _closed: list[dict[str, int]] = field(default_factory=list)
    _last: dict[Table, int] = field(default_factory=dict)

    def begin(self, subject: int) -> None:
        """Write what is held when it is of *subject* too, which is about to be read."""
        if subject in self._subjects:
            self.write()
        self._subjects.add(subject)

    def numbers(self, table: Table, count: int = 1) -> range:
        """Return the next *count* ids of *table*, which are then given."""
        first = self._last[table] + 1 if table in self._last else next_id(self.conn, table.c.id)
        self._last[table] = first + count - 1
        return range(first, first + count)

    def add(self, table: Table, rows: Iterable[tuple[Json, ...]]) -> None:
        """Hold new *rows* of *table*, with a value for every column."""
        self._rows.setdefault(table, []).extend(rows)

    def close(self, versions: Iterable[dict[str, int]]) -> None:
        """Hold what is to be closed of `item_version`, in the names of `_CLOSE`."""
        self._closed.extend(versions)

    def write(self) -> None:
        """Write everything held."""
        if self._closed:
            self.conn.execute(_CLOSE, self._closed)
        for table, rows in self._rows.items():
            insert_rows(self.conn, table, rows)
        if states := self._rows.get(population_state):
            self.conn.execute(_OPEN, {"first": states[0][0]})
        self._rows, self._closed = {}, []
        self._subjects.clear()


def latest_state(conn: Connection, subject: int, *, sweep: int | None = None) -> State | None:
    """Return the last state of *subject*, as of the end of *sweep* when one is given; None before the first."""
    query = select(*_STATE).where(population_state.c.subject == subject)
    if sweep is not None:
        query = query.where(population_state.c.sweep <= sweep)
    row = conn.execute(query.order_by(population_state.c.sweep.desc(), population_state.c.id.desc()).limit(1)).first()
    return State(row[0], row[1], row[2], bytes(row[3]), row[4], row[5]) if row else None


_STATE = (
    population_state.c.id,
    population_state.c.at,
    population_state.c.count,
    population_state.c.root,
    population_state.c.since,
    population_state.c.watermark,
)


def record(
    additions: Additions,
    sweep: int,
    subject: int,
    observation: Observation,
    artifacts: Mapping[bytes, int],
    before: State | None,
) -> tuple[State, bytes] | None:
    """Add what a collected run found; return the new state and the entry that commits to it; None: nothing is new.

    *artifacts* holds the numbers of every artifact that a change names, *before* is the last state. Raises
    `IntegrityError` when the changes, the count and the root do not fit what is stored: the run was compared with
    another population than the last.
    """
    run = observation.run
    root = _require_root(run)
    if before and root == before.root and not observation.changes and not observation.events:
        _require_sum(run, before, ())
        return None
    additions.begin(subject)
    differences, kept = _differences(additions, subject, observation, artifacts, before)
    if not observation.events:
        _require_sum(run, before, differences)
    if before and root == before.root and not differences and not observation.events:
        return None
    if before and not differences and not observation.events:
        raise IntegrityError(f"{subject_name(run.subject)}: another population is claimed, but no item changed")
    at = max(to_ms(run.finished), before.at if before else 0)
    state = additions.numbers(population_state)[0]
    reached = State(
        state,
        at,
        run.counts.items,
        root,
        to_ms(run.window.since) if run.window else None,
        to_ms(run.watermark_after) if run.watermark_after else None,
    )
    row = (state, subject, at, reached.count, root, sweep, reached.since, reached.watermark)
    additions.add(population_state, [row])
    _write(additions, subject, state, at, differences)
    changes = [(each.key_digest, each.artifact or GONE) for each in kept]
    return reached, state_entry(run.subject, at, run.counts.items, root, changes)


def _require_root(run: Run) -> bytes:
    if run.population is None:
        raise IntegrityError(f"{subject_name(run.subject)}: a collected run must name its population")
    return run.population


def _require_sum(run: Run, before: State | None, differences: Sequence[_Difference]) -> None:
    added = sum(each.before is None for each in differences)
    gone = sum(each.after is None for each in differences)
    expected = (before.count if before else 0) + added - gone
    if run.counts.items != expected:
        raise IntegrityError(
            f"{subject_name(run.subject)}: {run.counts.items} items were read, but the last population and its "
            f"changes make {expected}",
            hint="The run was compared with a population that is not the last one; read the subject again.",
        )


def _differences(
    additions: Additions,
    subject: int,
    observation: Observation,
    artifacts: Mapping[bytes, int],
    before: State | None,
) -> tuple[list[_Difference], Sequence[ItemChange]]:
    """Return the steps that *observation* really makes, and the changes they come from."""
    changes = observation.changes
    items = _ensure_items(additions, subject, observation, fresh=before is None)
    open_ = _open_versions(additions.conn, subject, items.values()) if before else {}
    found: list[_Difference] = []
    kept: list[ItemChange] = []
    for each in changes:
        number = items[each.key_digest]
        was, opened = open_.get(number, (None, 0))
        now = None if each.artifact is None else artifacts[each.artifact]
        if was != now:
            found.append(_Difference(number, was, now, opened))
            kept.append(each)
    return found, kept


def _ensure_items(additions: Additions, subject: int, observation: Observation, *, fresh: bool) -> dict[bytes, int]:
    # Where the subject is sealed, the key text is among its secrets and not here.
    keys = {each.key_digest: None if observation.sealed else each.key for each in observation.changes}
    if len(keys) != len(observation.changes):
        raise IntegrityError("an observation changes one item twice")
    ids = {} if fresh else numbers_of(additions.conn, subject, keys)
    new = [key for key in keys if key not in ids]
    if new:
        numbers = additions.numbers(item, len(new))
        ids.update(zip(new, numbers, strict=True))
        rows = zip(numbers, repeat(subject), new, (_encoded(keys[key]) for key in new), strict=False)
        additions.add(item, rows)
    return ids


def numbers_of(conn: Connection, subject: int, keys: Iterable[bytes]) -> dict[bytes, int]:
    """Return the numbers of those items of *subject* that are stored, by key digest."""
    query = select(item.c.key_digest, item.c.id).where(item.c.subject == subject)
    return {bytes(key): id_ for key, id_ in among(conn, query, item.c.key_digest, keys)}


def _encoded(key: str | None) -> bytes | None:
    return None if key is None else key.encode("utf-8", "surrogatepass")


def _open_versions(conn: Connection, subject: int, items: Iterable[int]) -> dict[int, tuple[int, int]]:
    """Return of each of *items* that is there now its artifact and the state that opened it."""
    query = select(item_version.c.item, item_version.c.artifact, item_version.c.state).where(
        item_version.c.subject == subject, item_version.c.until.is_(None)
    )
    return {id_: (artifact, state) for id_, artifact, state in among(conn, query, item_version.c.item, items)}


def _write(additions: Additions, subject: int, state: int, at: int, differences: Sequence[_Difference]) -> None:
    additions.close(
        {"of": subject, "at_item": each.item, "opened": each.opened, "ends": at}
        for each in differences
        if each.before is not None
    )
    additions.add(change, ((state, each.item, each.before, each.after) for each in differences))


# What a change brought about is there from its state on. It need not be sent twice.
_OPEN = insert(item_version).from_select(
    [each.name for each in item_version.c],
    select(
        population_state.c.subject,
        change.c.item,
        change.c.state,
        population_state.c.at,
        cast(null(), item_version.c.until.type),
        change.c.artifact,
    )
    .join(population_state, population_state.c.id == change.c.state)
    .where(change.c.state >= bindparam("first"), change.c.artifact.is_not(None)),
)
_CLOSE = (
    update(item_version)
    .where(
        item_version.c.subject == bindparam("of"),
        item_version.c.item == bindparam("at_item"),
        item_version.c.state == bindparam("opened"),
    )
    .values(until=bindparam("ends"))
)


def require_stored(changes: Iterable[ItemChange], artifacts: Mapping[bytes, int], subject: Subject) -> None:
    """Raise `IntegrityError` naming the artifact that one of *changes* names and that is neither given nor stored."""
    for each in changes:
        if each.artifact is not None and each.artifact not in artifacts:
            raise IntegrityError(
                f"{subject_name(subject)}: an item names artifact {show_digest(each.artifact)}, which is "
                "neither given nor stored"
            )

"""What the leaf of a sweep must say, made again from the sweep's row and all that it recorded."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache

from collector.canonical import canonical, digest
from collector.clock import from_ms
from collector.errors import IntegrityError
from collector.model import Json, Subject, Trigger
from collector.store.entries import GONE, state_entry, subject_name, sweep_root, volatile_entry
from collector.store.evidence import Evidence, Row
from collector.store.frames import Frame, read_frame
from collector.store.packing import unpack
from collector.store.sheet_reading import Found, Place, Sheet
from collector.verify.contents import stored_content
from collector.verify.dictionaries import Dictionaries, ItemNames, read_dictionaries
from collector.verify.differences import Differences
from collector.verify.numbered import Grouped, Names
from collector.verify.populations import artifact_of, key_of
from collector.verify.slot_pages import SlotPages

_FRAMES, _NOTES = 64, 256


@dataclass(frozen=True, slots=True)
class Entry:
    """One thing that a sweep added, as its leaf commits to it: the *state* with its *steps*, or *volatile* fields."""

    data: bytes
    state: int | None = None
    steps: tuple[tuple[bytes, bytes], ...] = ()
    volatile: bytes | None = None


@dataclass(frozen=True, slots=True)
class SweepParts:
    """Everything that the leaf (an index) of a sweep commits to. Frame and notes are empty where there are none."""

    leaf: int
    sheet: bytes
    frame: bytes
    notes: bytes
    entries: tuple[Entry, ...]

    @property
    def leaves(self) -> list[bytes]:
        """The leaves of the tree whose root the sweep's leaf names."""
        named = [digest(each) if each else b"" for each in (self.frame, self.notes)]
        return [self.sheet, *named, *(each.data for each in self.entries)]


def sweep_parts(evidence: Evidence, sweep: int) -> SweepParts:
    """Return what the leaf of *sweep* commits to. Raises ValueError or `IntegrityError` where that is not there."""
    row = evidence.one("sweep", id=sweep)
    if row is None:
        raise IntegrityError(f"sweep {sweep} is not there")
    found = Differences()
    known = read_dictionaries(evidence, found)
    sweeps = Sweeps(evidence, _Asked(evidence, "artifact", "digest"), _AskedItems(evidence), known, found, only=sweep)
    return sweeps.parts(row)


class _Asked:
    """Digests by number, looked up one by one."""

    def __init__(self, evidence: Evidence, table: str, column: str) -> None:
        self._evidence, self._table, self._column = evidence, table, column

    def get(self, number: int | None) -> bytes | None:
        row = None if number is None else self._evidence.one(self._table, id=number)
        return None if row is None else bytes(row[self._column])


class _AskedItems:
    """Items by number, looked up one by one."""

    def __init__(self, evidence: Evidence) -> None:
        self._evidence = evidence
        self.keys: Names = _Asked(evidence, "item", "key_digest")

    def subject(self, number: int) -> int | None:
        row = self._evidence.one("item", id=number)
        return None if row is None else int(row["subject"])


class Sweeps:
    """Makes the leaves of sweeps again; sweeps are asked for in about the order of their ids, or *only* one."""

    def __init__(
        self,
        evidence: Evidence,
        contents: Names,
        items: ItemNames,
        known: Dictionaries,
        differences: Differences,
        *,
        only: int | None = None,
    ) -> None:
        self._evidence = evidence
        self._contents = contents
        self._items = items
        self._known = known
        self._differences = differences
        if only is None:
            states = _counted(evidence, differences, "population_state", "sweep", "id")
            documents = _counted(evidence, differences, "volatile", "sweep", "subject", "at")
            self._changes: Callable[[int], Sequence[Row]] = Grouped(
                evidence.rows("change", "state", "item"), "state"
            ).take
        else:
            states, documents = evidence.where("population_state", sweep=only), evidence.where("volatile", sweep=only)
            self._changes = lambda state: list(evidence.where("change", state=state))
        self._states = Grouped(states, "sweep")
        self._volatile = Grouped(documents, "sweep")
        self._frame = lru_cache(_FRAMES)(self._read_frame)
        self._noted = lru_cache(_NOTES)(self._read)
        self._pages = SlotPages(evidence, known, differences) if only is None else None
        self.answered: set[int] = set()

    def said(self, row: Row) -> dict[str, Json]:
        """Return what the leaf of the sweep in *row* says, without what it quotes. Raises as its contents demand."""
        source = self._known.source(row["source"])
        sheet, parts = self._opened(row, source)
        self._compare_span(row, sheet)
        if self._pages is not None:
            self._pages.add(row, sheet)
        entries = [each.data for each in self._entries(row["id"], sheet)]
        said: dict[str, Json] = {
            "sweep": row["id"],
            "source": source,
            "due": row["due"],
            "plan": row["plan"],
            "runs": sheet.tally(),
        }
        if (trigger := Trigger(row["trigger"])) is not Trigger.SCHEDULE:
            said["trigger"] = trigger.value
        if row["part"] or not row["last"]:
            said |= {"part": row["part"], "last": bool(row["last"])}
        if row["request"]:
            said |= {"request": row["request"], "asked": self._asked(row["request"])}
        return said | {"root": sweep_root(*parts, entries).hex()}

    def parts(self, row: Row) -> SweepParts:
        """Return what the leaf of the sweep in *row* commits to."""
        sheet, (data, *_) = self._opened(row, self._known.source(row["source"]))
        frame, notes = (b"" if row[each] is None else self._read(row[each]) for each in ("frame", "notes"))
        return SweepParts(row["leaf"], data, frame, notes, tuple(self._entries(row["id"], sheet)))

    def left(self) -> None:
        """Note what no sweep recorded. For when all sweeps were asked for."""
        for row in self._states.left():
            self._differences.add("population_state", row["id"], f"no sweep {row['sweep']} recorded it")
        for row in self._volatile.left():
            self._differences.add("volatile", _volatile_name(row), f"no sweep {row['sweep']} recorded it")
        if self._pages is not None:
            self._pages.left()

    def _opened(self, row: Row, source: str) -> tuple[Sheet, tuple[bytes, bytes, bytes]]:
        frame = None if row["frame"] is None else self._frame(row["frame"])
        notes = None if row["notes"] is None else self._noted(row["notes"])
        data = unpack(row["codec"], row["sheet"])
        if frame is not None and frame.source != source:
            raise ValueError(f"its frame is of the source {frame.source!r}")
        place = Place(row["id"], from_ms(row["due"]), Trigger(row["trigger"]), from_ms(row["recorded"]))
        named = [b"" if row[each] is None else self._contents.get(row[each]) or b"" for each in ("frame", "notes")]
        return Sheet(data, notes, frame, place), (data, named[0], named[1])

    def _compare_span(self, row: Row, sheet: Sheet) -> None:
        for name, value in zip(("first_due", "finished"), sheet.span(), strict=True):
            if row[name] != value:
                self._differences.add("sweep", row["id"], f"{name} is {row[name]}, and its runs say {value}")

    def _entries(self, sweep: int, sheet: Sheet) -> Iterator[Entry]:
        """Yield what the sweep added, in the order of its runs, and note what none of them found."""
        states: dict[Subject, deque[Row]] = {}
        kept: dict[tuple[Subject, int], Row] = {}
        for row in self._states.take(sweep):
            states.setdefault(self._known.subject(row["subject"]), deque()).append(row)
        for row in self._volatile.take(sweep):
            kept[self._known.subject(row["subject"]), row["at"]] = row
        if not states and not kept:
            return
        last = {subject: rows[-1]["root"] for subject, rows in states.items()}
        concerned = {*states, *(subject for subject, _ in kept)}
        for at, line in enumerate(sheet.lines):
            subject = line.subject
            if subject not in concerned or (found := sheet.found(at, last.get)) is None:
                continue
            waiting = states.get(subject)
            if waiting and (found.population, found.items) == (waiting[0]["root"], waiting[0]["count"]):
                yield self._state_entry(waiting.popleft(), subject, found)
            document = kept.pop((subject, found.finished), None)
            if document is not None:
                name = self._contents.get(document["artifact"]) or b""
                yield Entry(volatile_entry(subject, document["at"], name), volatile=name)
        for row in (row for rows in states.values() for row in rows):
            self._differences.add("population_state", row["id"], "no run of its sweep found it so")
        for row in kept.values():
            self._differences.add("volatile", _volatile_name(row), "no run of its sweep kept it")

    def _state_entry(self, state: Row, subject: Subject, found: Found) -> Entry:
        for name, value in (("since", found.since), ("watermark", found.watermark)):
            if state[name] != value:
                self._differences.add("population_state", state["id"], f"{name} is {state[name]}, its run says {value}")
        steps = tuple(
            (key_of(row, self._items, state["subject"]), artifact_of(row, self._contents) or GONE)
            for row in self._changes(state["id"])
        )
        data = state_entry(subject, state["at"], state["count"], state["root"], steps)
        return Entry(data, state["id"], steps)

    def _asked(self, number: int) -> str:
        self.answered.add(number)
        row = self._evidence.one("snapshot_request", id=number)
        if row is None:
            raise ValueError(f"it answers snapshot request {number}, which is not there")
        return digest(canonical(row)).hex()

    def _read_frame(self, number: int) -> Frame:
        frame = read_frame(self._read(number))
        for line in frame.lines:
            found = self._known.numbers.get(line.subject)
            if found is None:
                raise ValueError(f"its frame names {subject_name(line.subject)}, which is no subject")
            self._known.subject(found)
        return frame

    def _read(self, number: int) -> bytes:
        row = self._evidence.one("artifact", id=number)
        if row is None:
            raise ValueError(f"it names artifact {number}, which is not there")
        return stored_content(self._evidence, row)


def _counted(evidence: Evidence, differences: Differences, table: str, *order: str) -> Iterator[Row]:
    for row in evidence.rows(table, *order):
        differences.rows[table] += 1
        yield row


def _volatile_name(row: Row) -> str:
    return f"{row['subject']}/{row['at']}/{row['sweep']}"

"""What belongs into a bundle, read from one state of the store in the order of the log.

The leaves say what is in scope (`verifier.Scope`), so that whoever has them can tell what is missing. Contents are read
one by one; what is remembered meanwhile is digests and keys, some hundred bytes for each version of an item.
"""

from __future__ import annotations

from collections.abc import Container, Iterator
from typing import Any

import orjson

from collector.act import Act
from collector.canonical import canonical, digest
from collector.errors import IntegrityError, QueryError
from collector.export.verifier import Lives, Scope, Version, artifact_file, index_row, named_in, shown_key, subject_of
from collector.log.packing import unpack_leaf
from collector.model import Json
from collector.sealing import MAGIC
from collector.store.evidence import Evidence, Row
from collector.store.unsealing import shown_item
from collector.verify.contents import stored_content
from collector.verify.dictionaries import Dictionaries, Items, read_dictionaries
from collector.verify.differences import Differences
from collector.verify.numbered import Grouped, Numbered
from collector.verify.sweeps import Entry, SweepParts, Sweeps


class Gathering:
    """Gathers what the first *size* leaves commit to and *scope* holds, with *acts*; parts are asked for in order."""

    def __init__(self, evidence: Evidence, scope: Scope, size: int, acts: list[Act]) -> None:
        self._evidence, self._scope, self._size = evidence, scope, size
        self._differences = Differences()
        self._known: Dictionaries = read_dictionaries(evidence, self._differences)
        self._numbers = Numbered()
        self._items = Items()
        self._lives: Any = Lives(scope)
        self._sealed: set[str] = set()
        self._gone: dict[str, int] = {}
        self._named: set[str] = set()
        self._needed = {each.hex() for act in acts for each in (act.digest, act.artifact) if each is not None}
        for row in evidence.rows("artifact", only=("id", "digest")):
            self._numbers.add(row["id"], row["digest"])
        for row in evidence.rows("item"):
            self._items.add(row)

    def leaves(self) -> Iterator[bytes]:
        """Yield the lines of the log: a leaf each, its exact bytes."""
        for row in self._evidence.rows("log_leaf"):
            if row["idx"] >= self._size:
                return
            yield unpack_leaf(row["bytes"]) + b"\n"

    def gaps(self) -> Iterator[bytes]:
        """Yield the records of slots missed, a line each, as their leaves commit to them."""
        subjects = Grouped(self._evidence.rows("missed_subject"), "missed")
        for row in self._evidence.rows("missed"):
            concerned = subjects.take(row["id"])
            source = self._known.source(row["source"])
            if row["leaf"] < self._size and self._scope.missed(row | {"source": source}):
                named = [each._asdict() for each in sorted(self._known.subject(one["subject"]) for one in concerned)]
                said = {
                    "source": source,
                    "period": [row["since"], row["until"]],
                    "cause": row["cause"],
                    "plan_version": row["plan"],
                    "subjects": None if row["whole"] else named,
                }
                yield canonical(said) + b"\n"

    def sweeps(self) -> Iterator[bytes]:
        """Yield the sweeps: a line for each, followed by one for each entry that it added."""
        made = Sweeps(self._evidence, self._numbers, self._items, self._known, self._differences)
        for row in self._evidence.rows("sweep"):
            # Those out of scope are read too: what they changed lies between what the others did.
            parts = made.parts(row)
            source = self._known.source(row["source"])
            if row["leaf"] < self._size and self._scope.sweep(
                {"source": source, "due": row["due"], "at": row["recorded"]}
            ):
                yield from self._sweep(source, parts)
        self._lives.close()
        self._needed.update(each[6] for each in self._lives.versions)
        self._require_whole()

    def _sweep(self, source: str, parts: SweepParts) -> Iterator[bytes]:
        names = [digest(each).hex() if each else "" for each in (parts.frame, parts.notes)]
        self._needed.update(each for each in names if each)
        self._named.update(named_in(parts.frame))
        sheet = parts.sheet.decode("utf-8")
        said = {"leaf": parts.leaf, "sheet": sheet, "frame": names[0], "notes": names[1], "entries": len(parts.entries)}
        yield canonical(said) + b"\n"
        for entry in parts.entries:
            yield canonical({"entry": entry.data.decode("utf-8"), "steps": self._steps(source, entry)}) + b"\n"

    def _steps(self, source: str, entry: Entry) -> list[str]:
        said = _said(entry)
        subject = subject_of(source, said["subject"])
        if not self._scope.scope(subject[2]):
            return []
        steps = sorted((key + artifact).hex() for key, artifact in entry.steps)
        if entry.volatile is None:
            self._lives.change(subject, said["at"], steps)
        elif self._scope.volatile(said["at"]):
            self._needed.add(entry.volatile.hex())
        return steps

    def versions_in_force(self) -> None:
        """Let the plans and controls that held before the period's end be among the contents."""
        for table in ("plan", "controls"):
            for row in self._evidence.rows(table):
                name = self._numbers.get(row["artifact"])
                if name is not None and row["leaf"] < self._size and row["valid_from"] < self._scope.end:
                    self._needed.add(name.hex())

    @property
    def expected(self) -> int:
        """About how many contents there are to write, once sweeps and versions were read; a few may be erased."""
        return len(self._needed | self._named)

    def contents(self) -> Iterator[tuple[str, bytes]]:
        """Yield where in the bag each content is, and its bytes as they are stored, in the order of their digests."""
        left = set(self._needed)
        for row in self._evidence.rows("artifact", "digest"):
            name = row["digest"].hex()
            left.discard(name)
            if name not in self._needed and name not in self._named:
                continue
            again = self._evidence.one("regained", artifact=row["id"]) if row["bytes"] is None else row
            if again is None:
                self._erased(name, row)
                continue
            data = stored_content(self._evidence, row | {"codec": again["codec"], "bytes": again["bytes"]})
            if data.startswith(MAGIC):
                self._sealed.add(name)
            yield artifact_file(name).removeprefix("data/"), data
        if left:
            raise IntegrityError(f"artifact sha256:{min(left)} is named by a record but is not stored")

    def _erased(self, name: str, row: Row) -> None:
        if name not in self._needed:
            return
        found = self._evidence.one("erased", artifact=row["id"])
        grave = self._evidence.one("tombstone", id=found["tombstone"]) if found else None
        if grave is None:
            raise IntegrityError(f"artifact sha256:{name} is gone, and no tombstone says so")
        if grave["leaf"] >= self._size:
            raise QueryError(
                f"sha256:{name} was erased since the last checkpoint, which does not cover its tombstone",
                hint="Take one first: `evidenced log checkpoint`.",
            )
        self._gone[name] = grave["id"]

    def erased(self) -> Iterator[bytes]:
        """Yield each tombstone that took something of this, and all it took: a line each.

        All of it, for that is what a leaf commits to. For when the contents were asked for.
        """
        for number in sorted(set(self._gone.values())):
            taken = (self._numbers.get(row["artifact"]) for row in self._evidence.where("erased", tombstone=number))
            names = sorted(each.hex() for each in taken if each is not None)
            yield canonical({"artifacts": names, "tombstone": number}) + b"\n"

    def index(self) -> Iterator[list[str]]:
        """Yield the rows of the index, one for each version of an item that existed in the period."""
        keys, graves = self._keys(), {row["item"] for row in self._evidence.rows("tombstone")}
        for version in self._lives.versions:
            number, text = keys[version[:4]]
            if text is not None:
                text = shown_key(text, version[3])
            else:
                text = shown_item("erased" if number in graves else "sealed", bytes.fromhex(version[3]))
            yield index_row(version, text, self._form(version[6]))

    def _form(self, name: str) -> str:
        return "erased" if name in self._gone else "sealed" if name in self._sealed else "plain"

    def _keys(self) -> dict[tuple[str, str, str, str], tuple[int, str | None]]:
        """Return the number of each item of the index, and its key, None where that is sealed or gone."""
        wanted = {each[:4] for each in self._lives.versions}
        found = {}
        for row in self._evidence.rows("item"):
            subject = self._known.subjects[row["subject"]]
            place = (subject.source, subject.kind, subject.scope, row["key_digest"].hex())
            if place in wanted:
                text = None if row["key"] is None else row["key"].decode("utf-8", "surrogatepass")
                found[place] = (row["id"], text)
        return found

    @property
    def versions(self) -> list[Version]:
        """The versions of items that existed in the period, in the order of the index."""
        return list(self._lives.versions)

    @property
    def gone(self) -> Container[str]:
        """The digests (hex) of contents that were erased. For when the contents were asked for."""
        return self._gone.keys()

    @property
    def counted(self) -> tuple[int, int, int]:
        """How many versions of items, sealed contents and erased ones there are."""
        return len(self._lives.versions), len(self._sealed), len(self._gone)

    def _require_whole(self) -> None:
        if self._differences.count:
            first = self._differences.found[0]
            raise IntegrityError(f"{first.table} {first.row}: {first.what}", hint="`evidenced verify` tells what else.")


def _said(entry: Entry) -> dict[str, Json]:
    return dict(orjson.loads(entry.data))

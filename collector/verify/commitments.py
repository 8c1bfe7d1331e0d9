"""What the leaf of every row must say, made again from the row: one function a table."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import orjson

from collector.canonical import canonical, digest
from collector.log.checkpoint import Checkpoint
from collector.log.leaf import LeafKind
from collector.log.note import parse_note
from collector.model import Json
from collector.store.erasing import tombstone_payload
from collector.store.evidence import Evidence, Row
from collector.store.subject_keys import sealing_digest
from collector.verify.desk import DeskActs
from collector.verify.dictionaries import Dictionaries, counted
from collector.verify.differences import Differences
from collector.verify.numbered import Grouped, Numbered
from collector.verify.sealing import erased_by
from collector.verify.sweeps import Sweeps

Said = tuple[LeafKind, dict[str, Json]]
_QUOTED = 32


class Commitments:
    """Makes leaves again; rows are given in the order of their leaves, so that what they quote is known."""

    def __init__(
        self, evidence: Evidence, contents: Numbered, known: Dictionaries, sweeps: Sweeps, differences: Differences
    ) -> None:
        self._contents = contents
        self._known = known
        self._sweeps = sweeps
        self._differences = differences
        self._missed = Grouped(counted(evidence, differences, "missed_subject"), "missed")
        self._erased = Grouped(erased_by(evidence), "tombstone")
        self._quote: dict[str, Json] = {}
        self._tables: Mapping[str, Callable[[Row], Said]] = {
            "sweep": self._sweep,
            "missed": self._missed_slots,
            "plan": lambda row: self._version("plan", row),
            "controls": lambda row: self._version("controls", row),
            "tag": self._tag,
            "signing_key": self._signing_key,
            "checkpoint": self._checkpoint,
            "checkpoint_token": self._token,
            "checkpoint_anchor": self._anchor,
            "log_epoch": self._epoch,
            "sealing_key": self._sealing_key,
            "tombstone": self._tombstone,
            "desk_act": DeskActs(evidence, contents, known).said,
        }

    @property
    def tables(self) -> frozenset[str]:
        """The tables whose leaves are known here."""
        return frozenset(self._tables)

    def of(self, table: str, row: Row) -> Said:
        """Return the kind and payload of the leaf that commits to *row* of *table*.

        Raises `IntegrityError`, ValueError and the like for a row that cannot be one of ours.
        """
        return self._tables[table](row)

    def left(self) -> None:
        """Note what no row took. For when every row was asked for."""
        self._sweeps.left()
        for row in self._missed.left():
            name = f"{row['missed']}/{row['subject']}"
            self._differences.add("missed_subject", name, f"there is no record {row['missed']} of missed slots")
        for row in self._erased.left():
            self._differences.add("erased", row["artifact"], f"there is no tombstone {row['tombstone']}")

    def _sweep(self, row: Row) -> Said:
        return LeafKind.SWEEP, self._sweeps.said(row) | self._quote

    def _missed_slots(self, row: Row) -> Said:
        subjects = [self._known.subject(each["subject"]) for each in self._missed.take(row["id"])]
        source = self._known.source(row["source"])
        if row["whole"] and subjects:
            raise ValueError("it is of the whole source, and of some subjects too")
        record = {
            "source": source,
            "period": [row["since"], row["until"]],
            "cause": row["cause"],
            "plan_version": row["plan"],
            "subjects": None if row["whole"] else [each._asdict() for each in sorted(subjects)],
        }
        said = {
            "missed": row["id"],
            "source": source,
            "since": row["since"],
            "until": row["until"],
            "plan": row["plan"],
        }
        return LeafKind.GAP, said | {"digest": _digest(record)}

    def _version(self, table: str, row: Row) -> Said:
        name = self._contents.get(row["artifact"])
        if name is None:
            raise ValueError(f"it names artifact {row['artifact']}, which is not there")
        return LeafKind.PLAN, {table: row["version"], "valid_from": row["valid_from"], "document": name.hex()}

    def _tag(self, row: Row) -> Said:
        self._known.require_actor(row["actor"])
        return LeafKind.TAG, {"tag": row["id"], "digest": _digest(_without_leaf(row))}

    def _signing_key(self, row: Row) -> Said:
        if row["actor"] is not None:
            self._known.require_actor(row["actor"])
        said = {name: row[name] for name in ("act", "key", "replaces", "overlap", "until") if row[name] is not None}
        return LeafKind.KEY, {**said, "digest": _digest(_without_leaf(row))}

    def _checkpoint(self, row: Row) -> Said:
        name = digest(row["note"]).hex()
        if Checkpoint.parse(parse_note(row["note"]).text).size != row["size"]:
            raise ValueError("its note is of another size")
        self._quote = {"checkpoint": row["size"], "signed": name[:_QUOTED]}
        said = {"checkpoint": row["id"], "epoch": row["epoch"], "size": row["size"], "note": name}
        return LeafKind.CHECKPOINT, said

    def _token(self, row: Row) -> Said:
        said = {"checkpoint": row["checkpoint"], "authority": row["authority"], "token": digest(row["token"]).hex()}
        return LeafKind.CHECKPOINT, said

    def _anchor(self, row: Row) -> Said:
        receipt = digest(row["receipt"].encode("utf-8")).hex()
        return LeafKind.CHECKPOINT, {"checkpoint": row["checkpoint"], "anchor": row["anchor"], "receipt": receipt}

    def _epoch(self, row: Row) -> Said:
        self._known.require_actor(row["actor"])
        said = {"epoch": row["id"], "size": row["size"], "note": digest(row["note"]).hex()}
        return LeafKind.GAP, said | {"digest": _digest(_without_leaf(row))}

    def _sealing_key(self, row: Row) -> Said:
        self._known.subject(row["subject"])
        return LeafKind.KEY, {"sealing": row["id"], "digest": sealing_digest(row).hex()}

    def _tombstone(self, row: Row) -> Said:
        self._known.require_actor(row["actor"])
        if row["person"] is not None:
            self._known.require_actor(row["person"])
        if row["subject"] is not None:
            self._known.subject(row["subject"])
        artifacts = [each["artifact"] for each in self._erased.take(row["id"])]
        if len(artifacts) != row["count"]:
            raise ValueError(f"{len(artifacts)} contents are named by it, not {row['count']}")
        names = [self._contents.get(each) for each in artifacts]
        if None in names:
            raise ValueError("it names a content that was never there")
        return LeafKind.TOMBSTONE, tombstone_payload(row, artifacts, [each for each in names if each is not None])


def read_requests(evidence: Evidence, known: Dictionaries, answered: set[int], differences: Differences) -> None:
    """Read the snapshot requests, of which sweeps *answered* some: no leaf commits to the others."""
    for row in counted(evidence, differences, "snapshot_request"):
        with differences.at("snapshot_request", row["id"]):
            known.require_actor(row["actor"])
            orjson.loads(row["kinds"])
        if row["id"] not in answered:
            differences.remark(f"snapshot request {row['id']} is not answered yet: no leaf commits to it")


def _without_leaf(row: Row) -> Row:
    return {name: value for name, value in row.items() if name != "leaf"}


def _digest(value: Json) -> str:
    return digest(canonical(value)).hex()

"""The store's tables, in the shape of design 7; the log's own are in `collector.log.tables`, on the same MetaData.

Times are milliseconds UTC. Ids are given out by the one writer, in order. Everything here is append-only evidence
except two projections, which can be made again from it, and `actor` (people's names, erasable): `item_version`
comes of `change`, closing an open interval once is its only update; `slot_page` comes of the sheets of `sweep`.
Tables that take a row per item have no foreign keys: a check per row costs a first snapshot most of its speed, and
the ids come from the same transaction.
"""

from __future__ import annotations

from sqlalchemy import (
    Boolean,
    Column,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    PrimaryKeyConstraint,
    SmallInteger,
    Table,
    Text,
    UniqueConstraint,
    text,
)

from collector.log.tables import BigInt, metadata

SmallInt = SmallInteger().with_variant(Integer(), "sqlite")
HOUR_MS = 3_600_000
LATE = f"first_due < finished - {HOUR_MS} OR due > finished"


def _id() -> Column[int]:
    return Column("id", BigInt, primary_key=True, autoincrement=False)


def _leaf() -> Column[int]:
    return Column("leaf", BigInt, nullable=False, comment="Index of the log leaf that commits to this row.")


artifact = Table(
    "artifact",
    metadata,
    _id(),
    Column("digest", LargeBinary, nullable=False, comment="SHA-256 of the raw bytes."),
    Column("length", BigInt, nullable=False, comment="Of the raw bytes."),
    Column(
        "codec",
        SmallInteger,
        nullable=False,
        comment="0 raw, 1 zstd, 2 to 4 zstd with words for sheets, 100 + id: with a stored one.",
    ),
    Column("bytes", LargeBinary, comment="Null when the bytes are at uri."),
    Column("uri", Text),
    UniqueConstraint("digest"),
)

dictionary = Table(
    "dictionary",
    metadata,
    _id(),
    Column("family", Text, nullable=False, comment="Of which contents: a kind, or a subject's volatile fields."),
    Column("digest", LargeBinary, nullable=False, comment="SHA-256 of the family, a zero byte and the raw words."),
    Column("codec", SmallInteger, nullable=False, comment="0 raw, 1 zstd."),
    Column("bytes", LargeBinary, nullable=False),
    UniqueConstraint("family"),
)

source = Table("source", metadata, _id(), Column("name", Text, nullable=False), UniqueConstraint("name"))

subject = Table(
    "subject",
    metadata,
    _id(),
    Column("source", BigInt, ForeignKey("source.id"), nullable=False),
    Column("kind", Text, nullable=False),
    Column("scope", Text, nullable=False),
    UniqueConstraint("source", "kind", "scope"),
)

item = Table(
    "item",
    metadata,
    _id(),
    Column("subject", BigInt, nullable=False),
    Column("key_digest", LargeBinary, nullable=False),
    Column("key", LargeBinary, comment="UTF-8. May be personal data; bytes, because a vendor's key may hold a NUL."),
    UniqueConstraint("subject", "key_digest"),
)

sweep = Table(
    "sweep",
    metadata,
    _id(),
    Column("source", BigInt, ForeignKey("source.id"), nullable=False),
    Column("due", BigInt, nullable=False),
    Column("first_due", BigInt, nullable=False, comment="The earliest due time of its runs."),
    Column("finished", BigInt, nullable=False, comment="When the last of its runs finished."),
    Column("trigger", Text, nullable=False),
    Column("part", SmallInt, nullable=False),
    Column("last", Boolean, nullable=False),
    Column("request", Integer, nullable=False, comment="Id of the snapshot request; 0 for none."),
    Column("plan", Integer, nullable=False),
    Column("recorded", BigInt, nullable=False),
    Column("frame", BigInt, ForeignKey("artifact.id"), comment="What repeats; null for a sweep without runs."),
    Column("notes", BigInt, ForeignKey("artifact.id"), comment="What was said of runs; null when nothing was."),
    Column("codec", SmallInteger, nullable=False),
    Column("sheet", LargeBinary, nullable=False, comment="What varies from run to run, in columns."),
    _leaf(),
    Index("ix_sweep_source_due", "source", "due"),
    # A run read long after it was due is found by when it was read; all others by when they were due.
    Index("ix_sweep_late", "source", "finished", sqlite_where=text(LATE), postgresql_where=text(LATE)),
    Index("ix_sweep_request", "request", sqlite_where=text("request <> 0"), postgresql_where=text("request <> 0")),
)

population_state = Table(
    "population_state",
    metadata,
    _id(),
    Column("subject", BigInt, nullable=False),
    Column("at", BigInt, nullable=False, comment="When the run that saw it finished; never before the last state's."),
    Column("count", BigInt, nullable=False),
    Column("root", LargeBinary, nullable=False, comment="Merkle root over (key digest, artifact digest)."),
    Column("sweep", BigInt, nullable=False),
    Column("since", BigInt, comment="Of an event kind: where the run's window began."),
    Column("watermark", BigInt, comment="Of an event kind: up to when events were read."),
    Index("ix_population_state_subject_sweep", "subject", "sweep"),
    Index("ix_population_state_at", "at"),
)

change = Table(
    "change",
    metadata,
    Column("state", BigInt, nullable=False),
    Column("item", BigInt, nullable=False),
    Column("before", BigInt, comment="Artifact; null when the item was not there."),
    Column("artifact", BigInt, comment="Null when the item is gone."),
    PrimaryKeyConstraint("state", "item"),
    sqlite_with_rowid=False,
)

item_version = Table(
    "item_version",
    metadata,
    Column("subject", BigInt, nullable=False),
    Column("item", BigInt, nullable=False),
    Column("state", BigInt, nullable=False, comment="The population state that opened it."),
    Column("since", BigInt, nullable=False),
    Column("until", BigInt, comment="Null while it is open."),
    Column("artifact", BigInt, nullable=False),
    PrimaryKeyConstraint("subject", "item", "state"),
    Index(
        "ix_item_version_open",
        "subject",
        "item",
        "artifact",
        sqlite_where=text("until IS NULL"),
        postgresql_where=text("until IS NULL"),
    ),
    # By a digest alone: whose content it is, and so who may see it.
    Index("ix_item_version_artifact", "artifact", "subject"),
    sqlite_with_rowid=False,
)

volatile = Table(
    "volatile",
    metadata,
    Column("subject", BigInt, nullable=False),
    Column("at", BigInt, nullable=False),
    Column("sweep", BigInt, nullable=False),
    Column("artifact", BigInt, nullable=False),
    PrimaryKeyConstraint("subject", "at", "sweep"),
    Index("ix_volatile_artifact", "artifact", "subject"),
    sqlite_with_rowid=False,
)

missed = Table(
    "missed",
    metadata,
    _id(),
    Column("source", BigInt, ForeignKey("source.id"), nullable=False),
    Column("since", BigInt, nullable=False),
    Column("until", BigInt, nullable=False),
    Column("cause", Text, nullable=False),
    Column("plan", BigInt, nullable=False),
    Column("whole", Boolean, nullable=False, comment="Every subject of the source; else those of missed_subject."),
    Column("recorded", BigInt, nullable=False),
    _leaf(),
    Index("ix_missed_source_until", "source", "until"),
)

missed_subject = Table(
    "missed_subject",
    metadata,
    Column("missed", BigInt, nullable=False),
    Column("subject", BigInt, nullable=False),
    PrimaryKeyConstraint("missed", "subject"),
    sqlite_with_rowid=False,
)

slot_page = Table(
    "slot_page",
    metadata,
    Column("source", BigInt, nullable=False),
    Column("last", BigInt, nullable=False, comment="The last of its sweeps; it begins after the page before."),
    Column("since", BigInt, nullable=False, comment="The earliest due time of its runs."),
    Column("until", BigInt, nullable=False, comment="When the last of its runs finished."),
    Column("codec", SmallInteger, nullable=False),
    Column("bytes", LargeBinary, nullable=False, comment="Who collected what when: `collector.store.slot_pages`."),
    PrimaryKeyConstraint("source", "last"),
)

plan = Table(
    "plan",
    metadata,
    Column("version", BigInt, primary_key=True, autoincrement=False),
    Column("valid_from", BigInt, nullable=False),
    Column("artifact", BigInt, ForeignKey("artifact.id"), nullable=False),
    Column("recorded", BigInt, nullable=False),
    _leaf(),
)

controls = Table(
    "controls",
    metadata,
    Column("version", BigInt, primary_key=True, autoincrement=False),
    Column("valid_from", BigInt, nullable=False),
    Column("artifact", BigInt, ForeignKey("artifact.id"), nullable=False),
    Column("recorded", BigInt, nullable=False),
    _leaf(),
)

actor = Table(
    "actor",
    metadata,
    _id(),
    Column("name", Text, comment="The one place that holds people's names; null when erased."),
    Index("ix_actor_name", "name"),
)

tag = Table(
    "tag",
    metadata,
    _id(),
    Column("target", Text, nullable=False),
    Column("control", Text, nullable=False),
    Column("note", Text, nullable=False),
    Column("actor", BigInt, ForeignKey("actor.id"), nullable=False),
    Column("at", BigInt, nullable=False),
    Column("withdraws", BigInt, ForeignKey("tag.id")),
    _leaf(),
    Index("ix_tag_target", "target"),
)

snapshot_request = Table(
    "snapshot_request",
    metadata,
    _id(),
    Column("source", Text, nullable=False),
    Column("kinds", Text, nullable=False, comment="JSON list."),
    Column("reason", Text, nullable=False),
    Column("actor", BigInt, ForeignKey("actor.id"), nullable=False),
    Column("at", BigInt, nullable=False),
)

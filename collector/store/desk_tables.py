"""The table of what people record at the auditor's desk. Append-only; each row is committed to by the leaf it names."""

from __future__ import annotations

from sqlalchemy import Column, ForeignKey, Index, Table, Text

from collector.log.tables import BigInt, metadata

desk_act = Table(
    "desk_act",
    metadata,
    Column("id", BigInt, primary_key=True, autoincrement=False),
    Column("kind", Text, nullable=False, comment="As collector.act.ActKind."),
    Column(
        "engagement",
        BigInt,
        ForeignKey("desk_act.id"),
        nullable=False,
        comment="The act that began the engagement it belongs to; its own id where it is that act.",
    ),
    Column("about", BigInt, ForeignKey("desk_act.id"), comment="The earlier act that it concerns."),
    Column("document", BigInt, ForeignKey("artifact.id"), nullable=False, comment="Canonical JSON: what was said."),
    Column("artifact", BigInt, ForeignKey("artifact.id"), comment="The bytes it brought: a file, rows."),
    Column("actor", BigInt, ForeignKey("actor.id"), nullable=False),
    Column("at", BigInt, nullable=False, comment="Milliseconds UTC."),
    Column("leaf", BigInt, nullable=False, comment="Index of the log leaf that commits to this row."),
    Index("ix_desk_act_kind_engagement", "kind", "engagement"),
    Index("ix_desk_act_about", "about"),
    Index("ix_desk_act_document", "document"),
    Index("ix_desk_act_artifact", "artifact"),
)

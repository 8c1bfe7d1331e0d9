"""Row-level security on PostgreSQL: which rows the desk's login sees, by what each transaction says it is for.

A transaction says so by settings of its own (``set_config(..., true)``), in numbers: `evidenced.engagement`,
`evidenced.sources`, `evidenced.subjects`, and `evidenced.records`, the engagement that it may record for. ``*`` stands
for all; unset, nothing is seen. The other roles have a policy that lets every row through.

It guards against a defect of ours, not against who can execute SQL of their own as that login: they can say ``*``.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from sqlalchemy import Connection, func, select, text

EVERYBODY, DESK = "evidenced_everybody", "evidenced_desk"
_SETTINGS = ("engagement", "sources", "subjects", "records")


@dataclass(frozen=True, slots=True)
class Limits:
    """What a transaction may see: numbers joined by commas, or ``*``. *records* is what it may record for."""

    engagement: str
    sources: str
    subjects: str
    records: str


WHOLE = Limits("*", "*", "*", "*")


class RowSecurity:
    """Tells the server what a transaction may see, where the login is held to that."""

    def __init__(self) -> None:
        self._applies: bool | None = None

    def limit(self, conn: Connection, limits: Limits) -> None:
        """Let the transaction *conn* see *limits* from here on, and nothing else."""
        if conn.dialect.name != "postgresql":
            return
        if self._applies is None:
            self._applies = bool(conn.execute(_APPLIES, {"policy": DESK}).scalar())
        if self._applies:
            conn.execute(
                select(*(func.set_config(f"evidenced.{each}", getattr(limits, each), True) for each in _SETTINGS))
            )


_APPLIES = text(
    "SELECT EXISTS (SELECT 1 FROM pg_policies, unnest(roles) AS held (role) WHERE schemaname = current_schema()"
    " AND policyname = :policy AND pg_has_role(held.role, 'USAGE'))"
)


def _said(setting: str) -> str:
    return f"(SELECT current_setting('evidenced.{setting}', true))"


def _whole() -> str:
    return f"{_said('subjects')} = '*'"


def _among(column: str, setting: str) -> str:
    # The subquery refers to no column: its rows are hashed once in a statement.
    numbers = f"unnest(string_to_array(nullif(nullif({_said(setting)}, '*'), ''), ','))::int8"
    return f"({_said(setting)} = '*' OR {column} IN (SELECT {numbers}))"


def _there(table: str, column: str, value: str) -> str:
    """Return what is true where *table* has a row, seen by the same rules, whose *column* is *value*."""
    return f"EXISTS (SELECT 1 FROM {table} AS there WHERE there.{column} = {value})"  # noqa: S608


# A number too long to be one is no run: the guard comes first, for a cast raises.
_TAGGED = (
    "CASE WHEN target ~ '^run:[0-9]{1,15}-'"
    f" THEN {_there('sweep', 'id', 'substring(tag.target, 5, strpos(tag.target, chr(45)) - 5)::int8')}"
    " WHEN target ~ '^sha256:[0-9a-f]{64}$'"
    f" THEN {_there('artifact', 'digest', 'decode(substr(tag.target, 8), $$hex$$)')}"
    " ELSE false END"
)
_OF_SUBJECT = _among("subject", "subjects")
_OF_SOURCE = _among("source", "sources")
_OF_VERSIONS = f"{_there('item_version', 'artifact', 'artifact.id')} OR {_there('volatile', 'artifact', 'artifact.id')}"
_OF_ACTS = f"{_there('desk_act', 'document', 'artifact.id')} OR {_there('desk_act', 'artifact', 'artifact.id')}"
# Frames, notes, plans and the procedures that they name are of no subject. A number without an engagement sees none.
_OF_NOBODY = f"({_said('engagement')} <> '' AND NOT evidenced_owned(artifact.id))"

POLICIES: Mapping[str, str] = {
    "source": _among("id", "sources"),
    "subject": _among("id", "subjects"),
    **dict.fromkeys(("item", "item_version", "population_state", "sealing_key", "tombstone", "volatile"), _OF_SUBJECT),
    "missed_subject": _OF_SUBJECT,
    "missed": f"{_OF_SOURCE} AND (whole OR {_whole()} OR {_there('missed_subject', 'missed', 'missed.id')})",
    **dict.fromkeys(("slot_page", "sweep"), _OF_SOURCE),
    "snapshot_request": f"{_whole()} OR {_there('source', 'name', 'snapshot_request.source')}",
    "change": f"{_whole()} OR {_there('population_state', 'id', 'change.state')}",
    "erased": f"{_whole()} OR {_there('tombstone', 'id', 'erased.tombstone')}",
    "artifact_key": f"{_whole()} OR {_there('sealing_key', 'id', 'artifact_key.sealing')}",
    "item_key": f"{_whole()} OR {_there('sealing_key', 'id', 'item_key.sealing')}",
    "artifact": f"{_whole()} OR {_OF_VERSIONS} OR {_OF_ACTS} OR {_OF_NOBODY}",
    "regained": f"{_whole()} OR {_there('artifact', 'id', 'regained.artifact')}",
    "tag": f"{_whole()} OR {_TAGGED}",
    "desk_act": _among("engagement", "engagement"),
    "log_leaf": _whole(),
}
"""What the desk's login sees of each table. A sweep, its page and its frame are of a source as a whole."""

OPEN: Mapping[str, str] = {
    "actor": "names of people, by number, which acts and requests name",
    "checkpoint": "of the whole log",
    "checkpoint_anchor": "of the whole log",
    "checkpoint_token": "of the whole log",
    "controls": "the installation's own words",
    "dictionary": "what contents of one kind have in common, whoever's they are",
    "log_epoch": "of the whole log",
    "log_head": "a size and a digest",
    "log_node": "digests",
    "plan": "numbers and times; its document holds names of sources",
    "signing_key": "public keys",
}
"""The tables that the desk's login sees whole, and why."""

RECORDED: Mapping[str, str] = {"desk_act": _among("engagement", "records")}
"""What the desk's login may add to a table, where that is not what it sees."""

_OWNED = """CREATE OR REPLACE FUNCTION evidenced_owned(wanted int8) RETURNS boolean LANGUAGE sql STABLE SECURITY DEFINER
SET search_path = {schema}, pg_temp AS $$
SELECT EXISTS (SELECT 1 FROM item_version WHERE artifact = wanted)
    OR EXISTS (SELECT 1 FROM volatile WHERE artifact = wanted)
    OR EXISTS (SELECT 1 FROM desk_act WHERE document = wanted)
    OR EXISTS (SELECT 1 FROM desk_act WHERE artifact = wanted)
$$"""


def policies(schema: str, everybody: str, desk: str) -> Iterator[str]:
    """Yield the SQL that gives the tables of *schema* their policies: for the roles *everybody*, and for *desk*."""
    yield _OWNED.format(schema=schema)
    yield f"REVOKE EXECUTE ON FUNCTION evidenced_owned(int8) FROM PUBLIC, {everybody}"
    yield f"GRANT EXECUTE ON FUNCTION evidenced_owned(int8) TO {desk}"
    for table, seen in POLICIES.items():
        yield f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY"
        for name in (EVERYBODY, DESK):
            yield f"DROP POLICY IF EXISTS {name} ON {table}"
        yield f"CREATE POLICY {EVERYBODY} ON {table} TO {everybody} USING (true) WITH CHECK (true)"
        recorded = RECORDED.get(table, _whole())
        yield f"CREATE POLICY {DESK} ON {table} TO {desk} USING ({seen}) WITH CHECK ({recorded})"

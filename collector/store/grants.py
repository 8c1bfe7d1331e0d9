"""Who may do what with which table on PostgreSQL, declared once: `evidenced db init` grants exactly this.

Nobody is granted TRUNCATE, REFERENCES or TRIGGER on anything; DELETE only the eraser, of wrapped keys, where the guards
ask for a tombstone. Every table of the store is declared here; a test compares this with the MetaData, and tries each
right and each refusal on a real server.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum

from collector.act import ActKind

VERSION_TABLE = "store_version"


class Role(StrEnum):
    """The roles of a store; on the server each is called PREFIX_role."""

    OWNER = "owner"
    WRITER = "writer"
    SIGNER = "signer"
    ERASER = "eraser"
    READER = "reader"
    DESK = "desk"


LOGINS = (Role.WRITER, Role.SIGNER, Role.ERASER, Role.READER, Role.DESK)
PURPOSES = {
    Role.OWNER: "owns the tables and changes them from version to version; nobody logs in as it",
    Role.WRITER: "the daemon, and every command that records something",
    Role.SIGNER: "evidenced keys and evidenced log, where they run apart from the daemon",
    Role.ERASER: "evidenced erase, retain and encryption rewrap; the daemon need not be able to erase",
    Role.READER: "every question; records nothing",
    Role.DESK: "the API and the pages: every question, and what people record; each row only to whom it is for",
}


@dataclass(frozen=True, slots=True)
class Rights:
    """What one role may do with one table: always SELECT, perhaps INSERT, DELETE, UPDATE of the columns named."""

    insert: bool = False
    update: tuple[str, ...] = ()
    delete: bool = False


_READ, _APPEND = Rights(), Rights(insert=True)
_EVIDENCE = {Role.WRITER: _APPEND, Role.ERASER: _READ, Role.READER: _READ, Role.DESK: _READ}
_SAID = _EVIDENCE | {Role.DESK: _APPEND}
_SIGNED = _EVIDENCE | {Role.SIGNER: _APPEND}
_LOG = _SAID | {Role.SIGNER: _APPEND, Role.ERASER: _APPEND}
# That the writer may add them is for copies alone: to erase takes rights that it has not.
_ERASURE = _EVIDENCE | {Role.ERASER: _APPEND}
_WRAPPED = _EVIDENCE | {Role.ERASER: Rights(update=("sealing", "wrapped"), delete=True)}
# The head row is also the lock behind which all who append stand in line, and locking a row takes the right to update.
_HEAD = ("size", "root", "peaks")

GRANTS: Mapping[str, Mapping[Role, Rights]] = {
    **dict.fromkeys(
        (
            "change",
            "controls",
            "dictionary",
            "item",
            "missed",
            "missed_subject",
            "plan",
            "population_state",
            "slot_page",
            "source",
            "subject",
            "sweep",
            "volatile",
        ),
        _EVIDENCE,
    ),
    # What people bring again after it was erased is kept as regained.
    **dict.fromkeys(("desk_act", "regained", "snapshot_request", "tag"), _SAID),
    **dict.fromkeys(
        (
            "checkpoint",
            "checkpoint_anchor",
            "checkpoint_token",
            "log_epoch",
            "signing_key",
        ),
        _SIGNED,
    ),
    **dict.fromkeys(("log_leaf", "log_node"), _LOG),
    **dict.fromkeys(("artifact_key", "item_key"), _WRAPPED),
    "sealing_key": _EVIDENCE | {Role.ERASER: _APPEND},
    **dict.fromkeys(("erased", "tombstone"), _ERASURE),
    "actor": _LOG | {Role.ERASER: Rights(insert=True, update=("name",))},
    "artifact": _SAID | {Role.ERASER: Rights(update=("bytes", "uri"))},
    "item_version": _EVIDENCE | {Role.WRITER: Rights(insert=True, update=("until",))},
    "log_head": {
        Role.WRITER: Rights(insert=True, update=_HEAD),
        Role.SIGNER: Rights(update=_HEAD),
        Role.ERASER: Rights(update=_HEAD),
        Role.READER: _READ,
        Role.DESK: Rights(update=_HEAD),
    },
    VERSION_TABLE: dict.fromkeys(LOGINS, _READ),
}

SIGNER_LEAVES = ("checkpoint", "key", "gap")
"""The kinds of leaves that the signer may append: its notes, its keys, and the loss that a new epoch declares."""

ERASER_LEAVES = ("tombstone", "key")
"""The kinds of leaves that the eraser may append: what it erased, and the keys under which it wrapped the rest anew."""

DESK_LEAVES = (*(each.value for each in ActKind), "tag")
"""The kinds of leaves that the desk may append: the acts of people, and their tags."""


def grants(names: Mapping[Role, str]) -> Iterator[str]:
    """Yield the GRANT statements for the roles called *names*."""
    for role in LOGINS:
        declared = {table: roles[role] for table, roles in sorted(GRANTS.items()) if role in roles}
        yield f"GRANT SELECT ON {', '.join(declared)} TO {names[role]}"
        inserts = [table for table, rights in declared.items() if rights.insert]
        if inserts:
            yield f"GRANT INSERT ON {', '.join(inserts)} TO {names[role]}"
        for table, rights in declared.items():
            if rights.update:
                yield f"GRANT UPDATE ({', '.join(rights.update)}) ON {table} TO {names[role]}"
            if rights.delete:
                yield f"GRANT DELETE ON {table} TO {names[role]}"


def rights_of(table: str) -> dict[Role, str]:
    """Return what each login may do with *table*, in words: the table of docs/postgresql.md."""
    found = {}
    for role in LOGINS:
        rights = GRANTS[table].get(role)
        words = [] if rights is None else ["read", *(["add"] if rights.insert else [])]
        if rights and rights.update:
            words.append(f"update {', '.join(rights.update)}")
        if rights and rights.delete:
            words.append("delete")
        found[role] = ", ".join(words) or "-"
    return found

"""Populations at an instant, what differs between two, and the life of one item. Reads the store, writes nothing.

An instant at which nobody had looked yet is *not observed*, which is never shown as an empty population.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from difflib import get_close_matches
from typing import TYPE_CHECKING

from collector.clock import iso
from collector.difference import FieldChange, differences
from collector.errors import QueryError, Unknown, Withheld
from collector.model import Json, Run, Subject

if TYPE_CHECKING:
    from collector.store import ItemVersion, Store

_MS = timedelta(milliseconds=1)


@dataclass(frozen=True, slots=True)
class ItemAt:
    """One item as it was: first observed in this form at *since*, no longer in it at *until* (None: still is).

    *still_seen* says whether the next good run saw it in the same form; None when there is no next run.
    """

    key: str
    artifact: bytes
    since: datetime
    until: datetime | None
    still_seen: bool | None


@dataclass(frozen=True, slots=True)
class PopulationAt:
    """The population of one subject at an instant, by key.

    *run* is the last good run finished at or before the instant, the one that saw it; None means that the subject
    was not observed yet and *items* says nothing. *next* is the next good run after the instant, if any.
    """

    subject: Subject
    run: Run | None
    next: Run | None
    items: tuple[ItemAt, ...]


@dataclass(frozen=True, slots=True)
class ItemDifference:
    """An item that was ``added``, ``removed`` or ``changed``, and for a change in which fields."""

    subject: Subject
    key: str
    change: str
    before: bytes | None
    after: bytes | None
    fields: tuple[FieldChange, ...] = ()


@dataclass(frozen=True, slots=True)
class Compared:
    """The good runs that show a subject at either end; None where it was not observed yet, so not compared.

    *rekeyed* says that their procedures name items by different keys: no item of one can be found in the other.
    """

    subject: Subject
    before: Run | None
    after: Run | None
    rekeyed: bool = False

    @property
    def comparable(self) -> bool:
        """Return whether both ends were observed, and their items are named alike."""
        return self.before is not None and self.after is not None and not self.rekeyed


@dataclass(frozen=True, slots=True)
class Difference:
    """What differs between the populations of a kind at *start* and at *end*, by subject and key."""

    kind: str
    start: datetime
    end: datetime
    subjects: tuple[Compared, ...]
    items: tuple[ItemDifference, ...]


@dataclass(frozen=True, slots=True)
class Life:
    """One form of an item: the runs' finish times at which it was first and last seen so, and why that ended.

    *ended* is the first good observation that saw it otherwise, None while it is current; *ending* is then
    ``changed`` or ``gone`` (``named otherwise`` when the procedure's key is another since), else empty. *fields* are
    what changed from the form before (empty for the first). *withheld* says why its content cannot be shown.
    """

    subject: Subject
    key: str
    artifact: bytes
    first_seen: datetime
    last_seen: datetime | None
    ended: datetime | None
    ending: str
    fields: tuple[FieldChange, ...]
    withheld: str = ""


def as_of(
    store: Store, kind: str, at: datetime, *, now: datetime, source: str = "", scope: str = "", key: str = ""
) -> list[PopulationAt]:
    """Return the population of every subject of *kind* as it was at *at*, in subject order.

    Raises `QueryError` for an instant after *now*, and for a kind, source or scope of which the store knows nothing.
    """
    _not_future(at, now)
    subjects = subjects_of(store, kind, source=source, scope=scope)
    versions: dict[Subject, list[ItemVersion]] = {}
    for each in store.as_of(kind, at, source=source or None, scope=scope or None, key=key or None):
        versions.setdefault(each.subject, []).append(each)
    return [_population(store, subject, at, versions.get(subject, [])) for subject in subjects]


def difference(
    store: Store, kind: str, start: datetime, end: datetime, *, now: datetime, source: str = "", scope: str = ""
) -> Difference:
    """Return what differs between *start* and *end*; a subject not observed at both is named, not compared.

    Raises `QueryError` as `as_of` does, and when *end* is not after *start*.
    """
    if end <= start:
        raise QueryError(f"the end {iso(end)} is not after the start {iso(start)}")
    before = as_of(store, kind, start, now=now, source=source, scope=scope)
    after = as_of(store, kind, end, now=now, source=source, scope=scope)
    compared = []
    items: list[ItemDifference] = []
    for old, new in zip(before, after, strict=True):
        compared.append(Compared(old.subject, old.run, new.run, _rekeyed(store, old.run, new.run)))
        if compared[-1].comparable:
            items += _items_difference(store, old, new)
    return Difference(kind, start, end, tuple(compared), tuple(items))


def life(store: Store, kind: str, key: str, *, source: str = "", scope: str = "") -> list[Life]:
    """Return every form the item *key* ever had, oldest first within each subject.

    Raises `QueryError` when the store knows nothing of the kind, or of the item.
    """
    subjects_of(store, kind, source=source, scope=scope)
    versions = store.history(kind, key, source=source or None, scope=scope or None)
    if not versions:
        raise Unknown(
            f"no item {key!r} of {kind} was ever observed", hint=f"`evidenced as-of {kind} --at TIME` lists the keys."
        )
    ordered = sorted(versions, key=lambda each: (each.subject, each.start))
    previous: list[ItemVersion | None] = [None, *ordered[:-1]]
    following: list[ItemVersion | None] = [*ordered[1:], None]
    return [_life(store, before, each, after) for before, each, after in zip(previous, ordered, following, strict=True)]


def document(store: Store, artifact: bytes) -> Json:
    """Return the content of an item's *artifact* as JSON.

    Raises `IntegrityError` when it fails its digest, `Withheld` when it was erased or its key is not at hand.
    """
    return json.loads(store.artifact(artifact))


def documents(store: Store, artifacts: Iterable[bytes]) -> Iterator[Json]:
    """Yield what `document` returns, or raises, for each of *artifacts*, in their order; for many the faster way."""
    for found in store.artifacts(artifacts):
        if isinstance(found, Withheld):
            raise found
        yield json.loads(found)


def shown_document(store: Store, artifact: bytes) -> tuple[Json, str]:
    """Return the content of an item's *artifact* and an empty text, or None and why it is withheld."""
    try:
        return document(store, artifact), ""
    except Withheld as error:
        return None, error.message


def shown_documents(store: Store, artifacts: Iterable[bytes]) -> Iterator[tuple[Json, str]]:
    """Yield of each of *artifacts* what `shown_document` returns, in their order; for many it is the faster way."""
    for found in store.artifacts(artifacts):
        yield (None, found.message) if isinstance(found, Withheld) else (json.loads(found), "")


def _changed_fields(store: Store, before: bytes, after: bytes) -> tuple[FieldChange, ...]:
    """Return the fields that differ; when one of the two is withheld, that is the difference which can be shown."""
    (was, why_before), (now, why_after) = shown_document(store, before), shown_document(store, after)
    if why_before or why_after:
        return (FieldChange("(withheld)", "changed", why_before or "can be shown", why_after or "can be shown"),)
    return tuple(differences(was, now))


def subjects_of(store: Store, kind: str, *, source: str = "", scope: str = "") -> list[Subject]:
    """Return the subjects of *kind* the store knows, in order; raises `QueryError` when there is none."""
    known = store.subjects()
    found = [each for each in known if each.kind == kind]
    if not found:
        raise _unknown("kind", kind, {each.kind for each in known}, "see `evidenced plan show`")
    for name, wanted in (("source", source), ("scope", scope)):
        if not wanted:
            continue
        values = {str(getattr(each, name)) for each in found}
        if wanted not in values:
            raise _unknown(name, wanted, values, f"{kind} has: {', '.join(sorted(values))}")
        found = [each for each in found if getattr(each, name) == wanted]
    return sorted(found)


def _unknown(what: str, name: str, known: set[str], otherwise: str) -> Unknown:
    near = get_close_matches(name, known, n=3)
    hint = f"Did you mean: {', '.join(near)}?" if near else f"{otherwise[:1].upper()}{otherwise[1:]}."
    return Unknown(f"the store knows no {what} {name!r}", hint=hint)


def _not_future(at: datetime, now: datetime) -> None:
    if at > now:
        raise QueryError(f"{iso(at)} has not come yet", hint=f"It is {iso(now)}; nobody can have looked later.")


def _population(store: Store, subject: Subject, at: datetime, versions: list[ItemVersion]) -> PopulationAt:
    run, following = store.observations(subject, at)
    items = tuple(
        ItemAt(
            each.key,
            each.artifact,
            each.start,
            each.end,
            None if following is None else each.end is None or each.end > following.finished,
        )
        for each in sorted(versions, key=lambda each: each.key)
        if each.artifact is not None
    )
    return PopulationAt(subject, run, following, items)


def _items_difference(store: Store, old: PopulationAt, new: PopulationAt) -> Iterator[ItemDifference]:
    before = {each.key: each.artifact for each in old.items}
    after = {each.key: each.artifact for each in new.items}
    for key in sorted(before.keys() | after.keys()):
        was, is_now = before.get(key), after.get(key)
        if was == is_now:
            continue
        if was is None or is_now is None:
            yield ItemDifference(old.subject, key, "added" if was is None else "removed", was, is_now)
        else:
            yield ItemDifference(old.subject, key, "changed", was, is_now, _changed_fields(store, was, is_now))


def _life(store: Store, before: ItemVersion | None, version: ItemVersion, after: ItemVersion | None) -> Life:
    continues = after is not None and after.subject == version.subject and after.start == version.end
    fields: tuple[FieldChange, ...] = ()
    if before is not None and before.subject == version.subject:
        fields = _changed_fields(store, before.artifact, version.artifact)
    last = store.observations(version.subject, version.end - _MS)[0] if version.end else None
    if version.end is None:
        last = _latest(store, version.subject)
    ending = "" if version.end is None else "changed" if continues else "gone"
    if ending == "gone" and version.end and _rekeyed(store, last, store.observations(version.subject, version.end)[0]):
        ending = "named otherwise"
    return Life(
        version.subject,
        version.key,
        version.artifact,
        version.start,
        last.finished if last else None,
        version.end,
        ending,
        fields,
        shown_document(store, version.artifact)[1],
    )


def _rekeyed(store: Store, before: Run | None, after: Run | None) -> bool:
    """Return whether the procedure of *after* names items by another key than that of *before*."""
    if before is None or after is None or before.provenance.procedure == after.provenance.procedure:
        return False
    return bool(_key_of(store, before) != _key_of(store, after))


def _key_of(store: Store, run: Run) -> Json:
    try:
        return document(store, bytes.fromhex(run.provenance.procedure.removeprefix("sha256:"))).get("key")
    except QueryError:
        # A run by hand before there was a plan: its procedure is known by digest alone, so alike to no other.
        return run.provenance.procedure


def _latest(store: Store, subject: Subject) -> Run | None:
    from collector.clock import from_ms

    return store.observations(subject, from_ms(253_402_300_799_000))[0]

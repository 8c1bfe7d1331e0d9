"""Controls and tags: what of the evidence supports which control, by rule at the time of collection, or by a claim.

The rule is the control set in force: a control names the kinds that show it, by pattern. Controls are effective-dated
and known by id: a title may change without touching history, and what a control asked for last year stays on record.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from difflib import get_close_matches
from fnmatch import fnmatchcase
from functools import cached_property
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, model_validator

from collector.canonical import canonical, digest
from collector.clock import iso, parse_instant
from collector.criteria import criteria
from collector.data import data_path
from collector.errors import ConfigError, QueryError
from collector.model import Json

_ALWAYS = datetime.min.replace(tzinfo=UTC)
_FOREVER = datetime.max.replace(tzinfo=UTC)


def _instant(value: object) -> object:
    """Return a TOML date or time, or ISO text, as an aware instant; a date is its midnight, no zone is UTC."""
    text = value.isoformat() if isinstance(value, date) else value
    try:
        if text is None or isinstance(text, str):
            return None if text is None else parse_instant(text)
    except QueryError as error:
        raise ValueError(str(error)) from error
    raise ValueError("write a date, 2026-01-01, or a time with its zone")


Instant = Annotated[datetime | None, BeforeValidator(_instant)]


class Control(BaseModel):
    """The organisation's answer to criteria, in force in ``[valid_from, valid_to)``; None means without end."""

    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)

    id: str = Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,31}$")
    title: str = Field(min_length=8, max_length=160, description="What is done, in your own words.")
    criteria: tuple[str, ...] = Field(min_length=1)
    kinds: tuple[Annotated[str, Field(pattern=r"^[a-z0-9_.*?]+$")], ...] = Field(
        default=(), description="Kinds that show it, by pattern; a pattern may match kinds that are not installed."
    )
    upload: Literal["", "monthly", "quarterly", "half-yearly", "yearly"] = Field(
        default="", description="How often a person uploads evidence, where no API gives it or not all of it."
    )
    valid_from: Instant = Field(default=None, alias="from")
    valid_to: Instant = Field(default=None, alias="to")

    @model_validator(mode="after")
    def _whole(self) -> Control:
        if not self.kinds and not self.upload:
            raise ValueError("a control is shown by `kinds`, by `upload`, or by both")
        if self.start >= self.end:
            raise ValueError("`to` is not after `from`")
        return self

    @property
    def start(self) -> datetime:
        """The first instant it is in force."""
        return self.valid_from or _ALWAYS

    @property
    def end(self) -> datetime:
        """The first instant it is no longer in force."""
        return self.valid_to or _FOREVER

    def in_force(self, at: datetime) -> bool:
        """Tell whether it is in force at *at*."""
        return self.start <= at < self.end

    def shown_by(self, kind: str) -> bool:
        """Tell whether evidence of *kind* shows it."""
        return any(fnmatchcase(kind, pattern) for pattern in self.kinds)


@dataclass(frozen=True)
class ControlSet:
    """Controls as one document says they are. An id may occur more than once, each time for another interval."""

    controls: tuple[Control, ...]

    def document(self) -> Json:
        """Return the set as JSON, to be recorded; `ControlSet.of` is its inverse."""
        return {"controls": [_document(each) for each in self.controls]}

    @classmethod
    def of(cls, document: Json) -> ControlSet:
        """Return the set that *document* records. Raises `ConfigError` when it is not such a document."""
        return _control_set("controls on record", document.get("controls", []))

    @cached_property
    def digest(self) -> bytes:
        """SHA-256 of the canonical document."""
        return digest(canonical(self.document()))

    def showing(self, kind: str) -> tuple[Control, ...]:
        """Return the controls that evidence of *kind* shows, whenever they are in force."""
        if kind not in self._by_kind:
            self._by_kind[kind] = tuple(each for each in self.controls if each.shown_by(kind))
        return self._by_kind[kind]

    @cached_property
    def _by_kind(self) -> dict[str, tuple[Control, ...]]:
        return {}

    def at(self, instant: datetime) -> dict[str, Control]:
        """Return the controls in force at *instant*, by id."""
        return {each.id: each for each in self.controls if each.in_force(instant)}


@dataclass(frozen=True, slots=True)
class Tag:
    """A dated claim by *actor* that *target* (``run:12-3`` or ``sha256:...``) supports *control*, and why.

    With *withdraws* it says instead that the tag of that id no longer holds.
    """

    id: int
    target: str
    control: str
    note: str
    actor: str
    at: datetime
    withdraws: int | None = None


def load_controls(path: Path | None = None) -> ControlSet:
    """Return the controls that the TOML file *path* declares, in its order; without a path the starter set.

    Raises `ConfigError` naming the file, and the control and key that are wrong or the line that is not TOML.
    """
    path = path or data_path("schemas") / "controls" / "starter.toml"
    try:
        document = tomllib.loads(path.read_text(encoding="utf-8"))
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"{path}: not TOML: {error}") from error
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path}: cannot be read: {error}") from error
    for key in document.keys() - {"control"}:
        raise ConfigError(f"{path}: unknown key {key!r}", hint="Each control is a table [[control]].")
    return _control_set(str(path), document.get("control", []))


def controls_for(kind: str, at: datetime, controls: ControlSet) -> tuple[str, ...]:
    """Return the ids of the controls in force at *at* that evidence of *kind* shows, in the set's order."""
    return tuple(dict.fromkeys(each.id for each in controls.showing(kind) if each.in_force(at)))


def criteria_for(kind: str, at: datetime, controls: ControlSet) -> tuple[str, ...]:
    """Return the criteria answered by the controls that `controls_for` gives, each once, in the standard's order."""
    answered = {name for each in controls.showing(kind) if each.in_force(at) for name in each.criteria}
    return tuple(name for name in criteria() if name in answered)


def set_in_force(history: Iterable[tuple[datetime, ControlSet]], at: datetime) -> ControlSet:
    """Return the set of *history* (valid from, set; any order) that ruled at *at*; an empty one before the first."""
    ruling = max((each for each in history if each[0] <= at), key=lambda each: each[0], default=None)
    return ruling[1] if ruling else ControlSet(())


def standing(tags: Iterable[Tag], at: datetime, target: str | None = None) -> list[Tag]:
    """Return the claims (on *target*, if given) that stood at *at*, by id: made by then and not withdrawn by then.

    A withdrawal is final; who was wrong to withdraw claims again.
    """
    made = sorted((each for each in tags if each.at <= at), key=lambda each: each.id)
    withdrawn = {each.withdraws for each in made}
    return [
        each for each in made if each.withdraws is None and each.id not in withdrawn and target in (None, each.target)
    ]


def _document(control: Control) -> dict[str, Json]:
    document = control.model_dump(exclude_defaults=True, exclude={"valid_from", "valid_to"})
    document |= {key: list(document[key]) for key in ("criteria", "kinds") if key in document}
    edges = {"from": control.valid_from, "to": control.valid_to}
    return document | {key: iso(at) for key, at in edges.items() if at is not None}


def _control_set(where: str, entries: Json) -> ControlSet:
    if not isinstance(entries, list):
        raise ConfigError(f"{where}: a control is a table [[control]]")
    found = tuple(_control(where, number, entry) for number, entry in enumerate(entries, start=1))
    _check_criteria(where, found)
    _check_overlaps(where, found)
    return ControlSet(found)


def _control(where: str, number: int, entry: Json) -> Control:
    name = entry.get("id", f"number {number}") if isinstance(entry, dict) else f"number {number}"
    try:
        return Control.model_validate(entry)
    except ValidationError as error:
        first = error.errors()[0]
        place = [".".join(str(part) for part in first["loc"])] if first["loc"] else []
        problem = first["msg"].removeprefix("Value error, ")
        raise ConfigError(": ".join([where, f"control {name}", *place, problem])) from error


def _check_criteria(where: str, controls: Sequence[Control]) -> None:
    known = criteria()
    for control in controls:
        for name in control.criteria:
            if name not in known:
                near = ", ".join(get_close_matches(name, known, n=3, cutoff=0.5))
                hint = f"Did you mean: {near}?" if near else ""
                raise ConfigError(f"{where}: control {control.id}: criteria: there is no criterion {name!r}", hint=hint)


def _check_overlaps(where: str, controls: Sequence[Control]) -> None:
    last: dict[str, Control] = {}
    for control in sorted(controls, key=lambda each: (each.id, each.start)):
        before = last.get(control.id)
        if before is not None and control.start < before.end:
            raise ConfigError(
                f"{where}: control {control.id}: from: it is declared twice for the same time",
                hint="Give the earlier one a `to`, or the other another id.",
            )
        last[control.id] = control

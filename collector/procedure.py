"""The spec language: kinds of evidence declared as data (design 4). No code runs from a spec.

A kind's calls are its *procedure*, the query an auditor examines; `Kind.digest` names it in every run made with it.
How a call is carried out is an engine's business (HTTP/JSON in `collector.http`; others live with their connectors).
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Mapping
from functools import cached_property
from pathlib import Path
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from collector import fields
from collector.canonical import canonical, digest
from collector.errors import ConfigError
from collector.model import Json

LANGUAGE_VERSION = 1


class _Spec(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)


class Paging(_Spec):
    """How a source of JSON over HTTP continues a list, and how it says that there is no more.

    *next* and *more* are expressions over the page: the token (``token``, ``cursor``) or the address (``next_url``)
    that continues, and whether there is more. ``link`` takes both from the Link header (RFC 8288). A number or a token
    is sent as *param*: in the query of a GET, in the body of a POST (dots lead into objects), as a GraphQL variable.
    """

    style: Literal["", "none", "link", "token", "next_url", "offset", "page", "cursor"] = Field(
        default="", description="Empty: as the connector's default, with what is given here instead."
    )
    next: str = Field(default="", description="Expression for what continues: 'nextPageToken', '\"@odata.nextLink\"'.")
    more: str = Field(default="", description="Expression that says whether there is more: 'hasNextPage', '!isLast'.")
    param: str = Field(default="", description="Request parameter that takes the token, the offset or the page.")
    size: int = Field(default=0, ge=0, description="Items asked for a page; 0 leaves it to the source.")
    size_param: str = Field(default="", description="Request parameter that takes the size.")
    start: int = Field(default=-1, ge=-1, description="First offset (else 0) or first page (else 1).")
    last: Literal["", "short", "empty", "total", "more"] = Field(
        default="",
        description="What ends `offset` and `page`: a page that is short, is empty, makes the total, says so.",
    )
    total: str = Field(default="", description="Expression for how many items there are, as the source counts them.")


def _as_paging(value: object) -> object:
    return {"style": value} if isinstance(value, str) else value


class Call(_Spec):
    """One declared call of an API operation and what is kept of its answer.

    Expressions are JMESPath. In *params*, the strings ``{since}`` and ``{until}`` stand for the window of an event
    kind, and ``{name}`` for the value of an enclosing `Loop`; a string that is nothing but a placeholder keeps the
    value's type. The same holds in *set*.
    """

    op: str = Field(
        description="Operation: 'kms.ListKeys' (then also 'ListKeys'), 'GET /orgs/{org}/repos', 'GRAPHQL name'."
    )
    params: dict[str, Json] = Field(default={}, description="Literal request parameters.")
    bind: dict[str, str] = Field(
        default={}, description="Request parameter -> expression over the item; inferred when names match."
    )
    items: str | None = Field(default=None, description="Expression for the list of items in each page; inferred.")
    pick: str | None = Field(default=None, description="Expression for the part of a detail answer that is kept.")
    into: str | None = Field(default=None, description="Field of the item that takes the answer; else it is merged.")
    when: str | None = Field(default=None, alias="if", description="Call only for items where this is true.")
    absent: list[str | int] = Field(
        default=[], description="Error codes by which the source says: there is none. The field becomes null."
    )
    not_enabled: list[str | int] = Field(
        default=[], description="Error codes by which the source says: this service or feature is switched off."
    )
    gone: list[str | int] = Field(
        default=[], description="Error codes by which the source says: the item was deleted since it was listed."
    )
    at: str | None = Field(
        default=None, description="Expression over the item for the region the call goes to; else the scope's own."
    )
    wrap: str | None = Field(default=None, description="Name for items that are bare values: 'x' -> {wrap: 'x'}.")
    put: dict[str, str] = Field(
        default={}, description="Field of every item -> expression over the page it came in (a report's own time)."
    )
    set: dict[str, Json] = Field(default={}, description="Literal fields added to every item of this call.")
    decode: Literal["csv", "json"] | None = Field(default=None, description="Decode the bytes at 'items' first.")
    paging: Annotated[Paging | None, BeforeValidator(_as_paging)] = Field(
        default=None, description="How the list continues over HTTP; else as the connector's default says."
    )
    body: Json = Field(default=None, description="JSON body of a POST that reads, with placeholders.")
    query: str = Field(default="", description="GraphQL document; `params` are its variables.")
    headers: dict[str, str] = Field(default={}, description="Request headers, over the connector's own.")
    grants: list[str] = Field(default=[], description="Permissions of this call, named when it is denied.")


class Batch(Call):
    """A detail call for many items at once; each answer finds its item by equal *match* values.

    Without *into* the answer replaces the item's fields (merged); with *many* the field takes a list of answers.
    An item without an answer is unknown and fails the run, unless *many* (then its list is empty) or *optional*.
    """

    ids: str = Field(description="Request parameter that takes the list of ids; dots lead into structures.")
    id: str = Field(description="Expression over the item that gives its id.")
    match: str = Field(description="Expression over an answer that gives the id of its item.")
    size: int = Field(default=100, ge=1, description="Most ids in one call.")
    many: bool = Field(default=False, description="Several answers per item.")
    optional: bool = Field(default=False, description="The source leaves out items it has nothing to say about.")


class Loop(_Spec):
    """Parameter enumeration: the procedure inside is carried out once per value of *var*.

    Values are literal (*values*) or listed by a call whose *items* give them. Loops nest in the order written; a loop
    variable is passed to every inner call that has a parameter of that name.
    """

    var: str
    values: list[Json] = []
    call: Call | None = None
    empty: Literal["not_enabled", "empty"] = Field(
        default="empty", description="What it means when the call lists nothing: the service is off, or no items."
    )


class Poll(_Spec):
    """Start, poll, fetch: *call* is repeated until *until* is true over its answer; then the procedure goes on."""

    call: Call
    until: str
    every_s: float = Field(default=2.0, gt=0)
    limit_s: float = Field(default=120.0, gt=0)


class Since(_Spec):
    """Makes an event kind: items happened at a time and are read by window with overlap.

    *field* is the expression for an item's event time; *horizon* is how long the source keeps it.
    *form* is how ``{since}``/``{until}`` are written in requests.
    """

    field: str
    overlap: str = "1h"
    horizon: str = "90d"
    form: Literal["datetime", "iso", "epoch_ms", "epoch_s"] = "datetime"


def _as_list(value: object) -> object:
    return value if isinstance(value, list) else [value]


def _as_call(value: object) -> object:
    return {"op": value} if isinstance(value, str) else value


def _field_path(path: str) -> str:
    try:
        fields.parse(path)
    except ConfigError as error:
        raise ValueError(str(error)) from error
    return path


FieldPath = Annotated[str, AfterValidator(_field_path)]
Calls = Annotated[list[Annotated[Call, BeforeValidator(_as_call)]], BeforeValidator(_as_list)]


class Kind(_Spec):
    """One kind of evidence. Field paths (*volatile*, *redact*, *never*) are those of `collector.fields`."""

    name: str = Field(pattern=r"^[a-z0-9]+(\.[a-z0-9_]+)+$")
    title: str = Field(min_length=8, description="What it is, for an auditor, in one line.")
    scope: str = Field(default="account", description="Level it is read at; the connector names its levels.")
    service: str = Field(default="", description="Default service of operations written without one.")
    loops: list[Loop] = Field(default=[], alias="for")
    poll: Poll | None = None
    list_: Calls = Field(default=[], alias="list", description="Root calls; without any, the kind is one item.")
    each: Calls = Field(default=[], description="Detail calls, once per item, in order.")
    batch: list[Batch] = []
    since: Since | None = None
    key: str | None = Field(default=None, description="Expression for the item's key; one-item kinds have none.")
    volatile: list[FieldPath] = Field(default=[], description="Fields split off before the change digest.")
    redact: list[FieldPath] = Field(default=[], description="Fields whose value is replaced by a mark.")
    never: list[FieldPath] = Field(default=[], description="Fields removed as if the source had not sent them.")
    sets: list[FieldPath] = Field(default=[], description="Lists without order at the source; sorted before hashing.")
    every: str = Field(default="daily", description="Default cadence: hourly, daily, weekly, monthly, 15m, cron.")
    criteria: list[str] = []
    grants: list[str] = Field(default=[], description="Permissions needed, where they cannot be inferred.")
    optional: bool = Field(default=False, description="Not collected unless the config names it.")

    @cached_property
    def digest(self) -> bytes:
        """SHA-256 over what determines the evidence: everything but the title, cadence and mapping to criteria."""
        return digest(canonical(self.document()))

    def document(self) -> dict[str, Json]:
        """Return the procedure as JSON: what is hashed, stored and shown in the IPE sheet."""
        spec = self.model_dump(by_alias=True, exclude_defaults=True, exclude={"title", "every", "criteria", "optional"})
        return {"language": LANGUAGE_VERSION, **spec}

    @property
    def calls(self) -> list[Call]:
        """Every declared call, in the order of execution."""
        loops = [loop.call for loop in self.loops if loop.call]
        return [*loops, *([self.poll.call] if self.poll else []), *self.list_, *self.batch, *self.each]


def load_kinds(path: Path) -> dict[str, Kind]:
    """Return the kinds declared in the TOML file *path*, by name.

    Raises `ConfigError` naming the file, and the kind and field that are wrong or the line that is not TOML.
    """
    return kinds_of(path, read_tables(path))


def read_tables(path: Path) -> dict[str, Json]:
    """Return the tables of the TOML file *path*. Raises `ConfigError` naming the file, and the line if there is one."""
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"{path}: not TOML: {error}") from error
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path}: cannot be read: {error}") from error


def kinds_of(path: Path, tables: Mapping[str, Json]) -> dict[str, Kind]:
    """Return the kinds that *tables* of the file *path* declare. Raises `ConfigError` as `load_kinds` does."""
    return {name: _kind(path, name, table) for name, table in tables.items()}


def _kind(path: Path, name: str, table: object) -> Kind:
    if not isinstance(table, dict):
        raise ConfigError(f'{path}: "{name}": a kind is a table')
    try:
        return Kind.model_validate({**table, "name": name})
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"])
        raise ConfigError(f'{path}: ["{name}"] {place}: {first["msg"]}') from error


def select(kinds: Mapping[str, Kind], patterns: Iterable[str]) -> list[str]:
    """Return the names in *kinds* that match any of *patterns* (``aws.iam.*``), sorted.

    Raises `ConfigError` for a pattern that matches nothing, with the nearest names.
    """
    from difflib import get_close_matches
    from fnmatch import fnmatchcase

    chosen: set[str] = set()
    for pattern in patterns:
        found = [name for name in kinds if fnmatchcase(name, pattern)]
        if not found:
            near = ", ".join(get_close_matches(pattern, kinds, n=3)) or "see `evidenced kinds list`"
            raise ConfigError(f"no kind matches {pattern!r}", hint=f"Did you mean: {near}?")
        chosen.update(found)
    return sorted(chosen)

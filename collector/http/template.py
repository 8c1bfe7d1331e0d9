"""Operations as kinds write them, and the addresses made of them: ``GET /orgs/{org}/repos?type=all``.

A placeholder is a path of names: ``{owner.login}``. Its first name is looked for among the values known before (scope,
loops, window), then in the item; ``{@.project}`` is always the item's. ``{+name}`` may fill several segments
(``projects/1/keys/2``); every other value fills a part of one, whatever it holds.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from urllib.parse import parse_qsl, quote

from collector.errors import ConfigError, Invalid
from collector.http.api import MAIN
from collector.model import Json
from collector.procedures.values import Values, texts

PLACEHOLDER = re.compile(r"\{(\+?(?:@\.)?[A-Za-z_]\w*(?:\.[A-Za-z_]\w*)*)\}")
_OP = re.compile(r"(?:([a-z][a-z0-9_]*):)?(GET|POST) (/[^\s#?]*)(?:\?([^\s#]*))?")
_GRAPHQL = re.compile(r"(?:([a-z][a-z0-9_]*):)?GRAPHQL (\w+)")
_IN_SEGMENT = "-._~:@!$'()*,;=+&"


@dataclass(frozen=True)
class Operation:
    """One operation: *name* as ledgers have it, never with a value; *path* may hold placeholders."""

    name: str
    host: str
    method: str
    path: str
    query: tuple[tuple[str, str], ...] = ()
    graphql: bool = False


def operation(text: str, graphql: str = "") -> Operation:
    """Return the operation that *text* names; GraphQL documents go to the operation *graphql*.

    Raises `ConfigError` when it is none: ``[host:]GET /path?query``, ``[host:]POST /path``, ``GRAPHQL name``.
    """
    document = _GRAPHQL.fullmatch(text)
    if document:
        if not graphql:
            raise ConfigError(f"{text}: the connector names no GraphQL address")
        at = operation(graphql)
        host = document[1] or at.host
        return Operation(text, host, at.method, at.path, graphql=True)
    found = _OP.fullmatch(text)
    if not found:
        raise ConfigError(
            f"{text!r} is no operation",
            hint="Write 'GET /path/{name}', 'host:GET /path', 'POST /path', 'GRAPHQL name'.",
        )
    host, method, path, query = found.groups()
    if set(re.split(r"/", path)) & {".", ".."} or "{" in PLACEHOLDER.sub("", path):
        raise ConfigError(f"{text!r}: the path does not name one place")
    try:
        pairs = parse_qsl(query or "", keep_blank_values=True, strict_parsing=bool(query))
    except ValueError as error:
        raise ConfigError(f"{text!r}: the query is not made of name=value") from error
    return Operation(f"{host + ':' if host else ''}{method} {path}", host or MAIN, method, path, tuple(pairs))


def placeholders(value: Json) -> list[str]:
    """Return the placeholders in the texts of *value*, in order, as written between the braces."""
    return [name for text in texts(value) for name in PLACEHOLDER.findall(text)]


def look_up(name: str, values: Values, item: Json) -> Json:
    """Return what the placeholder *name* stands for. Raises `Invalid` when nothing does, or null."""
    steps = name.removeprefix("+").split(".")
    found: Json
    if steps[0] == "@":
        found, steps = item, steps[1:]
    elif steps[0] in values:
        found, steps = values[steps[0]], steps[1:]
    else:
        found = item
    for step in steps:
        found = found.get(step) if isinstance(found, dict) else None
    # Null is no answer to "of which one?": the address would speak of another item, or of all.
    if found is None:
        raise Invalid(f"there is no value for {{{name}}}")
    return found


def filled(value: Json, values: Values, item: Json = None) -> Json:
    """Return *value* with every placeholder in its texts filled in; a lone one keeps its value's type."""
    if isinstance(value, str):
        lone = PLACEHOLDER.fullmatch(value)
        if lone:
            return look_up(lone[1], values, item)
        return PLACEHOLDER.sub(lambda found: _text(found[1], look_up(found[1], values, item)), value)
    if isinstance(value, dict):
        return {name: filled(each, values, item) for name, each in value.items()}
    return [filled(each, values, item) for each in value] if isinstance(value, list) else value


def address(path: str, values: Values, item: Json = None) -> str:
    """Return *path* with every placeholder filled in and percent-encoded (RFC 3986 section 2.1).

    Raises `Invalid` for a value that would leave its place in the path: empty, made of dots, with ``..`` between
    slashes, or with an empty one of several segments.
    """
    return "/".join(_segment(part, path, values, item) for part in path.split("/"))


def _segment(part: str, path: str, values: Values, item: Json) -> str:
    def encoded(found: re.Match[str]) -> str:
        text = _text(found[1], look_up(found[1], values, item))
        several = found[1].startswith("+")
        segments = text.removeprefix("/").split("/") if several else text.split("/")
        # A slash of a single segment is sent as %2F; that some servers decode it first must not matter.
        if {".", ".."} & set(segments) or (several and "" in segments) or not text:
            raise Invalid(f"{path}: a value leaves its place in the path: it is empty, or made of dots")
        return "/".join(quote(each, safe=_IN_SEGMENT) for each in segments) if several else quote(text, safe="-._~")

    made = PLACEHOLDER.sub(encoded, part)
    if made in (".", ".."):
        raise Invalid(f"{path}: values together leave their place in the path")
    return made


def _text(name: str, value: Json) -> str:
    if isinstance(value, bool) or not isinstance(value, str | int):
        raise Invalid(f"the value for {{{name}}} is {type(value).__name__}, not a text or a whole number")
    try:
        str(value).encode()
    except UnicodeEncodeError:
        raise Invalid(f"the value for {{{name}}} is no Unicode text") from None
    return str(value)

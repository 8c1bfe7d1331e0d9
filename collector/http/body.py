"""Bytes of an answer: bounded while they come in, decompressed, and read as JSON of which nothing may be lost."""

from __future__ import annotations

import json
import zlib
from collections.abc import Callable, Iterable, Iterator
from email.message import Message

from collector.errors import Invalid, Truncated
from collector.model import Json

_STEP = 64 * 1024
_GZIP_OR_ZLIB = zlib.MAX_WBITS | 32


class NotJson(Exception):
    """The body is not JSON, or not only JSON; the text says how."""


class TooLong(Truncated):
    """The answer is longer than anybody wants to hold; it will be so the next time as well."""


def collected(chunks: Iterable[bytes], encoding: str, most: int, check: Callable[[], None]) -> bytes:
    """Return the body in *chunks*, decompressed, of at most *most* bytes; *check* is asked between chunks.

    Raises `TooLong` when there is more, `Truncated` when compressed data stops early, `Invalid` for what is not known.
    """
    if encoding in ("", "identity"):
        decoded: Iterator[bytes] = iter(chunks)
    elif encoding in ("gzip", "x-gzip", "deflate"):
        decoded = _inflated(chunks)
    else:
        raise Invalid(f"the answer is encoded as {encoding[:40]!r}, which nobody asked for")
    parts = []
    size = 0
    for part in decoded:
        check()
        size += len(part)
        if size > most:
            raise TooLong(f"the answer is longer than {most} bytes", hint="Ask for smaller pages.")
        parts.append(part)
    return b"".join(parts)


def _inflated(chunks: Iterable[bytes]) -> Iterator[bytes]:
    stream = zlib.decompressobj(_GZIP_OR_ZLIB)
    try:
        for chunk in chunks:
            data = chunk
            while data and not stream.eof:
                yield stream.decompress(data, _STEP)
                data = stream.unconsumed_tail
        yield stream.flush(_STEP)
    except zlib.error as error:
        raise Invalid(f"the answer cannot be decompressed: {error}") from error
    if not stream.eof:
        raise Truncated("the compressed answer stops early")
    if stream.unused_data:
        raise Invalid("something follows the compressed answer")


def parsed(body: bytes, content_type: str) -> Json:
    """Return the JSON in *body*. Raises `NotJson`, also where a reader would have to choose: a name twice, NaN."""
    if not body.strip():
        raise NotJson("the body is empty")
    try:
        return json.loads(_decoded(body, content_type), object_pairs_hook=_object, parse_constant=_no_number)
    except RecursionError:
        raise NotJson("the body is nested without end") from None
    except (ValueError, LookupError) as error:
        raise NotJson(f"the body is not JSON ({_media_type(content_type) or 'no content type'}): {error}") from error


def _decoded(body: bytes, content_type: str) -> str:
    message = Message()
    message["content-type"] = content_type
    charset = message.get_content_charset() or "utf-8"
    # RFC 8259 section 8.1: UTF-8, and who reads may pass over a byte order mark.
    return body.decode("utf-8-sig" if charset in ("utf-8", "utf8", "us-ascii") else charset)


def _media_type(content_type: str) -> str:
    return content_type.partition(";")[0].strip()[:60]


def _object(pairs: list[tuple[str, Json]]) -> dict[str, Json]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise NotJson("an object has one name twice")
    return found


def _no_number(text: str) -> Json:
    raise NotJson(f"{text} is no JSON")

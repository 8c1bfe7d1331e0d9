"""Bytes to be kept, never shown: whatever they are, a browser saves them and looks for no meaning in them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import IO, Any
from urllib.parse import quote

from starlette.responses import Response, StreamingResponse

OCTETS = "application/octet-stream"
_PLAIN = re.compile(r"[^A-Za-z0-9._-]")
_PIECE = 1 << 20


def attachment(name: str) -> dict[str, str]:
    """Return the header that has a file saved as *name*, in the old form and in that of RFC 6266."""
    plain = _PLAIN.sub("_", name).lstrip(".") or "file"
    return {"Content-Disposition": f"attachment; filename=\"{plain}\"; filename*=UTF-8''{quote(name, safe='')}"}


def download(data: bytes, name: str, digest: str, media_type: str = OCTETS) -> Response:
    """Return *data* as the file *name*; *digest* (hex) is its tag."""
    return Response(data, media_type=media_type, headers={"ETag": f'"{digest}"', **attachment(name)})


def streamed(file: IO[bytes], length: int, name: str, digest: str, media_type: str) -> Response:
    """Return what is left of *file* (*length* bytes) as the file *name*, and close it at the end."""
    headers = {"ETag": f'"{digest}"', "Content-Length": str(length), **attachment(name)}
    return StreamingResponse(_pieces(file), media_type=media_type, headers=headers)


def downloads(media_type: str, what: str) -> dict[int | str, dict[str, Any]]:
    """Return how a route that answers with a file is documented."""
    headers = {
        "ETag": {"description": "The SHA-256 of the bytes.", "schema": {"type": "string"}},
        "Content-Disposition": {"description": "Always an attachment.", "schema": {"type": "string"}},
    }
    content = {media_type: {"schema": {"type": "string", "format": "binary"}}}
    return {200: {"description": what, "content": content, "headers": headers}}


def _pieces(file: IO[bytes]) -> Iterator[bytes]:
    with file:
        while piece := file.read(_PIECE):
            yield piece

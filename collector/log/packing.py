"""A leaf as it is stored: its exact bytes, smaller.

Of most leaves a third is digests in hexadecimal and the rest is what every leaf of its kind says. So the digests are
kept as they are, and what is left of the text as zstd makes it with fixed words:

    1 | how many times 16 bytes of digests | zstd of the text, a control byte in place of each digest | the digests

No leaf begins with the byte 1 or holds a control byte. A leaf that gets no smaller is stored as it is, as all were
once.
"""

from __future__ import annotations

import re
import threading
from typing import cast

import zstandard

from collector.errors import IntegrityError
from collector.log.leaf import MAX_BYTES
from collector.log.leaf_words import LEAF_WORDS

_FORM = 1
_UNIT = 16
_DIGEST = re.compile(rb"[0-9a-f]{64}|[0-9a-f]{32}")
_MARKS = {32: b"\x01", 16: b"\x02"}
_MARK = re.compile(rb"[\x01\x02]")
_WORDS = zstandard.ZstdCompressionDict(LEAF_WORDS)
_FORMAT = zstandard.FORMAT_ZSTD1_MAGICLESS
_PARAMETERS = zstandard.ZstdCompressionParameters.from_level(
    12, format=_FORMAT, write_checksum=False, write_dict_id=False, write_content_size=True
)
# The tools hold buffers and are not safe to share between threads: one of each per thread.
_tools = threading.local()


def pack_leaf(data: bytes) -> bytes:
    """Return the leaf *data* as it is stored."""
    digests: list[bytes] = []

    def mark(found: re.Match[bytes]) -> bytes:
        digests.append(bytes.fromhex(found[0].decode("ascii")))
        return _MARKS[len(digests[-1])]

    text = _packer().compress(_DIGEST.sub(mark, data))
    tail = b"".join(digests)
    made = bytes([_FORM, len(tail) // _UNIT]) + text + tail
    return made if len(made) < len(data) else data


def unpack_leaf(stored: bytes) -> bytes:
    """Return the leaf that `pack_leaf` made *stored* of. Raises `IntegrityError` for what it cannot have made.

    What does not say that it is packed is returned as it is: whether that is a leaf, `decode_leaf` tells.
    """
    if stored[:1] != bytes([_FORM]):
        return stored
    end = len(stored) - (stored[1] if len(stored) > 1 else 0) * _UNIT
    packed, digests = stored[2:end], stored[max(end, 2) :]
    try:
        # Anybody may have altered the bytes: they must not make us ask for more memory than a leaf can take.
        if zstandard.get_frame_parameters(packed, format=_FORMAT).content_size > MAX_BYTES:
            raise IntegrityError("not a leaf: more than a leaf can be is packed")
        text = _unpacker().decompress(packed, allow_extra_data=False)
    except zstandard.ZstdError as error:
        raise IntegrityError(f"not a leaf: it cannot be unpacked: {error}") from error
    place = 0

    def digest(found: re.Match[bytes]) -> bytes:
        nonlocal place
        size = 32 if found[0] == _MARKS[32] else 16
        place += size
        return digests[place - size : place].hex().encode("ascii")

    data = _MARK.sub(digest, text)
    if place != len(digests):
        raise IntegrityError("not a leaf: it has another number of digests than it was packed with")
    return data


def _packer() -> zstandard.ZstdCompressor:
    if not hasattr(_tools, "packer"):
        _tools.packer = zstandard.ZstdCompressor(compression_params=_PARAMETERS, dict_data=_WORDS)
    return cast(zstandard.ZstdCompressor, _tools.packer)


def _unpacker() -> zstandard.ZstdDecompressor:
    if not hasattr(_tools, "unpacker"):
        _tools.unpacker = zstandard.ZstdDecompressor(dict_data=_WORDS, format=_FORMAT)
    return cast(zstandard.ZstdDecompressor, _tools.unpacker)

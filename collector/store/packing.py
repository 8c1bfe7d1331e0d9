"""Bytes at rest: how they are packed. The codec's number is stored beside them, so a later one changes nothing."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import groupby
from operator import itemgetter
from typing import Any, cast

import zstandard

from collector.errors import IntegrityError
from collector.store.sheet_words import SHEET_WORDS

RAW = 0
ZSTD = 1
ZSTD_SHEET = 2
ZSTD_SHEET_WITH_IDS = 3
SHEET_AND_IDS = 4
TRAINED = 100
"""From here on: zstd with the stored dictionary of the codec's number less this (`collector.store.dictionaries`)."""

LEVEL = 3
_SHEET_LEVEL = 16
_FRAME: dict[str, Any] = {"write_checksum": False, "write_dict_id": False, "write_content_size": True}
_PART = 64
_PARTS_AHEAD = 8

# What every sheet of form 1 says again: a raw-content dictionary. It is part of codec 2 and must never change.
_FIRST_SHEET_WORDS = (
    b'{"added":[0,1,0],"calls":[1,1,2,],"changed":[0,1],"detail":"ccceeeuuuuuuuuuuuuuuuu","drained":[true,false],"due":'
    b'[0],"first_date":[0,1000,0,0,1000],"first_id":["","0123456789abcdef-4000-8000-"],"items":[0,1,2,3,10,],'
    b'"last_date":[0,0,1000,0,0],"last_id":["",null,null,null],"line":[0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17],'
    b'"listed":[0,1,2,3,],"note":[[0,0],[1,0]],"operations":[],"pages":[1,1,2,],"population":[[0,"]],"principal":'
    b'[["",""]],"redacted":[1,1],"removed":[0,1],"retries":[0,0,1],"skew":[0,1,-1,12,],"started":[0,1,12,],"took":'
    b'[100,200,300,],"total":[null,null,0],"trigger":["adhoc","backfill","catch-up","schedule"],"version":1,'
    b'"watermark":[[0,0]],"window":[[0,0]],"who":[0,0,1]}'
)
_DICTIONARIES = {
    ZSTD_SHEET: zstandard.ZstdCompressionDict(_FIRST_SHEET_WORDS, dict_type=zstandard.DICT_TYPE_RAWCONTENT),
    ZSTD_SHEET_WITH_IDS: zstandard.ZstdCompressionDict(SHEET_WORDS),
    SHEET_AND_IDS: zstandard.ZstdCompressionDict(SHEET_WORDS),
}
_MAGIC = zstandard.FRAME_HEADER
_tools = threading.local()


def pack(data: bytes) -> tuple[int, bytes]:
    """Return the codec and the packed form of *data*: the smaller of raw and zstd."""
    packed = _compressor(ZSTD).compress(data)
    return (ZSTD, packed) if len(packed) < len(data) else (RAW, data)


def pack_sheet(data: bytes) -> tuple[int, bytes]:
    """Return the codec and the packed form of a run sheet.

    A zstd frame, without the number that begins every one, of all up to the line feed; after it the bytes of request
    ids as they are: what is random cannot be packed.
    """
    said, feed, ids = data.partition(b"\n")
    return SHEET_AND_IDS, _compressor(SHEET_AND_IDS).compress(said + feed)[len(_MAGIC) :] + ids


class Packer:
    """Packs what is called *codec*: the smaller of raw and zstd. For one thread at a time."""

    def __init__(self, codec: int = ZSTD, tool: zstandard.ZstdCompressor | None = None) -> None:
        self._codec = codec
        self._tool = tool or zstandard.ZstdCompressor(level=LEVEL, **_FRAME)

    def __call__(self, data: bytes) -> tuple[int, bytes]:
        """Return the codec and the packed form of *data*."""
        return self._smaller(data, self._tool.compress(data))

    def each(self, several: Sequence[bytes]) -> list[tuple[int, bytes]]:
        """Return the same of *several*, while other threads run: else zstd waits for its turn after each."""
        if not any(several):  # which zstandard refuses
            return [self(data) for data in several]
        made = self._tool.multi_compress_to_buffer([*several])
        return [self._smaller(data, made[at].tobytes()) for at, data in enumerate(several)]

    def _smaller(self, data: bytes, packed: bytes) -> tuple[int, bytes]:
        return (self._codec, packed) if len(packed) < len(data) else (RAW, data)


def packed_ahead(contents: Iterable[tuple[Packer, bytes]]) -> Iterator[tuple[int, bytes]]:
    """Yield the codec and the packed form of each of *contents*, packed ahead by a thread while the last are taken."""
    given = groupby(contents, key=itemgetter(0))
    parts = ((packer, part) for packer, some in given for part in _batched([data for _, data in some]))
    with ThreadPoolExecutor(1, "packing") as pool:
        waiting: deque[Future[list[tuple[int, bytes]]]] = deque()
        for packer, part in parts:
            waiting.append(pool.submit(packer.each, part))
            if len(waiting) > _PARTS_AHEAD:
                yield from waiting.popleft().result()
        while waiting:
            yield from waiting.popleft().result()


def _batched(contents: Sequence[bytes]) -> Iterator[Sequence[bytes]]:
    return (contents[at : at + _PART] for at in range(0, len(contents), _PART))


class Words:
    """A dictionary made ready for unpacking, and with a *level* for packing at it. Thread-safe.

    Raises `IntegrityError` for bytes that cannot be a dictionary.
    """

    def __init__(self, words: bytes, level: int | None = None) -> None:
        self._level = level or LEVEL
        self._tools = threading.local()
        try:
            self._words = zstandard.ZstdCompressionDict(words)
            if level is not None:
                self._words.precompute_compress(level=level)
        except zstandard.ZstdError as error:
            raise IntegrityError(f"a dictionary cannot be used: {error}") from error

    def packer(self, codec: int) -> Packer:
        """Return what packs with these words, called *codec*."""
        return Packer(codec, zstandard.ZstdCompressor(level=self._level, dict_data=self._words, **_FRAME))

    def unpacker(self) -> zstandard.ZstdDecompressor:
        """Return what unpacks with these words, in one thread."""
        if not hasattr(self._tools, "unpacker"):
            self._tools.unpacker = zstandard.ZstdDecompressor(dict_data=self._words)
        return cast(zstandard.ZstdDecompressor, self._tools.unpacker)


def unpack(codec: int, packed: bytes, words: Words | None = None) -> bytes:
    """Return the raw bytes. Raises `IntegrityError` when *packed* is not what the codec makes.

    *words* are those that a codec from `TRAINED` on needs.
    """
    if codec == RAW:
        return packed
    if codec not in (ZSTD, *_DICTIONARIES) and words is None:
        raise IntegrityError(f"stored bytes have codec {codec}, which this version does not know")
    try:
        tool = words.unpacker() if words else _decompressor(codec)
        return _sheet(tool, packed) if codec == SHEET_AND_IDS else tool.decompress(packed)
    except zstandard.ZstdError as error:
        raise IntegrityError(f"stored bytes cannot be unpacked: {error}") from error


def _sheet(tool: zstandard.ZstdDecompressor, packed: bytes) -> bytes:
    frame = tool.decompressobj()
    said = frame.decompress(_MAGIC + packed)
    if not frame.eof:
        raise IntegrityError("stored bytes cannot be unpacked: a run sheet ends too soon")
    return said + frame.unused_data


# The tools hold buffers and are not safe to share between threads: one of each per thread.
def _compressor(codec: int) -> zstandard.ZstdCompressor:
    found: dict[int, zstandard.ZstdCompressor] = _tools.__dict__.setdefault("compressors", {})
    if codec not in found:
        level = LEVEL if codec == ZSTD else _SHEET_LEVEL
        frame = _FRAME | {"write_content_size": codec != SHEET_AND_IDS}
        found[codec] = zstandard.ZstdCompressor(level=level, dict_data=_DICTIONARIES.get(codec), **frame)
    return found[codec]


def _decompressor(codec: int) -> zstandard.ZstdDecompressor:
    found: dict[int, zstandard.ZstdDecompressor] = _tools.__dict__.setdefault("decompressors", {})
    if codec not in found:
        found[codec] = zstandard.ZstdDecompressor(dict_data=_DICTIONARIES.get(codec))
    return found[codec]

"""What the year is measured with: bytes by what they are for, bytes written ahead, the baselines of the same run."""

from __future__ import annotations

import os
import sqlite3
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import psycopg
import zstandard

from collector.canonical import canonical, digest
from collector.model import Json

LOG = ("log_leaf", "log_node", "log_head")
STATE = ("item", "population_state", "change", "item_version", "dictionary")
_SPLIT = """
SELECT CASE WHEN id IN (SELECT artifact FROM volatile) THEN 'volatile'
            WHEN id IN (SELECT frame FROM sweep) OR id IN (SELECT notes FROM sweep) THEN 'sheets' ELSE 'state' END,
       count(*), sum(length(bytes)) FROM artifact GROUP BY 1
"""


class Bench:
    """One database being measured, by connections of its own."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.path = url.removeprefix("sqlite:///") if url.startswith("sqlite") else ""

    def query(self, sql: str) -> list[tuple[Any, ...]]:
        """Return the rows of *sql*."""
        if self.path:
            with closing(sqlite3.connect(self.path)) as lite:
                return lite.execute(sql).fetchall()
        with psycopg.connect(self.url, autocommit=True) as conn:
            done = conn.execute(sql)  # type: ignore[call-overload]
            return done.fetchall() if done.description else []

    @contextmanager
    def connected(self) -> Iterator[Callable[[str, Any], list[Any]]]:
        """Give what executes a statement with its parameters by the bare driver, and fetches all of it."""
        if self.path:
            with closing(sqlite3.connect(self.path)) as lite:
                lite.execute("PRAGMA cache_size=-16000")
                yield lambda sql, parameters: lite.execute(sql, parameters).fetchall()
            return
        with psycopg.connect(self.url, autocommit=True) as conn:
            yield lambda sql, parameters: conn.execute(sql, parameters).fetchall()

    def settle(self) -> None:
        """Write everything to where it stays, so that sizes and bytes written ahead begin at a known place."""
        self.query("PRAGMA wal_checkpoint(TRUNCATE)" if self.path else "CHECKPOINT")

    def tables(self) -> dict[str, int]:
        """Return the bytes of every table, its indices included."""
        if self.path:
            sql = "SELECT m.tbl_name, sum(d.pgsize) FROM dbstat d JOIN sqlite_master m ON m.name = d.name GROUP BY 1"
        else:
            sql = (
                "SELECT relname, pg_total_relation_size(oid) FROM pg_class "
                "WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace"
            )
        return {name: int(size) for name, size in self.query(sql)}

    def shares(self) -> dict[str, int]:
        """Return the bytes of the store by purpose: state, volatile, sheets, sweeps (their rows and the log), other."""
        tables = self.tables()
        split = {name: (int(rows), int(size or 0)) for name, rows, size in self.query(_SPLIT)}
        rows = sum(each[0] for each in split.values())
        held = sum(each[1] for each in split.values())
        spare = (tables["artifact"] - held) / max(rows, 1)
        artifact = {name: size + int(spare * count) for name, (count, size) in split.items()}
        sheets = int(self.query("SELECT coalesce(sum(length(sheet)), 0) FROM sweep")[0][0])
        return {
            "state": artifact.get("state", 0) + sum(tables.get(name, 0) for name in STATE),
            "volatile": artifact.get("volatile", 0) + tables["volatile"],
            "sheets": artifact.get("sheets", 0) + sheets,
            "sweeps": tables["sweep"] - sheets + sum(tables[name] for name in LOG),
            "gaps": tables.get("gap", 0) + tables.get("uncollected", 0),
            "all": sum(tables.values()),
        }

    def written(self) -> int:
        """Return a counter of the bytes written ahead so far."""
        if self.path:
            wal = Path(self.path + "-wal")
            return wal.stat().st_size if wal.exists() else 0
        return int(self.query("SELECT pg_current_wal_insert_lsn() - '0/0'::pg_lsn")[0][0])


def distinct(bench: Bench) -> int:
    """Return how many contents of items the store keeps."""
    return int(bench.query("SELECT count(DISTINCT artifact) FROM change WHERE artifact IS NOT NULL")[0][0])


class Limit:
    """`zstd -19 --long=31` of every distinct content, in the order in which they came to be."""

    def __init__(self) -> None:
        self._seen: set[bytes] = set()
        self._out = tempfile.TemporaryFile()  # noqa: SIM115 - closed with this object
        window = zstandard.ZstdCompressionParameters.from_level(19, window_log=31, enable_ldm=True)
        self._writer = zstandard.ZstdCompressor(compression_params=window).stream_writer(self._out, closefd=False)
        self.raw = 0

    def add(self, contents: Iterable[tuple[bytes, bytes]]) -> None:
        """Take contents by digest."""
        for name, data in contents:
            if name not in self._seen:
                self._seen.add(name)
                self.raw += len(data)
                self._writer.write(data)

    def bytes(self) -> int:
        """Return the size of it all."""
        self._writer.flush(zstandard.FLUSH_FRAME)
        return self._out.tell()


def hashing(items: Sequence[Json]) -> float:
    """Return the seconds that canonicalising and hashing *items* takes."""
    started = time.perf_counter()
    for item in items:
        digest(canonical(item))
    return time.perf_counter() - started


def naive_bytes(items: Sequence[Json], source: str) -> float:
    """Return the bytes per observation of a plain table with a row for every item of every snapshot, and its index."""
    handle, name = tempfile.mkstemp(suffix=".db")
    os.close(handle)
    with closing(sqlite3.connect(name)) as conn:
        conn.execute("CREATE TABLE snapshot (at TEXT, source TEXT, kind TEXT, key TEXT, document TEXT)")
        conn.execute("CREATE INDEX ix ON snapshot (source, kind, key, at)")
        rows = [
            ("2025-01-01T00:00:00Z", source, "cloud.users", str(number), canonical(item).decode())
            for number, item in enumerate(items)
        ]
        conn.executemany("INSERT INTO snapshot VALUES (?, ?, ?, ?, ?)", rows)
        conn.commit()
        conn.execute("VACUUM")
    size = Path(name).stat().st_size
    Path(name).unlink()
    return size / len(items)


def percentile(values: Sequence[float], share: float = 0.95) -> float:
    """Return the value below which *share* of *values* lie."""
    return sorted(values)[min(len(values) - 1, int(share * len(values)))]

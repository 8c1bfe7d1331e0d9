"""Every form that the items of a subject ever had, item by item: for populations over a period, in bounded memory."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby

from sqlalchemy import Connection, select

from collector.clock import from_ms, to_ms
from collector.presence import Form
from collector.store.sealing_tables import item_key
from collector.store.tables import artifact, item, item_version
from collector.store.unsealing import shown_item

_PAGE = 2_000


@dataclass(frozen=True, slots=True)
class ItemLife:
    """An item with its *forms*, ascending. A *key* that is sealed or was erased is as `shown_item` shows it.

    A population may be frozen into a document that is not sealed: what is sealed here must not come out there.
    """

    key: str
    key_digest: bytes
    forms: tuple[Form, ...]


def lives(
    reading: Callable[[], AbstractContextManager[Connection]], subject: int, before: datetime
) -> Iterator[ItemLife]:
    """Yield the items of *subject* (a number) that were there before *before*, in ascending order of key digests.

    Of each the forms that began before it. One state of the database is read.
    """
    query = (
        select(
            item.c.key_digest,
            item.c.key,
            item_key.c.item,
            item_version.c.since,
            item_version.c.until,
            artifact.c.digest,
        )
        .select_from(item)
        .outerjoin(item_key, item_key.c.item == item.c.id)
        .join(item_version, item_version.c.item == item.c.id)
        .join(artifact, artifact.c.id == item_version.c.artifact)
        .where(item.c.subject == subject, item_version.c.subject == subject, item_version.c.since < to_ms(before))
        .order_by(item.c.key_digest, item_version.c.state)
    )
    with reading() as conn:
        result = conn.execute(query, execution_options={"stream_results": True})
        rows = (row for part in result.partitions(_PAGE) for row in part)
        for name, group in groupby(rows, key=lambda row: bytes(row[0])):
            found = list(group)
            _, plain, sealed, *_ = found[0]
            form = "erased" if sealed is None else "sealed"
            key = shown_item(form, name) if plain is None else plain.decode("utf-8", "surrogatepass")
            forms = (
                Form(from_ms(since), None if until is None else from_ms(until), content)
                for _, _, _, since, until, content in found
            )
            yield ItemLife(key, name, tuple(forms))

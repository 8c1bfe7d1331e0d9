"""Contents as far as an engagement goes: a digest alone opens nothing, whatever it is the digest of."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from sqlalchemy import ColumnElement, Connection, or_, select

from collector.errors import Withheld
from collector.store import contents
from collector.store.desk_tables import desk_act
from collector.store.sight import NamesWithin
from collector.store.subject_keys import SubjectKeys
from collector.store.tables import item_version, volatile
from collector.store.unsealing import Unsealing


class UnsealingWithin(Unsealing):
    """Opens what *engagement* (an id) reaches within *names*; of anything else it says that it is not there.

    Reached are versions of items and volatile fields of subjects in scope, what its acts hold or brought, and what runs
    in scope name (`NamesWithin.documents`). The same bytes may be reached by one engagement and be another's too.
    """

    def __init__(self, keys: SubjectKeys, names: NamesWithin, engagement: int) -> None:
        super().__init__(keys)
        self._names = names
        self._engagement = engagement

    def read(self, conn: Connection, name: bytes) -> bytes:
        """See `Unsealing.read`."""
        self._require(conn, [name])
        return super().read(conn, name)

    def read_many(self, conn: Connection, names: Sequence[bytes]) -> Iterator[bytes | Withheld]:
        """See `Unsealing.read_many`."""
        self._require(conn, names)
        return super().read_many(conn, names)

    def reached(self, conn: Connection, names: Sequence[bytes]) -> set[bytes]:
        """Return those of *names* (a page of them) that are reached."""
        digests = {number: name for name, number in contents.known(conn, names).items()}
        found = self._of_subjects(conn, set(digests)) | self._of_acts(conn, set(digests))
        left = {name for number, name in digests.items() if number not in found}
        documents = left & self._names.documents(conn) if left else set()
        return {digests[number] for number in found} | documents

    def _require(self, conn: Connection, names: Sequence[bytes]) -> None:
        reached = self.reached(conn, names)
        for name in names:
            if name not in reached:
                raise contents.unknown(name)

    def _of_subjects(self, conn: Connection, numbers: set[int]) -> set[int]:
        subjects = set(self._names.subjects(conn).values())
        found: set[int] = set()
        for table in (item_version, volatile):
            query = select(table.c.artifact, table.c.subject).where(_among(table.c.artifact, numbers)).distinct()
            found.update(number for number, subject in conn.execute(query) if subject in subjects)
        return found

    def _of_acts(self, conn: Connection, numbers: set[int]) -> set[int]:
        columns = (desk_act.c.document, desk_act.c.artifact)
        query = select(*columns).where(or_(*(_among(each, numbers) for each in columns)))
        rows = conn.execute(query.where(desk_act.c.engagement == self._engagement)).all()
        return numbers.intersection(number for row in rows for number in row)


def _among(column: ColumnElement[int], numbers: set[int]) -> ColumnElement[bool]:
    return column.in_(sorted(numbers))

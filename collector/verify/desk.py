"""What the leaf of an act at the auditor's desk must say, made again from its row; and who its document names."""

from __future__ import annotations

import orjson

from collector.act import ActKind
from collector.log.leaf import LeafKind
from collector.model import Json
from collector.store.desk import act_payload
from collector.store.evidence import Evidence, Row
from collector.verify.contents import stored_content
from collector.verify.dictionaries import Dictionaries
from collector.verify.numbered import Names


class DeskActs:
    """Makes the leaves of `desk_act` rows again."""

    def __init__(self, evidence: Evidence, contents: Names, known: Dictionaries) -> None:
        self._evidence = evidence
        self._contents = contents
        self._known = known

    def said(self, row: Row) -> tuple[LeafKind, dict[str, Json]]:
        """Return the kind and payload of the leaf that commits to *row*. Raises ValueError for what cannot be ours."""
        kind = ActKind(row["kind"])
        self._known.require_actor(row["actor"])
        numbers = [each for each in (row["document"], row["artifact"]) if each is not None]
        names = {number: name for number in numbers if (name := self._contents.get(number)) is not None}
        payload = act_payload(row, names)
        for person in self._document(row["document"]).get("people", ()):
            self._known.require_actor(person)
        return LeafKind(kind.value), payload

    def _document(self, number: int) -> dict[str, Json]:
        row = self._evidence.one("artifact", id=number)
        if row is None:
            raise ValueError(f"it names artifact {number}, which is not there")
        return dict(orjson.loads(stored_content(self._evidence, row)))

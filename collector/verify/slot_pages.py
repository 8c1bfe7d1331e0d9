"""The pages of the slot ledger, made again from the sheets of the sweeps they tell of."""

from __future__ import annotations

from collector.store.evidence import Evidence, Row, row_key
from collector.store.packing import unpack
from collector.store.sheet_reading import Sheet
from collector.store.slot_pages import Draft
from collector.store.stretches import PAGE
from collector.verify.dictionaries import Dictionaries, counted
from collector.verify.differences import Differences
from collector.verify.numbered import Grouped


class SlotPages:
    """Compares each page with what the sheets of its sweeps make; give it every sheet, in the order recorded."""

    def __init__(self, evidence: Evidence, known: Dictionaries, differences: Differences) -> None:
        self._known = known
        self._differences = differences
        self._stored = Grouped(counted(evidence, differences, "slot_page", "last", "source"), "last")
        self._drafts: dict[int, Draft] = {}

    def add(self, row: Row, sheet: Sheet) -> None:
        """Take the next sweep: its row and its sheet."""
        source = row["source"]
        draft = self._drafts.get(source)
        if draft is None:
            draft = self._drafts[source] = Draft(self._known.numbers)
        draft.add(sheet, row["first_due"], row["finished"])
        if len(draft.sweeps) == PAGE:
            self._compare(source, row["id"], draft)
            del self._drafts[source]

    def left(self) -> None:
        """Note the pages that no sweeps make. For when every sheet was given."""
        for row in self._stored.left():
            self._differences.add("slot_page", row_key("slot_page", row), "no sweeps make a page that ends there")

    def _compare(self, source: int, last: int, draft: Draft) -> None:
        found = None
        for row in self._stored.take(last):
            if row["source"] == source:
                found = row
            else:
                self._differences.add("slot_page", row_key("slot_page", row), "no sweeps make a page that ends there")
        if found is None:
            self._differences.add("slot_page", f"{source}/{last}", "the sheets make it, and it is not there")
            return
        name = row_key("slot_page", found)
        with self._differences.at("slot_page", name):
            if unpack(found["codec"], found["bytes"]) != draft.document():
                self._differences.add("slot_page", name, "it does not say what the sheets of its sweeps say")
            for column, value in (("since", draft.since), ("until", draft.until)):
                if found[column] != value:
                    self._differences.add("slot_page", name, f"{column} is {found[column]}, and its runs say {value}")

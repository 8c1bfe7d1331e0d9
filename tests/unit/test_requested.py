"""Request lists: read whole or refused row by row; where a request stands follows from what was done with it."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest

from collector.act import Act, ActKind
from collector.errors import QueryError
from collector.requested import Status, read_requests, requests_of

HEAD = ["ID", " Title ", "owner", "Criterion", "Due"]
NOON = datetime(2026, 3, 14, 12, tzinfo=UTC)


def rows(*more):
    return [HEAD, *more]


def test_requests_are_read_by_their_headings():
    [one, two] = read_requests(
        rows(["R-1", "Users", "x", "CC6.1, CC6.2", "2026-03-31"], [], ["", None], [2, "Rooms", None, None, None]), "f"
    )
    assert (one.id, one.title, one.criteria, one.due, one.row) == (
        "R-1", "Users", ("CC6.1", "CC6.2"), date(2026, 3, 31), 2,
    )  # fmt: skip
    assert (two.id, two.row, two.criteria, two.due) == ("2", 5, (), None)


def test_cells_of_a_spreadsheet_are_read_as_they_look():
    [one] = read_requests(rows([17.0, "Users", "", "CC6.1", datetime(2026, 3, 31, 9, tzinfo=UTC)]), "f")
    assert (one.id, one.due) == ("17", date(2026, 3, 31))


def test_every_bad_row_is_named_by_file_and_row():
    with pytest.raises(QueryError) as error:
        read_requests(
            rows(
                ["R-1", "fine"],
                ["", "no id"],
                ["R-2", ""],
                ["R-3", "x", "", "CC6.99"],
                ["R-4", "x", "", "", "soon"],
                ["R-1", "twice"],
                ["R\u202e5", "x"],
                ["R-6", "x" * 1001],
            ),
            "list.csv",
        )
    said = error.value.message.split("\n")
    assert [line.partition(": ")[0] for line in said] == [f"list.csv:{number}" for number in range(3, 10)]
    assert "nothing was imported" in error.value.hint()


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ([], "f:1: there is no column 'id'"),
        ([["id", "criterion"]], "f:1: there is no column 'title'"),
        ([["id", "title"], ["", ""]], "there is no request in it"),
    ],
)
def test_what_is_no_list_is_refused(given, said):
    with pytest.raises(QueryError, match=said):
        read_requests(given, "f")


def act(number, did, what="", about=1, **more):
    said = {"did": did, "what": what, **more}
    return Act(number, ActKind.REQUEST, 9, about, said, b"", None, (), "Eva", NOON + timedelta(hours=number), number)


ADDED = act(1, "added", about=None, id="R-1", title="Users", criteria=[], due="2026-03-20")


def test_where_a_request_stands_follows_from_what_was_done():
    acts = [
        ADDED,
        act(2, "linked", "population:7"),
        act(3, "status", "answered"),
        act(4, "commented", note="see there"),
    ]
    [found] = requests_of(acts)
    assert (found.status, found.links) == (Status.ANSWERED, ("population:7",))
    assert [each.did for each in found.events] == ["added", "linked", "status", "commented"]
    assert found.events[-1].note == "see there"


def test_a_link_that_was_taken_back_is_gone_and_its_story_stays():
    [found] = requests_of([ADDED, act(2, "linked", "a.b"), act(3, "linked", "c.d"), act(4, "unlinked", "a.b")])
    assert found.links == ("c.d",)
    assert len(found.events) == 4


@pytest.mark.parametrize(
    ("status", "today", "late"),
    [
        ("open", 20, False),
        ("open", 21, True),
        ("returned", 21, True),
        ("answered", 21, False),
        ("withdrawn", 21, False),
    ],
)
def test_a_request_is_overdue_while_it_waits_for_an_answer(status, today, late):
    [found] = requests_of([ADDED, act(2, "status", status)])
    assert found.overdue(date(2026, 3, today)) is late

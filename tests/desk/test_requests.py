"""The request list as people work with it: imported whole, linked, answered, commented, and never rewritten."""

from __future__ import annotations

import io
import random

import openpyxl
import pytest

from collector.ask.request_files import rows_of
from collector.errors import QueryError
from collector.verify import Verdict, verify

LIST = "id,title,criterion,due\nR-1,All users of the period,CC6.1,2025-04-01\nR-2,=HYPERLINK(1),CC6.4,\n"


def write(site, text=LIST, name="list.csv"):
    path = site.folder / name
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return str(path)


def load(site, text=LIST, name="list.csv", *more):
    return site.evidenced("request", "import", write(site, text, name), "--engagement", "soc2", "--as", "Eva", *more)


def workbook(*rows, sheet="Requests"):
    book = openpyxl.Workbook()
    book.active.title = "Read me"
    page = book.create_sheet(sheet)
    for row in rows:
        page.append(row)
    data = io.BytesIO()
    book.save(data)
    return data.getvalue()


@pytest.fixture
def listed(march):
    """The site with two requests."""
    assert load(march).code == 0
    return march


def test_a_list_is_imported_with_where_each_request_stands(listed):
    found = listed.evidenced("request", "list", "--engagement", "soc2", "--json").json["requests"]
    assert [(each["id"], each["status"], each["due"]) for each in found] == [
        ("R-1", "open", "2025-04-01"),
        ("R-2", "open", None),
    ]
    assert "open, overdue" in listed.evidenced("request", "list").out


def test_a_workbook_is_imported_from_the_sheet_that_is_named(march):
    data = workbook(["ID", "Title", "Criterion", "Due"], ["R-7", "Users", "CC6.1", "2025-04-01"])
    answer = load(march, data, "list.xlsx", "--sheet", "Requests", "--json")
    assert answer.json == {"added": 1, "already": 0}, answer.err
    assert "there is no sheet 'Else'" in load(march, data, "list.xlsx", "--sheet", "Else").err
    assert "no column 'id'" in load(march, data, "list.xlsx").err


def test_nothing_of_a_list_with_a_bad_row_is_imported(march):
    answer = load(march, LIST + "R-3,,CC6.1,\nR-4,x,CC9.9,\n")
    assert answer.code == 2
    assert "list.csv:4: it has no title" in answer.err
    assert "list.csv:5: there is no criterion 'CC9.9'" in answer.err
    assert march.evidenced("request", "list", "--json").json == {"requests": []}


def test_a_list_imported_again_adds_only_what_is_new(listed):
    assert load(listed, LIST + "R-3,Doors,,\n", "list.csv", "--json").json == {"added": 1, "already": 2}
    answer = load(listed, LIST.replace("All users", "Some users"))
    assert answer.code == 2
    assert "list.csv:2: 'R-1' is there already" in answer.err


def test_a_request_with_a_secret_in_it_is_refused(march):
    answer = load(march, "id,title\nR-1,use ghp_" + "a1B2" * 9 + "\n")
    assert answer.code == 2
    assert "list.csv:2: line 1 holds what looks like a secret" in answer.err


@pytest.mark.parametrize("data", [b"\xff\xfe\x00", b"PK\x03\x04 broken", b"%PDF-1.7"])
def test_what_is_no_list_is_refused(march, data):
    answer = load(march, data)
    assert answer.code == 2
    assert "list.csv" in answer.err
    assert "Traceback" not in answer.err


def test_a_broken_workbook_is_refused_wherever_it_is_broken(tmp_path):
    whole = workbook(["id", "title"], *([f"R-{number}", "x"] for number in range(20)))
    chance, refused = random.Random(1), 0
    for _ in range(300):
        data = bytearray(whole)
        for _ in range(chance.randint(1, 30)):
            data[chance.randrange(4, len(data))] = chance.randrange(256)
        (tmp_path / "list.xlsx").write_bytes(data)
        try:
            rows_of(tmp_path / "list.xlsx", "Requests")
        except QueryError as error:
            assert "list.xlsx" in error.message
            refused += 1
    assert refused > 100


def test_a_request_is_linked_to_everything_that_may_answer_it(listed):
    made = listed.evidenced("population", "paper.users", "--engagement", "soc2", "--freeze", "--json").json
    name = f"population:{made['population']}"
    sample = listed.evidenced("sample", name, "--seed", "x", "--json").json["sample"]
    (listed.folder / "a.pdf").write_bytes(b"%PDF-1.7")
    more = ["--control", "AC-01", "--engagement", "soc2", "--effective", "2025-03-14", "--reason", "x"]
    upload = listed.evidenced("upload", str(listed.folder / "a.pdf"), *more, "--json").json
    targets = [
        name,
        f"sample:{sample}",
        f"upload:{upload['upload']}",
        "paper.users",
        "1-0",
        "sha256:" + upload["sha256"],
    ]
    for target in targets:
        answer = listed.evidenced("request", "link", "R-1", target)
        assert answer.code == 0, answer.err
    links = listed.evidenced("request", "show", "R-1", "--json").json["links"]
    assert links == [*targets[:4], "run:1-0", targets[5]]


def test_a_link_is_taken_back_by_another_act(listed):
    listed.evidenced("request", "link", "R-1", "paper.users")
    answer = listed.evidenced("request", "link", "R-1", "paper.users", "--remove", "--note", "wrong kind", "--json")
    assert answer.json["links"] == []
    assert [each["did"] for each in answer.json["events"]] == ["added", "linked", "unlinked"]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["link", "R-9", "paper.users"], "there is no request 'R-9'"),
        (["link", "R-1", "paper.userz"], "Did you mean: paper.users"),
        (["link", "R-1", "99-0"], "no run 99-0"),
        (["link", "R-1", "population:99"], "no population 99"),
        (["link", "R-1", "upload:2"], "no upload 2"),
        (["link", "R-1", "sha256:" + "0" * 64], "no artifact"),
        (["link", "R-1", "paper.users", "--remove"], "not linked to it"),
        (["status", "R-1", "done"], "open, answered, returned, accepted, withdrawn"),
        (["status", "R-1", "open"], "is open already"),
        (["comment", "R-1", " "], "says something"),
        (["list", "--status", "late"], "It is one of"),
    ],
)
def test_what_cannot_be_done_with_a_request_is_refused(listed, arguments, said):
    answer = listed.evidenced("request", *arguments)
    assert answer.code == 2
    assert said in answer.err


def test_status_and_comments_are_told_with_who_and_when(listed):
    listed.evidenced("request", "status", "R-1", "answered", "--note", "see the link", "--as", "Ana")
    answer = listed.evidenced("request", "comment", "R-1", "contractors too?", "--as", "Eva")
    assert "status      answered" in answer.out
    assert "Ana  status answered: see the link" in answer.out
    assert "Eva  commented: contractors too?" in answer.out


def test_the_same_id_in_two_engagements_needs_the_engagement(listed):
    listed.evidenced("engagement", "create", "other", "--from", "2025-01-01", "--to", "2025-02-01")
    listed.evidenced("request", "import", write(listed), "--engagement", "other")
    assert "Say which: --engagement" in listed.evidenced("request", "show", "R-1").err
    assert listed.evidenced("request", "show", "R-1", "--engagement", "other").code == 0


def test_what_belongs_to_another_engagement_answers_no_request(listed):
    listed.evidenced("engagement", "create", "other", "--from", "2025-03-14", "--to", "2025-03-15")
    made = listed.evidenced("population", "paper.users", "--engagement", "other", "--freeze", "--json").json
    answer = listed.evidenced("request", "link", "R-1", f"population:{made['population']}")
    assert "of another engagement" in answer.err


def test_every_step_has_a_leaf_and_the_store_stays_intact(listed):
    listed.evidenced("request", "comment", "R-1", "hello")
    store = listed.store()
    try:
        leaves = [leaf for leaf in store.leaves() if leaf.kind == "request"]
        assert [leaf.payload.get("about") for leaf in leaves] == [None, None, leaves[0].payload["act"]]
        assert verify(store).verdict is Verdict.INTACT
    finally:
        store.close()

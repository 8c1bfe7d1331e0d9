"""Pages of what people ask for and bring: requests, reviews, what is due, and who had access."""

from __future__ import annotations

import io

import openpyxl
import pytest

from collector.act import ActKind
from collector.ask.requests import request_of
from tests.web.answers import HERE, lowered, text
from tests.web.world import ENGAGEMENT


def workbook(*rows):
    book = openpyxl.Workbook()
    for row in rows:
        book.active.append(row)
    data = io.BytesIO()
    book.save(data)
    return data.getvalue()


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("list.csv", b"id;title;criterion;due\nR-10;Backups;A1.2;2025-05-01\n"),
        ("list.xlsx", workbook(["id", "title", "criterion", "due"], ["R-10", "Backups", "A1.2", "2025-05-01"])),
    ],
)
def test_a_list_is_imported_from_a_file(desk, name, data):
    auditor = desk.browser()
    answer = auditor.fill(f"{HERE}/requests", f"{HERE}/requests", files={"file": (name, data)})
    assert "1 request added" in text(auditor.get(answer.headers["location"]))
    assert request_of(desk.store, "R-10", ENGAGEMENT).events[0].by == "Eva Lind"


def test_a_bad_list_is_refused_with_each_bad_row_on_a_line(desk):
    rows = "id,title,due\nR-11,,2025-05-01\nR-12,Fine,\nR-13,Late,tomorrow\n"
    auditor = desk.browser()
    answer = auditor.fill(f"{HERE}/requests", f"{HERE}/requests", files={"file": ("list.csv", rows.encode())})
    assert answer.status_code == 422
    assert [each for each in ("list.csv:2", "list.csv:4") if each.lower() not in lowered(answer)] == []
    assert "R-12" not in text(auditor.get(f"{HERE}/requests"))


@pytest.mark.parametrize("added", ["9" * 5_000 + " 1", "1", "<b> 1", ""])
def test_a_number_of_requests_that_is_none_is_passed_over(auditor, added):
    answer = auditor.get(f"{HERE}/requests?added={added}")
    assert (answer.status_code, 'role="status"' in answer.text) == (200, False)


def test_no_file_is_no_list(desk):
    answer = desk.browser().fill(f"{HERE}/requests", f"{HERE}/requests")
    assert (answer.status_code, "no file was chosen" in lowered(answer)) == (422, True)


def test_a_request_shows_its_links_its_status_and_its_story(auditor):
    shown = text(auditor.get(f"{HERE}/requests/R-01"))
    assert "population:" in shown and "answered" in shown and "Frozen after the period ended." in shown
    listed = text(auditor.get(f"{HERE}/requests?status=answered"))
    assert "R-01" in listed and "R-02" not in listed


def test_an_operator_answers_a_request(desk):
    operator, here = desk.browser("operator"), f"{HERE}/requests/R-03"
    upload = f"upload:{desk.world.made.upload}"
    for form in (
        {"did": "link", "target": upload},
        {"did": "status", "status": "answered", "note": "As kept by the reception."},
        {"did": "comment", "text": "Line one.\nLine two."},
    ):
        assert operator.fill(here, here, **form).headers["location"] == here
    shown = text(operator.get(here))
    assert upload in shown and "As kept by the reception." in shown and "Line one. Line two." in shown
    found = request_of(desk.store, "R-03", ENGAGEMENT)
    assert (found.status, found.links) == ("answered", (upload,))
    assert operator.fill(here, here, did="unlink", target=upload).status_code == 303
    assert request_of(desk.store, "R-03", ENGAGEMENT).links == ()


@pytest.mark.parametrize(
    ("form", "words"),
    [
        ({"did": "link", "target": "population:999"}, "there is no population 999"),
        ({"did": "status", "status": "open"}, "is open already"),
        ({"did": "comment", "text": " "}, "a comment says something"),
        ({"did": "nothing"}, "the form says nothing"),
    ],
)
def test_what_cannot_be_done_with_a_request_is_told(desk, form, words):
    here = f"{HERE}/requests/R-03"
    answer = desk.browser("admin").fill(here, here, **form)
    assert (answer.status_code, words in lowered(answer)) == (422, True)


def test_a_review_is_recorded_under_the_reviewers_name(desk):
    form = {"target": "AC-02", "decision": "approved", "note": "Every leaver compared with the list of staff."}
    operator = desk.browser("operator")
    answer = operator.fill(f"{HERE}/reviews", f"{HERE}/reviews", **form)
    act = desk.store.desk.act(int(answer.headers["location"].rpartition("-")[2]), ActKind.REVIEW)
    assert (act.actor, act.document["of"], act.document["decision"]) == ("Ana Alder", "AC-02", "approved")
    assert "Every leaver compared" in text(operator.get(f"{HERE}/reviews"))


def test_a_review_without_a_note_keeps_what_was_chosen(desk):
    answer = desk.browser("operator").fill(f"{HERE}/reviews", f"{HERE}/reviews", target="AC-02", decision="declined")
    assert answer.status_code == 422
    assert '<option value="AC-02" selected>' in answer.text and '<option value="declined" selected>' in answer.text


def test_what_is_due_is_listed_with_what_is_there(auditor, served):
    shown = text(auditor.get(f"{HERE}/uploads"))
    assert "29 expected, 28 missing" in shown
    assert f"upload:{served.world.made.upload}" in shown and "visitors.csv" in shown


def test_who_had_access_is_shown_with_the_run_that_saw_it(auditor):
    before, after = (text(auditor.get(f"{HERE}/access?control=AC-02&at={day}")) for day in ("2025-03-14", "2025-03-15"))
    assert "66 items" in before and "Seen by run" in before
    assert before.count(" admin ") == after.count(" admin ") - 1


@pytest.mark.parametrize("asked", ["control=AC-99", "control=AC-02&at=noon", "control=AC-02&at=2999-01-01"])
def test_a_question_about_access_that_has_no_answer_is_told(auditor, asked):
    answer = auditor.get(f"{HERE}/access?{asked}")
    assert (answer.status_code, 'role="alert"' in answer.text) == (422, True)

"""Pages of runs: what was tried, the sheet of each run, and the bytes that it found."""

from __future__ import annotations

import hashlib
import html
import re

import pytest

from collector.verify import check_proof, parse_proof
from tests.web.answers import DAY, HERE, text
from tests.web.vendors import REFUSAL, SCRIPT
from tests.web.world import failed_run, last_run


def test_runs_are_listed_with_why_they_failed(auditor, served):
    shown = text(auditor.get(f"{HERE}/runs?kind=acme.users&outcome=failed"))
    assert shown.count(REFUSAL) == 3
    assert failed_run(served.store) in shown and "unknown" in shown


def test_runs_are_narrowed_to_a_period(auditor):
    shown = text(auditor.get(f"{HERE}/runs?kind=acme.users&from=2025-03-04&to=2025-03-06"))
    assert "2025-03-05 03:00:00Z" in shown and "2025-03-04 03:00:00Z" in shown
    assert "2025-03-06 03:00:00Z" not in shown and "2025-03-03 03:00:00Z" not in shown


def test_runs_are_paged_and_no_run_is_on_two_pages(auditor):
    address, seen = f"{HERE}/runs", []
    while address:
        page = auditor.get(address).text
        seen += re.findall(r'<th scope="row"><a class="id"[^>]*>([0-9-]+)</a>', page)
        following = re.search(r'<a href="([^"]+)" rel="next">', page)
        address = html.unescape(following[1]) if following else ""
    assert len(seen) == len(set(seen)) == 87 * 5


HUGE = "9" * 30


@pytest.mark.parametrize(
    "asked",
    ["outcome=maybe", "from=yesterday", "from=2025-03-04&to=2025-03-04", "before=the-first", f"before={HUGE}-1"],
)
def test_a_question_that_means_nothing_is_answered_in_words(auditor, asked):
    answer = auditor.get(f"{HERE}/runs?{asked}")
    assert answer.status_code == 422
    assert "Traceback" not in answer.text and "<h1>" in answer.text


@pytest.mark.parametrize(
    "page",
    [
        f"samples/{HUGE}",
        f"samples/{HUGE}.csv",
        f"populations/{HUGE}",
        "populations/{made.population}?skip=" + HUGE,
        "reconciliations/{made.reconciliation}?skip=" + HUGE,
        f"uploads/{HUGE}",
        f"runs/{HUGE}-1",
        f"runs/1-{HUGE}.proof",
        "runs/../../../etc/passwd",
        "requests/%00",
        "artifacts/sha256:" + "A" * 64,
        "access?control=AC-02&at=0001-01-01T00:00:00%2B14:00",
    ],
)
def test_an_address_that_nothing_can_have_is_answered_in_words(auditor, served, page):
    answer = auditor.get(f"{HERE}/{page.format(made=served.world.made)}")
    assert answer.status_code in (404, 422)
    assert "<h1>" in answer.text and "Traceback" not in answer.text


def test_the_sheet_of_a_run_answers_where_which_query_when_and_how_complete(auditor, served):
    run = last_run(served.store, "acme.users", DAY)
    shown = text(auditor.get(f"{HERE}/runs/{run}"))
    for each in ("acme:hq", "GET /users", "paper:reader", "AC-02", '"redact"', "yes", "signed by evidenced/"):
        assert each in shown, each


def test_the_sheet_of_a_failed_run_says_why_and_what_to_do(auditor, served):
    shown = text(auditor.get(f"{HERE}/runs/{failed_run(served.store)}"))
    assert REFUSAL in shown and "Grant it to acme:reader." in shown
    assert "the last good population stays as it was" in shown


def test_a_sheet_is_saved_as_json_and_as_pdf(auditor, served):
    run = failed_run(served.store)
    saved = auditor.get(f"{HERE}/runs/{run}.json")
    assert saved.json()["run"]["reason"] == "denied"
    pdf = auditor.get(f"{HERE}/runs/{run}.pdf")
    assert (pdf.headers["content-type"], pdf.content[:5]) == ("application/pdf", b"%PDF-")
    assert f"run-{run}.pdf" in pdf.headers["content-disposition"]


def test_the_proof_of_a_run_checks_out_without_the_store(auditor, served):
    run = failed_run(served.store)
    proof = parse_proof(auditor.get(f"{HERE}/runs/{run}.proof").content)
    keys = [each.key for each in served.store.checkpoints.key_events()]
    checked = check_proof(proof, keys)
    assert (checked.proves, checked.trouble, checked.known) == (f"run {run}", "", True)


def test_an_artifact_is_saved_to_the_byte_and_never_shown(auditor, served):
    item = next(each for each in served.store.as_of("acme.users", DAY) if each.key == SCRIPT)
    answer = auditor.get(f"{HERE}/artifacts/{item.artifact.hex()}")
    assert hashlib.sha256(answer.content).digest() == item.artifact
    assert answer.headers["content-type"] == "application/octet-stream"
    assert answer.headers["content-disposition"].startswith("attachment")

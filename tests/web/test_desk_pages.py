"""What the desk's pages say and record, over real HTTP."""

from __future__ import annotations

import csv
import hashlib
import html
import io
import json
import re
import subprocess
import time
from datetime import UTC, datetime

import openpyxl
import pytest

from collector.act import ActKind
from collector.ask.access import granted
from collector.ask.requests import request_of
from collector.ask.samples import sample_of
from collector.verify import check_proof, parse_proof
from tests.web.vendors import FORMULA, HIDDEN, REFUSAL, SCRIPT
from tests.web.world import ENGAGEMENT, OTHER, failed_run, last_run

HERE = f"/e/{ENGAGEMENT}"
DAY = datetime(2025, 3, 1, tzinfo=UTC)


@pytest.fixture(scope="module")
def auditor(served):
    """The browser of the auditor, in a world that others of this file record in too."""
    return served.browser()


def text(answer):
    """Return what a page that was found says, its markup taken away."""
    assert answer.status_code == 200, answer.text[-600:]
    return said(answer)


def said(answer):
    bare = re.sub(r"<(script|style).*?</\1>", "", answer.text, flags=re.DOTALL)
    return html.unescape(re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", bare)))


def lowered(answer):
    """Return what a page says, as it stands in an error: without the capital that begins a sentence."""
    return said(answer).lower()


# Runs


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


@pytest.mark.parametrize("asked", ["outcome=maybe", "from=yesterday", "from=2025-03-04&to=2025-03-04", "before=the-first"])
def test_a_question_that_means_nothing_is_answered_in_words(auditor, asked):
    answer = auditor.get(f"{HERE}/runs?{asked}")
    assert answer.status_code == 422
    assert "Traceback" not in answer.text and "<h1>" in answer.text


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


# Populations and samples


def test_a_population_states_how_complete_it_is(auditor, served):
    shown = text(auditor.get(f"{HERE}/populations/{served.world.made.population}"))
    for each in ("84 of 90 due", "longest 3 d", "failed: denied", "the daemon was not running", "Rows 1 to 68 of 68"):
        assert each in shown, each


def test_what_is_saved_of_a_population_has_the_digests_that_the_page_shows(auditor, served):
    here = f"{HERE}/populations/{served.world.made.population}"
    shown = auditor.get(here).text
    for file in ("rows.jsonl", "statement.json"):
        assert hashlib.sha256(auditor.get(f"{here}/{file}").content).hexdigest() in shown


def test_rows_of_a_large_population_are_paged(auditor, served):
    here = f"{HERE}/populations/{served.world.made.doors}"
    assert "Rows 1 to 100 of 174" in text(auditor.get(here))
    assert "Rows 101 to 174 of 174" in text(auditor.get(f"{here}?skip=100"))


def test_a_scope_that_was_never_observed_is_not_called_empty(desk):
    auditor = desk.browser()
    answer = auditor.fill(f"{HERE}/populations", f"{HERE}/populations", kind="acme.rooms")
    shown = text(auditor.get(answer.headers["location"]))
    assert "1 scope never observed: acme:hq annex" in shown and "not the same as empty" in shown


def test_a_frozen_population_is_recorded_under_the_name_of_whoever_froze_it(desk):
    answer = desk.browser().fill(f"{HERE}/populations", f"{HERE}/populations", kind="acme.users")
    act = desk.store.desk.act(int(answer.headers["location"].rpartition("/")[2]), ActKind.POPULATION)
    assert (answer.status_code, act.actor, act.document["rows"]["count"]) == (303, "Eva Lind", 68)


def test_an_unknown_kind_is_told_where_it_was_typed(desk):
    answer = desk.browser().fill(f"{HERE}/populations", f"{HERE}/populations", kind="acme.user")
    assert answer.status_code == 422
    assert "acme.user" in said(answer) and 'role="alert"' in answer.text


@pytest.mark.parametrize(
    "drawn",
    [
        {"method": "random", "size": "5"},
        {"method": "systematic", "size": "10%"},
        {"method": "stratified", "size": "20", "stratum": "role", "minimum": "1"},
        {"method": "dates", "size": "4", "every": "weekly"},
        {"method": "dates", "size": "", "every": "monthly"},
    ],
    ids=lambda each: f"{each['method']}-{each.get('every', '')}",
)
def test_a_sample_is_drawn_as_asked_and_drawn_again(auditor, served, drawn):
    here = f"{HERE}/populations/{served.world.made.population}"
    answer = auditor.fill(here, f"{here}/samples", seed="rain in Lisbon", **drawn)
    assert answer.status_code == 303, said(answer)
    shown = text(auditor.get(answer.headers["location"]))
    assert "gives the same" in shown and "rain in Lisbon" in shown
    found = sample_of(served.store, answer.headers["location"].rpartition("/")[2])
    assert found.act.actor == "Eva Lind"
    rows = list(csv.reader(io.StringIO(auditor.get(f"{answer.headers['location']}.csv").text)))
    assert len(rows) - 1 == len(found.act.document["drawn"])


def test_what_was_typed_is_kept_when_something_of_it_is_wrong(auditor, served):
    here = f"{HERE}/populations/{served.world.made.population}"
    answer = auditor.fill(here, f"{here}/samples", method="systematic", seed='a "seed" & more', size="many")
    assert answer.status_code == 422
    assert "'many' is no size of a sample" in said(answer)
    assert 'value="a &#34;seed&#34; &amp; more"' in answer.text
    assert re.search(r'value="systematic" checked', answer.text)


@pytest.mark.parametrize(
    ("typed", "words"),
    [
        ({"method": "random", "seed": ""}, "a seed is text"),
        ({"method": "guess", "seed": "x"}, "a sample is not drawn 'guess'"),
        ({"method": "stratified", "seed": "x", "stratum": ""}, "strata need an expression"),
        ({"method": "stratified", "seed": "x", "stratum": "role", "minimum": "-1"}, "'-1' is no number"),
        ({"method": "dates", "seed": "x", "every": "hourly"}, "dates are not drawn 'hourly'"),
    ],
)
def test_a_draw_that_cannot_be_is_refused_in_words(auditor, served, typed, words):
    here = f"{HERE}/populations/{served.world.made.population}"
    answer = auditor.fill(here, f"{here}/samples", **typed)
    assert answer.status_code == 422
    assert words in lowered(answer)


def test_the_command_on_the_page_draws_what_was_drawn(auditor, served, tmp_path):
    number, population = served.world.made.sample, served.world.made.population
    page = auditor.get(f"{HERE}/samples/{number}").text
    command = re.search(r'<code class="command">(seed=.*?)</code>', page, flags=re.DOTALL)[1]
    rows = auditor.get(f"{HERE}/populations/{population}/rows.jsonl").content
    (tmp_path / f"population-{population}.jsonl").write_bytes(rows)
    command = html.unescape(command.replace("<br>", "\n"))
    done = subprocess.run(["sh", "-c", command], cwd=tmp_path, capture_output=True, text=True, check=True)
    assert done.stdout.split() == sample_of(served.store, str(number)).act.document["drawn"]


def test_no_cell_of_a_sample_begins_a_formula(auditor, served):
    here = f"{HERE}/populations/{served.world.made.population}"
    answer = auditor.fill(here, f"{here}/samples", method="random", seed="all", size="100%")
    cells = [
        each for row in csv.reader(io.StringIO(auditor.get(f"{answer.headers['location']}.csv").text)) for each in row
    ]
    assert f"'{FORMULA}" in cells and "ad\\u200bmin" in cells
    assert not [each for each in cells if each[:1] in "=+-@" and each]


@pytest.mark.parametrize("page", ["populations/{made.population}", "access?control=AC-02&at=2025-03-14"])
def test_hostile_names_are_shown_as_text(auditor, served, page):
    answer = auditor.get(f"{HERE}/{page.format(made=served.world.made)}")
    assert answer.status_code == 200
    assert SCRIPT not in answer.text and "<img src=x" not in answer.text
    assert HIDDEN not in answer.text and "\u202e" not in answer.text and "\x1b" not in answer.text
    assert "ad\\u200bmin" in answer.text and "\\u202e" in answer.text


# Reconciliations


def test_two_populations_are_reconciled_on_record(desk):
    auditor, made = desk.browser(), desk.world.made
    form = {"left": f"population:{made.population}", "right": f"population:{made.population}"}
    more = {"left_where": "role=='admin'", "normalise": "lower,trim"}
    answer = auditor.fill(f"{HERE}/reconciliations", f"{HERE}/reconciliations", **form, **more)
    shown = text(auditor.get(answer.headers["location"]))
    assert "the two differ" in shown and "role=='admin'" in shown and "lower,trim" in shown
    matched = text(auditor.get(f"{answer.headers['location']}?outcome=matched"))
    assert "ben.alder@acme.example" in matched and "ana.alder@acme.example" not in matched


def test_what_is_not_frozen_is_not_reconciled_on_record(desk):
    auditor = desk.browser()
    answer = auditor.fill(f"{HERE}/reconciliations", f"{HERE}/reconciliations", left="acme.users", right="acme.users")
    assert (answer.status_code, "two frozen populations" in lowered(answer)) == (422, True)


# Requests


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


# Reviews, uploads that are due, who had access


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


# Bundles


def made_bundle(browser):
    """Ask for the bundle, wait for it, and return its page."""
    browser.fill(f"{HERE}/bundle", f"{HERE}/bundle")
    for _ in range(600):
        page = browser.get(f"{HERE}/bundle")
        if 'http-equiv="refresh"' not in page.text:
            return page
        time.sleep(0.1)
    raise AssertionError("the bundle was not made within a minute")


def test_a_bundle_is_made_and_has_the_digest_that_its_page_shows(auditor):
    assert auditor.get(f"{HERE}/bundle/file").status_code == 404
    page = made_bundle(auditor)
    assert "It is ready" in text(page)
    file = auditor.get(f"{HERE}/bundle/file")
    assert hashlib.sha256(file.content).hexdigest() in page.text
    assert (file.headers["content-type"], f"{ENGAGEMENT}.zip" in file.headers["content-disposition"]) == (
        "application/zip",
        True,
    )


def test_the_page_of_a_bundle_says_up_to_where_it_goes(auditor, served):
    last = served.store.checkpoints.last()
    shown = text(auditor.get(f"{HERE}/bundle"))
    assert f"{last.size:,} leaves" in shown and "will be in a bundle after the next checkpoint" in shown
    assert str(served.store.checkpoints.key_events()[0].key) in shown


# Tokens


def test_a_granted_token_is_shown_once_and_opens_what_it_says(desk):
    admin = desk.browser("admin")
    form = {"holder": "Noor Brook", "role": "auditor", "engagement": OTHER, "days": "30"}
    answer = admin.fill("/tokens", "/tokens", **form)
    token = re.search(r"evd_[A-Za-z0-9_-]{43}", answer.text)[0]
    assert desk.open(token).get("/api/v1/me").json()["engagements"] == [OTHER]
    assert answer.headers["cache-control"] == "no-store"
    assert token not in admin.get("/tokens").text
    assert token not in json.dumps([each.name for each in granted(desk.store)])


def test_a_revoked_token_opens_nothing(desk):
    number = next(each.id for each in granted(desk.store) if each.name == "Rosa Brook")
    reader, admin = desk.browser("reader"), desk.browser("admin")
    assert reader.get("/").status_code == 200
    assert admin.fill("/tokens", f"/tokens/{number}/revoke").headers["location"] == "/tokens"
    assert reader.get("/").status_code == 303
    assert desk.api("reader").get("/api/v1/me").status_code == 401


@pytest.mark.parametrize(
    "wrong",
    [{"engagement": ""}, {"days": "401"}, {"days": "soon"}, {"role": "owner"}, {"holder": " "}, {"engagement": "x"}],
)
def test_a_token_that_cannot_be_granted_keeps_what_was_typed(desk, wrong):
    form = {"holder": "Noor Brook", "role": "auditor", "engagement": OTHER, "days": "30"} | wrong
    before = len(granted(desk.store))
    answer = desk.browser("admin").fill("/tokens", "/tokens", **form)
    assert (answer.status_code, len(granted(desk.store))) == (422, before)
    assert f'value="{html.escape(form["holder"])}"' in answer.text

"""The manners of the API: pages, tags, problems, files, and what is answered when a thing is sent again."""

from __future__ import annotations

import hashlib
import json
import sqlite3
import tempfile
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from urllib.parse import quote

import pytest

from collector.api import PREFIX
from collector.ask.coverage import Question, coverage
from collector.ask.documents import coverage_document
from collector.clock import SystemClock
from collector.config import load_config
from collector.dispatch import Dispatcher
from collector.export import verifier
from collector.words import plain
from tests.fakes.clock import PlayedClock
from tests.web.vendors import FORMULA, SCRIPT, show, vendors
from tests.web.world import ENGAGEMENT, GRACE, OTHER, PERIOD, last_run

E = f"{PREFIX}/engagements/{ENGAGEMENT}"
MARCH = "2025-03-01"


@pytest.fixture(scope="module")
def admin(served):
    return served.api("admin")


def paged(visitor, path, of, limit, **asked):
    """Everything that the pages of *limit* have under *of*, by following `Link`."""
    found, where, asked = [], path, {"limit": limit, **asked}
    while where:
        answer = visitor.get(where, params=asked)
        assert answer.status_code == 200, answer.text
        said = answer.json()
        found += said[of]
        where, asked = answer.links.get("next", {}).get("url"), {}
        assert (where is None) == (said["next"] is None)
    return found


# Pages


@pytest.mark.parametrize(
    ("path", "of", "limit"),
    [
        ("kinds", "kinds", 1), ("runs", "runs", 37), ("gaps", "gaps", 1), ("populations", "populations", 1),
        ("samples", "samples", 1), ("requests", "requests", 1), ("uploads", "uploads", 1), ("reviews", "reviews", 1),
        ("kinds/acme.users/diff", "items", 5),
    ],
)  # fmt: skip
def test_pages_together_are_the_list_without_a_gap_or_a_double(admin, path, of, limit):
    whole = admin.get(f"{E}/{path}", params={"limit": 1000}).json()
    assert whole["next"] is None
    assert paged(admin, f"{E}/{path}", of, limit) == whole[of]


def test_rows_of_a_population_are_paged_in_the_order_of_the_file(served, admin):
    where = f"{E}/populations/{served.world.made.population}/rows"
    lines = [json.loads(line) for line in admin.get(f"{where}.jsonl").content.splitlines()]
    found = paged(admin, where, "rows", 13)
    assert [each["id"] for each in found] == [each["id"] for each in lines]


@pytest.mark.parametrize("path", ["kinds/acme.users/as-of", "controls/AC-01/access"])
def test_pages_of_populations_together_have_every_item_once(admin, path):
    whole = admin.get(f"{E}/{path}", params={"at": MARCH, "limit": 1000}).json()["populations"]
    parts = paged(admin, f"{E}/{path}", "populations", 7, at=MARCH)
    keys = [[item["key"] for each in found for item in each["items"]] for found in (whole, parts)]
    assert keys[0] == keys[1] and len(set(keys[0])) == len(keys[0]) > 7


@pytest.mark.parametrize("cursor", ["x", "AAAA", "AAAAAAAAAAAAAAAAAAAAAAAA", "%00", "é"])
def test_a_cursor_that_was_made_up_is_refused(admin, cursor):
    answer = admin.get(f"{E}/runs", params={"cursor": cursor})
    assert answer.status_code == 422
    assert "cursor" in answer.json()["detail"]


def test_a_cursor_of_another_question_is_refused(admin):
    cursor = admin.get(f"{E}/runs", params={"limit": 1}).json()["next"]
    assert admin.get(f"{E}/runs", params={"limit": 1, "cursor": cursor}).status_code == 200
    assert admin.get(f"{E}/runs", params={"limit": 1, "cursor": cursor, "kind": "acme.users"}).status_code == 422
    assert admin.get(f"{E}/kinds", params={"cursor": cursor}).status_code == 422


# Tags


def test_an_answer_that_is_there_already_is_not_sent_again(admin):
    first = admin.get(f"{E}/coverage")
    assert first.headers["ETag"] == f'"{hashlib.sha256(first.content).hexdigest()}"'
    again = admin.get(f"{E}/coverage", headers={"If-None-Match": f'"x", {first.headers["ETag"]}'})
    assert (again.status_code, again.content, again.headers["ETag"]) == (304, b"", first.headers["ETag"])


def test_what_was_recorded_since_has_another_tag(desk):
    visitor = desk.api("admin")
    before = visitor.get(f"{E}/requests").headers["ETag"]
    visitor.post(f"{E}/requests/R-03/comments", json={"text": "the list of visitors follows"})
    assert visitor.get(f"{E}/requests", headers={"If-None-Match": before}).status_code == 200


def test_the_tag_of_an_artifact_is_its_digest(served, admin):
    [item] = served.store.as_of("acme.users", datetime(2025, 3, 1, tzinfo=UTC))[:1]
    answer = admin.get(f"{E}/artifacts/sha256:{item.artifact.hex()}")
    assert answer.headers["ETag"] == f'"{item.artifact.hex()}"'
    assert hashlib.sha256(answer.content).digest() == item.artifact


# Problems


def problem(answer):
    assert answer.headers["Content-Type"] == "application/problem+json"
    said = answer.json()
    assert said["status"] == answer.status_code and said["type"] and said["title"] and said["detail"]
    assert "Traceback" not in answer.text
    return said


def test_what_no_route_is_there_for_is_a_problem(admin):
    for path in ("nowhere", "engagements/a%0Ab", "%0A", ""):
        assert problem(admin.get(f"{PREFIX}/{path}"))["status"] == 404
    answer = admin.delete(f"{PREFIX}/me")
    assert problem(answer)["status"] == 405 and answer.headers["Allow"] == "GET"


def test_without_a_token_nobody_learns_what_form_a_question_has(served):
    answer = served.api("").post(f"{E}/samples", json={"wrong": True})
    assert problem(answer)["status"] == 401 and answer.headers["WWW-Authenticate"].startswith("Bearer")
    cookie = served.api("")
    cookie.cookies.set("evidenced_session", served.tokens["admin"])
    assert cookie.get(f"{PREFIX}/me").status_code == 401


@pytest.mark.parametrize(
    ("path", "asked", "at"),
    [
        ("runs", {"limit": "0"}, "query.limit"),
        ("runs", {"limit": "1001"}, "query.limit"),
        ("runs", {"outcome": "missed"}, "query.outcome"),
        ("runs", {"from": "yesterday"}, "query.from"),
        ("runs", {"from": "0001-01-01T00:00:00+14:00"}, "query.from"),
        ("runs", {"to": "9999-12-31"}, "query.to"),
        ("runs", {"knid": "acme.users"}, "query.knid"),
        ("runs", {"kind": ["acme.users", "acme.rooms"]}, "query.kind"),
        ("coverage", {"by": "team"}, "query.by"),
        ("kinds/acme.users/as-of", {}, "query.at"),
        ("runs/12", {}, "path.run"),
        ("artifacts/abc", {}, "path.artifact"),
        ("populations/0", {}, "path.number"),
        ("populations/99999999999999999999", {}, "path.number"),
        ("kinds/acme.users/history", {"key": "a\0b"}, "query.key"),
    ],
)
def test_a_wrong_question_is_told_where_it_is_wrong(admin, path, asked, at):
    said = problem(admin.get(f"{E}/{path}", params=asked))
    assert said["status"] == 422
    assert at in [each["at"] for each in said["places"]]


def test_a_field_that_is_not_there_is_not_passed_over(admin, served):
    body = {"population": served.world.made.population, "seed": "s", "sise": "5"}
    assert problem(admin.post(f"{E}/samples", json=body))["places"][0]["at"] == "body.sise"


def test_text_that_no_store_could_keep_is_refused(admin):
    answer = admin.post(
        f"{E}/requests/R-03/comments", data=b'{"text": "\\ud800"}', headers={"Content-Type": "application/json"}
    )
    assert problem(answer)["status"] == 422


def test_a_period_the_wrong_way_round_is_refused_with_a_hint(admin):
    said = problem(admin.get(f"{E}/gaps", params={"from": "2025-03-01", "to": "2025-02-01"}))
    assert said["status"] == 422 and said["hint"]


def test_a_body_that_is_too_large_is_refused_before_it_is_read(served, admin):
    answer = admin.post(f"{E}/samples", data=b" " * 1_100_000, headers={"Content-Type": "application/json"})
    assert problem(answer)["status"] == 413


def test_who_asks_too_often_is_told_when_to_come_back(desk):
    visitor = desk.api("reader")
    for _ in range(700):
        answer = visitor.get(f"{PREFIX}/me")
        if answer.status_code != 200:
            break
    assert problem(answer)["status"] == 429 and int(answer.headers["Retry-After"]) > 0


def test_a_store_that_does_not_match_its_digests_says_so_and_shows_nothing(desk):
    digest = last_artifact(desk)
    with sqlite3.connect(desk.world.folder / "evidence.db") as conn:
        for (name,) in conn.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall():
            conn.execute(f'DROP TRIGGER "{name}"')
        conn.execute("UPDATE artifact SET bytes = x'00', codec = 0 WHERE digest = ?", (digest,))
    conn.close()
    said = problem(desk.api("admin").get(f"{E}/artifacts/{digest.hex()}"))
    assert said["status"] == 500 and "evidenced verify" in said["hint"]


def last_artifact(served):
    return served.store.as_of("acme.users", datetime(2025, 3, 1, tzinfo=UTC))[0].artifact


# Answers are the command line's


def test_coverage_is_what_the_command_line_gives_as_json(served, admin):
    question = Question(PERIOD, by="control", terms=served.store.engagements()[0].terms)
    found = coverage(served.store, question, now=SystemClock().now(), grace=GRACE)
    said = plain(coverage_document(found))
    gaps = said.pop("gaps")
    assert admin.get(f"{E}/coverage", params={"by": "control"}).json() == said
    assert admin.get(f"{E}/gaps").json()["gaps"] == gaps


def test_the_calendar_adds_up_to_coverage(admin):
    covered = {each["name"]: each["tally"] for each in admin.get(f"{E}/coverage?by=kind").json()["rows"]}
    for row in admin.get(f"{E}/calendar?by=kind").json()["rows"]:
        assert sum(cell["due"] for cell in row["cells"]) == covered[row["name"]]["due"]
        assert sum(cell["failed"] for cell in row["cells"]) == covered[row["name"]]["failed"]


# Files


def test_hostile_names_and_contents_are_attachments_without_a_meaning(desk):
    visitor = desk.api("operator")
    name, data = '../../etc/=cmd|"x"\r\nX-Evil: 1;\u202egnp.csv', f"{FORMULA},{SCRIPT}\n1,2\n".encode()
    fields = {"control": "PH-01", "effective": "2025-01-01..2025-03-31", "reason": f"{FORMULA} {SCRIPT}"}
    made = visitor.post(f"{E}/uploads", files={"file": (name, data, "text/html")}, data=fields)
    assert made.status_code == 201, made.text
    answer = visitor.get(f"{made.headers['Location']}/content")
    assert answer.content == data
    assert answer.headers["Content-Type"] == "application/octet-stream"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    disposition = answer.headers["Content-Disposition"]
    assert disposition.startswith("attachment; ") and disposition.isascii() and disposition.isprintable()
    assert "/" not in disposition and "X-Evil" not in answer.headers


def test_every_character_of_an_answer_is_ascii(admin):
    """Nothing in it can reorder letters, move a cursor, or be taken for markup's own encoding."""
    for path in (f"kinds/acme.users/as-of?at={MARCH}&limit=1000", "requests", "runs?limit=1000"):
        answer = admin.get(f"{E}/{path}")
        assert answer.content.isascii() and answer.text.isprintable()


@pytest.mark.parametrize(
    ("data", "words"),
    [(b"", "empty"), (b"MZ\x90\x00\x03", "is not"), (b"password = 'hunter2hunter2'\nAKIAIOSFODNN7EXAMPLE\n", "secret")],
)
def test_a_file_that_is_not_taken_is_refused_and_nothing_recorded(served, admin, data, words):
    before = len(admin.get(f"{E}/uploads").json()["uploads"])
    fields = {"control": "PH-01", "effective": "2025-01-01", "reason": "a list"}
    answer = admin.post(f"{E}/uploads", files={"file": ("list.txt", data)}, data=fields)
    assert problem(answer)["status"] == 422
    assert len(admin.get(f"{E}/uploads").json()["uploads"]) == before


def test_bad_rows_of_a_request_list_are_named_and_nothing_is_imported(admin):
    sent = {"file": ("list.csv", b"id,title,criterion\nN-1,Fine,CC6.1\nN-2,,CC6.1\nN-3,Odd,CC99\n")}
    said = problem(admin.post(f"{E}/requests", files=sent))
    assert "list.csv:3" in said["detail"] and "list.csv:4" in said["detail"]
    assert admin.get(f"{E}/requests/N-1").status_code == 404


def test_the_bundle_verifies_and_leaves_nothing_behind(desk, tmp_path, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "tmp"))
    (tmp_path / "tmp").mkdir()
    answer = desk.api("auditor").get(f"{E}/bundle")
    assert answer.headers["ETag"] == f'"{hashlib.sha256(answer.content).hexdigest()}"'
    (tmp_path / "bundle.zip").write_bytes(answer.content)
    assert verifier.verify(str(tmp_path / "bundle.zip"), [])["verdict"] == "good"
    assert list((tmp_path / "tmp").iterdir()) == []


def test_two_bundles_are_made_at_once_and_who_comes_third_is_asked_to_wait(served, admin):
    with ThreadPoolExecutor(8) as many:
        answers = list(many.map(lambda _: served.api("admin").get(f"{E}/bundle"), range(8)))
    assert {each.status_code for each in answers} <= {200, 409}
    assert sum(each.status_code == 200 for each in answers) >= 2
    assert len({each.content for each in answers if each.status_code == 200}) == 1
    assert all(problem(each)["hint"] for each in answers if each.status_code == 409)


def test_a_proof_is_of_the_run_that_was_asked_for(served, admin):
    run = last_run(served.store, "acme.users", datetime(2025, 3, 1, tzinfo=UTC))
    answer = admin.get(f"{E}/runs/{run}/proof")
    assert json.loads(answer.content)["proves"] == f"run {run}"


# Snapshots


def test_a_snapshot_waits_for_the_daemon_and_then_names_its_runs(either):
    operator = either.api("operator")
    made = operator.post(
        f"{PREFIX}/snapshots", json={"source": "acme:hq", "kinds": ["acme.users"], "reason": "a leaver"}
    )
    assert (made.status_code, made.json()["state"]) == (202, "pending")
    where = made.headers["Location"]
    assert operator.get(where).json()["runs"] == []
    _daemon_ticks(either)
    said = operator.get(where).json()
    assert said["state"] == "answered" and said["request"]["actor"] == "Ana Alder"
    [run] = said["runs"]
    assert (run["subject"]["kind"], run["outcome"], run["trigger"]) == ("acme.users", "collected", "adhoc")
    assert operator.get(f"{E}/runs/{run['id']}").json()["request"]["reason"] == "a leaver"


def _daemon_ticks(served):
    """Let a daemon on the same store do its work once."""
    clock, known = PlayedClock(SystemClock().now() + timedelta(minutes=1)), vendors()
    show(known, PERIOD.end.date())
    dispatcher = Dispatcher(load_config(served.world.config, known), known, served.store, clock)
    dispatcher.start()
    dispatcher.tick()
    dispatcher.settle()
    dispatcher.stop()


@pytest.mark.parametrize(
    ("said", "words"),
    [
        ({"source": "acme:hq"}, "reason"),
        ({"source": "nowhere", "reason": "x"}, "nowhere"),
        ({"source": "acme:hq", "reason": " "}, "reason"),
        ({"source": "acme:hq", "kinds": ["acme.nothing"], "reason": "x"}, "acme.nothing"),
        ({"source": "acme:hq", "control": "ZZ-9", "reason": "x"}, "ZZ-9"),
    ],
)
def test_a_snapshot_of_what_the_plan_does_not_have_is_refused(admin, said, words):
    answer = admin.post(f"{PREFIX}/snapshots", json=said)
    assert problem(answer)["status"] == 422 and words in answer.text


# Sent again


def test_an_engagement_is_created_amended_and_closed_once(desk):
    visitor, name = desk.api("admin"), "soc2 2026 \u00e9"
    said = {"name": name, "start": "2026-01-01", "end": "2026-07-01", "sources": ["acme:*"]}
    first, second = (visitor.post(f"{PREFIX}/engagements", json=said) for _ in range(2))
    assert (first.status_code, second.status_code) == (201, 422)
    assert first.headers["Location"] == f"{PREFIX}/engagements/{quote(name, safe='')}"


def test_what_an_auditor_records_is_by_them_and_stays_theirs(desk):
    auditor = desk.api("auditor")
    population = auditor.post(f"{E}/populations", json={"kind": "acme.rooms"})
    assert population.status_code == 201
    number = population.json()["population"]
    sample = auditor.post(f"{E}/samples", json={"population": number, "seed": "public text", "size": "2"})
    assert sample.json()["by"] == "Eva Lind"
    assert auditor.get(sample.headers["Location"]).json()["reproduced"]
    foreign = f"{PREFIX}/engagements/{OTHER}"
    assert desk.api("foreigner").get(f"{foreign}/samples/{sample.json()['sample']}").status_code == 404


def test_an_auditor_returns_a_request_and_does_not_call_it_answered(desk):
    auditor = desk.api("auditor")
    assert auditor.post(f"{E}/requests/R-03/status", json={"status": "answered"}).status_code == 403
    assert auditor.post(f"{E}/requests/R-01/status", json={"status": "returned"}).json()["status"] == "returned"


def test_a_token_is_in_one_answer_alone_and_is_worth_nothing_when_revoked(desk):
    visitor = desk.api("admin")
    made = visitor.post(
        f"{PREFIX}/tokens", json={"name": "Eva Lind", "role": "auditor", "engagement": ENGAGEMENT}
    ).json()
    held = {"Authorization": f"Bearer {made['token']}"}
    assert desk.api("").get(f"{PREFIX}/me", headers=held).json()["engagements"] == [ENGAGEMENT]
    assert made["token"] not in visitor.get(f"{PREFIX}/tokens").text
    where = f"{PREFIX}/tokens/{made['id']}/revocation"
    assert [visitor.post(where).status_code for _ in range(2)] == [201, 422]
    assert desk.api("").get(f"{PREFIX}/me", headers=held).status_code == 401

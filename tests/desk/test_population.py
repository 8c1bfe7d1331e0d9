"""Populations over the morning of 14 March 2025, frozen and shown again; hostile keys in them harm nobody."""

from __future__ import annotations

import hashlib
import json

import pytest

from collector.canonical import canonical
from collector.errors import IntegrityError
from collector.frozen import rows
from collector.verify import Verdict, check_proof, parse_proof, prove, verify
from tests.cli.conftest import HOSTILE

USERS = ["population", "paper.users", "--engagement", "soc2"]


def frozen(site, *more):
    answer = site.evidenced(*USERS, "--freeze", "--as", "Eva", "--json", *more)
    assert answer.code == 0, answer.err
    return answer.json


def test_everything_that_was_there_at_any_time_is_in_it(march, tmp_path):
    made = frozen(march, "--rows", str(tmp_path / "rows.jsonl"))
    found = {json.loads(line)["key"]: json.loads(line) for line in (tmp_path / "rows.jsonl").read_bytes().splitlines()}
    assert set(found) == {"ana", "ben", HOSTILE}
    assert made["statement"]["items"] == {"joined": 2, "left": 1, "changed": 1}
    assert found["ana"]["left"] == ["2025-03-14T08:20:00.000Z"]
    assert found["ana"]["joined"] == []
    assert found["ben"]["joined"] == ["2025-03-14T02:00:00.000Z"]
    assert found["ana"]["last_seen"] == "2025-03-14T05:00:00.000Z"


def test_the_rows_are_known_by_the_digest_of_exactly_their_bytes(march, tmp_path):
    made = frozen(march, "--rows", str(tmp_path / "rows.jsonl"))
    data = (tmp_path / "rows.jsonl").read_bytes()
    said = made["statement"]["rows"]
    assert said == {"sha256": hashlib.sha256(data).hexdigest(), "count": 3, "bytes": len(data)}
    assert data == b"".join(canonical(json.loads(line)) + b"\n" for line in data.splitlines())


def test_the_statement_says_how_complete_it_is(march):
    statement = frozen(march)["statement"]
    slots = march.evidenced("coverage", "--engagement", "soc2", "--kind", "paper.users", "--json").json["total"]
    assert slots["failed"] == 2
    for name in ("due", "collected", "failed", "missed", "excluded"):
        assert statement["slots"][name] == slots[name], name
    assert sum(day[1] for day in statement["days"]) == slots["due"]
    assert {gap["outcome"] for gap in statement["gaps"]} == {"failed", "missed"}
    [site] = statement["subjects"]
    assert site["observed"]
    assert len(site["runs"]) == 6
    assert site["first_observed"] == "2025-03-14T00:30:00.000Z"


def test_events_are_counted_by_when_they_happened_and_not_by_when_they_were_read(march):
    """The paper vendor's doors in this story carry no time, so each is counted by when it was first read, and said."""
    statement = march.evidenced("population", "paper.doors", "--engagement", "soc2", "--json").json["statement"]
    assert (statement["event_time"], statement["undated"], statement["rows"]["count"]) == ("at", 1, 1)


def test_an_unfrozen_population_is_not_recorded(march):
    answer = march.evidenced(*USERS)
    assert "frozen   no" in answer.out
    assert march.evidenced("populations", "--json").json == {"populations": []}


def test_a_frozen_population_is_shown_again_as_it_was(march, tmp_path):
    made = frozen(march)
    name = f"population:{made['population']}"
    again = march.evidenced("population", name, "--rows", str(tmp_path / "again.jsonl"), "--json")
    assert again.json["statement"] == made["statement"]
    digest = hashlib.sha256((tmp_path / "again.jsonl").read_bytes()).hexdigest()
    assert digest == made["statement"]["rows"]["sha256"]
    [listed] = march.evidenced("populations", "--engagement", "soc2", "--json").json["populations"]
    assert (listed["by"], listed["kind"], listed["rows"]["sha256"]) == ("Eva", "paper.users", digest)


def test_freezing_the_same_twice_gives_the_same_rows_and_two_records(march):
    first, second = frozen(march), frozen(march)
    assert first["population"] != second["population"]
    assert first["statement"]["rows"] == second["statement"]["rows"]


def test_a_frozen_population_is_proved_and_the_store_stays_intact(march):
    made = frozen(march)
    store = march.store()
    try:
        proof = prove(store, "sha256:" + made["statement"]["rows"]["sha256"])
        assert check_proof(parse_proof(proof.data), []).trouble == ""
        assert verify(store).verdict is Verdict.INTACT
        [leaf] = [leaf for leaf in store.leaves() if leaf.kind == "population"]
        assert leaf.payload["artifact"] == made["statement"]["rows"]["sha256"]
        assert b"ana" not in leaf.data
    finally:
        store.close()


def test_hostile_keys_are_harmless_on_a_terminal_and_in_a_file(march, tmp_path):
    answer = march.evidenced(*USERS, "--rows", str(tmp_path / "rows.jsonl"))
    data = (tmp_path / "rows.jsonl").read_bytes()
    for each in ("\x1b", "\n"):
        assert each not in answer.out.replace("\n", "")
    assert b"\x1b" not in data
    assert len(data.splitlines()) == 3


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["paper.users"], "--engagement NAME"),
        (["paper.userz", "--engagement", "soc2"], "Did you mean: paper.users"),
        (["population:77"], "there is no population 77"),
        (["1"], "there is no population 1"),
        (["population:1", "--freeze"], "frozen already"),
    ],
)
def test_what_is_no_population_is_refused(march, arguments, said):
    answer = march.evidenced("population", *arguments)
    assert answer.code == 2
    assert said in answer.err


def test_nothing_is_frozen_for_a_closed_engagement(march):
    march.evidenced("engagement", "close", "soc2")
    answer = march.evidenced(*USERS, "--freeze")
    assert answer.code == 2
    assert "was closed" in answer.err
    assert march.evidenced(*USERS).code == 0


def test_a_population_is_of_the_sources_and_scopes_in_scope(site):
    site.evidenced("engagement", "create", "north", "--from", "2025-03-14", "--to", "2025-03-15", "--scope", "north")
    statement = site.evidenced("population", "paper.rooms", "--engagement", "north", "--json").json["statement"]
    assert [each["scope"] for each in statement["subjects"]] == ["north"]
    answer = site.evidenced("population", "paper.users", "--engagement", "north")
    assert answer.code == 2
    assert "no source or scope of paper.users" in answer.err


def test_coverage_of_an_engagement_has_its_period_and_only_what_is_in_scope(site):
    more = ["--scope", "north", "--criterion", "CC6.4", "--from", "2025-03-14", "--to", "2025-03-15"]
    site.evidenced("engagement", "create", "north", *more)
    found = site.evidenced("coverage", "--engagement", "north", "--json").json
    assert found["period"] == {"start": "2025-03-14T00:00:00Z", "end": "2025-03-15T00:00:00Z"}
    assert [row["name"] for row in found["rows"]] == ["CC6.4"]
    assert found["total"]["due"] == 1


@pytest.mark.parametrize(
    "command",
    [
        ["as-of", "paper.rooms", "--at", "2025-03-14T09:00:00Z"],
        ["diff", "paper.rooms"],
        ["runs", "--kind", "paper.rooms"],
    ],
    ids=lambda command: command[0],
)
def test_every_question_can_be_asked_of_an_engagement(site, command):
    more = ["--scope", "north", "--from", "2025-03-14T02:00:00Z", "--to", "2025-03-15"]
    site.evidenced("engagement", "create", "north", *more)
    answer = site.evidenced(*command, "--engagement", "north")
    assert answer.code == 0, answer.err
    assert "north" in answer.out
    assert "south" not in answer.out
    assert (
        "south" in site.evidenced(*command, *(["--from", "2025-03-14T02:00:00Z"] if command[0] == "diff" else [])).out
    )


def test_rows_that_end_within_a_line_are_no_rows():
    with pytest.raises(IntegrityError, match="within a line"):
        list(rows(b'{"id":"x"}'))
    with pytest.raises(IntegrityError, match="no row"):
        list(rows(b"[]\n"))

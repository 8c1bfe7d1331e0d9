"""Every question, on both engines, about a morning that was collected before."""

from __future__ import annotations

import pytest

from tests.cli.conftest import HOSTILE, clock_time

PERIOD = ("--from", clock_time("00:00"), "--to", clock_time("10:00"))
HARMLESS = r"\x1b[31mred\x1b[0m \u202egnp.exe [bold]loud[/bold]\nforged: line"


def items_at(story, time, *more):
    found = story.evidenced("as-of", "paper.users", "--at", clock_time(time), "--json", *more).json
    return {item["key"]: item for item in found["populations"][0]["items"]}


# as-of


def test_a_population_is_as_it_was_and_not_as_it_is(story):
    assert items_at(story, "01:30")["ana"]["document"]["role"] == "admin"
    assert items_at(story, "02:30")["ana"]["document"]["role"] == "reader"
    assert set(items_at(story, "09:30")) == {"ben", HOSTILE}


def test_a_failed_reading_leaves_the_last_population_in_force(story):
    found = story.evidenced("as-of", "paper.users", "--at", clock_time("04:30"), "--json").json
    population = found["populations"][0]
    assert {item["key"] for item in population["items"]} == {"ana", "ben"}
    assert population["run"]["finished"] == clock_time("02:00")
    assert population["next"]["finished"] == clock_time("05:00")


def test_an_item_says_whether_the_next_good_run_still_saw_it(story):
    assert items_at(story, "01:30")["ana"]["still_seen"] is False
    assert items_at(story, "02:30")["ana"]["still_seen"] is True


def test_before_the_first_reading_nothing_is_known_which_is_not_empty(story):
    answer = story.evidenced("as-of", "paper.users", "--at", clock_time("00:10"))
    assert "not observed yet" in answer.out
    assert "0 items" not in answer.out
    [population] = story.evidenced("as-of", "paper.users", "--at", clock_time("00:10"), "--json").json["populations"]
    assert (population["observed"], population["run"], population["items"]) == (False, None, [])


def test_an_empty_population_is_shown_as_seen_empty(story):
    answer = story.evidenced("as-of", "paper.doors", "--at", clock_time("00:40"))
    assert "seen by    run" in answer.out


def test_a_population_is_shown_per_scope(story):
    answer = story.evidenced("as-of", "paper.rooms", "--at", clock_time("09:30"))
    assert "paper:hq north" in answer.out
    assert "paper:hq south" in answer.out
    one = story.evidenced("as-of", "paper.rooms", "--at", clock_time("09:30"), "--scope", "north")
    assert "paper:hq south" not in one.out


def test_columns_may_be_chosen_by_expression(story):
    answer = story.evidenced(
        "as-of", "paper.users", "--at", clock_time("02:30"), "--field", "role", "--field", "groups"
    )
    assert 'ana  2025-03-14T02:00:00Z  reader  ["b", "c"]' in answer.out


def test_one_item_is_shown_whole(story):
    answer = story.evidenced("as-of", "paper.users", "--at", clock_time("02:30"), "--key", "ana")
    assert "  role: reader" in answer.out
    assert "  until     2025-03-14T08:20:00Z" in answer.out
    assert "  seen: 1" in answer.out
    assert "ben" not in answer.out


def test_a_secret_field_is_shown_as_removed(story):
    assert items_at(story, "01:30")["ana"]["document"]["token"] == "[redacted:declared]"


def test_volatile_fields_are_shown_beside_the_document(story):
    ana = items_at(story, "05:30")["ana"]
    assert "seen" not in ana["document"]
    assert ana["volatile"] == {"seen": 1}


def test_hostile_text_is_shown_as_escapes(story):
    answer = story.evidenced("as-of", "paper.users", "--at", clock_time("09:30"), "--field", "role")
    assert HARMLESS in answer.out
    assert "[red]reader[/red]" in answer.out
    assert "\x1b" not in answer.out
    assert "\u202e" not in answer.out


def test_hostile_text_survives_json_unchanged_and_harmless(story):
    answer = story.evidenced("as-of", "paper.users", "--at", clock_time("09:30"), "--json")
    assert "\x1b" not in answer.out
    assert "\u202e" not in answer.out
    assert HOSTILE in {item["key"] for item in answer.json["populations"][0]["items"]}


# diff


def test_a_difference_names_what_came_what_went_and_which_fields_changed(story):
    found = story.evidenced(
        "diff", "paper.users", "--from", clock_time("01:30"), "--to", clock_time("02:30"), "--json"
    ).json
    items = {item["key"]: item for item in found["items"]}
    assert items["ben"]["change"] == "added"
    assert [(field["path"], field["change"]) for field in items["ana"]["fields"]] == [
        ("groups[]", "removed"),
        ("groups[]", "added"),
        ("role", "changed"),
    ]


def test_a_difference_reads_as_lines(story):
    answer = story.evidenced("diff", "paper.users", "--from", clock_time("01:30"), "--to", clock_time("09:30"))
    assert "- ana  (paper:hq site)" in answer.out
    assert "+ ben  (paper:hq site)" in answer.out
    assert "2 added, 1 removed, 0 changed" in answer.out
    changed = story.evidenced("diff", "paper.users", "--from", clock_time("01:30"), "--to", clock_time("02:30"))
    assert "    role: admin -> reader" in changed.out


def test_what_was_not_observed_at_both_ends_is_named_and_not_compared(story):
    answer = story.evidenced("diff", "paper.users", "--from", clock_time("00:10"), "--to", clock_time("02:30"))
    assert "not compared, not observed yet at 2025-03-14T00:10:00Z" in answer.out
    assert "0 added, 0 removed, 0 changed" in answer.out


# history


def test_a_history_tells_when_each_form_was_first_and_last_seen(story):
    forms = story.evidenced("history", "paper.users", "ana", "--json").json["forms"]
    assert [(form["first_seen"], form["last_seen"], form["ended"], form["ending"]) for form in forms] == [
        (clock_time("00:30"), clock_time("01:00"), clock_time("02:00"), "changed"),
        (clock_time("02:00"), clock_time("05:00"), clock_time("08:20"), "gone"),
    ]
    assert [field["path"] for field in forms[1]["fields"]] == ["groups[]", "groups[]", "role"]


def test_a_history_reads_as_lines(story):
    answer = story.evidenced("history", "paper.users", "ben")
    assert "then           is so still" in answer.out


# coverage


def test_coverage_counts_every_due_slot_once(story):
    found = story.evidenced("coverage", *PERIOD, "--by", "kind", "--json").json
    users = next(row["tally"] for row in found["rows"] if row["name"] == "paper.users")
    # Due 01:00 to 09:00: collected at 1, 2, 5 and 9; denied at 3 and 4; the daemon was down at 6, 7 and 8.
    assert (users["due"], users["collected"], users["failed"], users["missed"]) == (9, 4, 2, 3)
    assert (users["changed"], users["unchanged"], users["empty"]) == (2, 2, 0)


def test_coverage_shows_each_gap_with_its_cause(story):
    found = story.evidenced("coverage", *PERIOD, "--kind", "paper.users", "--json").json
    denied, down = found["gaps"]
    assert (denied["period"]["start"], denied["period"]["end"]) == (clock_time("03:00"), clock_time("05:00"))
    assert (denied["outcome"], denied["reason"]) == ("failed", "denied")
    assert "paper:read_users" in denied["cause"]
    assert (down["period"]["start"], down["period"]["end"]) == (clock_time("06:00"), clock_time("08:20"))
    assert (down["outcome"], down["cause"]) == ("missed", "the daemon was not running")


def test_coverage_reads_as_a_table_and_its_gaps(story):
    answer = story.evidenced("coverage", *PERIOD)
    assert answer.out.startswith("Coverage from 2025-03-14T00:00:00Z to 2025-03-14T10:00:00Z\n")
    assert "CC6.1        9          4       2       3" in answer.out
    assert "(2 h)  failed: denied, 2 slots" in answer.out
    assert "No planned kind serves: CC1.1" in answer.out


def test_criteria_stand_in_the_order_of_the_standard(story):
    rows = story.evidenced("coverage", *PERIOD, "--json").json["rows"]
    assert [row["name"] for row in rows] == ["CC6.1", "CC6.4", "CC7.2"]


@pytest.mark.parametrize("by", ["criterion", "control", "kind", "source", "scope", "day"])
def test_coverage_groups_by(story, by):
    found = story.evidenced("coverage", *PERIOD, "--by", by, "--json").json
    assert found["rows"]
    if by in ("kind", "source", "scope", "day"):
        assert sum(row["tally"]["due"] for row in found["rows"]) == found["total"]["due"]


def test_coverage_of_one_criterion_holds_only_the_kinds_that_serve_it(story):
    found = story.evidenced("coverage", *PERIOD, "--criterion", "CC6.4", "--json").json
    assert [row["name"] for row in found["rows"]] == ["paper.rooms"]
    assert found["total"]["due"] == 2


def test_coverage_is_in_order_only_without_gaps(story):
    assert story.evidenced("coverage", *PERIOD, "--fail-on-gap").code == 1
    quiet = ("--from", clock_time("00:00"), "--to", clock_time("03:00"))
    assert story.evidenced("coverage", *quiet, "--fail-on-gap").code == 0
    assert story.evidenced("coverage", *PERIOD).code == 0


def test_a_period_in_which_nothing_was_due_is_not_in_order(story):
    before = ("--from", "2025-01-01", "--to", "2025-02-01")
    answer = story.evidenced("coverage", *before, "--fail-on-gap")
    assert answer.code == 1
    assert "Nothing was due" in answer.out


def test_a_gap_that_began_before_the_period_is_shown_in_it(story):
    found = story.evidenced(
        "coverage", "--from", clock_time("03:30"), "--to", clock_time("03:40"), "--kind", "paper.users", "--json"
    ).json
    [gap] = found["gaps"]
    assert (gap["period"]["start"], gap["period"]["end"]) == (clock_time("03:30"), clock_time("03:40"))


def test_slots_without_any_record_are_missed_and_never_taken_for_collected(story):
    found = story.evidenced(
        "coverage", "--from", "2025-03-15", "--to", "2025-03-16", "--kind", "paper.users", "--json"
    ).json
    assert (found["total"]["due"], found["total"]["missed"]) == (24, 24)
    assert found["gaps"][0]["cause"] == "no record"


# runs and sheets


def test_runs_are_listed_newest_first(story):
    found = story.evidenced("runs", *PERIOD, "--kind", "paper.users", "--json").json["runs"]
    dues = [run["due"] for run in found]
    assert dues == sorted(dues, reverse=True)
    assert found[0]["due"] == clock_time("09:00")


def test_runs_may_be_restricted(story):
    failed = story.evidenced("runs", "--outcome", "failed", "--json").json["runs"]
    assert {(run["subject"]["kind"], run["reason"]) for run in failed} == {("paper.users", "denied")}
    north = story.evidenced("runs", "--scope", "north", "--limit", "1", "--json").json["runs"]
    assert [run["subject"]["scope"] for run in north] == ["north"]


def test_a_failed_run_is_listed_without_a_number_of_items(story):
    answer = story.evidenced("runs", "--outcome", "failed")
    assert "    -  failed: denied" in answer.out


def test_a_limited_list_says_that_there_is_more(story):
    assert "Only the newest 2 are shown" in story.evidenced("runs", "--limit", "2").out


def test_the_sheet_answers_where_from_with_which_query_when_and_how_complete(story):
    run = story.evidenced("runs", "--kind", "paper.users", "--json").json["runs"][0]["id"]
    sheet = story.evidenced("run", "show", run)
    for words in (
        "source     paper:hq",
        "asked as   paper:reader",
        "procedure  sha256:",
        "- op: GET /users",
        "due        2025-03-14T09:00:00Z",
        "trigger    schedule",
        "outcome     changed",
        "items       2 (1 added, 0 changed, 0 removed)",
        "population  sha256:",
        "criteria   CC6.1",
    ):
        assert words in sheet.out
    assert "GET /users      2" in sheet.out


def test_the_sheet_of_a_failed_run_says_why_and_what_to_do(story):
    run = story.evidenced("runs", "--outcome", "failed", "--json").json["runs"][0]["id"]
    sheet = story.evidenced("run", "show", run)
    assert "outcome     failed: denied" in sheet.out
    assert "message     GET /users was refused, it needs paper:read_users" in sheet.out
    assert "what to do  Grant it to paper:reader." in sheet.out
    assert "items       unknown" in sheet.out


def test_the_sheet_names_what_was_removed_but_never_the_value(story):
    found = story.evidenced("runs", *PERIOD, "--kind", "paper.users", "--json").json["runs"]
    answer = story.evidenced("run", "show", found[-1]["id"])
    assert "token" in answer.out
    assert "t-1" not in answer.out


def test_the_sheet_is_one_json_document_with_the_procedure(story):
    run = story.evidenced("runs", "--kind", "paper.doors", "--json").json["runs"][0]["id"]
    sheet = story.evidenced("run", "show", run, "--json").json
    assert sheet["procedure"]["name"] == "paper.doors"
    assert sheet["run"]["window"]["until"] == sheet["run"]["started"]


# plan and status


def test_the_plan_in_force_is_shown(story):
    answer = story.evidenced("plan", "show")
    assert "Plan version 1, valid from 2025-03-14T00:30:00Z" in answer.out
    assert "paper.rooms  daily   north, south  CC6.4" in answer.out


def test_status_tells_what_has_not_been_read_well_and_what_is_next(story):
    found = story.evidenced("status", "--json").json
    assert found["daemon_running"] is False
    assert found["sources"][0]["accounted_until"] == clock_time("09:00")
    assert found["size"] > 0
    assert "daemon  not running" in story.evidenced("status").out


# every answer


QUESTIONS = [
    ("status",),
    ("coverage", *PERIOD),
    ("as-of", "paper.users", "--at", clock_time("02:30")),
    ("diff", "paper.users", "--from", clock_time("01:30"), "--to", clock_time("02:30")),
    ("history", "paper.users", "ana"),
    ("runs",),
    ("run", "show", "1-0"),
    ("plan", "show"),
    ("tag", "list"),
]


@pytest.mark.parametrize("question", QUESTIONS, ids=" ".join)
def test_no_answer_is_wider_than_the_terminal(story, question, monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")
    answer = story.evidenced(*question)
    assert answer.code == 0
    assert max(map(len, answer.out.splitlines())) <= 80


@pytest.mark.parametrize("question", QUESTIONS, ids=" ".join)
def test_piped_answers_have_no_colour_and_nothing_on_stderr(story, question):
    answer = story.evidenced(*question)
    assert "\x1b" not in answer.out
    assert answer.err == ""


@pytest.mark.parametrize("question", QUESTIONS[1:], ids=" ".join)
def test_json_is_one_document_with_sorted_keys_that_does_not_vary(story, question):
    first, second = (story.evidenced(*question, "--json") for _ in range(2))
    assert first.out == second.out
    keys = list(first.json)
    assert keys == sorted(keys)

"""Reviews as people record them: who decided what, on which rows or control; nothing is replaced."""

from __future__ import annotations

import pytest

from collector.verify import Verdict, verify


@pytest.fixture
def population(march):
    made = march.evidenced("population", "paper.users", "--engagement", "soc2", "--freeze", "--json").json
    return f"population:{made['population']}"


def review(site, target, *more, decision="approved", note="all compared with the staff list"):
    return site.evidenced("review", target, "--decision", decision, "--note", note, "--as", "Bea", *more)


def test_a_review_of_a_population_names_its_rows_and_its_period(march, population):
    found = review(march, population, "--json").json
    statement = march.evidenced("population", population, "--json").json["statement"]
    assert (found["of"], found["rows"], found["by"]) == (population, statement["rows"]["sha256"], "Bea")
    assert found["period"] == {"start": "2025-03-14T00:00:00.000Z", "end": "2025-03-15T00:00:00.000Z"}


def test_a_review_of_a_control_is_for_the_period_of_the_engagement_or_a_part_of_it(march):
    whole = review(march, "AC-01", "--engagement", "soc2", "--json").json
    assert whole["period"] == {"start": "2025-03-14T00:00:00Z", "end": "2025-03-15T00:00:00Z"}
    more = ["--engagement", "soc2", "--from", "2025-03-14", "--to", "2025-03-14T12:00Z"]
    assert review(march, "AC-01", *more, "--json").json["period"]["end"] == "2025-03-14T12:00:00Z"


def test_a_second_review_stands_beside_the_first(march, population):
    review(march, population, decision="exceptions-noted", note="ben is late")
    review(march, population)
    listed = march.evidenced("reviews", "--engagement", "soc2", "--json").json["reviews"]
    assert [each["decision"] for each in listed] == ["exceptions-noted", "approved"]
    assert "ben is late" in march.evidenced("reviews").out


def test_a_review_answers_a_request(march, population):
    number = review(march, population, "--json").json["review"]
    (march.folder / "list.csv").write_text("id,title\nR-1,Access review\n")
    march.evidenced("request", "import", str(march.folder / "list.csv"), "--engagement", "soc2")
    assert march.evidenced("request", "link", "R-1", f"review:{number}", "--json").json["links"] == [f"review:{number}"]


def test_the_leaf_of_a_review_holds_neither_note_nor_name(march, population):
    review(march, population)
    store = march.store()
    try:
        [leaf] = [leaf for leaf in store.leaves() if leaf.kind == "review"]
        assert leaf.payload["about"] == int(population.partition(":")[2])
        assert b"Bea" not in leaf.data
        assert b"staff" not in leaf.data
        assert verify(store).verdict is Verdict.INTACT
    finally:
        store.close()


@pytest.mark.parametrize(
    ("target", "more", "said"),
    [
        ("population:99", [], "no population 99"),
        ("AC-99", ["--engagement", "soc2"], "no control on record"),
        ("AC-01", [], "is for an engagement"),
        ("AC-01", ["--engagement", "soc3"], "no engagement 'soc3'"),
        ("AC-01", ["--engagement", "soc2", "--decision", "fine"], "It ends in: approved"),
        ("AC-01", ["--engagement", "soc2", "--note", " "], "what was looked at"),
    ],
)
def test_what_is_no_review_is_refused_and_not_recorded(march, target, more, said):
    answer = review(march, target, *more)
    assert answer.code == 2
    assert said in answer.err
    assert march.evidenced("reviews", "--json").json == {"reviews": []}


def test_a_population_is_not_reviewed_for_another_engagement(march, population):
    march.evidenced("engagement", "create", "other", "--at", "2025-03-14")
    assert "not of the engagement 'other'" in review(march, population, "--engagement", "other").err

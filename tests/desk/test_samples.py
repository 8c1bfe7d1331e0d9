"""Samples as people draw them: recorded with seed and population, drawn again by everybody, never replaced."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from collector.verify import Verdict, verify
from tests.cli.conftest import HOSTILE

PAGE = (Path(__file__).parents[2] / "docs/samples.md").read_text(encoding="utf-8")


@pytest.fixture
def population(march):
    """The name of the frozen population of users."""
    made = march.evidenced("population", "paper.users", "--engagement", "soc2", "--freeze", "--json").json
    return f"population:{made['population']}"


def draw(site, population, *more, seed="rain in Lisbon"):
    answer = site.evidenced("sample", population, "--seed", seed, "--as", "Eva", *more, "--json")
    assert answer.code == 0, answer.err
    return answer.json


def test_a_sample_says_how_it_was_drawn_and_by_whom(march, population):
    found = draw(march, population, "--size", "2")
    assert {name: found[name] for name in ("method", "seed", "size", "among", "by", "number", "reproduced")} == {
        "method": "random",
        "seed": "rain in Lisbon",
        "size": 2,
        "among": 3,
        "by": "Eva",
        "number": 1,
        "reproduced": True,
    }
    assert [item["id"] for item in found["items"]] == found["drawn"]
    assert march.evidenced("sample", "show", f"sample:{found['sample']}", "--json").json == found


def test_the_same_seed_draws_the_same_and_another_is_another_record(march, population):
    first, second = draw(march, population, "--size", "2"), draw(march, population, "--size", "2")
    assert first["drawn"] == second["drawn"]
    assert (second["number"], [each["sample"] for each in second["others"]]) == (2, [first["sample"]])


def test_a_second_draw_shows_in_the_first(march, population):
    first = draw(march, population, "--size", "1")
    second = draw(march, population, "--size", "2", seed="another day")
    shown = march.evidenced("sample", "show", str(first["sample"])).out
    assert "draw 1 of 2" in shown
    assert f"sample:{second['sample']}  random, 2, seed another day" in shown
    listed = march.evidenced("sample", "list", "--engagement", "soc2", "--json").json["samples"]
    assert [each["seed"] for each in listed] == ["rain in Lisbon", "another day"]


@pytest.mark.parametrize("method", ["random", "systematic"])
def test_the_program_of_the_page_draws_what_was_recorded(march, population, tmp_path, method):
    found = draw(march, population, "--size", "2", "--method", method)
    rows = tmp_path / "rows.jsonl"
    march.evidenced("population", population, "--rows", str(rows))
    program = tmp_path / "draw.py"
    program.write_text(re.search(r"```python\n(.*?)```", PAGE, flags=re.DOTALL)[1], encoding="utf-8")
    command = [sys.executable, "-I", str(program), str(rows), method, "rain in Lisbon", "2"]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert done.stdout.split() == found["drawn"]


def test_strata_are_by_an_expression_over_the_item_and_kept_with_the_sample(march, population):
    found = draw(march, population, "--size", "2", "--method", "stratified", "--stratum", "role")
    assert {each["name"] for each in found["strata"]} == {"reader", "[red]reader[/red]"}
    assert sum(each["drawn"] for each in found["strata"]) == 2
    assert found["reproduced"]


def test_dates_are_drawn_of_days_on_which_slots_were_due(march, population):
    found = draw(march, population, "--method", "dates")
    assert found["drawn"] == ["2025-03-14"]
    assert found["dates"][0]["counts"]["failed"] == 2
    monthly = draw(march, population, "--method", "dates", "--every", "monthly")
    assert monthly["drawn"] == ["2025-03"]


def test_sizes_are_those_of_the_configuration(march, population):
    march.config.write_text(march.config.read_text() + "\n[samples]\nitem = 1\n")
    assert len(draw(march, population)["drawn"]) == 1


def test_more_than_there_is_draws_everything_and_says_so(march, population):
    answer = march.evidenced("sample", population, "--seed", "x", "--size", "99")
    assert "3 of 3: there are no more" in answer.out
    assert HOSTILE not in answer.out


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--seed", " "], "others can type"),
        (["--seed", "x", "--size", "many"], "no size"),
        (["--seed", "x", "--method", "lucky"], "Methods: random"),
        (["--seed", "x", "--method", "stratified"], "--stratum EXPR"),
        (["--seed", "x", "--method", "stratified", "--stratum", "[["], "not a JMESPath"),
        (["--seed", "x", "--method", "stratified", "--stratum", "id", "--size", "2"], "more than 2"),
        (["--seed", "x", "--method", "dates", "--every", "hourly"], "daily, weekly or monthly"),
    ],
)
def test_what_cannot_be_drawn_is_refused_and_not_recorded(march, population, arguments, said):
    answer = march.evidenced("sample", population, *arguments)
    assert answer.code == 2
    assert said in answer.err
    assert march.evidenced("sample", "list", "--json").json == {"samples": []}


def test_what_is_no_population_or_sample_is_refused(march, population):
    assert "no population 99" in march.evidenced("sample", "population:99", "--seed", "x").err
    assert "no sample 99" in march.evidenced("sample", "show", "99").err
    assert "no sample" in march.evidenced("sample", "show", population).err


def test_a_leaf_names_the_population_of_each_draw_and_no_item(march, population):
    found = draw(march, population)
    store = march.store()
    try:
        [leaf] = [leaf for leaf in store.leaves() if leaf.kind == "sample"]
        assert leaf.payload["about"] == int(population.partition(":")[2])
        assert not any(each.encode() in leaf.data for each in found["drawn"])
        assert json.loads(leaf.data)["act"] == found["sample"]
        assert verify(store).verdict is Verdict.INTACT
    finally:
        store.close()

"""Draws: the size asked for, nothing twice, the same for everybody, whatever the order they are given in."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collector.canonical import digest
from collector.errors import QueryError
from collector.frozen import row_id
from collector.model import Subject
from collector.sample import (
    allotment,
    checked_seed,
    date_label,
    dates_sample,
    random_sample,
    rank,
    size_of,
    stratified_sample,
    systematic_sample,
)

VECTORS = json.loads((Path(__file__).parents[1] / "vectors/sample.json").read_text(encoding="utf-8"))
PAGE = (Path(__file__).parents[2] / "docs/samples.md").read_text(encoding="utf-8")
SEED, ROWS = VECTORS["seed"], VECTORS["rows"]
IDS = [row["id"] for row in ROWS]
ORDERED = [row["id"] for row in sorted(ROWS, key=lambda row: (row["first_seen"], row["id"]))]
LABELS = [(row["id"], row["stratum"]) for row in ROWS]
NAMES = st.lists(st.text("abcdef0123456789", min_size=1, max_size=6), unique=True, max_size=40)
SEEDS = st.text("seed 123-", min_size=1, max_size=8)


def fenced(language):
    """Return the one fenced text of the page in *language*."""
    [found] = re.findall(rf"```{language}\n(.*?)```", PAGE, flags=re.DOTALL)
    return found


@pytest.fixture
def rows_file(tmp_path):
    path = tmp_path / "rows.jsonl"
    lines = (json.dumps(row, sort_keys=True, separators=(",", ":")) for row in ROWS)
    path.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
    return path


def test_the_vectors_are_drawn():
    assert rank(SEED, "start") == VECTORS["rank_of_start"]
    assert random_sample(IDS, VECTORS["random"]["size"], SEED) == VECTORS["random"]["drawn"]
    assert systematic_sample(ORDERED, VECTORS["systematic"]["size"], SEED) == VECTORS["systematic"]["drawn"]
    said = VECTORS["stratified"]
    drawn, strata = stratified_sample(LABELS, said["size"], SEED, said["minimum"])
    assert (drawn, [[each.name, each.of, each.drawn] for each in strata]) == (said["drawn"], said["strata"])
    for every, size in (("daily", 3), ("weekly", 2), ("monthly", 1)):
        assert dates_sample(VECTORS["dates"]["days"], every, size, SEED) == VECTORS["dates"][every]


def test_the_ids_of_the_vectors_are_made_as_the_page_says():
    for row in ROWS:
        subject = Subject(row["source"], "paper.users", row["scope"])
        assert row_id(subject, digest(row["key"].encode())) == row["id"]


@pytest.mark.parametrize("method", ["random", "systematic", "stratified"])
def test_the_program_of_the_page_draws_the_same(rows_file, tmp_path, method):
    program = tmp_path / "draw.py"
    program.write_text(fenced("python"), encoding="utf-8")
    said = VECTORS[method]
    command = [sys.executable, "-I", str(program), str(rows_file), method, SEED, str(said["size"])]
    done = subprocess.run([*command, str(said.get("minimum", 0))], capture_output=True, text=True, check=True)
    assert done.stdout.split() == said["drawn"]


def test_the_line_of_the_page_draws_the_same(rows_file):
    line = fenced("sh").replace("head -n 25", f"head -n {VECTORS['random']['size']}")
    done = subprocess.run(
        ["bash", "-c", line], capture_output=True, text=True, check=True, cwd=rows_file.parent, env={"seed": SEED}
    )
    assert done.stdout.split() == VECTORS["random"]["drawn"]


@given(names=NAMES, size=st.integers(1, 50), seed=SEEDS, data=st.data())
def test_a_random_sample_has_its_size_has_nothing_twice_and_does_not_depend_on_order(names, size, seed, data):
    drawn = random_sample(names, size, seed)
    assert len(drawn) == len(set(drawn)) == min(size, len(names))
    assert set(drawn) <= set(names)
    assert random_sample(data.draw(st.permutations(names)), size, seed) == drawn


@given(names=NAMES, size=st.integers(1, 50), seed=SEEDS)
def test_a_larger_random_sample_begins_with_the_smaller_one(names, size, seed):
    assert random_sample(names, size + 3, seed)[:size] == random_sample(names, size, seed)


@given(names=NAMES, size=st.integers(1, 50), seed=SEEDS)
def test_a_systematic_sample_is_evenly_spaced_in_the_order_given(names, size, seed):
    drawn = systematic_sample(names, size, seed)
    assert len(drawn) == len(set(drawn)) == min(size, len(names))
    places = [names.index(each) for each in drawn]
    assert places == sorted(places)
    steps = {after - before for before, after in pairwise(places)}
    assert all(len(names) // len(drawn) <= step <= -(-len(names) // len(drawn)) for step in steps)


@given(
    sizes=st.dictionaries(st.text("abc", min_size=1, max_size=3), st.integers(1, 60), min_size=1, max_size=8),
    size=st.integers(1, 200),
    minimum=st.integers(0, 3),
)
def test_strata_get_their_share_within_one_and_never_less_than_the_minimum(sizes, size, minimum):
    needed = sum(min(minimum, of) for of in sizes.values())
    whole = sum(sizes.values())
    if needed > min(size, whole):
        with pytest.raises(QueryError, match="are more than"):
            allotment(sizes, size, minimum)
        return
    made = allotment(sizes, size, minimum)
    assert sum(each.drawn for each in made) == min(size, whole)
    rest, left = min(size, whole) - needed, whole - needed
    for each in made:
        given = min(minimum, each.of)
        assert given <= each.drawn <= each.of
        assert abs(each.drawn - given - (rest * (each.of - given) / left if left else 0)) < 1


@given(names=NAMES, seed=SEEDS, data=st.data())
def test_a_stratified_sample_has_of_each_stratum_what_was_allotted(names, seed, data):
    labelled = [(each, data.draw(st.sampled_from("xyz"))) for each in names]
    size = max(3, len(names) // 2)
    drawn, strata = stratified_sample(labelled, size, seed)
    of = dict(labelled)
    assert len(drawn) == len(set(drawn)) == min(size, len(names))
    for each in strata:
        assert sum(of[name] == each.name for name in drawn) == each.drawn
    assert stratified_sample(labelled[::-1], size, seed) == (drawn, strata)


def test_another_seed_draws_others():
    assert random_sample(IDS, 4, "one") != random_sample(IDS, 4, "two")


@pytest.mark.parametrize(
    ("day", "every", "label"),
    [("2026-03-14", "daily", "2026-03-14"), ("2026-01-01", "weekly", "2026-W01"), ("2026-03-14", "monthly", "2026-03")],
)
def test_a_day_belongs_to_a_week_and_a_month(day, every, label):
    assert date_label(day, every) == label


@pytest.mark.parametrize(("text", "among", "size"), [("25", 7, 25), ("10%", 101, 11), ("100%", 3, 3), (" 5 ", 9, 5)])
def test_a_size_is_a_number_or_a_share(text, among, size):
    assert size_of(text, among) == size


@pytest.mark.parametrize("text", ["0", "-1", "ten", "", "101%", "0%", "2.5", "1e3"])
def test_what_is_no_size_is_refused(text):
    with pytest.raises(QueryError, match="no size"):
        size_of(text, 100)


@pytest.mark.parametrize("seed", ["", "  ", " spaced", "two\nlines", "nul\0", "\u202eseed"])
def test_a_seed_that_others_cannot_type_is_refused(seed):
    with pytest.raises(QueryError, match="others can type"):
        checked_seed(seed)

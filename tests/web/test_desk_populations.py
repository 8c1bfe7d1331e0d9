"""Pages of populations: frozen, stated, sampled and reconciled, on record."""

from __future__ import annotations

import csv
import hashlib
import html
import io
import re
import subprocess

import pytest

from collector.act import ActKind
from collector.ask.samples import sample_of
from tests.web.answers import HERE, lowered, said, text
from tests.web.vendors import FORMULA, HIDDEN, SCRIPT


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
        ({"method": "stratified", "seed": "x", "stratum": "role", "minimum": "9" * 5_000}, "is no number"),
        ({"method": "dates", "seed": "x", "every": "hourly"}, "dates are not drawn 'hourly'"),
        ({"method": "stratified", "seed": "x", "stratum": "abs(id)"}, "'abs(id)' cannot be asked of every item"),
        ({"method": "stratified", "seed": "x", "stratum": "[" * 900}, "nested too deeply"),
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

"""The commands that record something: snapshot, tag, tag withdraw. And who is named as having asked."""

from __future__ import annotations

import pytest

from tests.cli.conftest import DENIED


def snapshot(site, *more, reason="before change 4711"):
    return site.evidenced("snapshot", "--source", "paper:hq", "--reason", reason, *more)


# snapshot


def test_without_a_daemon_a_snapshot_reads_in_this_process(site):
    answer = snapshot(site)
    assert answer.code == 0
    assert "4 runs, 0 failed" in answer.out
    assert snapshot(site, "--json").json["read_by"] == "this process"


def test_a_snapshot_may_be_of_some_kinds(site):
    runs = snapshot(site, "--kind", "paper.r*", "--kind", "paper.users", "--json").json["runs"]
    assert [run["subject"]["kind"] for run in runs] == ["paper.rooms", "paper.rooms", "paper.users"]


def test_a_snapshot_may_be_of_the_kinds_that_serve_a_control(site):
    (site.folder / "controls.toml").write_text(
        '[[control]]\nid = "AC-01"\ntitle = "Users are reviewed"\ncriteria = ["CC6.2"]\nkinds = ["paper.users"]\n'
    )
    site.config.write_text('controls = "controls.toml"\n' + site.config.read_text())
    runs = snapshot(site, "--control", "AC-01", "--json").json["runs"]
    assert [run["subject"]["kind"] for run in runs] == ["paper.users"]


def test_a_failed_snapshot_is_recorded_and_ends_with_5(site):
    site.world({"paper.users": DENIED, "paper.rooms": [], "paper.doors": []})
    answer = snapshot(site)
    assert answer.code == 5
    assert "failed: denied" in answer.out
    assert "4 runs, 1 failed" in answer.out
    [run] = site.evidenced("runs", "--outcome", "failed", "--json").json["runs"]
    assert f"why: evidenced run show {run['id']}" in answer.out


def test_the_sheet_of_a_snapshot_says_who_asked_and_why(site):
    run = snapshot(site, "--kind", "paper.users", "--as", "mira", "--json").json["runs"][0]["id"]
    sheet = site.evidenced("run", "show", run)
    assert "trigger    adhoc" in sheet.out
    assert "asked by   mira" in sheet.out
    assert "asked why  before change 4711" in sheet.out
    assert "plan       none" in sheet.out


def test_a_snapshot_by_nobody_in_particular_is_by_this_machines_user(site, monkeypatch):
    monkeypatch.setenv("LOGNAME", "operator")
    assert snapshot(site, "--json").json["request"]["actor"] == "operator"


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--kind", "paper.userz"], "Did you mean: paper.users"),
        (["--control", "XX-99"], "there is no control 'XX-99'"),
        (["--kind", "paper.users", "--control", "BC-01"], "no enabled kind that serves BC-01"),
    ],
)
def test_a_snapshot_of_what_is_not_there_is_refused_before_anything_is_recorded(site, arguments, said):
    answer = snapshot(site, *arguments)
    assert answer.code == 2
    assert said in answer.err
    assert not (site.folder / "evidence.db").exists()


def test_a_snapshot_of_an_excluded_kind_says_why_it_is_not_read(site):
    site.configure('exclude = ["paper.doors"]')
    answer = snapshot(site, "--kind", "paper.doors")
    assert answer.code == 2
    assert "excluded by the configuration" in answer.err


def test_a_snapshot_of_an_unknown_source_names_the_known_ones(site):
    answer = site.evidenced("snapshot", "--source", "paper:x", "--reason", "why not")
    assert answer.code == 2
    assert "It has: paper:hq." in answer.err


@pytest.mark.parametrize("reason", ["", "   "])
def test_a_snapshot_needs_a_reason(site, reason):
    assert snapshot(site, reason=reason).code == 2


# tag


@pytest.fixture
def run(site):
    return snapshot(site, "--json").json["runs"][0]["id"]


def tag(site, target, *more, control="AC-01", note="quarterly review"):
    return site.evidenced("tag", target, "--control", control, "--note", note, *more)


def test_a_run_is_tagged_with_a_control_by_somebody_for_a_reason(site, run):
    answer = tag(site, run, "--as", "mira")
    assert (answer.code, answer.out) == (0, f"Tag 1: {run} supports AC-01\n")
    [found] = site.evidenced("tag", "list", "--json").json["tags"]
    assert (found["target"], found["control"], found["actor"], found["note"]) == (
        f"run:{run}",
        "AC-01",
        "mira",
        "quarterly review",
    )
    assert "AC-01    mira  quarterly review" in site.evidenced("run", "show", run).out


def test_an_artifact_is_tagged_by_its_digest(site, run):
    population = site.evidenced("as-of", "paper.users", "--at", "2999-01-01")
    assert population.code == 2
    now = site.evidenced("runs", "--json").json["runs"][0]["recorded"]
    items = site.evidenced("as-of", "paper.users", "--at", now, "--json").json["populations"][0]["items"]
    assert tag(site, items[0]["artifact"]).code == 0


def test_a_tag_is_withdrawn_by_a_later_claim_and_both_stay(site, run):
    tag(site, run)
    answer = site.evidenced("tag", "withdraw", "1", "--note", "wrong quarter")
    assert (answer.code, answer.out) == (0, "Tag 2 withdraws tag 1\n")
    assert site.evidenced("tag", "list", "--json").json["tags"] == []
    both = site.evidenced("tag", "list", "--all", "--json").json["tags"]
    assert [each["withdraws"] for each in both] == [None, 1]


def test_a_tag_cannot_be_withdrawn_twice(site, run):
    tag(site, run)
    site.evidenced("tag", "withdraw", "1", "--note", "wrong quarter")
    assert "withdrawn already" in site.evidenced("tag", "withdraw", "1", "--note", "again").err
    assert "itself a withdrawal" in site.evidenced("tag", "withdraw", "2", "--note", "again").err


@pytest.mark.parametrize(
    ("claim", "said"),
    [
        ({"target": "nonsense"}, "neither a run nor an artifact"),
        ({"target": "sha256:" + "0" * 64}, "artifact"),
        ({"target": "77-0"}, "77"),
        ({"control": "XX-99"}, "there is no control 'XX-99'"),
        ({"note": " "}, "needs a note"),
    ],
)
def test_a_claim_about_what_is_not_recorded_is_refused(site, run, claim, said):
    answer = tag(site, **{"target": run, **claim})
    assert answer.code == 2
    assert said in answer.err
    assert site.evidenced("tag", "list", "--all", "--json").json["tags"] == []


def test_a_tag_that_was_never_made_cannot_be_withdrawn(site, run):
    assert site.evidenced("tag", "withdraw", "9", "--note", "why").code == 2

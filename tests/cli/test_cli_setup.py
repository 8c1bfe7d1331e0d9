"""From nothing to sources that answer: init, check, kinds, policy, plan before any run."""

from __future__ import annotations

import json
import tomllib

from tests.cli.conftest import DENIED

BUG = {"raises": "a bug", "message": "KeyError: 'Users'"}
OFF = {"raises": "NotEnabled", "message": "doors are not switched on", "hint": "Switch them on."}


# init


def test_init_writes_a_configuration_that_is_toml_and_full_of_comments(site):
    answer = site.evidenced("init", "fresh.toml", config=False)
    text = (site.folder / "fresh.toml").read_text()
    assert answer.code == 0
    assert "Wrote fresh.toml" in answer.out
    assert tomllib.loads(text)["store"]
    assert text.count("#") > 20


def test_init_never_overwrites_a_file(site):
    (site.folder / "mine.toml").write_text("mine")
    answer = site.evidenced("init", "mine.toml", config=False)
    assert (answer.code, answer.out) == (3, "")
    assert answer.err.startswith("error: mine.toml is there already")
    assert (site.folder / "mine.toml").read_text() == "mine"


def test_init_says_where_it_cannot_write(site):
    answer = site.evidenced("init", "no/such/folder.toml", config=False)
    assert answer.code == 3
    assert "cannot be written" in answer.err


# check


def check(site, *more):
    return site.evidenced("check", "--json", *more).json


def test_check_says_that_a_source_answers_as_whom_and_what_it_may_read(site):
    answer = site.evidenced("check")
    assert answer.code == 0
    assert "answers as  paper:reader in site-1" in answer.out
    assert "3 scopes: site, north, south" in answer.out
    assert "3 of 3 kinds can be read" in answer.out


def test_check_names_the_missing_permission_of_each_kind_and_does_not_stop_at_the_first(site):
    site.world({"paper.users": DENIED, "paper.rooms": [{"id": "1"}], "paper.doors": OFF})
    answer = site.evidenced("check")
    assert answer.code == 1
    assert "1 of 3 kinds can be read" in answer.out
    assert "GET /users was refused, it needs paper:read_users" in answer.out
    assert "needs: paper:read_users" in answer.out
    assert "Switch them on." in answer.out
    reasons = {
        each["subject"]["kind"]: (each["trouble"] or {}).get("reason") for each in check(site)["sources"][0]["kinds"]
    }
    assert reasons == {"paper.users": "denied", "paper.doors": "not_enabled", "paper.rooms": None}


def test_check_survives_a_connectors_bug_and_says_whose_it_is(site):
    site.world({"paper.users": BUG, "paper.rooms": [], "paper.doors": []})
    answer = site.evidenced("check")
    assert answer.code == 1
    assert "paper.users (site): RuntimeError: KeyError: 'Users'" in answer.out
    assert "defect of the connector" in answer.out


def test_check_finds_an_item_without_a_key(site):
    site.world({"paper.users": [{"name": "no id"}], "paper.rooms": [], "paper.doors": []})
    assert "failed: invalid" in site.evidenced("check").out


def test_a_source_that_does_not_answer_hides_no_other(site):
    elsewhere = site.folder / "elsewhere.json"
    elsewhere.write_text(json.dumps({"opening": {"raises": "Misconfigured", "message": "no credentials were found"}}))
    site.configure(f'[sources."paper:annex"]\nworld = "{elsewhere}"')
    answer = site.evidenced("check")
    assert answer.code == 1
    assert "does not answer: misconfigured: no credentials were found" in answer.out
    assert "3 of 3 kinds can be read" in answer.out


def test_check_stores_nothing(site):
    site.evidenced("check")
    assert sorted(each.name for each in site.folder.iterdir()) == ["evidenced.toml", "world.json"]


def test_a_kind_is_sampled_in_one_scope_or_in_every_scope(site):
    assert [each["subject"]["scope"] for each in check(site)["sources"][0]["kinds"] if "rooms" in str(each)] == [
        "north"
    ]
    every = check(site, "--every-scope")["sources"][0]["kinds"]
    assert [each["subject"]["scope"] for each in every if "rooms" in str(each)] == ["north", "south"]


def test_check_of_one_source_must_know_it(site):
    answer = site.evidenced("check", "--source", "paper:nowhere")
    assert answer.code == 2
    assert "It has: paper:hq." in answer.err


def test_excluded_kinds_are_named_and_not_sampled(site):
    site.configure('exclude = ["paper.doors"]')
    answer = site.evidenced("check")
    assert "leaves out  paper.doors" in answer.out
    assert "2 of 2 kinds can be read" in answer.out


def test_a_configuration_without_sources_is_not_in_order(site):
    site.config.write_text('[store]\nurl = "sqlite:///evidence.db"\n')
    answer = site.evidenced("check")
    assert answer.code == 1
    assert "names no source" in answer.out


# kinds


def test_kinds_are_listed_with_cadence_scope_and_criteria(site):
    answer = site.evidenced("kinds", "list", "paper.*", config=False)
    assert answer.code == 0
    assert "paper.rooms  Rooms of each building" in answer.out
    assert "3 kinds" in answer.out


def test_kinds_may_be_chosen_by_criterion(site):
    found = site.evidenced("kinds", "list", "paper.*", "--criterion", "CC6.4", "--json", config=False).json
    assert [each["name"] for each in found["kinds"]] == ["paper.rooms"]


def test_a_kind_is_explained_by_its_procedure_and_what_is_inferred(site):
    answer = site.evidenced("kinds", "explain", "paper.users", config=False)
    assert "- op: GET /users" in answer.out
    assert "needs      paper:read_users" in answer.out
    found = site.evidenced("kinds", "explain", "paper.users", "--json", config=False).json
    assert found["procedure"]["name"] == "paper.users"
    assert found["digest"].startswith("sha256:")


def test_an_unknown_kind_is_answered_with_the_nearest(site):
    answer = site.evidenced("kinds", "explain", "paper.user", config=False)
    assert answer.code == 2
    assert "Did you mean: paper.users" in answer.err


def test_lint_says_how_many_kinds_it_checked(site):
    answer = site.evidenced("kinds", "lint", "paper.*", config=False)
    assert (answer.code, answer.out) == (0, "3 kinds checked, 0 problems\n")


def test_lint_ends_with_1_when_a_kind_is_wrong(site, monkeypatch):
    from tests.fakes import paper, paper_file

    wrong = paper.USERS.model_copy(update={"criteria": ["CC99.9"]})
    monkeypatch.setattr(paper_file.connector, "kinds", lambda: {wrong.name: wrong})
    answer = site.evidenced("kinds", "lint", "paper.*", config=False)
    assert answer.code == 1
    assert "there is no criterion 'CC99.9'" in answer.out


# policy


def test_a_policy_allows_what_the_configuration_enables_and_no_more(site):
    site.configure('exclude = ["paper.doors"]')
    answer = site.evidenced("policy", "paper")
    assert answer.json == {"allow": ["paper:read_rooms", "paper:read_users"]}


def test_without_a_configuration_a_policy_allows_every_kind(site):
    site.config.unlink()
    answer = site.evidenced("policy", "paper", "--json", config=False)
    assert answer.json["kinds"] == ["paper.doors", "paper.rooms", "paper.users"]


def test_policy_documents_are_written_to_a_folder(site):
    answer = site.evidenced("policy", "paper", "--into", "policies")
    assert answer.out == "policies/evidenced-paper-1.json\n"
    assert "allow" in json.loads((site.folder / "policies/evidenced-paper-1.json").read_text())


def test_a_policy_of_an_unknown_connector_names_those_installed(site):
    answer = site.evidenced("policy", "nobody")
    assert answer.code == 2
    assert "Installed:" in answer.err
    assert "paper" in answer.err


def test_a_policy_of_a_source_that_is_not_configured_is_refused(site):
    assert site.evidenced("policy", "paper", "--source", "paper:nowhere").code == 2


# plan


def test_before_any_run_there_is_no_plan_but_what_would_be_one_can_be_seen(site):
    site.store().close()
    refused = site.evidenced("plan", "show")
    assert refused.code == 2
    assert "--configured" in refused.err
    answer = site.evidenced("plan", "show", "--configured")
    assert answer.code == 0
    assert "paper.rooms" in answer.out

"""oscal-assessment-results.json is OSCAL that tools read: what was observed, where its evidence is, and no verdict."""

from __future__ import annotations

import json
import re
from datetime import timedelta

import pytest
from trestle.oscal.assessment_results import AssessmentResults, Model

from collector.ask.coverage import Row
from collector.coverage import Gap, Tally
from collector.export.facts import Serves
from collector.export.oscal import MOST_EVIDENCE, assessment_results
from collector.model import Outcome, Period, Subject
from tests.export.conftest import facts, members
from tests.verify.conftest import NOON, USERS

NAME = "oscal-assessment-results.json"
TALLY = Tally(due=5, collected=3, unchanged=3, failed=1, missed=1, longest_gap=timedelta(hours=2), gaps=1)
CAUSE = "denied [x](javascript:alert(1)) <script>alert(1)</script> \u202e `code`"


def document(versions=(), erased=(), **more):
    """Return the assessment results of a criterion, a control and a kind that shows both."""
    gap = Gap(USERS, Period(NOON, NOON + timedelta(hours=2)), Outcome.MISSED, None, CAUSE, 1, ())
    grouped = {"criterion": "CC6.1", "control": "AC-01", "kind": "paper.users", "source": "paper:hq"}
    rows = {by: [Row(name, "", TALLY)] for by, name in grouped.items()}
    named = facts(gaps=[gap], **rows, **more)
    named.serves["paper.users"] = Serves(("CC6.1",), ("AC-01",))
    made = json.loads(b"".join(assessment_results(named, versions, erased, "a" * 64)))
    return made["assessment-results"]


def observed(made, title):
    return next(each for each in made["results"][0]["observations"] if each["title"] == title)


def properties(observation):
    found = {}
    for each in observation["props"]:
        found.setdefault(each["name"], []).append(each["value"])
    return found


def versions(count, kind="paper.users"):
    subject = Subject("paper:hq", kind, "site")
    return [
        (subject.source, kind, "site", f"{at:064x}", 1_773_000_000_000 + at, None, f"{at:064x}") for at in range(count)
    ]


def test_trestle_reads_it_and_finds_nothing_that_oscal_does_not_have(bundle):
    said = json.loads(members(bundle)[f"data/{NAME}"])
    read = Model.model_validate(said).assessment_results
    assert isinstance(read, AssessmentResults)
    assert json.loads(read.oscal_serialize_json())["assessment-results"].keys() == said["assessment-results"].keys()
    assert said["assessment-results"]["metadata"]["oscal-version"] == "1.1.3"
    Model.model_validate({"assessment-results": document(versions(3))})


def test_it_concludes_nothing(bundle):
    said = members(bundle)[f"data/{NAME}"].decode()
    assert not re.search(r'"(findings|risks|attestations|satisfied|not-satisfied|objective-status)"', said)


def test_every_file_that_it_names_is_in_the_bundle(bundle):
    there = members(bundle)
    hrefs = set(re.findall(r'"href": "([^"#]+)"', there[f"data/{NAME}"].decode()))
    assert {"index.csv", "sweeps.jsonl", "log/leaves"} < hrefs
    assert hrefs <= {name.removeprefix("data/") for name in there}


def test_what_stands_for_the_plan_is_the_document_of_the_terms(bundle):
    there = members(bundle)
    said = json.loads(there[f"data/{NAME}"])["assessment-results"]
    terms = next(each for each in said["back-matter"]["resources"] if "#" + each["uuid"] == said["import-ap"]["href"])
    [link] = terms["rlinks"]
    assert json.loads(there[f"data/{link['href']}"])["name"] == "whole"
    assert link["hashes"][0]["value"] == link["href"].rpartition("/")[2]


def test_an_observation_of_a_kind_has_its_slots_what_it_serves_and_the_contents(tmp_path):
    made = observed(document(versions(2)), "paper.users")
    said = properties(made)
    assert [said[name] for name in ("slots-due", "slots-missed", "gaps", "criterion", "control")] == [
        ["5"], ["1"], ["1"], ["CC6.1"], ["AC-01"],
    ]  # fmt: skip
    assert {each["href"] for each in made["relevant-evidence"]} == {
        "index.csv", "sweeps.jsonl", "artifacts/00/" + "0" * 64, "artifacts/00/" + "0" * 63 + "1",
    }  # fmt: skip


def test_what_was_erased_is_not_named_as_a_file():
    made = observed(document(versions(2), erased={"0" * 64}), "paper.users")
    assert "artifacts/00/" + "0" * 64 not in {each["href"] for each in made["relevant-evidence"]}


def test_of_many_contents_some_are_named_and_how_many_there_are_is_said():
    made = observed(document(versions(MOST_EVIDENCE + 7)), "paper.users")
    named = [each for each in made["relevant-evidence"] if each["href"].startswith("artifacts/")]
    assert len(named) == MOST_EVIDENCE
    assert f"{MOST_EVIDENCE + 7:,} contents" in made["relevant-evidence"][0]["description"]


def test_an_observation_has_the_same_uuid_at_every_size_of_the_log_and_the_document_another(whole):
    small, large = document(), document(head_at=NOON + timedelta(days=1))
    assert observed(small, "paper.users")["uuid"] == observed(large, "paper.users")["uuid"]
    assert document(name="other")["uuid"] == small["uuid"]
    assert document(size=8)["uuid"] != small["uuid"]


def test_every_uuid_is_of_version_5_and_names_one_thing():
    said = json.dumps(document(versions(3)))
    found = re.findall(r'"uuid": "([^"]+)"', said)
    assert len(found) == len(set(found)) and all(each[14] == "5" for each in found)


def test_the_text_of_a_cause_is_no_markup():
    remarks = observed(document(), "paper.users")["remarks"]
    assert "<script" not in remarks and "](" not in remarks and "\u202e" not in remarks and "\\`code" in remarks


@pytest.mark.parametrize("name", ["<b>", "\u202e", " x "])
def test_an_engagement_may_be_called_anything(name):
    assert Model.model_validate({"assessment-results": document(name=name)})

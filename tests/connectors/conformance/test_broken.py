"""The promises can be broken: a connector that is wrong in one place breaks the one that is about it."""

from __future__ import annotations

from pathlib import Path

import pytest

from collector.http.declared import declared
from collector.installed import connectors
from collector.testing import Trial, cases
from tests.connectors.conformance.worlds import WORLDS

CONNECTORS = Path(__file__).parents[3] / "connectors"
INTO = 'into = "changelog"'
PAGED = 'paging = { style = "token", next = "nextPageToken", more = "!isLast", param = "nextPageToken" }'


@pytest.mark.parametrize(
    ("vendor", "change", "promise", "said"),
    [
        ("jira", ('criteria = ["CC7.4", "CC8.1"]', ""), "it says what it is and what it needs", "criterion"),
        ("jira", ('grants = ["read:jira-work"]', ""), "it says what it is and what it needs", "permission"),
        ("jira", (PAGED, 'paging = "none"'), "every item is read once", "not read"),
        ("jira", (PAGED, 'paging = "none"'), "trouble on the last page keeps no part of the list", "request 3"),
        ("jira", ('key = "key"', 'key = "type"'), "every item is read once", "not held: ['Change']"),
        ("jira", (INTO, f"{INTO}, absent = [403]"), "each denied call fails the run", "the run is collected"),
        ("gworkspace", ('volatile = ["lastLoginTime"]', ""), "two readings of one state have one digest", "volatile"),
        ("gworkspace", ("orgUnitPath: orgUnitPath, ", ""), "a secret in a text is not kept", "textless"),
    ],
)
def test_what_is_wrong_breaks_its_promise(tmp_path, vendor, change, promise, said):
    right, wrong = change
    text = (CONNECTORS / vendor / f"{vendor}.toml").read_text()
    assert right in text
    folder = tmp_path / "broken"
    folder.mkdir()
    (folder / f"{vendor}.toml").write_text(text.replace(right, wrong))
    broken = declared(folder)
    (case,) = [case for case in cases(broken) if str(case).endswith(f": {promise}")]
    with WORLDS[vendor](tmp_path) as world, Trial(broken, world) as trial, pytest.raises(AssertionError) as caught:
        case(trial)
    assert said in str(caught.value)


def test_an_exception_for_a_kind_that_does_not_exist_is_refused():
    with pytest.raises(ValueError, match=r"jira has no kind jira\.isues"):
        cases(connectors()["jira"], unpaged=["jira.isues"])


def test_what_does_not_concern_a_kind_is_left_out():
    jira = connectors()["jira"]
    left_out = {*map(str, cases(jira))} - {*map(str, cases(jira, textless=["jira.issues_change"]))}
    assert left_out == {"jira.issues_change: a secret in a text is not kept"}

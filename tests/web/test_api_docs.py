"""The OpenAPI document and docs/api.md say of each route what a program and a person need to know."""

from __future__ import annotations

from pathlib import Path

import pytest

from collector.access import Right
from collector.api import PREFIX, application

DOCUMENT = application(None).openapi()
ROUTES = {
    f"{method.upper()} {path}": operation
    for path, methods in DOCUMENT["paths"].items()
    for method, operation in methods.items()
}
DOCS = (Path(__file__).parents[2] / "docs" / "api.md").read_text(encoding="utf-8")


def test_the_document_is_there_without_a_token(served):
    answer = served.api("").get(f"{PREFIX}/openapi.json")
    assert answer.status_code == 200
    assert answer.json()["openapi"].startswith("3.1") and answer.json()["paths"].keys() == DOCUMENT["paths"].keys()


def test_every_operation_has_a_name_of_its_own_a_tag_and_words():
    names = [each["operationId"] for each in ROUTES.values()]
    assert len(set(names)) == len(names)
    for name, each in ROUTES.items():
        assert each["tags"] and each["description"] and each["summary"], name


@pytest.mark.parametrize("name", ROUTES)
def test_docs_list_each_route_with_the_right_it_needs(name):
    operation = ROUTES[name]
    written = name.replace("/engagements/{engagement}/", "E/")
    far = ", installation" if operation["x-reach"] == "installation" else ""
    assert f"| `{written}` | {Right(operation['x-right'])}{far} |" in DOCS


def test_docs_list_no_route_that_is_not_there():
    listed = [line.split("`")[1] for line in DOCS.splitlines() if line.startswith(("| `GET ", "| `POST "))]
    assert len(listed) == len(set(listed)) == len(ROUTES)


def test_every_post_says_what_happens_when_it_is_sent_again():
    for name, each in ROUTES.items():
        assert name.startswith("GET ") or "Repeated" in each["description"], name


def test_every_field_of_every_form_is_described_or_plain():
    """A form says what it is; no schema is an object of anything without saying why."""
    for name, each in DOCUMENT["components"]["schemas"].items():
        assert each.get("description") or name.startswith("Body_"), name


def test_every_error_is_documented_as_a_problem():
    for name, each in ROUTES.items():
        for status, answer in each["responses"].items():
            if int(status) >= 400:
                assert list(answer["content"]) == ["application/problem+json"], (name, status)


def test_what_can_be_read_after_it_was_recorded_says_where():
    told = {name for name, each in ROUTES.items() if "Location" in _good(each).get("headers", {})}
    within = "POST /engagements/{engagement}"
    assert told == {
        "POST /engagements", "POST /snapshots", *(f"{within}/{each}" for each in ("populations", "samples", "uploads"))
    }  # fmt: skip


def _good(operation):
    return next(each for status, each in operation["responses"].items() if status.startswith("2"))

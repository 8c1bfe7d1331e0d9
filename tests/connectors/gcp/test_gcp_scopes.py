"""The tree and what is read of it: whatever is not to be read is named, and what cannot be seen is not empty."""

from __future__ import annotations

import pytest

from collector.errors import Denied, Truncated
from collector.model import Detail, Outcome, Reason, Scope
from tests.connectors.gcp.organisation import COUNT, ORG, PROJECTS, TEST, folder, project
from tests.fakes.described.trouble import go_round, refuse

TREE = "gcp.resourcemanager.projects"
GOING = project(20, "folders/1", state="DELETE_REQUESTED", deleteTime="2026-03-01T00:00:00Z")
LOST = project(21, "folders/99")
ELSEWHERE = project(22, "organizations/999")
NOBODYS = project(23, "")


@pytest.fixture
def odd(organisation):
    """The usual tree, with a project that is being deleted, one whose folder is not seen, and two of others."""
    del NOBODYS["parent"]
    organisation.tree(GOING, LOST, ELSEWHERE, NOBODYS, folders=(folder(30, "folders/2", state="DELETE_REQUESTED"),))
    yield organisation
    NOBODYS["parent"] = ""
    organisation.tree()


def scopes(reader, **settings):
    """Return the scopes by level and name, with why each is left out."""
    return {(each.level, each.name): each.excluded for each in reader(**settings).session.scopes()}


def test_the_organisation_its_folders_and_projects_are_scopes(organisation, reader):
    found = scopes(reader)
    projects = {f"acme-{n}" for n in range(COUNT)}
    parents = {
        f"organizations/{ORG}",
        *(f"folders/{n + 1}" for n in range(COUNT)),
        *(f"projects/{p}" for p in projects),
    }
    assert {name for level, name in found if level == "organization"} == {ORG}
    assert {name for level, name in found if level == "project"} == projects
    assert {name for level, name in found if level == "parent"} == parents
    assert set(found.values()) == {""}


@pytest.mark.parametrize(
    ("level", "name", "why"),
    [
        ("project", "acme-20", "it is being deleted since 2026-03-01T00:00:00Z"),
        ("parent", "projects/acme-20", "it is being deleted since 2026-03-01T00:00:00Z"),
        ("parent", "folders/30", "it is being deleted"),
        ("project", "acme-21", "folders/99 above it is not seen by us: whose it is, is unknown"),
    ],
)
def test_what_is_not_read_is_named_with_why(odd, reader, level, name, why):
    assert scopes(reader)[level, name] == why


@pytest.mark.parametrize("name", ["acme-22", "acme-23"])
def test_projects_of_others_are_no_scopes(odd, reader, name):
    assert ("project", name) not in scopes(reader)


def test_projects_are_left_out_by_the_configuration(reader):
    found = scopes(reader, exclude_projects=["*-3"])
    assert found["project", "acme-3"] == "excluded by the configuration: *-3"
    assert found["parent", "projects/acme-3"] == "excluded by the configuration: *-3"
    assert found["project", "acme-4"] == ""


def test_the_population_of_projects_has_those_being_deleted_and_those_in_doubt(odd, reader):
    found = {each["projectId"]: each for each in reader().read(TREE)}
    assert set(found) == {*(f"acme-{n}" for n in range(COUNT)), "acme-20", "acme-21"}
    assert found["acme-20"]["state"] == "DELETE_REQUESTED"
    assert found["acme-21"]["ancestors"] == ["folders/99"]


@pytest.mark.parametrize("lacking", ["resourcemanager.folders.get", "resourcemanager.projects.get"])
def test_a_permission_that_lacks_is_denied_and_not_an_empty_tree(organisation, reader, lacking):
    """A search answers what the caller may see: without the permission nothing, with status 200."""
    held = {"resourcemanager.folders.get", "resourcemanager.projects.get"} - {lacking}
    organisation.tree(held=tuple(held))
    try:
        run = reader().collect(TREE).run
        assert (run.outcome, run.reason) == (Outcome.FAILED, Reason.DENIED)
        assert lacking in run.message
        assert lacking in run.hint
        with pytest.raises(Denied, match=lacking):
            scopes(reader)
    finally:
        organisation.tree()


def test_an_organisation_that_is_not_ours_is_denied_and_not_empty(reader, fake):
    fake.trouble(TEST, refuse(403, "IAM_PERMISSION_DENIED", "The caller does not have permission"))
    assert reader().collect(TREE).run.reason is Reason.DENIED


def test_a_tree_that_goes_round_has_no_scopes(reader, fake):
    """A scope that is missing would be evidence that is missing, without a gap to show it."""
    fake.trouble(PROJECTS, go_round())
    with pytest.raises(Truncated, match="a second time"):
        scopes(reader)


def test_an_organisation_without_projects_is_empty(organisation, reader, fake):
    fake.put(PROJECTS, items=[])
    try:
        assert reader().collect(TREE).run.detail is Detail.EMPTY
        assert not [each for each in reader().session.scopes() if each.level == "project"]
    finally:
        organisation.tree()


def test_a_kind_is_not_read_at_another_level(reader):
    run = reader().collect("gcp.compute.firewalls", Scope(ORG, "organization")).run
    assert (run.outcome, run.reason) == (Outcome.FAILED, Reason.MISCONFIGURED)

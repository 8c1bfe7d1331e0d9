"""For every kind: the population is what the organisation holds, over many pages, and each call is counted."""

from __future__ import annotations

import json

import pytest

from collector.model import Detail, Outcome, Scope
from connectors.gcp import connector
from tests.connectors.gcp.conftest import SCOPES
from tests.connectors.gcp.organisation import COUNT, ORG
from tests.fakes.described.trouble import empty_page

every_kind = pytest.mark.parametrize("kind", connector.kinds())

# Calls to read seven things, three a page (keys and users have no pages): (operation, calls).
CALLS = {
    "gcp.resourcemanager.projects": [1, 3, 3],
    "gcp.asset.iam_policies": [3],
    "gcp.orgpolicy.policies": [3, 7],
    "gcp.iam.service_account_keys": [3, 7],
    "gcp.logging.sinks": [3],
    "gcp.compute.firewalls": [3],
    "gcp.storage.buckets": [3, 7],
    "gcp.sql.instances": [3, 6],
}


def as_set(items):
    return sorted(json.dumps(item, sort_keys=True) for item in items)


@every_kind
def test_the_items_are_what_the_organisation_holds(organisation, reader, kind):
    assert as_set(reader().read(kind)) == as_set(organisation.held[kind])


@every_kind
def test_the_run_has_a_population_of_all_keys(organisation, reader, kind):
    observation = reader().collect(kind)
    assert (observation.run.outcome, observation.run.message) == (Outcome.COLLECTED, "")
    field = connector.kinds()[kind].key
    assert sorted(each.key for each in observation.changes) == sorted(each[field] for each in organisation.held[kind])
    assert observation.run.counts.items == len(organisation.held[kind]) >= COUNT


@every_kind
def test_every_request_is_counted_in_the_run(reader, fake, kind):
    """As many as the source was asked, whoever wrote the request: each with its pages and the source's own time."""
    source = reader()
    source.session.principal()
    fake.calm()
    source.read(kind)
    assert [each.calls for each in source.calls.values()] == CALLS[kind]
    assert sum(each.calls for each in source.calls.values()) == sum(fake.calls.values())
    assert all(each.pages == each.calls and each.drained and each.first_date for each in source.calls.values())


@every_kind
def test_two_readings_of_one_state_have_one_digest(reader, kind):
    source = reader()
    assert source.collect(kind).run.population == source.collect(kind).run.population


@every_kind
def test_a_page_without_items_in_the_middle_loses_nothing(organisation, reader, fake, kind):
    source = reader()
    source.session.principal()
    fake.trouble("*.list", empty_page(), times=1)
    fake.trouble("*.search", empty_page(), times=1)
    assert as_set(source.read(kind)) == as_set(organisation.held[kind])


@pytest.mark.parametrize("parent", [f"organizations/{ORG}", "folders/1"])
@pytest.mark.parametrize("kind", ["gcp.orgpolicy.policies", "gcp.logging.sinks"])
def test_organisation_and_folders_have_populations_of_their_own(reader, kind, parent):
    found = reader().collect(kind, Scope(parent, "parent"))
    assert (found.run.counts.items, found.run.detail) == (COUNT, Detail.CHANGED)


def test_a_project_without_anything_is_empty_and_not_failed(reader, fake):
    fake.put("compute.v1:firewalls.list", project="acme-1", items=[], about={"kind": "compute#firewallList"})
    run = reader().collect("gcp.compute.firewalls", Scope("acme-1", "project")).run
    assert (run.outcome, run.detail) == (Outcome.COLLECTED, Detail.EMPTY)


@every_kind
def test_a_sample_reads_no_second_page(reader, kind):
    source = reader()
    assert len(source.read(kind, sample=True)) >= 1
    lists = [each for each in source.calls.values() if not each.drained]
    assert lists
    assert all(each.calls == 1 for each in lists)


@every_kind
def test_lint_finds_nothing(kind):
    assert connector.lint(connector.kinds()[kind]) == []
    assert connector.kinds()[kind].scope in SCOPES

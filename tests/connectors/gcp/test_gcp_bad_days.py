"""What Google, the network or a proxy can do to a run: the right reason, and never an empty or a short population."""

from __future__ import annotations

import pytest

from collector.errors import Denied, Invalid, Misconfigured, ReadError, Throttled, Truncated, Unavailable
from collector.model import Outcome, Reason, Scope
from connectors.gcp import connector
from tests.connectors.gcp.organisation import (
    ACCOUNTS,
    ASSETS,
    BUCKET_IAM,
    BUCKETS,
    COUNT,
    EFFECTIVE,
    FIREWALLS,
    FOLDERS,
    INSTANCES,
    KEYS,
    POLICIES,
    PROJECT,
    PROJECTS,
    SINKS,
    TEST,
    USERS,
)
from tests.fakes.described import trouble

# Kind, its calls in order, the permission of each.
SEEN = "resourcemanager.folders.get or resourcemanager.projects.get"
CALLS = [
    ("gcp.resourcemanager.projects", TEST, SEEN),
    ("gcp.resourcemanager.projects", FOLDERS, SEEN),
    ("gcp.resourcemanager.projects", PROJECTS, SEEN),
    ("gcp.asset.iam_policies", ASSETS, "cloudasset.assets.listIamPolicy"),
    ("gcp.orgpolicy.policies", POLICIES.format("projects"), "orgpolicy.policies.list"),
    ("gcp.orgpolicy.policies", EFFECTIVE, "orgpolicy.policy.get"),
    ("gcp.iam.service_account_keys", ACCOUNTS, "iam.serviceAccounts.list"),
    ("gcp.iam.service_account_keys", KEYS, "iam.serviceAccountKeys.list"),
    ("gcp.logging.sinks", SINKS.format("projects"), "logging.sinks.list"),
    ("gcp.compute.firewalls", FIREWALLS, "compute.firewalls.list"),
    ("gcp.storage.buckets", BUCKETS, "storage.buckets.list or storage.buckets.getIamPolicy"),
    ("gcp.storage.buckets", BUCKET_IAM, "storage.buckets.getIamPolicy"),
    ("gcp.sql.instances", INSTANCES, "cloudsql.instances.list"),
    ("gcp.sql.instances", USERS, "cloudsql.users.list"),
]
every_call = pytest.mark.parametrize(("kind", "operation"), [call[:2] for call in CALLS])
PAGED = [(kind, each) for kind, each, _ in CALLS if each not in (TEST, EFFECTIVE, KEYS, BUCKET_IAM, USERS)]
every_list = pytest.mark.parametrize(("kind", "operation"), PAGED)
DETAILS = [call[:2] for call in CALLS if call[1] in (EFFECTIVE, BUCKET_IAM, USERS)]


def failure(reader, kind, *, limit_s=60.0, **settings):
    """Read *kind* and return the `ReadError`; that it comes is the point."""
    with pytest.raises(ReadError) as caught:
        reader(**settings).read(kind, limit_s=limit_s)
    return caught.value


def test_the_table_of_calls_is_that_of_the_kinds():
    assert [kind for kind, _, _ in CALLS] == [
        name for name in dict.fromkeys(call[0] for call in CALLS) for _ in connector.kinds()[name].calls
    ]
    assert {kind for kind, _, _ in CALLS} == set(connector.kinds())


@pytest.mark.parametrize(("kind", "operation", "grant"), CALLS)
def test_a_denied_call_fails_the_run_and_names_the_permission(reader, fake, kind, operation, grant):
    """The first call or any detail: an item whose detail was refused is unknown, not absent."""
    fake.trouble(operation, trouble.deny())
    error = failure(reader, kind)
    assert type(error) is Denied
    assert f"it needs {grant}:" in error.message
    assert set(grant.split(" or ")) <= set(connector.grants(connector.kinds()[kind]))


@every_call
def test_one_refused_answer_among_many_is_enough(reader, fake, kind, operation):
    source = reader()
    source.read(kind)
    asked = fake.calls[operation]
    fake.calm()
    fake.trouble(operation, trouble.deny(), nth=asked, times=1)
    with pytest.raises(Denied):
        source.read(kind)


@every_call
def test_a_service_that_is_not_enabled_is_neither_denied_nor_empty(reader, fake, kind, operation):
    fake.trouble(operation, trouble.disable())
    run = reader().collect(kind).run
    assert (run.outcome, run.reason) == (Outcome.FAILED, Reason.NOT_ENABLED)
    assert "SERVICE_DISABLED" in run.message


@every_call
def test_a_throttled_call_is_made_again_and_counted(organisation, reader, fake, kind, operation):
    fake.trouble(operation, trouble.throttle(), times=1)
    source = reader(attempts=2)
    assert len(source.read(kind)) == len(organisation.held[kind])
    assert sum(each.retries for each in source.calls.values()) == 1


@every_call
def test_a_call_that_stays_throttled_is_given_up_as_such(reader, fake, kind, operation):
    fake.trouble(operation, trouble.throttle())
    assert type(failure(reader, kind, attempts=3)) is Throttled
    assert fake.calls[operation] >= 3


@every_call
def test_a_token_that_ends_in_the_middle_is_renewed(organisation, reader, fake, kind, operation):
    """Once, and the item it was needed for is not lost."""
    fake.trouble(operation, trouble.expire(), nth=fake.calls[operation] + 1, times=1)
    assert len(reader().read(kind)) == len(organisation.held[kind])


@every_call
def test_credentials_that_are_over_are_the_operators_business(reader, fake, kind, operation):
    fake.trouble(operation, trouble.expire())
    assert type(failure(reader, kind)) is Misconfigured


NO_ANSWERS = {
    "it fails": (trouble.fail(500), Unavailable),
    "it hangs up": (trouble.hang_up(), Unavailable),
    "it is cut": (trouble.cut(), Truncated),
    "it is shortened": (trouble.shorten(), Invalid),
    "it is a web page": (trouble.garbage(), Invalid),
    "it is empty": (trouble.garbage(b""), Invalid),
    "it is null": (trouble.garbage(b"null"), Invalid),
}


@every_call
@pytest.mark.parametrize("how", NO_ANSWERS)
def test_an_answer_that_is_none_is_no_population(reader, fake, kind, operation, how):
    what, expected = NO_ANSWERS[how]
    fake.trouble(operation, what)
    assert type(failure(reader, kind)) is expected


@pytest.mark.parametrize(
    ("kind", "operation"), [call[:2] for call in CALLS if call[1] in (FIREWALLS, BUCKETS, INSTANCES, USERS)]
)
def test_json_that_says_it_is_another_list_is_not_empty(reader, fake, kind, operation):
    fake.trouble(operation, trouble.garbage(b'{"kind": "welcome#guest"}'))
    assert type(failure(reader, kind)) is Invalid


@every_list
def test_a_token_that_comes_again_is_truncated(reader, fake, kind, operation):
    fake.trouble(operation, trouble.page_for_ever())
    fake.trouble(operation, trouble.repeat_token())
    assert type(failure(reader, kind)) is Truncated


@every_list
def test_pages_without_end_end_with_the_runs_time(reader, fake, kind, operation):
    source = reader()
    source.session.principal()
    fake.trouble(operation, trouble.page_for_ever())
    with pytest.raises(Unavailable, match="limit"):
        source.read(kind, limit_s=0.4)


@every_list
def test_a_circle_of_pages_is_no_population(reader, fake, kind, operation):
    fake.trouble(operation, trouble.go_round())
    run = reader().collect(kind).run
    assert (run.outcome, run.reason) == (Outcome.FAILED, Reason.TRUNCATED)


@pytest.mark.parametrize(("kind", "operation"), DETAILS)
def test_an_item_deleted_since_it_was_listed_is_left_out(organisation, reader, fake, kind, operation):
    """It is no error, and no reason to doubt the others."""
    source = reader()
    source.read(kind)
    asked = next(ask.path for ask in fake.asks if ask.name == operation)
    fake.trouble(operation, trouble.gone(), when=lambda ask: ask.path == asked)
    assert len(source.read(kind)) == len(organisation.held[kind]) - 1


def test_an_account_deleted_since_it_was_listed_fails_the_keys(reader, fake):
    """Google says the same of one that was made a moment ago: what keys it has is not known."""
    fake.trouble(KEYS, trouble.gone(), times=1)
    assert type(failure(reader, "gcp.iam.service_account_keys")) is Invalid


MISSING = {
    "gcp.compute.firewalls": (FIREWALLS, {"kind": "compute#firewallList", "warning": {"code": "UNREACHABLE"}}),
    "gcp.sql.instances": (INSTANCES, {"kind": "sql#instancesList", "warnings": [{"code": "REGION_UNREACHABLE"}]}),
}


@pytest.mark.parametrize("kind", MISSING)
def test_a_list_that_says_a_part_is_missing_is_unavailable(reader, fake, kind):
    operation, beside = MISSING[kind]
    fake.put(operation, project="acme-2", items=[], about=beside)
    assert reader().collect(kind, Scope("acme-2", "project")).run.reason is Reason.UNAVAILABLE


def test_a_warning_that_takes_nothing_away_is_none(reader, fake):
    about = {"kind": "compute#firewallList", "warning": {"code": "NO_RESULTS_ON_PAGE"}}
    fake.put(FIREWALLS, project="acme-3", items=[], about=about)
    scope = Scope("acme-3", "project")
    assert reader().collect("gcp.compute.firewalls", scope).run.outcome is Outcome.COLLECTED


def test_users_that_go_on_are_truncated(reader, fake):
    """Google says that it does not use this token; then nothing may be missing behind one."""
    users = {"kind": "sql#usersList", "nextPageToken": "more"}
    fake.put(USERS, project=PROJECT, instance="db-0", items=[], about=users)
    try:
        assert type(failure(reader, "gcp.sql.instances")) is Truncated
    finally:
        fake.take(USERS, project=PROJECT, instance="db-0")


def test_of_a_stopped_instance_no_users_are_known(organisation, reader):
    stopped = [each for each in reader().read("gcp.sql.instances") if "users" not in each]
    assert [each["settings"]["activationPolicy"] for each in stopped] == ["NEVER"]
    assert COUNT > 1

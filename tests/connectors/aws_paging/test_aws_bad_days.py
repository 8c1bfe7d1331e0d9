"""What AWS, the network or a proxy can do to a run: the right reason, and never an empty or a short population."""

from __future__ import annotations

from collections import defaultdict
from datetime import UTC, datetime, timedelta
from threading import Event

import pytest

from collector.collect import Task, collect
from collector.errors import (
    Denied,
    Invalid,
    Misconfigured,
    ReadError,
    Throttled,
    Truncated,
    Unavailable,
)
from collector.model import Head, Outcome, Provenance, Reason, Scope, Subject, Trigger
from connectors.aws import connector
from tests.fakes.aws import trouble
from tests.fakes.aws.model import operation_model
from tests.fakes.aws.paging import paging_of
from tests.fakes.aws.refusal import denied

KINDS = connector.kinds()


def operations(kind):
    """Every operation a kind calls, as ``(service, operation)``, the first call first."""
    names, service = [], ""
    for call in KINDS[kind].calls:
        before, _, name = call.op.rpartition(".")
        service = before or service
        names.append((service, name))
    return names


CALLS = [(kind, *call) for kind in KINDS for call in dict.fromkeys(operations(kind))]
every_call = pytest.mark.parametrize(("kind", "service", "operation"), CALLS)
every_kind = pytest.mark.parametrize("kind", KINDS)


def paging(call):
    return paging_of(operation_model(*call[1:]))


# AWS lists one configuration there, whatever its token is for: it is read as one answer.
PAGED = [call for call in CALLS if paging(call) and call[2] != "DescribeOrganizationConfiguration"]
every_paged = pytest.mark.parametrize(("kind", "service", "operation"), PAGED)

# One of each protocol: IAM query, KMS json, EC2 its own, GuardDuty rest-json, S3 rest-xml.
SPOKEN = {
    "aws.iam.authorization_details": ("iam", "GetAccountAuthorizationDetails"),
    "aws.kms.keys": ("kms", "ListKeys"),
    "aws.ec2.security_groups": ("ec2", "DescribeSecurityGroups"),
    "aws.guardduty.detectors": ("guardduty", "ListDetectors"),
    "aws.s3.bucket_encryption": ("s3", "ListBuckets"),
}
every_protocol = pytest.mark.parametrize("kind", SPOKEN)


# botocore takes S3's answer with a broken body for a failure, and asks again.
NOT_XML = defaultdict(lambda: (Invalid,), s3=(Unavailable, Invalid))


def failure(reader, kind, **how):
    """Read *kind* and return the `ReadError`; that it comes is the point."""
    with pytest.raises(ReadError) as caught:
        reader.read(kind, **how)
    return caught.value


@every_call
def test_a_denied_call_fails_the_run_and_names_the_permission(aws, reader, kind, service, operation):
    """The first call or any detail: an item whose detail was refused is unknown, not absent."""
    aws.trouble(service, operation, trouble.deny())
    error = failure(reader(aws), kind)
    action = denied(operation_model(service, operation), "").message.split("perform: ")[1].split(" ")[0]
    assert type(error) is Denied
    assert f"it needs {action}:" in error.message
    assert action in error.hint()
    assert action in connector.grants(KINDS[kind])


@every_call
def test_one_refused_answer_among_many_is_enough(aws, reader, kind, service, operation):
    asked = reader(aws).read(kind)[1][f"{service}.{operation}"].calls
    aws.trouble(service, operation, trouble.deny(), nth=asked, times=1)
    assert type(failure(reader(aws), kind)) is Denied


@every_call
def test_a_failing_service_is_unavailable(aws, reader, kind, service, operation):
    aws.trouble(service, operation, trouble.fail(500))
    assert type(failure(reader(aws), kind)) is Unavailable


@every_call
def test_half_an_answer_is_never_taken_for_a_whole_one(aws, reader, kind, service, operation):
    """The connection breaks in the middle of a body: botocore itself reads half a JSON body as an empty answer."""
    aws.trouble(service, operation, trouble.cut())
    assert type(failure(reader(aws), kind)) is Truncated


@every_call
def test_a_body_cut_by_a_proxy_that_corrects_the_length_is_invalid(aws, reader, kind, service, operation):
    aws.trouble(service, operation, trouble.shorten())
    assert type(failure(reader(aws), kind)) in NOT_XML[service]


@every_call
def test_a_web_page_is_invalid(aws, reader, kind, service, operation):
    """The login page of a hotel's network, with status 200."""
    aws.trouble(service, operation, trouble.garbage())
    assert type(failure(reader(aws), kind)) is Invalid


@every_call
def test_an_answer_without_a_word_is_invalid(aws, reader, kind, service, operation):
    aws.trouble(service, operation, trouble.garbage(b""))
    assert type(failure(reader(aws), kind)) in NOT_XML[service]


@every_call
def test_well_formed_xml_that_is_no_answer_is_invalid(aws, reader, kind, service, operation):
    """botocore finds nothing that it knows in it: no buckets, no policy, encryption unknown, and no error."""
    aws.trouble(service, operation, trouble.garbage(b"<?xml version='1.0'?><welcome><name>guest</name></welcome>"))
    assert type(failure(reader(aws), kind)) is Invalid


@every_kind
def test_a_throttled_kind_says_so(aws, reader, kind):
    service, operation = operations(kind)[-1]
    aws.trouble(service, operation, trouble.throttle())
    error = failure(reader(aws), kind)
    assert type(error) is Throttled
    assert f"{service}.{operation}" in error.message


@every_protocol
def test_credentials_that_are_over_are_the_operators_business(aws, reader, kind):
    aws.trouble(SPOKEN[kind][0], "*", trouble.expire())
    error = failure(reader(aws), kind)
    assert type(error) is Misconfigured
    assert "credentials" in error.message + error.hint() or "signature" in error.message


@every_protocol
def test_a_connection_that_closes_is_unavailable(aws, reader, kind):
    aws.trouble(*SPOKEN[kind], trouble.hang_up())
    assert type(failure(reader(aws), kind)) is Unavailable


@every_protocol
def test_an_answer_that_does_not_come_is_unavailable(aws, reader, kind):
    aws.trouble(*SPOKEN[kind], trouble.slow(30))
    assert type(failure(reader(aws, read_timeout_s=0.3), kind)) is Unavailable


@every_paged
def test_a_token_that_comes_again_is_truncated(aws, reader, kind, service, operation):
    aws.trouble(service, operation, trouble.page_for_ever())
    aws.trouble(service, operation, trouble.repeat_token())
    assert type(failure(reader(aws), kind)) is Truncated


@every_paged
def test_pages_without_end_end_with_the_runs_time(aws, reader, kind, service, operation):
    aws.trouble(service, operation, trouble.page_for_ever())
    error = failure(reader(aws), kind, limit_s=0.4)
    assert type(error) is Unavailable
    assert "limit" in error.message


@pytest.mark.parametrize(("kind", "service", "operation"), [call for call in PAGED if paging(call).more])
def test_more_without_a_token_is_truncated(aws, reader, kind, service, operation):
    aws.trouble(service, operation, trouble.lose_token())
    assert type(failure(reader(aws), kind)) is Truncated


def not_found(service, operation):
    """The code by which the operation says that what it is asked about is not there."""
    if service == "s3":
        return "NoSuchBucket"
    errors = operation_model(service, operation).error_shapes
    return next((shape.name for shape in errors if "NotFound" in shape.name), None)


# GetPermissionsBoundary says so of a set without boundary; Config's operations of names they were not given.
DETAILS = [
    call
    for call in CALLS
    if KINDS[call[0]].list_
    and call[2] in {each.op for each in KINDS[call[0]].each}
    and not_found(*call[1:])
    and call[2] != "GetPermissionsBoundaryForPermissionSet"
]


@pytest.mark.parametrize(("kind", "service", "operation"), DETAILS)
def test_an_item_deleted_since_it_was_listed_is_left_out(aws, reader, kind, service, operation):
    """It is no error, and no reason to doubt the others."""
    whole, _ = reader(aws).read(kind)
    asked = next(ask.params for ask in aws.requests if ask.operation == operation)
    code = not_found(service, operation)
    aws.trouble(service, operation, trouble.refuse(code), when=lambda ask: ask.params == asked)
    items, _ = reader(aws).read(kind)
    assert len(items) == len(whole) - 1
    assert all(item in whole for item in items)


def test_a_circle_of_pages_is_no_population(aws, reader):
    """Ever new tokens lead back to the first page: the collector sees each key a second time."""
    kind, clock = KINDS["aws.kms.keys"], reader(aws).clock
    aws.trouble("kms", "ListKeys", trouble.go_round())
    task = Task(
        Subject("aws:test", kind.name, "us-east-1"),
        kind,
        Scope("us-east-1", "region"),
        clock.now(),
        Trigger.SCHEDULE,
        Provenance("aws", "0", "0", "", "", 1),
    )
    session = reader(aws).session()
    run = collect(
        lambda: (session, session.principal()),
        task,
        Head(task.subject),
        clock=clock,
        limit=timedelta(seconds=60),
        stage=list,
        stopping=Event(),
    ).run
    assert (run.outcome, run.reason) == (Outcome.FAILED, Reason.INVALID)
    assert "have one key" in run.message


def test_a_throttled_request_is_made_again_and_counted(aws, reader):
    aws.trouble("kms", "ListKeys", trouble.throttle(), nth=2, times=1)
    items, ledger = reader(aws, attempts=2).read("aws.kms.keys")
    assert len(items) == 12
    assert (ledger["kms.ListKeys"].calls, ledger["kms.ListKeys"].retries) == (3, 1)
    assert aws.count("kms", "ListKeys") == 4


def test_the_sources_own_clock_is_kept(aws, reader):
    """What the ``Date`` header said, not what we think."""
    aws.trouble("kms", "*", trouble.skew(timedelta(hours=-1)))
    _, ledger = reader(aws).read("aws.kms.aliases")
    assert timedelta(minutes=59) < datetime.now(UTC) - ledger["kms.ListAliases"].last_date < timedelta(minutes=61)

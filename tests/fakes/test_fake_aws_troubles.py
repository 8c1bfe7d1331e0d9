"""Each trouble does what it says, as seen by boto3."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from http.client import HTTPConnection, IncompleteRead
from itertools import islice
from urllib.parse import urlsplit

import pytest
from botocore.exceptions import (
    ClientError,
    ConnectionClosedError,
    PaginationError,
    ReadTimeoutError,
)
from botocore.parsers import ResponseParserError

from tests.fakes.aws import FakeAws, trouble

KEYS = [{"KeyId": f"key-{n}"} for n in range(250)]
CALLS = {
    "ec2": ("DescribeSecurityGroups", "describe_security_groups"),
    "guardduty": ("ListDetectors", "list_detectors"),
    "iam": ("ListUsers", "list_users"),
    "kms": ("ListKeys", "list_keys"),
    "organizations": ("ListAccounts", "list_accounts"),
    "s3": ("ListBuckets", "list_buckets"),
}

KMS = {
    "Authorization": "AWS4-HMAC-SHA256 Credential=AKIAFAKE/20260101/us-east-1/kms/aws4_request",
    "Content-Type": "application/x-amz-json-1.1",
    "X-Amz-Target": "TrentService.ListKeys",
}


@pytest.fixture
def aws():
    with FakeAws() as server:
        for service, (operation, _) in CALLS.items():
            server.play(service, operation, [])
        server.play("kms", "ListKeys", KEYS)
        yield server


def call(aws, service):
    return getattr(aws.client(service), CALLS[service][1])()


def refusal(aws, service):
    with pytest.raises(ClientError) as caught:
        call(aws, service)
    response = caught.value.response
    return response["ResponseMetadata"]["HTTPStatusCode"], response["Error"]["Code"], response["Error"]["Message"]


@pytest.mark.parametrize(
    ("service", "status", "code", "action"),
    [
        ("ec2", 403, "UnauthorizedOperation", "ec2:DescribeSecurityGroups"),
        ("guardduty", 403, "AccessDeniedException", "guardduty:ListDetectors"),
        ("iam", 403, "AccessDenied", "iam:ListUsers"),
        ("kms", 400, "AccessDeniedException", "kms:ListKeys"),
        ("s3", 403, "AccessDenied", "s3:ListAllMyBuckets"),
    ],
)
def test_a_denied_call_names_the_action_and_the_principal(aws, service, status, code, action):
    aws.trouble(service, "*", trouble.deny())
    got = refusal(aws, service)
    assert got[:2] == (status, code)
    assert f"User: arn:aws:iam::123456789012:user/collector is not authorized to perform: {action}" in got[2]


@pytest.mark.parametrize(
    ("service", "status", "code"),
    [
        ("ec2", 503, "RequestLimitExceeded"),
        ("iam", 400, "Throttling"),
        ("kms", 400, "ThrottlingException"),
        ("organizations", 400, "TooManyRequestsException"),
        ("s3", 503, "SlowDown"),
    ],
)
def test_a_throttled_call_is_refused_as_the_service_does_it(aws, service, status, code):
    aws.trouble(service, "*", trouble.throttle())
    assert refusal(aws, service)[:2] == (status, code)


@pytest.mark.parametrize(
    ("service", "code"),
    [("iam", "ExpiredToken"), ("kms", "ExpiredTokenException"), ("s3", "ExpiredToken"), ("ec2", "RequestExpired")],
)
def test_credentials_expire(aws, service, code):
    aws.trouble(service, "*", trouble.expire())
    assert refusal(aws, service)[1] == code


def test_a_server_error_is_one(aws):
    aws.trouble("kms", "*", trouble.fail(503))
    aws.trouble("iam", "*", trouble.fail())
    assert refusal(aws, "kms")[:2] == (503, "ServiceUnavailable")
    assert refusal(aws, "iam")[:2] == (500, "InternalFailure")


def test_a_declared_error_can_be_asked_for(aws):
    aws.trouble("organizations", "*", trouble.refuse("AWSOrganizationsNotInUseException"))
    assert refusal(aws, "organizations")[1] == "AWSOrganizationsNotInUseException"


def test_a_trouble_strikes_the_nth_call_so_many_times(aws):
    aws.trouble("kms", "ListKeys", trouble.throttle(), nth=2, times=2)
    seen = []
    for _ in range(5):
        try:
            call(aws, "kms")
            seen.append("ok")
        except ClientError as error:
            seen.append(error.response["Error"]["Code"])
    assert seen == ["ok", "ThrottlingException", "ThrottlingException", "ok", "ok"]
    assert aws.count("kms", "ListKeys") == 5


def test_a_trouble_strikes_what_its_predicate_says(aws):
    aws.trouble("kms", "ListKeys", trouble.deny(), when=lambda ask: ask.region == "eu-west-1")
    assert call(aws, "kms")["Keys"]
    with pytest.raises(ClientError):
        aws.client("kms", "eu-west-1").list_keys()


def test_after_calm_all_is_well(aws):
    aws.trouble("kms", "*", trouble.deny())
    aws.calm()
    assert call(aws, "kms")["Keys"]
    assert aws.count("kms") == 1


def test_a_slow_answer_outlasts_the_clients_patience(aws):
    aws.trouble("kms", "*", trouble.slow(30))
    client = aws.client("kms", patience=0.2)
    with pytest.raises(ReadTimeoutError):
        client.list_keys()


def test_a_closed_connection_is_noticed_by_boto3(aws):
    aws.trouble("iam", "*", trouble.hang_up())
    with pytest.raises(ConnectionClosedError):
        call(aws, "iam")


def test_a_cut_body_ends_before_its_announced_length(aws):
    aws.trouble("kms", "*", trouble.cut())
    connection = HTTPConnection(urlsplit(aws.url).netloc)
    connection.request("POST", "/", b"{}", KMS)
    with pytest.raises(IncompleteRead):
        connection.getresponse().read()


@pytest.mark.parametrize("broken", [trouble.cut(), trouble.shorten()])
def test_boto3_takes_half_a_json_body_for_an_empty_answer(aws, broken):
    """It does not compare lengths, and makes ``{}`` of what is not JSON: half a list of keys is no keys, no error."""
    aws.trouble("kms", "*", broken)
    assert "Keys" not in call(aws, "kms")


def test_a_shortened_xml_body_is_an_error_to_boto3(aws):
    aws.trouble("iam", "*", trouble.shorten())
    with pytest.raises(ResponseParserError):
        call(aws, "iam")


@pytest.mark.parametrize("service", ["kms", "ec2", "guardduty", "s3"])
def test_boto3_takes_a_captive_portals_page_for_an_empty_answer(aws, service):
    """Well-formed HTML with status 200 is, to boto3, an answer of any service in which nothing is said."""
    aws.trouble(service, "*", trouble.garbage())
    assert set(call(aws, service)) == {"ResponseMetadata"}


def test_boto3_notices_a_repeated_token(aws):
    aws.trouble("kms", "*", trouble.repeat_token())
    with pytest.raises(PaginationError, match="same next token"):
        list(aws.client("kms").get_paginator("list_keys").paginate())


def test_boto3_walks_a_circle_of_pages_for_ever(aws):
    aws.trouble("kms", "*", trouble.go_round())
    pages = aws.client("kms").get_paginator("list_keys").paginate()
    assert [key["KeyId"] for page in islice(pages, 4) for key in page["Keys"]][-1] == "key-99"


def test_boto3_follows_empty_pages_for_ever(aws):
    aws.trouble("kms", "*", trouble.page_for_ever())
    pages = aws.client("kms").get_paginator("list_keys").paginate()
    assert [page["Keys"] for page in islice(pages, 20)] == [[]] * 20


def test_an_empty_page_with_a_token_loses_nothing(aws):
    aws.trouble("kms", "*", trouble.empty_page(), nth=2, times=1)
    pages = list(aws.client("kms").get_paginator("list_keys").paginate())
    assert [len(page["Keys"]) for page in pages] == [100, 0, 100, 50]


def test_boto3_stops_without_error_when_the_token_is_lost(aws):
    aws.trouble("kms", "*", trouble.lose_token())
    pages = list(aws.client("kms").get_paginator("list_keys").paginate())
    assert [len(page["Keys"]) for page in pages] == [100]
    assert pages[0]["Truncated"] is True


def test_the_date_can_be_wrong(aws):
    aws.trouble("kms", "*", trouble.skew(timedelta(minutes=-7)))
    said = parsedate_to_datetime(call(aws, "kms")["ResponseMetadata"]["HTTPHeaders"]["date"])
    assert timedelta(minutes=6) < datetime.now(UTC) - said < timedelta(minutes=8)

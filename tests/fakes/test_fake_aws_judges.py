"""The fake refuses what the services' own descriptions do not allow, in requests and in fixtures."""

from __future__ import annotations

import json
import urllib.error
import urllib.parse
import urllib.request

import pytest
from botocore.exceptions import ClientError

from tests.fakes.aws import FakeAws, FixtureError, Refusal
from tests.fakes.aws.model import services_signing_as

SCOPE = "AWS4-HMAC-SHA256 Credential=AKIAFAKE/20260101/us-east-1/{}/aws4_request, SignedHeaders=host, Signature=0"


@pytest.fixture
def aws():
    server = FakeAws()
    yield server
    server.close()


def ask(aws, service, *, method="POST", path="/", body=b"", **headers):
    """Send what botocore would not; returns status and body."""
    request = urllib.request.Request(aws.url + path, data=body or None, method=method)
    request.add_header("Authorization", SCOPE.format(service))
    for name, value in headers.items():
        request.add_header(name.replace("_", "-"), value)
    try:
        with urllib.request.urlopen(request) as answer:
            return answer.status, answer.read()
    except urllib.error.HTTPError as error:
        return error.code, error.read()


def form(**params):
    return urllib.parse.urlencode(params).encode()


JSON = {"Content_Type": "application/x-amz-json-1.1"}
KMS = {**JSON, "X_Amz_Target": "TrentService.ListKeys"}
FORM = {"Content_Type": "application/x-www-form-urlencoded"}

BAD_REQUESTS = {
    "json_unknown_parameter": ("kms", {"body": b'{"Limitt": 5}', **KMS}, "Limitt: unknown parameter"),
    "json_wrong_type": ("kms", {"body": b'{"Marker": 5}', **KMS}, "Marker: int instead of string"),
    "json_beyond_maximum": ("kms", {"body": b'{"Limit": 1001}', **KMS}, "Limit: 1001 is not between 1 and 1000"),
    "json_unknown_nested": (
        "securityhub",
        {"path": "/findings", "body": b'{"Filters": {"Foo": []}}', "Content_Type": "application/json"},
        "Filters.Foo: unknown parameter",
    ),
    "query_missing_required": (
        "iam",
        {"body": form(Action="GetUserPolicy", Version="2010-05-08", UserName="u"), **FORM},
        "PolicyName: required and missing",
    ),
    "query_unknown_parameter": (
        "iam",
        {"body": form(Action="ListUsers", Version="2010-05-08", PathPrefx="/"), **FORM},
        "PathPrefx: unknown parameter",
    ),
    "ec2_below_minimum": (
        "ec2",
        {"body": form(Action="DescribeSecurityGroups", Version="2016-11-15", MaxResults=1), **FORM},
        "MaxResults: 1 is not between 5 and 1000",
    ),
    "rest_unknown_parameter": ("guardduty", {"method": "GET", "path": "/detector?maxresults=5"}, "maxresults: unknown"),
    "rest_not_a_number": ("guardduty", {"method": "GET", "path": "/detector?maxResults=five"}, "invalid literal"),
    "unknown_enumeration_value": (
        "wafv2",
        {"body": b'{"Scope": "GLOBAL"}', **JSON, "X_Amz_Target": "AWSWAF_20190729.ListWebACLs"},
        "'GLOBAL' is not one of CLOUDFRONT, REGIONAL",
    ),
    "token_never_given": ("kms", {"body": b'{"Marker": "abc"}', **KMS}, "the token was not given for this question"),
}


@pytest.mark.parametrize("case", BAD_REQUESTS)
def test_a_bad_request_gets_400_and_fails_the_test(aws, case):
    service, request, wrong = BAD_REQUESTS[case]
    aws.play("kms", "ListKeys", [])
    status, _ = ask(aws, service, **request)
    assert status == 400
    with pytest.raises(AssertionError, match=wrong.replace("(", r"\(")):
        aws.verify()


@pytest.mark.parametrize(
    ("service", "request_"),
    [
        ("kms", {"body": b"{}", **JSON, "X_Amz_Target": "TrentService.ListKeyz"}),
        ("iam", {"body": form(Action="ListUserz", Version="2010-05-08"), **FORM}),
        ("iam", {"body": form(Action="ListUsers", Version="1999-01-01"), **FORM}),
        ("guardduty", {"method": "GET", "path": "/detectors"}),
        ("guardduty", {"method": "PUT", "path": "/detector"}),
        ("no-such-service", {"method": "GET"}),
    ],
)
def test_an_operation_that_does_not_exist_is_refused(aws, service, request_):
    assert ask(aws, service, **request_)[0] == 400
    assert "no operation of" in aws.violations[0]


def test_an_operation_without_fixture_is_a_violation(aws):
    with pytest.raises(ClientError):
        aws.client("kms").list_keys()
    assert "no fixture for kms.ListKeys in us-east-1" in aws.violations[0]


def test_a_token_is_good_only_with_the_parameters_it_was_given_for(aws):
    aws.play("guardduty", "ListFindings", [f"finding-{n}" for n in range(60)])
    client = aws.client("guardduty")
    token = client.list_findings(DetectorId="one")["NextToken"]
    assert len(client.list_findings(DetectorId="one", NextToken=token)["FindingIds"]) == 10
    with pytest.raises(ClientError):
        client.list_findings(DetectorId="other", NextToken=token)
    assert "was not given for this question" in aws.violations[0]


@pytest.mark.parametrize(
    ("operation", "fixture", "wrong"),
    [
        ("kms.ListKeys", [{"KeyId": "a", "Nickname": "b"}], "Nickname: unknown to KeyListEntry"),
        ("kms.ListKeys", [{"KeyId": 5}], "KeyId: int instead of string"),
        ("kms.ListKeys", {"Keyz": []}, "Keyz: unknown to ListKeysResponse"),
        ("kms.DescribeKey", {"KeyMetadata": {"Arn": "a" * 20}}, "KeyMetadata.KeyId: required and missing"),
        ("kms.DescribeKey", {"KeyMetadata": {"KeyId": "a", "KeyState": "Sleepy"}}, "'Sleepy' is not one of"),
        ("iam.GetAccountSummary", {"SummaryMap": {"Users": "12"}}, "SummaryMap.Users: str instead of integer"),
        ("ec2.GetEbsEncryptionByDefault", {"EbsEncryptionByDefault": "true"}, "str instead of boolean"),
        ("iam.GetAccountPasswordPolicy", Refusal("NoSuchBucket"), "declares NoSuchEntity, ServiceFailure, not NoSuch"),
    ],
)
def test_a_fixture_that_the_description_does_not_allow_is_refused_when_it_is_loaded(aws, operation, fixture, wrong):
    with pytest.raises(FixtureError, match=wrong):
        aws.play(*operation.split("."), fixture)


def test_a_computed_answer_is_judged_when_it_is_given(aws):
    aws.play("kms", "DescribeKey", lambda _: {"KeyMetadata": {}})
    with pytest.raises(ClientError):
        aws.client("kms").describe_key(KeyId="a")
    assert "KeyMetadata.KeyId: required and missing" in aws.violations[0]


def test_a_fixture_that_raises_fails_the_test(aws):
    aws.play("kms", "DescribeKey", lambda ask: {}["no such"])
    with pytest.raises(Exception, match="Connection was closed"):
        aws.client("kms").describe_key(KeyId="a")
    assert "the fake itself failed: KeyError" in aws.violations[0]


def test_services_are_told_apart_though_they_sign_alike(aws):
    assert services_signing_as("ses")[0] == "ses"
    aws.play("elb", "DescribeLoadBalancers", [])
    aws.play("elbv2", "DescribeLoadBalancers", [])
    aws.client("elbv2").describe_load_balancers()
    aws.client("elb").describe_load_balancers()
    assert [ask.service for ask in aws.requests] == ["elbv2", "elb"]


def test_errors_arrive_in_the_form_the_client_knows(aws):
    aws.play("iam", "GetAccountPasswordPolicy", Refusal("NoSuchEntity", "no policy"))
    aws.play("guardduty", "GetDetector", Refusal("BadRequestException", "no such detector", Type="InvalidInput"))
    iam, guardduty = aws.client("iam"), aws.client("guardduty")
    with pytest.raises(iam.exceptions.NoSuchEntityException) as caught:
        iam.get_account_password_policy()
    assert caught.value.response["Error"]["Message"] == "no policy"
    assert caught.value.response["ResponseMetadata"]["HTTPStatusCode"] == 404
    with pytest.raises(guardduty.exceptions.BadRequestException) as caught:
        guardduty.get_detector(DetectorId="d")
    assert caught.value.response["Type"] == "InvalidInput"
    aws.verify()


def test_json_answers_are_json(aws):
    """Not only botocore: anything that speaks the protocol can read the fake."""
    aws.play("kms", "ListKeys", [{"KeyId": "a"}])
    status, body = ask(aws, "kms", body=b"{}", **KMS)
    assert (status, json.loads(body)) == (200, {"Keys": [{"KeyId": "a"}], "Truncated": False})

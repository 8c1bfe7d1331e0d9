"""Why a reading failed: who must act, in AWS's words, naming the permission that is missing."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from botocore import exceptions as sdk
from botocore.exceptions import ClientError
from botocore.parsers import ResponseParserError

from collector.errors import Denied, Invalid, Misconfigured, NotEnabled, ReadError, Throttled, Truncated, Unavailable
from connectors.aws.errors import as_read_error
from tests.fakes.aws import Refusal, trouble
from tests.fakes.clock import PlayedClock

USERS = "aws.iam.account_summary"


def said(code, message="A message.", *, status=400, operation="GetKeyRotationStatus", headers=None):
    answer = {
        "Error": {"Code": code, "Message": message},
        "ResponseMetadata": {"HTTPStatusCode": status, "HTTPHeaders": headers or {}},
    }
    return ClientError(answer, operation)


def reason(error):
    return as_read_error(error, "kms.GetKeyRotationStatus", "kms:GetKeyRotationStatus", PlayedClock())


@pytest.mark.parametrize(
    ("code", "status", "expected"),
    [
        ("AccessDenied", 403, Denied),
        ("AccessDeniedException", 400, Denied),
        ("UnauthorizedOperation", 403, Denied),
        ("Throttling", 400, Throttled),
        ("ThrottlingException", 400, Throttled),
        ("RequestLimitExceeded", 503, Throttled),
        ("TooManyRequestsException", 429, Throttled),
        ("SlowDown", 503, Throttled),
        ("SomethingNew", 429, Throttled),
        ("InternalFailure", 500, Unavailable),
        ("ServiceUnavailable", 503, Unavailable),
        ("ServiceFailure", 500, Unavailable),
        ("KMSInternalException", 500, Unavailable),
        ("SomethingNew", 502, Unavailable),
        ("ExpiredToken", 403, Misconfigured),
        ("ExpiredTokenException", 400, Misconfigured),
        ("InvalidClientTokenId", 403, Misconfigured),
        ("UnrecognizedClientException", 400, Misconfigured),
        ("InvalidAccessKeyId", 403, Misconfigured),
        ("AuthFailure", 401, Misconfigured),
        ("SignatureDoesNotMatch", 403, Misconfigured),
        ("InvalidSignatureException", 400, Misconfigured),
        ("RequestTimeTooSkewed", 403, Misconfigured),
        ("OptInRequired", 403, NotEnabled),
        ("SubscriptionRequiredException", 400, NotEnabled),
        ("AWSOrganizationsNotInUseException", 400, NotEnabled),
    ],
)
def test_every_refusal_has_its_reason(code, status, expected):
    error = reason(said(code, status=status))
    assert type(error) is expected
    assert "kms.GetKeyRotationStatus" in str(error)
    assert f"{code}: A message." in str(error)
    assert error.hint()


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (sdk.NoCredentialsError(), Misconfigured),
        (sdk.PartialCredentialsError(provider="env", cred_var="AWS_SECRET_ACCESS_KEY"), Misconfigured),
        (sdk.CredentialRetrievalError(provider="container", error_msg="404"), Misconfigured),
        (sdk.UnauthorizedSSOTokenError(), Misconfigured),
        (sdk.MetadataRetrievalError(error_msg="no role"), Misconfigured),
        (sdk.ProfileNotFound(profile="audit"), Misconfigured),
        (sdk.NoRegionError(), Misconfigured),
        (sdk.ConfigParseError(path="~/.aws/config"), Misconfigured),
        (sdk.SSLError(endpoint_url="https://x", error="self-signed"), Unavailable),
        (sdk.ConnectTimeoutError(endpoint_url="https://x"), Unavailable),
        (sdk.ReadTimeoutError(endpoint_url="https://x"), Unavailable),
        (sdk.ProxyConnectionError(proxy_url="http://user:secret@proxy", error="refused"), Unavailable),
        (ResponseParserError("not XML"), Invalid),
    ],
    ids=lambda value: getattr(value, "__name__", type(value).__name__),
)
def test_what_goes_wrong_without_an_answer_has_its_reason(error, expected):
    found = reason(error)
    assert type(found) is expected
    assert str(found).startswith("kms.GetKeyRotationStatus: ")
    assert "secret@" not in str(found)
    assert found.hint()


def test_a_defect_of_ours_has_no_other_reason():
    assert reason(sdk.ParamValidationError(report="Unknown parameter")) is None
    assert reason(KeyError("x")) is None


@pytest.mark.parametrize(
    "code", ["ValidationException", "NoSuchEntity", "InvalidParameterValue", "UnknownOperationException"]
)
def test_what_nobody_foresaw_is_a_defect_of_ours_and_not_an_empty_answer(code):
    assert reason(said(code)) is None


def test_a_refusal_names_the_permission_and_where_to_get_the_policy():
    error = reason(said("AccessDeniedException", "User: arn:aws:iam::1:user/c is not authorized to perform: kms:Get"))
    assert "it needs kms:GetKeyRotationStatus" in str(error)
    assert error.hint() == (
        "Grant kms:GetKeyRotationStatus to the principal; `evidenced policy aws` prints the policy for what is enabled."
    )


def test_a_refusal_by_the_organisation_is_for_its_administrator():
    error = reason(said("AccessDenied", "... with an explicit deny in a service control policy"))
    assert isinstance(error, Denied)
    assert "policy of the organisation denies kms:GetKeyRotationStatus" in error.hint()


def test_an_explicit_deny_is_told_from_a_missing_permission():
    error = reason(said("AccessDenied", "... with an explicit deny in an identity-based policy"))
    assert "explicitly" in error.hint()


def test_a_refused_role_names_its_trust_policy_whatever_call_needed_it():
    error = reason(said("AccessDenied", "not authorized to perform: sts:AssumeRole", operation="AssumeRole"))
    assert isinstance(error, Denied)
    assert str(error).startswith("sts.AssumeRole was denied, it needs sts:AssumeRole")
    assert "trust policy" in error.hint()


@pytest.mark.parametrize(("off", "side"), [(timedelta(minutes=7), "behind"), (timedelta(minutes=-7), "ahead of")])
def test_a_clock_that_is_off_is_said_by_how_much_and_to_which_side(off, side):
    at = PlayedClock().now() + off
    headers = {"date": at.strftime("%a, %d %b %Y %H:%M:%S GMT")}
    error = reason(said("RequestTimeTooSkewed", "The difference is too large.", headers=headers))
    assert isinstance(error, Misconfigured)
    assert f"this machine's clock is 420 s {side} AWS's" in str(error)


def test_a_bad_signature_under_a_right_clock_is_a_bad_secret():
    headers = {"date": "Sat, 14 Mar 2026 03:00:01 GMT"}
    error = reason(said("SignatureDoesNotMatch", "The request signature does not match.", headers=headers))
    assert "clock" not in str(error)
    assert "secret key" in error.hint()


def test_what_a_message_quotes_of_the_request_and_encoded_blobs_are_left_out():
    secret = said("SignatureDoesNotMatch", "No match. The Canonical String for this request: x-amz-security-token:AbC")
    encoded = said("UnauthorizedOperation", "Not authorized. Encoded authorization failure message: " + "x" * 900)
    assert "security-token" not in str(reason(secret))
    assert "xxx" not in str(reason(encoded))


def test_secrets_in_a_message_are_scrubbed_and_long_messages_cut():
    error = reason(
        said(
            "AccessDenied",
            "key AKIAIOSFODNN7EXAMPLE " + "-----BEGIN RSA PRIVATE KEY-----\nMII\n-----END RSA PRIVATE KEY-----",
        )
    )
    assert "BEGIN RSA" not in str(error)
    assert len(str(reason(said("AccessDenied", "x" * 5000)))) < 800


def test_a_denied_root_call_fails_with_the_permission(aws, reader):
    aws.play("iam", "GetAccountSummary", {"SummaryMap": {}})
    aws.trouble("iam", "GetAccountSummary", trouble.deny())
    with pytest.raises(Denied, match="needs iam:GetAccountSummary"):
        reader.read(USERS)
    assert reader.operation("iam.GetAccountSummary").calls == 1


def test_s3_names_its_permissions_otherwise_and_so_do_we(aws, reader):
    aws.play("s3", "ListBuckets", [])
    aws.trouble("s3", "ListBuckets", trouble.deny())
    with pytest.raises(Denied, match="needs s3:ListAllMyBuckets"):
        reader.read("aws.s3.bucket_encryption")


def test_a_throttled_call_is_retried_and_the_retries_are_counted(aws, reader):
    aws.play("iam", "GetAccountSummary", {"SummaryMap": {"Users": 1}})
    aws.trouble("iam", "GetAccountSummary", trouble.throttle(), times=1)
    assert reader.read(USERS, attempts=2) == [{"SummaryMap": {"Users": 1}}]
    asked = reader.operation("iam.GetAccountSummary")
    assert (asked.calls, asked.retries) == (1, 1)


def test_a_call_throttled_to_the_last_attempt_fails_as_throttled(aws, reader):
    aws.play("iam", "GetAccountSummary", {"SummaryMap": {}})
    aws.trouble("iam", "GetAccountSummary", trouble.throttle())
    with pytest.raises(Throttled, match=r"iam\.GetAccountSummary was throttled: Throttling"):
        reader.read(USERS, attempts=2)
    assert aws.count("iam") == 2


@pytest.mark.parametrize(
    ("bad", "expected"),
    [
        (trouble.fail(500), Unavailable),
        (trouble.fail(503), Unavailable),
        (trouble.hang_up(), Unavailable),
        (trouble.cut(), Truncated),
        (trouble.shorten(), Invalid),
        (trouble.expire(), Misconfigured),
        (trouble.garbage(), Invalid),
        (trouble.garbage(status=502), Unavailable),
        (trouble.garbage(status=403), Invalid),
        (trouble.garbage(b"", 200), Invalid),
        (trouble.garbage(b"<Other><Root/></Other", 200), Invalid),
    ],
    ids=lambda value: getattr(value, "name", getattr(value, "__name__", "")),
)
@pytest.mark.parametrize("kind", ["aws.iam.account_summary", "aws.organizations.accounts", "aws.rds.instances"])
def test_a_source_that_breaks_or_speaks_nonsense_never_looks_empty(aws, reader, kind, bad, expected):
    aws.play("iam", "GetAccountSummary", {"SummaryMap": {}})
    aws.play("organizations", "ListAccounts", [])
    aws.play("rds", "DescribeDBInstances", [])
    for service in ("iam", "organizations", "rds"):
        aws.trouble(service, "*", bad)
    with pytest.raises(expected):
        reader.read(kind)


@pytest.mark.parametrize("body", [b'{"Accounts": [', b"[]", b'"Accounts"', b"null", b"Welcome"])
def test_a_json_body_that_is_cut_or_no_object_is_invalid(aws, reader, body):
    aws.play("organizations", "ListAccounts", [])
    aws.trouble("organizations", "ListAccounts", trouble.garbage(body))
    with pytest.raises(Invalid, match=r"organizations\.ListAccounts"):
        reader.read("aws.organizations.accounts")


NOTHING_SET = b'<VersioningConfiguration xmlns="http://s3.amazonaws.com/doc/2006-03-01/"/>'


@pytest.mark.parametrize(
    ("body", "refused"),
    [(NOTHING_SET, False), (b"", True), (b"<Welcome/>", True), (b"<Hotel><Network/></Hotel>", True)],
)
def test_an_empty_element_of_s3_is_an_answer_and_other_xml_is_none(aws, reader, body, refused):
    spec = """
    list = [{ op = "s3.ListBuckets", params = { MaxBuckets = 1000 } }]
    each = [{ op = "GetBucketVersioning", bind = { Bucket = "Name" }, into = "Versioning" }]
    key = "Name"
    """
    aws.play("s3", "ListBuckets", [{"Name": "bucket"}])
    aws.play("s3", "GetBucketVersioning", {})
    aws.trouble("s3", "GetBucketVersioning", trouble.garbage(body))
    if refused:
        with pytest.raises(Invalid):
            reader.read(spec)
    else:
        assert reader.read(spec) == [{"Name": "bucket", "Versioning": {}}]


def test_an_answer_that_does_not_come_is_unavailable(aws, reader):
    aws.play("iam", "GetAccountSummary", {"SummaryMap": {}})
    aws.trouble("iam", "GetAccountSummary", trouble.slow(5))
    with pytest.raises(Unavailable, match=r"timeout|timed out"):
        reader.read(USERS, read_timeout_s=0.2)


def test_an_endpoint_that_is_not_there_is_unavailable(reader):
    reader.url = "http://127.0.0.1:9"
    with pytest.raises(Unavailable, match=r"sts\.GetCallerIdentity: Could not connect"):
        reader.read(USERS)


def test_a_code_declared_as_not_enabled_is_told_from_a_refusal(aws, reader):
    aws.play("securityhub", "GetFindings", Refusal("InvalidAccessException", "Account is not subscribed", 401))
    with pytest.raises(NotEnabled, match="not subscribed"):
        reader.read("aws.securityhub.findings")


def test_a_service_without_organisation_is_not_enabled(aws, reader):
    aws.play("organizations", "ListAccounts", Refusal("AWSOrganizationsNotInUseException", "Not a member.", 400))
    with pytest.raises(NotEnabled):
        reader.read("aws.organizations.accounts")


def test_an_unforeseen_refusal_is_raised_as_it_is(aws, reader):
    aws.play("kms", "ListKeys", Refusal("InvalidMarkerException", "bad marker", 400))
    with pytest.raises(ClientError, match="bad marker"):
        reader.read("aws.kms.keys")


def test_wrong_secrets_of_a_wrong_clock_are_seen_in_a_reading(aws, reader):
    aws.play("iam", "GetAccountSummary", Refusal("SignatureDoesNotMatch", "Signature expired", 403))
    aws.trouble("iam", "*", trouble.skew(timedelta(minutes=-10)))
    reader.clock.at = datetime.now(UTC)
    with pytest.raises(Misconfigured, match=r"clock is (59\d|60\d) s ahead of AWS's"):
        reader.read(USERS)


def test_every_read_error_is_safe_to_show(aws, reader):
    aws.play("iam", "GetAccountSummary", {"SummaryMap": {}})
    aws.trouble("iam", "*", trouble.deny())
    with pytest.raises(ReadError) as error:
        reader.read(USERS)
    assert "\n" not in str(error.value)

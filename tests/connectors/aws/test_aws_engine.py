"""What the engine makes of a declared procedure, against AWS played from botocore's models."""

from __future__ import annotations

import threading
from datetime import UTC, datetime, timedelta

import pytest

from collector.errors import ConfigError, Denied, Invalid, NotEnabled, Unavailable
from collector.model import Scope
from tests.fakes.aws import Refusal, trouble


def key_arn(name):
    return f"arn:aws:kms:us-east-1:123456789012:key/{name}"


KEYS = [{"KeyId": f"key-{n}", "KeyArn": key_arn(n)} for n in range(5)]


def describe_key(ask):
    return {"KeyMetadata": {"KeyId": ask.params["KeyId"], "KeyManager": "CUSTOMER", "KeySpec": "SYMMETRIC_DEFAULT"}}


@pytest.fixture
def keys(aws):
    aws.play("kms", "ListKeys", KEYS)
    aws.play("kms", "DescribeKey", describe_key)
    aws.play("kms", "GetKeyRotationStatus", {"KeyRotationEnabled": True})


@pytest.mark.usefixtures("keys")
def test_details_are_merged_or_put_into_their_field_in_the_order_of_the_list(reader):
    items = reader.read("aws.kms.keys")
    assert [item["KeyId"] for item in items] == [key["KeyId"] for key in KEYS]
    assert items[0] == {
        "KeyId": "key-0",
        "KeyArn": key_arn(0),
        "KeyManager": "CUSTOMER",
        "KeySpec": "SYMMETRIC_DEFAULT",
        "Rotation": {"KeyRotationEnabled": True},
    }


@pytest.mark.usefixtures("keys")
def test_the_ledger_counts_calls_pages_and_items_with_request_ids_and_dates(reader):
    reader.read("aws.kms.keys")
    listed, described = reader.operation("kms.ListKeys"), reader.operation("kms.DescribeKey")
    assert (listed.calls, listed.pages, listed.items, listed.drained) == (1, 1, 5, True)
    assert (described.calls, described.items) == (5, 0)
    assert described.first_request_id != described.last_request_id
    assert listed.first_date.tzinfo is UTC


@pytest.mark.usefixtures("keys")
def test_an_error_answer_counts_too_but_not_as_a_page(aws, reader):
    aws.play("iam", "GetAccountPasswordPolicy", Refusal("NoSuchEntity", "none", 404))
    assert reader.read("aws.iam.password_policy") == [{"PasswordPolicy": None}]
    asked = reader.operation("iam.GetAccountPasswordPolicy")
    assert (asked.calls, asked.pages) == (1, 0)
    assert asked.first_request_id
    assert asked.first_date


def test_a_detail_whose_condition_is_false_is_not_asked_for(aws, reader):
    aws.play("kms", "ListKeys", KEYS[:1])
    aws.play("kms", "DescribeKey", {"KeyMetadata": {"KeyId": "key-0", "KeyManager": "AWS"}})
    (item,) = reader.read("aws.kms.keys")
    assert "Rotation" not in item
    assert aws.count("kms", "GetKeyRotationStatus") == 0


@pytest.mark.usefixtures("keys")
def test_a_declared_absence_is_null_and_not_a_missing_field(aws, reader):
    refusal = Refusal("UnsupportedOperationException", "not for this key", 400)
    aws.play("kms", "GetKeyRotationStatus", lambda ask: refusal if ask.params["KeyId"] == "key-3" else {})
    items = reader.read("aws.kms.keys")
    assert [item["Rotation"] for item in items] == [{}, {}, {}, None, {}]


@pytest.mark.usefixtures("keys")
def test_a_denied_detail_fails_the_reading_and_gives_no_item_short_of_it(aws, reader):
    aws.trouble("kms", "DescribeKey", trouble.deny(), when=lambda ask: ask.params["KeyId"] == "key-2")
    with pytest.raises(Denied, match=r"kms\.DescribeKey was denied, it needs kms:DescribeKey: AccessDenied") as error:
        reader.read("aws.kms.keys")
    assert "kms:DescribeKey" in error.value.hint()
    assert "evidenced policy" in error.value.hint()


@pytest.mark.usefixtures("keys")
def test_an_item_deleted_between_list_and_detail_is_left_out_when_aws_says_so_twice(aws, reader):
    gone = trouble.refuse("NotFoundException")
    aws.trouble("kms", "DescribeKey", gone, when=lambda ask: ask.params["KeyId"] == "key-1")
    assert [item["KeyId"] for item in reader.read("aws.kms.keys")] == ["key-0", "key-2", "key-3", "key-4"]
    assert aws.count("kms", "DescribeKey") == 6


@pytest.mark.usefixtures("keys")
def test_an_item_that_is_there_when_asked_again_stays(aws, reader):
    gone = trouble.refuse("NotFoundException")
    aws.trouble("kms", "DescribeKey", gone, when=lambda ask: ask.params["KeyId"] == "key-1", times=1)
    assert len(reader.read("aws.kms.keys")) == 5


@pytest.mark.usefixtures("keys")
def test_an_item_refused_after_it_seemed_deleted_fails_the_reading(aws, reader):
    aws.trouble("kms", "DescribeKey", trouble.refuse("NotFoundException"), times=1)
    aws.trouble("kms", "DescribeKey", trouble.deny(), nth=2)
    with pytest.raises(Denied):
        reader.read("aws.kms.keys", detail_concurrency=1)


@pytest.mark.usefixtures("keys")
def test_a_sample_reads_one_page_and_the_details_of_one_item(aws, reader):
    aws.play("kms", "ListKeys", [{"KeyId": f"key-{n}"} for n in range(1200)])
    assert [item["KeyId"] for item in reader.read("aws.kms.keys", sample=True)] == ["key-0"]
    assert aws.count("kms") == 3
    assert not reader.operation("kms.ListKeys").drained


def test_details_run_side_by_side_but_never_more_than_allowed(aws, reader):
    running, most, lock = 0, 0, threading.Lock()
    three_at_once = threading.Barrier(3, timeout=10)

    def describe(ask):
        nonlocal running, most
        with lock:
            running += 1
            most = max(most, running)
        three_at_once.wait()
        with lock:
            running -= 1
        return {"KeyMetadata": {"KeyId": ask.params["KeyId"], "KeyManager": "AWS"}}

    aws.play("kms", "ListKeys", [{"KeyId": f"key-{n}"} for n in range(9)])
    aws.play("kms", "DescribeKey", describe)
    assert len(reader.read("aws.kms.keys", detail_concurrency=3)) == 9
    assert most == 3


def test_a_reading_that_is_given_up_stops_asking(aws, reader):
    aws.play("kms", "ListKeys", [{"KeyId": f"key-{n}"} for n in range(500)])
    aws.play("kms", "DescribeKey", {"KeyMetadata": {"KeyId": "key", "KeyManager": "AWS"}})
    items = reader.start("aws.kms.keys", detail_concurrency=2)
    next(items)
    items.close()
    assert aws.count("kms", "DescribeKey") <= 8


def test_a_reading_over_its_time_ends_as_unavailable(aws, reader):
    def describe(ask):
        reader.clock.move(timedelta(minutes=16))
        return {"KeyMetadata": {"KeyId": ask.params["KeyId"], "KeyManager": "AWS"}}

    aws.play("kms", "ListKeys", [{"KeyId": f"key-{n}"} for n in range(500)])
    aws.play("kms", "DescribeKey", describe)
    with pytest.raises(Unavailable, match="longer than its limit"):
        reader.read("aws.kms.keys", detail_concurrency=1)


INSTANCES = [f"arn:aws:sso:::instance/ssoins-{name * 16}" for name in "ab"]
SETS = [f"arn:aws:sso:::permissionSet/ssoins-{'a' * 16}/ps-{n * 16}" for n in "12"]


def test_loops_nest_and_pass_their_values_to_the_calls_inside(aws, reader):
    sets = {INSTANCES[0]: SETS, INSTANCES[1]: []}
    accounts = {SETS[0]: ["111111111111", "222222222222"], SETS[1]: ["111111111111"]}

    def assignments(ask):
        asked = {name: ask.params[name] for name in ("PermissionSetArn", "AccountId")}
        return [{**asked, "PrincipalType": "GROUP", "PrincipalId": "00000000-0000-4000-8000-000000000000"}]

    aws.play("sso-admin", "ListInstances", [{"InstanceArn": arn} for arn in INSTANCES])
    aws.play("sso-admin", "ListPermissionSets", lambda ask: sets[ask.params["InstanceArn"]])
    aws.play(
        "sso-admin", "ListAccountsForProvisionedPermissionSet", lambda ask: accounts[ask.params["PermissionSetArn"]]
    )
    aws.play("sso-admin", "ListAccountAssignments", assignments)
    items = reader.read("aws.identitycenter.account_assignments")
    assert [(item["PermissionSetArn"], item["AccountId"]) for item in items] == [
        (SETS[0], "111111111111"),
        (SETS[0], "222222222222"),
        (SETS[1], "111111111111"),
    ]
    assert {item["InstanceArn"] for item in items} == {INSTANCES[0]}


def test_a_service_that_a_loop_finds_switched_off_is_not_an_empty_population(aws, reader):
    aws.play("guardduty", "ListDetectors", [])
    with pytest.raises(NotEnabled, match=r"guardduty\.ListDetectors lists nothing"):
        reader.read("aws.guardduty.findings")
    assert reader.read("aws.guardduty.detectors") == []


def test_ids_are_asked_for_in_batches_and_each_answer_finds_its_item(aws, reader):
    def get_findings(ask):
        return [finding(each) for each in reversed(ask.params["FindingIds"])]

    ids = [f"{n:032x}" for n in range(120)]
    aws.play("guardduty", "ListDetectors", ["d" * 32])
    aws.play("guardduty", "ListFindings", ids)
    aws.play("guardduty", "GetFindings", get_findings)
    items = reader.read("aws.guardduty.findings")
    assert [item["Title"] for item in items] == [f"finding {each}" for each in ids]
    assert aws.count("guardduty", "GetFindings") == 3


def test_an_item_that_a_batch_leaves_out_is_unknown_and_fails_the_reading(aws, reader):
    aws.play("guardduty", "ListDetectors", ["d" * 32])
    aws.play("guardduty", "ListFindings", ["a" * 32, "b" * 32])
    aws.play("guardduty", "GetFindings", [finding("a" * 32)])
    with pytest.raises(Invalid, match=r"guardduty\.GetFindings left out an item"):
        reader.read("aws.guardduty.findings")


def finding(id_):
    return {
        "AccountId": "123456789012",
        "Arn": f"arn:{id_}",
        "CreatedAt": "2026-01-01T00:00:00Z",
        "Id": id_,
        "Region": "us-east-1",
        "Resource": {},
        "SchemaVersion": "2.0",
        "Severity": 5.0,
        "Title": f"finding {id_}",
        "Type": "Recon:EC2/Portscan",
        "UpdatedAt": "2026-01-01T00:00:00Z",
    }


def test_many_answers_per_item_are_kept_as_a_list_which_may_be_empty(aws, reader):
    def rules(ask):
        (filter_,) = ask.params["Filters"]
        assert filter_["Name"] == "group-id"
        return [{"SecurityGroupRuleId": f"sgr-{n}", "GroupId": filter_["Values"][0]} for n in range(3)]

    aws.play("ec2", "DescribeSecurityGroups", [{"GroupId": "sg-1"}, {"GroupId": "sg-2"}])
    aws.play("ec2", "DescribeSecurityGroupRules", rules)
    first, second = reader.read("aws.ec2.security_groups")
    assert [rule["SecurityGroupRuleId"] for rule in first["Rules"]] == ["sgr-0", "sgr-1", "sgr-2"]
    assert second["Rules"] == []


def test_a_report_is_polled_for_and_decoded_and_keeps_its_own_time(aws, reader):
    states = iter(["STARTED", "INPROGRESS", "COMPLETE"])
    aws.play("iam", "GenerateCredentialReport", lambda _: {"State": next(states)})
    made = datetime(2026, 3, 14, 1, 30, tzinfo=UTC)
    report = b'user,arn,mfa_active\n<root_account>,arn:aws:iam::1:root,true\n"o, brien",arn:aws:iam::1:user/o,false\n'
    aws.play("iam", "GetCredentialReport", {"Content": report, "GeneratedTime": made})
    root, user = reader.read("aws.iam.credential_report")
    assert root == {"user": "<root_account>", "arn": "arn:aws:iam::1:root", "mfa_active": "true", "GeneratedTime": made}
    assert user["user"] == "o, brien"
    assert reader.operation("iam.GetCredentialReport").items == 2


def test_a_report_that_is_never_done_is_unavailable_and_not_empty(aws, reader):
    aws.play("iam", "GenerateCredentialReport", {"State": "INPROGRESS"})
    with pytest.raises(Unavailable, match="not done after 120 s"):
        reader.read("aws.iam.credential_report")


@pytest.mark.parametrize("content", [b"", b"user,arn\nana,arn:1,extra\n", b'user,arn\n"ana,arn'])
def test_a_report_that_is_cut_is_invalid(aws, reader, content):
    aws.play("iam", "GenerateCredentialReport", {"State": "COMPLETE"})
    aws.play("iam", "GetCredentialReport", {"Content": content})
    with pytest.raises(Invalid, match=r"iam\.GetCredentialReport gave no csv"):
        reader.read("aws.iam.credential_report")


def test_an_event_kind_asks_for_its_window_in_the_form_the_source_wants(aws, reader):
    asked = {}

    def remember(ask):
        asked[ask.name] = ask.params
        return []

    for operation in ("ListBackupJobs", "ListCopyJobs"):
        aws.play("backup", operation, remember)
    aws.play("securityhub", "GetFindings", remember)
    aws.play("guardduty", "ListDetectors", ["d" * 32])
    aws.play("guardduty", "ListFindings", remember)
    since, until = datetime(2026, 3, 13, 3, tzinfo=UTC), datetime(2026, 3, 14, 3, tzinfo=UTC)
    for name in ("aws.backup.jobs", "aws.securityhub.findings", "aws.guardduty.findings"):
        reader.read(name)
    jobs = asked["backup.ListBackupJobs"]
    assert (jobs["ByCreatedAfter"], jobs["ByCreatedBefore"]) == (since, until)
    assert asked["securityhub.GetFindings"]["Filters"] == {
        "UpdatedAt": [{"Start": "2026-03-13T03:00:00Z", "End": "2026-03-14T03:00:00Z"}]
    }
    assert asked["guardduty.ListFindings"]["FindingCriteria"]["Criterion"]["updatedAt"] == {
        "GreaterThanOrEqual": int(since.timestamp() * 1000),
        "LessThan": int(until.timestamp() * 1000),
    }


def test_several_roots_are_one_population_and_literal_fields_tell_them_apart(aws, reader):
    aws.play("backup", "ListBackupJobs", [{"BackupJobId": "b1"}])
    aws.play("backup", "ListCopyJobs", [{"CopyJobId": "c1"}])
    assert reader.read("aws.backup.jobs") == [
        {"BackupJobId": "b1", "JobType": "BACKUP"},
        {"CopyJobId": "c1", "JobType": "COPY"},
    ]


def test_a_detail_is_read_in_the_region_where_its_item_is(aws, reader):
    aws.play("s3", "ListBuckets", [{"Name": "near"}, {"Name": "far", "BucketRegion": "eu-west-1"}])
    aws.play("s3", "GetBucketEncryption", Refusal("ServerSideEncryptionConfigurationNotFoundError", "none", 404))
    assert [item["Encryption"] for item in reader.read("aws.s3.bucket_encryption")] == [None, None]
    regions = {ask.params["Bucket"]: ask.region for ask in aws.requests if ask.operation == "GetBucketEncryption"}
    assert regions == {"near": "us-east-1", "far": "eu-west-1"}


def test_what_inspector_is_not_switched_on_for_is_not_enabled_rather_than_denied(aws, reader):
    state = {"status": "DISABLED", "errorCode": "ALREADY_ENABLED", "errorMessage": "none"}
    resources = dict.fromkeys(("ec2", "ecr", "lambda", "lambdaCode"), state)
    account = {"accountId": "123456789012", "state": state, "resourceState": resources}
    aws.play("inspector2", "BatchGetAccountStatus", {"accounts": [account]})
    with pytest.raises(NotEnabled):
        reader.read("aws.inspector2.findings")


def test_a_page_without_its_list_is_invalid_and_not_empty(aws, reader):
    aws.play("organizations", "ListAccounts", {})
    with pytest.raises(Invalid, match="gave no Accounts, not even an empty one"):
        reader.read("aws.organizations.accounts")


def test_a_detail_that_lacks_what_is_picked_from_it_is_invalid(aws, reader):
    aws.play("kms", "ListKeys", KEYS[:1])
    aws.play("kms", "DescribeKey", {})
    with pytest.raises(Invalid, match="gave no KeyMetadata"):
        reader.read("aws.kms.keys")


def test_an_item_without_the_value_to_ask_for_it_is_invalid(aws, reader):
    aws.play("kms", "ListKeys", [{"KeyArn": key_arn("nameless")}])
    with pytest.raises(Invalid, match=r"kms\.DescribeKey: the item has no value for KeyId"):
        reader.read("aws.kms.keys")


def test_a_kind_is_read_only_at_its_own_level(reader):
    with pytest.raises(ConfigError, match="read per region"):
        reader.read("aws.kms.keys", scope=Scope("123456789012", "account"))


@pytest.mark.parametrize("operation", ["kms.ScheduleKeyDeletion", "secretsmanager.GetSecretValue", "s3.GetObject"])
def test_what_is_no_read_is_never_called(reader, operation):
    with pytest.raises(ConfigError, match="is not a read"):
        reader.read(f'list = "{operation}"\nkey = "x"\n')
    assert reader.reading.calls.operations() == ()

"""moto's account, its seed, and the fake in front of it that pages what moto does not."""

from __future__ import annotations

import pytest
from botocore.exceptions import ClientError

from tests.fakes.aws import FakeAws, trouble
from tests.fakes.aws.moto_account import MotoAccount
from tests.fakes.aws.seed import REGIONS, Size, seed


@pytest.fixture(scope="module")
def moto():
    with MotoAccount() as account:
        seed(account.url)
        yield account


@pytest.fixture
def aws(moto):
    with FakeAws(upstream=moto.upstream) as server:
        yield server


def listed(client, operation, key, **params):
    pages = list(client.get_paginator(operation).paginate(**params))
    return len(pages), [item for page in pages for item in page.get(key, [])]


def test_the_seed_has_good_and_bad_of_everything(moto):
    iam, s3 = moto.client("iam"), moto.client("s3")
    users = listed(iam, "list_users", "Users")[1]
    with_mfa = [user for user in users if iam.list_mfa_devices(UserName=user["UserName"])["MFADevices"]]
    assert (len(users), len(with_mfa)) == (Size().users, 8)
    blocked = []
    for bucket in s3.list_buckets()["Buckets"]:
        try:
            s3.get_public_access_block(Bucket=bucket["Name"])
            blocked.append(bucket["Name"])
        except ClientError as error:
            assert error.response["Error"]["Code"] == "NoSuchPublicAccessBlockConfiguration"
    assert len(blocked) == 4
    for region in REGIONS:
        assert len(moto.client("kms", region).list_keys()["Keys"]) == Size().keys
        assert len(moto.client("rds", region).describe_db_instances()["DBInstances"]) == Size().databases
        assert moto.client("guardduty", region).list_detectors()["DetectorIds"]
        assert moto.client("config", region).describe_configuration_recorders()["ConfigurationRecorders"]
    assert len(moto.client("organizations").list_accounts()["Accounts"]) == Size().accounts + 1


def test_moto_alone_ignores_the_page_size_and_the_fake_before_it_does_not(moto, aws):
    alone = listed(moto.client("iam"), "list_users", "Users", PaginationConfig={"PageSize": 5})
    paged = listed(aws.client("iam"), "list_users", "Users", PaginationConfig={"PageSize": 5})
    assert (alone[0], paged[0]) == (1, 3)
    assert alone[1] == paged[1]


@pytest.mark.parametrize(
    ("service", "operation", "key"),
    [
        ("kms", "list_aliases", "Aliases"),
        ("ec2", "describe_security_groups", "SecurityGroups"),
        ("s3", "list_buckets", "Buckets"),
        ("securityhub", "get_findings", "Findings"),
        ("iam", "get_account_authorization_details", "RoleDetailList"),
    ],
)
def test_what_moto_holds_comes_through_the_fake_unchanged(moto, aws, service, operation, key):
    """Policy documents too, which boto3 decodes on the way."""
    direct = listed(moto.client(service), operation, key)[1]
    assert direct
    assert listed(aws.client(service), operation, key)[1] == direct


def test_unpaged_calls_and_errors_pass_through(aws):
    assert aws.client("iam").get_account_summary()["SummaryMap"]["Users"] == Size().users
    with pytest.raises(ClientError, match="NoSuchEntity"):
        aws.client("iam").get_user(UserName="nobody")
    with pytest.raises(ClientError, match="NoSuchEntity"):
        aws.client("iam").list_access_keys(UserName="nobody")


def test_a_fixture_and_a_trouble_stand_before_moto(aws):
    aws.play("kms", "ListKeys", [])
    aws.trouble("iam", "GetAccountSummary", trouble.deny())
    assert aws.client("kms").list_keys()["Keys"] == []
    with pytest.raises(ClientError, match="not authorized to perform: iam:GetAccountSummary"):
        aws.client("iam").get_account_summary()


def test_an_account_of_more_than_one_page_of_users_is_paged(moto, aws):
    iam = moto.client("iam")
    for number in range(120):
        iam.create_user(UserName=f"one-more-{number}")
    pages, users = listed(aws.client("iam"), "list_users", "Users")
    assert (pages, len(users)) == (2, 120 + Size().users)

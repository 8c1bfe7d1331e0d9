"""The kinds that moto implements, read from a seeded account over HTTP and compared with what boto3 itself lists.

moto's IAM and KMS ignore page sizes, and it pages little; whole populations over pages are tested with the fake.
"""

from __future__ import annotations

import jmespath
import pytest

from collector.model import Scope
from connectors.aws import connector
from tests.fakes.aws.moto_account import MotoAccount
from tests.fakes.aws.seed import REGIONS, Size, seed

WEST = Scope(REGIONS[1], "region")

# What moto 5.2 answers with 404 or 500; read from the fake instead (test_aws_unimplemented.py).
NOT_IN_MOTO = {
    "aws.backup.jobs",
    "aws.backup.restore_tests",
    "aws.backup.restore_testing_plans",
    "aws.config.recorders",
    "aws.ec2.account_defaults",
    "aws.guardduty.detectors",
    "aws.guardduty.findings",
    "aws.guardduty.organization",
    "aws.identitycenter.permission_sets",
}


@pytest.fixture(scope="module")
def moto():
    with MotoAccount() as account:
        seed(account.url)
        yield account


@pytest.fixture
def cloud(moto, reader):
    """The seeded account, read by a session that is not slowed down."""
    reader.url = moto.url
    reader.session(requests_per_second={"*": 1000})
    return reader


def ids(items, name):
    return sorted(item[name] for item in items)


def listed(moto, service, operation, key, region="us-east-1", **params):
    pages = moto.client(service, region).get_paginator(operation).paginate(**params)
    return [item for page in pages for item in page[key]]


@pytest.mark.parametrize("name", sorted(set(connector.kinds()) - NOT_IN_MOTO - {"aws.inspector2.findings"}))
def test_every_kind_that_moto_has_is_read_and_every_item_has_its_key(cloud, name):
    items = cloud.read(name)
    kind = cloud.kind(name)
    keys = [key_of(kind, item) for item in items]
    assert None not in keys
    assert len(set(keys)) == len(keys)
    assert all(each.drained and each.first_request_id for each in cloud.reading.calls.operations())
    assert all(each.first_date for each in cloud.reading.calls.operations())


def key_of(kind, item):
    return jmespath.search(kind.key, item) if kind.key else "one item"


def test_users_roles_groups_and_policies_are_all_there(moto, cloud):
    arns = ids(cloud.read("aws.iam.authorization_details"), "Arn")
    wanted = [
        *ids(listed(moto, "iam", "list_users", "Users"), "Arn"),
        *ids(listed(moto, "iam", "list_roles", "Roles"), "Arn"),
        *ids(listed(moto, "iam", "list_groups", "Groups"), "Arn"),
        *ids(listed(moto, "iam", "list_policies", "Policies", Scope="Local"), "Arn"),
    ]
    assert arns == sorted(wanted)


def test_policy_documents_are_objects_and_not_text(cloud):
    roles = [item for item in cloud.read("aws.iam.authorization_details") if "RoleName" in item]
    assert roles[0]["AssumeRolePolicyDocument"]["Statement"][0]["Action"] == "sts:AssumeRole"


def test_the_credential_report_says_who_has_mfa(cloud):
    rows = cloud.read("aws.iam.credential_report")
    assert len(rows) == Size().users
    assert {row["mfa_active"] for row in rows} == {"true", "false"}


def test_a_password_policy_that_is_deleted_becomes_null(moto, cloud):
    assert cloud.read("aws.iam.password_policy")[0]["PasswordPolicy"]["MinimumPasswordLength"] == 14
    moto.client("iam").delete_account_password_policy()
    assert cloud.read("aws.iam.password_policy") == [{"PasswordPolicy": None}]
    moto.client("iam").update_account_password_policy(MinimumPasswordLength=14)


def test_a_one_item_kind_is_one_item(cloud):
    (summary,) = cloud.read("aws.iam.account_summary")
    assert summary["SummaryMap"]["Users"] == Size().users


@pytest.mark.parametrize("region", REGIONS)
@pytest.mark.parametrize(
    "kind",
    [
        ("aws.kms.keys", "kms", "list_keys", "Keys", "KeyId"),
        ("aws.kms.aliases", "kms", "list_aliases", "Aliases", "AliasArn"),
        ("aws.rds.instances", "rds", "describe_db_instances", "DBInstances", "DBInstanceArn"),
        ("aws.ec2.security_groups", "ec2", "describe_security_groups", "SecurityGroups", "GroupId"),
    ],
)
def test_regional_populations_are_those_boto3_lists(moto, cloud, region, kind):
    name, service, operation, key, id_ = kind
    items = cloud.read(name, scope=Scope(region, "region"))
    assert ids(items, id_) == ids(listed(moto, service, operation, key, region), id_)
    assert items


def test_keys_say_whether_they_rotate(cloud):
    keys = [item for item in cloud.read("aws.kms.keys") if item["KeyManager"] == "CUSTOMER"]
    assert {key["Rotation"]["KeyRotationEnabled"] for key in keys} == {True, False}


def test_a_security_group_carries_its_rules(cloud):
    rules = [rule for item in cloud.read("aws.ec2.security_groups") for rule in item["Rules"]]
    assert "0.0.0.0/0" in {rule.get("CidrIpv4") for rule in rules if not rule["IsEgress"]}


def test_buckets_of_every_region_are_read_and_what_they_lack_is_null(moto, cloud):
    items = {item["Name"]: item for item in cloud.read("aws.s3.bucket_public_access")}
    encrypted = {item["Name"]: item["Encryption"] for item in cloud.read("aws.s3.bucket_encryption")}
    names = {bucket["Name"] for bucket in moto.client("s3").list_buckets()["Buckets"]}
    assert set(items) == set(encrypted) == names
    assert {item["PublicAccessBlock"] is None for item in items.values()} == {True, False}
    assert all(item["Acl"]["Grants"] for item in items.values())
    assert {value is None for value in encrypted.values()} == {True, False}


def test_a_trail_of_all_regions_is_evidence_in_each_of_them(cloud):
    for region in REGIONS:
        (trail,) = cloud.read("aws.cloudtrail.trails", scope=Scope(region, "region"))
        assert trail["HomeRegion"] == REGIONS[0]
        assert trail["Status"]["IsLogging"]
        assert trail["EventSelectors"][0]["ReadWriteType"] == "All"


def test_accounts_and_policies_of_the_organisation(moto, cloud):
    assert len(cloud.read("aws.organizations.accounts")) == Size().accounts + 1
    policies = {item["Name"]: item for item in cloud.read("aws.organizations.policies")}
    assert set(policies) == {"FullAWSAccess", "no-leaving"}
    assert "organizations:Leave" in policies["no-leaving"]["Content"]
    assert [target["Type"] for target in policies["no-leaving"]["Targets"]] == ["ROOT"]


def test_assignments_of_a_provisioned_permission_set(moto, cloud):
    sso = moto.client("sso-admin")
    instance = sso.list_instances()["Instances"][0]["InstanceArn"]
    arn = sso.list_permission_sets(InstanceArn=instance)["PermissionSets"][0]
    # AWS provisions a set when it is assigned; moto wants to be told, and knows its own account only.
    sso.provision_permission_set(InstanceArn=instance, PermissionSetArn=arn, TargetType="ALL_PROVISIONED_ACCOUNTS")
    person = {"PrincipalType": "USER", "PrincipalId": "00000000-0000-4000-8000-0000000000ff"}
    target = {"TargetId": "123456789012", "TargetType": "AWS_ACCOUNT"}
    sso.create_account_assignment(InstanceArn=instance, PermissionSetArn=arn, **target, **person)
    assert cloud.read("aws.identitycenter.account_assignments") == [
        {"AccountId": "123456789012", "PermissionSetArn": arn, "InstanceArn": instance, **person}
    ]


def test_security_hub_findings_of_the_region(cloud):
    assert len(cloud.read("aws.securityhub.findings")) == Size().findings
    assert cloud.read("aws.securityhub.findings", scope=WEST)[0]["Id"].startswith(f"finding-{REGIONS[1]}")


def test_discovery_finds_regions_and_excludes_those_not_switched_on(moto, reader):
    reader.url = moto.url
    scopes = {scope.name: scope for scope in reader.session(regions="enabled").scopes()}
    assert set(REGIONS) <= set(scopes)
    assert scopes["123456789012"].level == "account"
    assert [scope.name for scope in scopes.values() if scope.excluded]
    assert not any(scopes[name].excluded for name in REGIONS)

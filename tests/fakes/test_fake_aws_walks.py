"""boto3, a client we did not write, walks the fake and gets exactly what was put in."""

from __future__ import annotations

import pytest
from botocore import xform_name

from tests.fakes.aws import Ask, FakeAws
from tests.fakes.aws.model import operation_model
from tests.fakes.aws.paging import look, paging_of
from tests.fakes.aws.sample import sample

OPERATIONS = [
    "iam.GenerateCredentialReport",
    "iam.GetCredentialReport",
    "iam.GetAccountAuthorizationDetails",
    "iam.GetAccountSummary",
    "iam.GetAccountPasswordPolicy",
    "iam.ListUsers",
    "sso-admin.ListInstances",
    "sso-admin.ListPermissionSets",
    "sso-admin.DescribePermissionSet",
    "sso-admin.ListManagedPoliciesInPermissionSet",
    "sso-admin.GetInlinePolicyForPermissionSet",
    "sso-admin.ListCustomerManagedPolicyReferencesInPermissionSet",
    "sso-admin.GetPermissionsBoundaryForPermissionSet",
    "sso-admin.ListAccountsForProvisionedPermissionSet",
    "sso-admin.ListAccountAssignments",
    "organizations.ListAccounts",
    "organizations.ListPolicies",
    "organizations.DescribePolicy",
    "organizations.ListTargetsForPolicy",
    "cloudtrail.DescribeTrails",
    "cloudtrail.GetTrailStatus",
    "cloudtrail.GetEventSelectors",
    "cloudtrail.GetInsightSelectors",
    "config.DescribeConfigurationRecorders",
    "config.DescribeConfigurationRecorderStatus",
    "config.DescribeDeliveryChannels",
    "config.DescribeDeliveryChannelStatus",
    "guardduty.ListDetectors",
    "guardduty.GetDetector",
    "guardduty.DescribeOrganizationConfiguration",
    "guardduty.ListMembers",
    "guardduty.ListFindings",
    "guardduty.GetFindings",
    "securityhub.GetFindings",
    "inspector2.ListFindings",
    "ec2.DescribeSecurityGroups",
    "ec2.DescribeSecurityGroupRules",
    "ec2.GetEbsEncryptionByDefault",
    "ec2.GetEbsDefaultKmsKeyId",
    "ec2.GetSnapshotBlockPublicAccessState",
    "ec2.GetImageBlockPublicAccessState",
    "ec2.GetSerialConsoleAccessStatus",
    "ec2.GetInstanceMetadataDefaults",
    "s3.ListBuckets",
    "s3.GetPublicAccessBlock",
    "s3.GetBucketPolicyStatus",
    "s3.GetBucketAcl",
    "s3.GetBucketOwnershipControls",
    "s3.GetBucketEncryption",
    "kms.ListKeys",
    "kms.DescribeKey",
    "kms.GetKeyRotationStatus",
    "kms.ListAliases",
    "rds.DescribeDBInstances",
    "backup.ListBackupJobs",
    "backup.ListCopyJobs",
    "backup.ListRestoreJobs",
    "backup.ListRestoreTestingPlans",
    "backup.GetRestoreTestingPlan",
    "sts.GetCallerIdentity",
    "account.ListRegions",
    "ec2.DescribeRegions",
]

WITHOUT_PAGINATOR = [
    "wafv2.ListWebACLs",
    "events.ListEventBuses",
    "cloudtrail.ListEventDataStores",
    "sesv2.ListEmailIdentities",
]

ARGUMENTS = {
    "InstanceArn": "arn:aws:sso:::instance/ssoins-1234567890abcdef",
    "PermissionSetArn": "arn:aws:sso:::permissionSet/ssoins-1234567890abcdef/ps-1234567890abcdef",
    "AccountId": "123456789012",
    "PolicyId": "p-examplepolicyid",
    "DetectorId": "12abc34d567e8fa901bc2d34e56789f0",
    "Bucket": "example-bucket",
}


def arguments(model):
    required = model.input_shape.required_members if model.input_shape else []
    return {
        name: ARGUMENTS.get(name) or sample(model.input_shape.members[name], required_only=True) for name in required
    }


def split(name):
    service, operation = name.split(".")
    return service, operation, operation_model(service, operation)


def filled(model, items):
    """An answer with every member filled, and *items* different items in each of its paged lists."""
    paging = paging_of(model)
    whole = sample(model.output_shape) if model.output_shape else {}
    for path in paging.results if paging else ():
        shape = model.output_shape.members[path].member
        whole[path] = [sample(shape, number) for number in range(items)]
    for name in (paging.token_out, paging.more) if paging else ():
        whole.pop(name, None)
    return whole


@pytest.fixture
def aws():
    with FakeAws() as server:
        yield server


@pytest.mark.parametrize("name", [*OPERATIONS, *WITHOUT_PAGINATOR])
def test_one_answer_comes_back_as_it_was_put_in(aws, name):
    service, operation, model = split(name)
    whole = filled(model, 1)
    aws.play(service, operation, whole)
    got = getattr(aws.client(service), xform_name(operation))(**arguments(model))
    metadata = got.pop("ResponseMetadata")
    assert {key: value for key, value in got.items() if key not in ("IsTruncated", "Truncated")} == whole
    assert metadata["RequestId"]
    assert metadata["HTTPHeaders"]["date"]


@pytest.mark.parametrize("name", [name for name in OPERATIONS if paging_of(split(name)[2])])
def test_boto3s_paginator_gets_every_item_over_three_pages(aws, name):
    service, operation, model = split(name)
    client, paging = aws.client(service), paging_of(model)
    if not client.can_paginate(xform_name(operation)):
        assert name == "guardduty.DescribeOrganizationConfiguration"
        return
    size = min(5, paging.maximum)
    whole = filled(model, 2 * size + 1)
    aws.play(service, operation, whole)
    pages = client.get_paginator(xform_name(operation)).paginate(
        **arguments(model), PaginationConfig={"PageSize": size} if paging.limit else {}
    )
    got = pages.build_full_result()
    assert {path: look(got, path) for path in paging.results} == {path: look(whole, path) for path in paging.results}
    assert aws.count(service, operation) == 3 if len(paging.results) == 1 else 9


@pytest.mark.parametrize("name", WITHOUT_PAGINATOR)
def test_the_token_loop_gets_every_item_where_boto3_has_no_paginator(aws, name):
    service, operation, model = split(name)
    paging, client = paging_of(model), aws.client(service)
    whole = filled(model, 2 * paging.default + 1)
    aws.play(service, operation, whole)
    assert not client.can_paginate(xform_name(operation))
    got, token = [], {}
    while True:
        page = getattr(client, xform_name(operation))(**arguments(model), **token)
        got += page[paging.results[0]]
        if paging.token_out not in page:
            break
        token = {paging.token_in[0]: page[paging.token_out]}
    assert got == whole[paging.results[0]]
    assert aws.count(service) == 3


@pytest.mark.parametrize(
    ("name", "default"),
    [
        ("iam.ListUsers", 100),
        ("kms.ListKeys", 100),
        ("kms.ListAliases", 50),
        ("guardduty.ListFindings", 50),
        ("organizations.ListAccounts", 20),
        ("sso-admin.ListPermissionSets", 100),
        ("rds.DescribeDBInstances", 100),
        ("ec2.DescribeSecurityGroups", 1000),
        ("backup.ListBackupJobs", 1000),
        ("s3.ListBuckets", 10000),
        ("wafv2.ListWebACLs", 100),
    ],
)
def test_pages_are_as_large_as_awss_when_no_size_is_asked_for(name, default):
    assert paging_of(split(name)[2]).size({}) == default


def test_the_lists_of_one_answer_are_paged_one_after_the_other(aws):
    """IAM's GetAccountAuthorizationDetails: a page may end in one list and the next begin in another."""
    service, operation, model = split("iam.GetAccountAuthorizationDetails")
    whole = filled(model, 3)
    aws.play(service, operation, whole)
    pages = list(
        aws.client("iam").get_paginator("get_account_authorization_details").paginate(PaginationConfig={"PageSize": 4})
    )
    lists = ("UserDetailList", "GroupDetailList", "RoleDetailList", "Policies")
    assert [[len(page.get(name, [])) for name in lists] for page in pages] == [[3, 1, 0, 0], [0, 2, 2, 0], [0, 0, 1, 3]]
    assert [page["IsTruncated"] for page in pages] == [True, True, False]


def test_regions_answer_for_themselves(aws):
    aws.play("kms", "ListKeys", [{"KeyId": "here"}], region="eu-west-1")
    aws.play("kms", "ListKeys", [])
    assert aws.client("kms", "eu-west-1").list_keys()["Keys"] == [{"KeyId": "here"}]
    assert aws.client("kms", "us-east-1").list_keys()["Keys"] == []
    assert [ask.region for ask in aws.requests] == ["eu-west-1", "us-east-1"]


def test_an_answer_may_depend_on_what_is_asked(aws):
    def key(ask: Ask):
        return {"KeyMetadata": {"KeyId": ask.params["KeyId"]}}

    aws.play("kms", "DescribeKey", key)
    assert aws.client("kms").describe_key(KeyId="a-key")["KeyMetadata"]["KeyId"] == "a-key"
    assert aws.requests[0].params == {"KeyId": "a-key"}

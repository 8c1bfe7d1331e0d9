"""The kinds that moto does not implement, read from answers that botocore's models allow."""

from __future__ import annotations

from datetime import UTC, datetime

from tests.fakes.aws import Refusal

AT = datetime(2026, 3, 1, tzinfo=UTC)
INSTANCE = "arn:aws:sso:::instance/ssoins-" + "a" * 16
SET = "arn:aws:sso:::permissionSet/ssoins-" + "a" * 16 + "/ps-" + "1" * 16


def test_config_is_one_item_a_region_with_empty_lists_where_there_is_nothing(aws, reader):
    aws.play("config", "DescribeConfigurationRecorders", [{"name": "default", "roleARN": "arn:role"}])
    aws.play("config", "DescribeConfigurationRecorderStatus", [{"name": "default", "recording": True}])
    aws.play("config", "DescribeDeliveryChannels", [])
    aws.play("config", "DescribeDeliveryChannelStatus", [])
    assert reader.read("aws.config.recorders") == [
        {
            "ConfigurationRecorders": [{"name": "default", "roleARN": "arn:role"}],
            "ConfigurationRecordersStatus": [{"name": "default", "recording": True}],
            "DeliveryChannels": [],
            "DeliveryChannelsStatus": [],
        }
    ]


def test_the_defaults_of_a_region_are_one_item_and_what_is_not_set_is_null(aws, reader):
    aws.play("ec2", "GetEbsEncryptionByDefault", {"EbsEncryptionByDefault": True, "SseType": "sse-kms"})
    aws.play("ec2", "GetEbsDefaultKmsKeyId", {"KmsKeyId": "alias/aws/ebs"})
    aws.play("ec2", "GetSnapshotBlockPublicAccessState", {"State": "block-all-sharing", "ManagedBy": "account"})
    aws.play("ec2", "GetImageBlockPublicAccessState", {"ImageBlockPublicAccessState": "unblocked"})
    aws.play("ec2", "GetSerialConsoleAccessStatus", {"SerialConsoleAccessEnabled": False})
    aws.play("ec2", "GetInstanceMetadataDefaults", {})
    assert reader.read("aws.ec2.account_defaults") == [
        {
            "EbsEncryptionByDefault": {"EbsEncryptionByDefault": True, "SseType": "sse-kms"},
            "EbsDefaultKmsKeyId": "alias/aws/ebs",
            "SnapshotBlockPublicAccess": {"State": "block-all-sharing", "ManagedBy": "account"},
            "ImageBlockPublicAccess": {"ImageBlockPublicAccessState": "unblocked"},
            "SerialConsoleAccess": {"SerialConsoleAccessEnabled": False},
            "InstanceMetadataDefaults": None,
        }
    ]


def test_a_permission_set_carries_its_policies_and_a_missing_boundary_is_null(aws, reader):
    boundary = Refusal("ResourceNotFoundException", "no boundary", 400)
    aws.play("sso-admin", "ListInstances", [{"InstanceArn": INSTANCE}])
    aws.play("sso-admin", "ListPermissionSets", [SET])
    aws.play("sso-admin", "DescribePermissionSet", {"PermissionSet": {"Name": "admin", "SessionDuration": "PT1H"}})
    aws.play("sso-admin", "ListManagedPoliciesInPermissionSet", [{"Name": "p", "Arn": "arn:aws:iam::aws:policy/p"}])
    aws.play("sso-admin", "ListCustomerManagedPolicyReferencesInPermissionSet", [])
    aws.play("sso-admin", "GetInlinePolicyForPermissionSet", {"InlinePolicy": "{}"})
    aws.play("sso-admin", "GetPermissionsBoundaryForPermissionSet", boundary)
    assert reader.read("aws.identitycenter.permission_sets") == [
        {
            "PermissionSetArn": SET,
            "InstanceArn": INSTANCE,
            "Name": "admin",
            "SessionDuration": "PT1H",
            "ManagedPolicies": [{"Name": "p", "Arn": "arn:aws:iam::aws:policy/p"}],
            "CustomerManagedPolicies": [],
            "InlinePolicy": "{}",
            "PermissionsBoundary": None,
        }
    ]


def test_a_region_without_identity_center_has_no_permission_sets(aws, reader):
    aws.play("sso-admin", "ListInstances", [])
    assert reader.read("aws.identitycenter.permission_sets") == []
    assert reader.read("aws.identitycenter.account_assignments") == []


def test_a_detector_carries_its_features_and_members(aws, reader):
    member = {"AccountId": "222222222222", "MasterId": "1", "Email": "a@example.com", "RelationshipStatus": "Enabled"}
    aws.play("guardduty", "ListDetectors", ["d" * 32])
    aws.play("guardduty", "GetDetector", {"ServiceRole": "arn:role", "Status": "ENABLED"})
    aws.play("guardduty", "ListMembers", [{**member, "UpdatedAt": "2026-01-01T00:00:00Z"}])
    (detector,) = reader.read("aws.guardduty.detectors")
    assert (detector["DetectorId"], detector["Status"]) == ("d" * 32, "ENABLED")
    assert detector["Members"][0]["AccountId"] == "222222222222"


def test_restore_jobs_and_the_plans_that_test_restoring(aws, reader):
    plan = {
        "CreationTime": AT,
        "RestoreTestingPlanArn": "arn:aws:backup:us-east-1:123456789012:restore-testing-plan:weekly",
        "RestoreTestingPlanName": "weekly",
        "ScheduleExpression": "cron(0 5 ? * 1 *)",
    }
    selection = {
        "CreationTime": AT,
        "IamRoleArn": "arn:role",
        "ProtectedResourceType": "RDS",
        "RestoreTestingPlanName": "weekly",
        "RestoreTestingSelectionName": "databases",
        "ValidationWindowHours": 4,
    }
    aws.play("backup", "ListRestoreJobs", [{"RestoreJobId": "r-1", "Status": "COMPLETED"}])
    aws.play("backup", "ListRestoreTestingPlans", [plan])
    aws.play("backup", "GetRestoreTestingPlan", {"RestoreTestingPlan": {**plan, "RecoveryPointSelection": {}}})
    aws.play("backup", "ListRestoreTestingSelections", [selection])
    assert reader.read("aws.backup.restore_tests") == [{"RestoreJobId": "r-1", "Status": "COMPLETED"}]
    (read,) = reader.read("aws.backup.restore_testing_plans")
    assert read["Selections"] == [selection]
    assert read["CreationTime"] == AT


def test_inspector_findings_are_read_where_it_is_switched_on(aws, reader):
    state = {"status": "ENABLED", "errorCode": "ALREADY_ENABLED", "errorMessage": "none"}
    resources = dict.fromkeys(("ec2", "ecr"), state)
    aws.play("inspector2", "BatchGetAccountStatus", {"accounts": [account(state, resources)]})
    aws.play("inspector2", "ListFindings", [])
    assert reader.read("aws.inspector2.findings") == []
    (asked,) = [ask.params for ask in aws.requests if ask.operation == "ListFindings"]
    assert asked["filterCriteria"]["updatedAt"] == [
        {"startInclusive": datetime(2026, 3, 13, 3, tzinfo=UTC), "endInclusive": datetime(2026, 3, 14, 3, tzinfo=UTC)}
    ]


def account(state, resources):
    return {"accountId": "123456789012", "state": state, "resourceState": resources}

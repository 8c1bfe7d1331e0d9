"""What every AWS kind holds, listed by boto3 alone: its paginators, plain loops, nothing of ours."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable
from typing import Any

from collector.clock import iso, to_ms
from tests.fakes.aws.boto import Boto

Items = list[dict[str, Any]]


def _backup_jobs(boto: Boto) -> Items:
    window = {"ByCreatedAfter": boto.since, "ByCreatedBefore": boto.until}
    backup = boto.items("backup", "ListBackupJobs", "BackupJobs", **window)
    copy = boto.items("backup", "ListCopyJobs", "CopyJobs", **window)
    return [{**job, "JobType": "BACKUP"} for job in backup] + [{**job, "JobType": "COPY"} for job in copy]


def _backup_restore_tests(boto: Boto) -> Items:
    return boto.items("backup", "ListRestoreJobs", "RestoreJobs", ByCreatedAfter=boto.since, ByCreatedBefore=boto.until)


def _backup_restore_testing_plans(boto: Boto) -> Items:
    plans = boto.items("backup", "ListRestoreTestingPlans", "RestoreTestingPlans")
    for plan in plans:
        name = {"RestoreTestingPlanName": plan["RestoreTestingPlanName"]}
        plan.update(boto.call("backup", "GetRestoreTestingPlan", **name)["RestoreTestingPlan"])
        plan["Selections"] = boto.items("backup", "ListRestoreTestingSelections", "RestoreTestingSelections", **name)
    return plans


def _cloudtrail_trails(boto: Boto) -> Items:
    trails = boto.items("cloudtrail", "DescribeTrails", "trailList", includeShadowTrails=True)
    for trail in trails:
        arn = trail["TrailARN"]
        trail["Status"] = boto.call("cloudtrail", "GetTrailStatus", Name=arn)
        trail.update(boto.call("cloudtrail", "GetEventSelectors", TrailName=arn))
        insights = boto.error("InsightNotEnabledException", "cloudtrail", "GetInsightSelectors", TrailName=arn)
        trail["InsightSelectors"] = insights and insights["InsightSelectors"]
    return trails


def _config_recorders(boto: Boto) -> Items:
    operations = {
        "ConfigurationRecorders": "DescribeConfigurationRecorders",
        "ConfigurationRecordersStatus": "DescribeConfigurationRecorderStatus",
        "DeliveryChannels": "DescribeDeliveryChannels",
        "DeliveryChannelsStatus": "DescribeDeliveryChannelStatus",
    }
    return [{key: boto.items("config", operation, key) for key, operation in operations.items()}]


def _ec2_security_groups(boto: Boto) -> Items:
    groups = boto.items("ec2", "DescribeSecurityGroups", "SecurityGroups")
    ids, rules = [group["GroupId"] for group in groups], []
    # A filter takes 200 values at most.
    for start in range(0, len(ids), 200):
        only = [{"Name": "group-id", "Values": ids[start : start + 200]}]
        rules += boto.items("ec2", "DescribeSecurityGroupRules", "SecurityGroupRules", Filters=only)
    return [{**group, "Rules": [r for r in rules if r["GroupId"] == group["GroupId"]]} for group in groups]


def _ec2_account_defaults(boto: Boto) -> Items:
    return [
        {
            "EbsEncryptionByDefault": boto.call("ec2", "GetEbsEncryptionByDefault"),
            "EbsDefaultKmsKeyId": boto.call("ec2", "GetEbsDefaultKmsKeyId")["KmsKeyId"],
            "SnapshotBlockPublicAccess": boto.call("ec2", "GetSnapshotBlockPublicAccessState"),
            "ImageBlockPublicAccess": boto.call("ec2", "GetImageBlockPublicAccessState"),
            "SerialConsoleAccess": boto.call("ec2", "GetSerialConsoleAccessStatus"),
            "InstanceMetadataDefaults": boto.call("ec2", "GetInstanceMetadataDefaults")["AccountLevel"],
        }
    ]


def _guardduty_detectors(boto: Boto) -> Items:
    found = []
    for detector in boto.items("guardduty", "ListDetectors", "DetectorIds"):
        members = boto.items("guardduty", "ListMembers", "Members", DetectorId=detector, OnlyAssociated="false")
        found.append(
            {"DetectorId": detector, **boto.call("guardduty", "GetDetector", DetectorId=detector), "Members": members}
        )
    return found


def _guardduty_organization(boto: Boto) -> Items:
    found = []
    for detector in boto.items("guardduty", "ListDetectors", "DetectorIds"):
        answer = boto.call("guardduty", "DescribeOrganizationConfiguration", DetectorId=detector)
        names = ("AutoEnableOrganizationMembers", "Features", "MemberAccountLimitReached")
        found.append({"DetectorId": detector, "Configuration": {name: answer[name] for name in names}})
    return found


def _guardduty_findings(boto: Boto) -> Items:
    found = []
    for detector in boto.items("guardduty", "ListDetectors", "DetectorIds"):
        updated = {"updatedAt": {"GreaterThanOrEqual": to_ms(boto.since), "LessThan": to_ms(boto.until)}}
        ids = boto.items(
            "guardduty", "ListFindings", "FindingIds", DetectorId=detector, FindingCriteria={"Criterion": updated}
        )
        # GetFindings takes 50 ids at most.
        for start in range(0, len(ids), 50):
            some = ids[start : start + 50]
            found += boto.items("guardduty", "GetFindings", "Findings", DetectorId=detector, FindingIds=some)
    return found


def _iam_credential_report(boto: Boto) -> Items:
    boto.call("iam", "GenerateCredentialReport")
    report = boto.call("iam", "GetCredentialReport")
    rows = list(csv.DictReader(io.StringIO(report["Content"].decode())))
    boto.listed["iam.GetCredentialReport"] += len(rows)
    return [{**row, "GeneratedTime": report["GeneratedTime"]} for row in rows]


def _iam_authorization_details(boto: Boto) -> Items:
    key = "[UserDetailList, GroupDetailList, RoleDetailList, Policies][]"
    return boto.items("iam", "GetAccountAuthorizationDetails", key)


def _iam_account_summary(boto: Boto) -> Items:
    return [boto.call("iam", "GetAccountSummary")]


def _iam_password_policy(boto: Boto) -> Items:
    return [boto.call("iam", "GetAccountPasswordPolicy")]


def _identitycenter_permission_sets(boto: Boto) -> Items:
    found = []
    for instance in boto.items("sso-admin", "ListInstances", "Instances"):
        at = {"InstanceArn": instance["InstanceArn"]}
        for arn in boto.items("sso-admin", "ListPermissionSets", "PermissionSets", **at):
            one = {**at, "PermissionSetArn": arn}
            boundary = boto.error(
                "ResourceNotFoundException", "sso-admin", "GetPermissionsBoundaryForPermissionSet", **one
            )
            customer = boto.items(
                "sso-admin",
                "ListCustomerManagedPolicyReferencesInPermissionSet",
                "CustomerManagedPolicyReferences",
                **one,
            )
            found.append(
                {
                    **one,
                    **boto.call("sso-admin", "DescribePermissionSet", **one)["PermissionSet"],
                    "ManagedPolicies": boto.items(
                        "sso-admin", "ListManagedPoliciesInPermissionSet", "AttachedManagedPolicies", **one
                    ),
                    "CustomerManagedPolicies": customer,
                    "InlinePolicy": boto.call("sso-admin", "GetInlinePolicyForPermissionSet", **one)["InlinePolicy"],
                    "PermissionsBoundary": boundary and boundary["PermissionsBoundary"],
                }
            )
    return found


def _identitycenter_account_assignments(boto: Boto) -> Items:
    found = []
    for instance in boto.items("sso-admin", "ListInstances", "Instances"):
        at = {"InstanceArn": instance["InstanceArn"]}
        for arn in boto.items("sso-admin", "ListPermissionSets", "PermissionSets", **at):
            one = {**at, "PermissionSetArn": arn}
            for account in boto.items("sso-admin", "ListAccountsForProvisionedPermissionSet", "AccountIds", **one):
                held = boto.items("sso-admin", "ListAccountAssignments", "AccountAssignments", **one, AccountId=account)
                found += [{**at, **each} for each in held]
    return found


def _inspector2_findings(boto: Boto) -> Items:
    accounts = boto.call("inspector2", "BatchGetAccountStatus")["accounts"]
    boto.listed["inspector2.BatchGetAccountStatus"] += len(accounts)
    window = {"updatedAt": [{"startInclusive": boto.since, "endInclusive": boto.until}]}
    return boto.items("inspector2", "ListFindings", "findings", filterCriteria=window)


def _kms_keys(boto: Boto) -> Items:
    keys = boto.items("kms", "ListKeys", "Keys")
    for key in keys:
        key.update(boto.call("kms", "DescribeKey", KeyId=key["KeyId"])["KeyMetadata"])
        if key["KeyManager"] == "CUSTOMER" and key["KeySpec"] == "SYMMETRIC_DEFAULT":
            key["Rotation"] = boto.error(
                "UnsupportedOperationException", "kms", "GetKeyRotationStatus", KeyId=key["KeyId"]
            )
    return keys


def _kms_aliases(boto: Boto) -> Items:
    return boto.items("kms", "ListAliases", "Aliases")


def _organizations_accounts(boto: Boto) -> Items:
    return boto.items("organizations", "ListAccounts", "Accounts")


def _organizations_policies(boto: Boto) -> Items:
    types = boto.items("organizations", "ListRoots", "Roots[].PolicyTypes[] | [?Status=='ENABLED'].Type")
    found = []
    for kind in types:
        for policy in boto.items("organizations", "ListPolicies", "Policies", Filter=kind):
            one = {"PolicyId": policy["Id"]}
            content = boto.call("organizations", "DescribePolicy", **one)["Policy"]["Content"]
            targets = boto.items("organizations", "ListTargetsForPolicy", "Targets", **one)
            found.append({**policy, "Content": content, "Targets": targets})
    return found


def _rds_instances(boto: Boto) -> Items:
    return boto.items("rds", "DescribeDBInstances", "DBInstances")


def _s3_bucket_public_access(boto: Boto) -> Items:
    buckets = boto.items("s3", "ListBuckets", "Buckets", MaxBuckets=1000)
    for bucket in buckets:
        at = {"region": bucket["BucketRegion"], "Bucket": bucket["Name"]}
        block = boto.error("NoSuchPublicAccessBlockConfiguration", "s3", "GetPublicAccessBlock", **at)
        status = boto.error("NoSuchBucketPolicy", "s3", "GetBucketPolicyStatus", **at)
        owner = boto.error("OwnershipControlsNotFoundError", "s3", "GetBucketOwnershipControls", **at)
        bucket["PublicAccessBlock"] = block and block["PublicAccessBlockConfiguration"]
        bucket["PolicyStatus"] = status and status["PolicyStatus"]
        bucket["Acl"] = boto.call("s3", "GetBucketAcl", **at)
        bucket["OwnershipControls"] = owner and owner["OwnershipControls"]
    return buckets


def _s3_bucket_encryption(boto: Boto) -> Items:
    buckets = boto.items("s3", "ListBuckets", "Buckets", MaxBuckets=1000)
    for bucket in buckets:
        found = boto.error(
            "ServerSideEncryptionConfigurationNotFoundError",
            "s3",
            "GetBucketEncryption",
            bucket["BucketRegion"],
            Bucket=bucket["Name"],
        )
        bucket["Encryption"] = found and found["ServerSideEncryptionConfiguration"]
    return buckets


def _securityhub_findings(boto: Boto) -> Items:
    window = {"UpdatedAt": [{"Start": iso(boto.since), "End": iso(boto.until)}]}
    return boto.items("securityhub", "GetFindings", "Findings", Filters=window)


LISTINGS: dict[str, Callable[[Boto], Items]] = {
    "aws.backup.jobs": _backup_jobs,
    "aws.backup.restore_tests": _backup_restore_tests,
    "aws.backup.restore_testing_plans": _backup_restore_testing_plans,
    "aws.cloudtrail.trails": _cloudtrail_trails,
    "aws.config.recorders": _config_recorders,
    "aws.ec2.security_groups": _ec2_security_groups,
    "aws.ec2.account_defaults": _ec2_account_defaults,
    "aws.guardduty.detectors": _guardduty_detectors,
    "aws.guardduty.organization": _guardduty_organization,
    "aws.guardduty.findings": _guardduty_findings,
    "aws.iam.credential_report": _iam_credential_report,
    "aws.iam.authorization_details": _iam_authorization_details,
    "aws.iam.account_summary": _iam_account_summary,
    "aws.iam.password_policy": _iam_password_policy,
    "aws.identitycenter.permission_sets": _identitycenter_permission_sets,
    "aws.identitycenter.account_assignments": _identitycenter_account_assignments,
    "aws.inspector2.findings": _inspector2_findings,
    "aws.kms.keys": _kms_keys,
    "aws.kms.aliases": _kms_aliases,
    "aws.organizations.accounts": _organizations_accounts,
    "aws.organizations.policies": _organizations_policies,
    "aws.rds.instances": _rds_instances,
    "aws.s3.bucket_public_access": _s3_bucket_public_access,
    "aws.s3.bucket_encryption": _s3_bucket_encryption,
    "aws.securityhub.findings": _securityhub_findings,
}

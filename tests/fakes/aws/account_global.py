"""What `account` gives the account as a whole: identities, the organisation, buckets."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any
from urllib.parse import quote

from tests.fakes.aws.fixtures import ACCOUNT, START, by, made, whole
from tests.fakes.aws.refusal import Refusal
from tests.fakes.aws.server import FakeAws
from tests.fakes.aws.wire import Ask

_INSTANCE = "arn:aws:sso:::instance/ssoins-1234567890abcdef"


def iam(aws: FakeAws, count: int) -> None:
    """Play users, groups, roles, policies, the credential report and the password policy."""
    document = quote(json.dumps({"Version": "2012-10-17", "Statement": []}))

    def arn(what: str) -> Callable[[int], str]:
        return lambda number: f"arn:aws:iam::{ACCOUNT}:{what}/{number:04}"

    lists = {"UserDetailList": "user", "GroupDetailList": "group", "RoleDetailList": "role", "Policies": "policy"}
    # As many users; of the others there are never so many.
    numbers = {"user": count, "group": min(count, 40), "role": min(count, 300), "policy": min(count, 60)}
    details = {
        path: made("iam", "GetAccountAuthorizationDetails", path, numbers[what], Arn=arn(what))
        for path, what in lists.items()
    }
    for role in details["RoleDetailList"]:
        role["AssumeRolePolicyDocument"] = document
    aws.play("iam", "GetAccountAuthorizationDetails", details)
    aws.play("iam", "GetAccountSummary", {"SummaryMap": {"Users": count, "AccountMFAEnabled": 1, "UsersQuota": 5000}})
    aws.play("iam", "GetAccountPasswordPolicy", whole("iam", "GetAccountPasswordPolicy"))
    aws.play("iam", "GenerateCredentialReport", {"State": "COMPLETE", "Description": "No report exists."})
    report = io.StringIO()
    rows = csv.writer(report)
    rows.writerow(["user", "arn", "mfa_active", "password_last_used"])
    rows.writerow(["<root_account>", f"arn:aws:iam::{ACCOUNT}:root", "true", "no_information"])
    rows.writerows([f"user-{n}", arn("user")(n), str(n % 3 > 0).lower(), "N/A"] for n in range(count))
    content = {"Content": report.getvalue().encode(), "ReportFormat": "text/csv", "GeneratedTime": START}
    aws.play("iam", "GetCredentialReport", content)


def organization(aws: FakeAws, count: int) -> None:
    """Play accounts, and policies of three types, one of them switched off."""
    aws.play("organizations", "ListAccounts", made("organizations", "ListAccounts", "Accounts", count))
    types = [
        {"Type": "SERVICE_CONTROL_POLICY", "Status": "ENABLED"},
        {"Type": "BACKUP_POLICY", "Status": "ENABLED"},
        {"Type": "TAG_POLICY", "Status": "PENDING_DISABLE"},
    ]
    aws.play("organizations", "ListRoots", [{"Id": "r-exam", "Arn": "arn:root", "Name": "Root", "PolicyTypes": types}])
    policies = {
        kind: made(
            "organizations",
            "ListPolicies",
            "Policies",
            count,
            Type=kind,
            Id=lambda n, kind=kind: f"p-{kind.lower()}{n:04}".replace("_", ""),
            Arn=lambda n, kind=kind: f"arn:aws:organizations::{ACCOUNT}:policy/o-example/{kind.lower()}/p-{n:04}",
        )
        for kind in ("SERVICE_CONTROL_POLICY", "BACKUP_POLICY", "TAG_POLICY")
    }
    aws.play("organizations", "ListPolicies", lambda ask: policies[ask.params["Filter"]])
    every = {policy["Id"]: policy for some in policies.values() for policy in some}
    missing = Refusal("PolicyNotFoundException")
    contents = {name: {"Policy": {"PolicySummary": one, "Content": f"{{{name}}}"}} for name, one in every.items()}
    aws.play("organizations", "DescribePolicy", by("PolicyId", contents, missing))
    targets = made("organizations", "ListTargetsForPolicy", "Targets", 5)
    aws.play("organizations", "ListTargetsForPolicy", by("PolicyId", dict.fromkeys(every, targets), missing))


def identity_center(aws: FakeAws, count: int) -> None:
    """Play an instance in us-east-1, its permission sets and assignments."""
    service, missing = "sso-admin", Refusal("ResourceNotFoundException")
    aws.play(service, "ListInstances", [])
    aws.play(service, "ListInstances", [{"InstanceArn": _INSTANCE, "IdentityStoreId": "d-1234567890"}], "us-east-1")
    sets = [f"arn:aws:sso:::permissionSet/ssoins-1234567890abcdef/ps-{n:016}" for n in range(count)]
    aws.play(service, "ListPermissionSets", sets)

    def each(operation: str, answers: Mapping[str, Any]) -> None:
        aws.play(service, operation, by("PermissionSetArn", answers, missing))

    described = {
        arn: {"PermissionSet": {"PermissionSetArn": arn, "Name": f"set-{n}", "CreatedDate": START, "Description": "d"}}
        for n, arn in enumerate(sets)
    }
    each("DescribePermissionSet", described)
    for operation, path in (
        ("ListManagedPoliciesInPermissionSet", "AttachedManagedPolicies"),
        ("ListCustomerManagedPolicyReferencesInPermissionSet", "CustomerManagedPolicyReferences"),
    ):
        each(operation, dict.fromkeys(sets, made(service, operation, path, 7)))
    each("GetInlinePolicyForPermissionSet", {arn: {"InlinePolicy": f"{{{arn}}}"} for arn in sets})
    boundary = {"PermissionsBoundary": {"ManagedPolicyArn": "arn:aws:iam::aws:policy/ReadOnlyAccess"}}
    each("GetPermissionsBoundaryForPermissionSet", dict.fromkeys(sets[::2], boundary))
    accounts = [f"{number:012}" for number in range(5)]
    each("ListAccountsForProvisionedPermissionSet", dict.fromkeys(sets, accounts))

    def assignments(ask: Ask) -> list[Any]:
        place = {"AccountId": ask.params["AccountId"], "PermissionSetArn": ask.params["PermissionSetArn"]}
        return [{**place, "PrincipalType": "USER", "PrincipalId": f"principal-{number}"} for number in range(5)]

    aws.play(service, "ListAccountAssignments", assignments)


def buckets(aws: FakeAws, count: int, regions: Sequence[str]) -> None:
    """Play buckets spread over *regions*, each with details in its own region only."""
    places = {f"example-bucket-{n:04}": regions[n % len(regions)] for n in range(count)}
    buckets = [{"Name": name, "CreationDate": START, "BucketRegion": place} for name, place in places.items()]
    aws.play("s3", "ListBuckets", {"Buckets": buckets, "Owner": {"ID": "owner"}})

    def each(operation: str, answer: dict[str, Any], absent: str) -> None:
        def detail(ask: Ask) -> Any:
            name = ask.params["Bucket"]
            if name not in places:
                return Refusal("NoSuchBucket")
            if places[name] != ask.region:
                return Refusal("PermanentRedirect", "Use the bucket's own region.", 301, Bucket=name)
            return Refusal(absent) if absent and int(name[-4:]) % 3 == 0 else answer

        aws.play("s3", operation, detail)

    each("GetPublicAccessBlock", whole("s3", "GetPublicAccessBlock"), "NoSuchPublicAccessBlockConfiguration")
    each("GetBucketPolicyStatus", whole("s3", "GetBucketPolicyStatus"), "NoSuchBucketPolicy")
    each("GetBucketOwnershipControls", whole("s3", "GetBucketOwnershipControls"), "OwnershipControlsNotFoundError")
    each("GetBucketEncryption", whole("s3", "GetBucketEncryption"), "ServerSideEncryptionConfigurationNotFoundError")
    each("GetBucketAcl", whole("s3", "GetBucketAcl"), "")

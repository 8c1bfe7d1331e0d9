"""Twelve kinds with documents as vendors send them, 0.5 to 6 KB, for the year's workload. Templates, not code.

In a text ``{name}`` stands for something made up: ``{hex8}`` and so on (random hex), ``{word}``, ``{person}``,
``{ip}``, ``{date}``, ``{number}``, ``{account}``, ``{region}``, ``{n}`` (the item's number in its population).
A list ``["*", least, most, template]`` is repeated, ``["?", a, b, ...]`` is one of its members.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from collector.model import Json
from collector.procedure import Kind

_TAGS = ["*", 2, 5, {"Key": ["?", "Name", "Team", "Env", "Owner", "CostCenter"], "Value": "{word}-{word}"}]
_STATEMENT = {
    "Sid": "{word}{hex4}",
    "Effect": ["?", "Allow", "Allow", "Deny"],
    "Action": ["*", 1, 6, ["?", "s3:GetObject", "s3:PutObject", "ec2:Describe*", "kms:Decrypt", "logs:PutLogEvents"]],
    "Resource": ["*", 1, 3, "arn:aws:s3:::{word}-{word}-{account}/*"],
}
_POLICY = {"Version": "2012-10-17", "Statement": ["*", 1, 4, _STATEMENT]}


@dataclass(frozen=True)
class Made:
    """A kind, the share of all items it has, its documents, and its volatile fields (made up at every reading)."""

    kind: Kind
    share: float
    document: dict[str, Json]
    volatile: dict[str, Json]


def _made(
    name: str, share: float, key: str, document: dict[str, Json], volatile: dict[str, Json] | None = None, **more: Any
) -> Made:
    spec = {"name": name, "title": f"Made-up {name}", "list": f"GET /{name}", "key": key, "every": "hourly"}
    return Made(
        Kind.model_validate({**spec, "volatile": list(volatile or {}), **more}), share, document, volatile or {}
    )


MADE = (
    _made(
        "cloud.users",
        0.14,
        "Arn",
        {
            "Arn": "arn:aws:iam::{account}:user/{person}{n}",
            "UserName": "{person}{n}",
            "UserId": "AIDA{hex16}",
            "Path": "/",
            "CreateDate": "{date}",
            "PasswordEnabled": ["?", True, False],
            "MFADevices": ["*", 0, 1, {"SerialNumber": "arn:aws:iam::{account}:mfa/{person}", "EnableDate": "{date}"}],
            "AccessKeys": ["*", 0, 2, {"AccessKeyId": "AK{hex16}", "Status": "Active", "CreateDate": "{date}"}],
            "GroupList": ["*", 1, 4, "{word}"],
            "Tags": _TAGS,
        },
        {"PasswordLastUsed": "{date}", "KeyLastUsed": {"Date": "{date}", "Region": "{region}"}},
        sets=["GroupList", "Tags"],
    ),
    _made(
        "cloud.roles",
        0.12,
        "Arn",
        {
            "Arn": "arn:aws:iam::{account}:role/{word}-{word}-{n}",
            "RoleId": "AROA{hex16}",
            "CreateDate": "{date}",
            "MaxSessionDuration": ["?", 3600, 7200, 43200],
            "AssumeRolePolicyDocument": _POLICY,
            "RolePolicyList": ["*", 0, 3, {"PolicyName": "{word}-{word}", "PolicyDocument": _POLICY}],
            "AttachedManagedPolicies": ["*", 1, 5, {"PolicyArn": "arn:aws:iam::aws:policy/{word}{word}Access"}],
            "Tags": _TAGS,
        },
        {"RoleLastUsed": {"LastUsedDate": "{date}", "Region": "{region}"}, "AttachmentCount": "{number}"},
        sets=["Tags"],
    ),
    _made(
        "cloud.policies",
        0.08,
        "Arn",
        {
            "Arn": "arn:aws:iam::{account}:policy/{word}-{word}-{n}",
            "PolicyId": "ANPA{hex16}",
            "DefaultVersionId": "v{number}",
            "PolicyVersionList": [
                "*",
                1,
                5,
                {"VersionId": "v{number}", "Document": _POLICY, "CreateDate": "{date}", "IsDefaultVersion": True},
            ],
        },
    ),
    _made(
        "cloud.buckets",
        0.06,
        "Name",
        {
            "Name": "{word}-{word}-{account}-{n}",
            "CreationDate": "{date}",
            "Encryption": {"SSEAlgorithm": ["?", "aws:kms", "AES256"], "KMSMasterKeyID": "{uuid}"},
            "Policy": _POLICY,
            "Versioning": {"Status": ["?", "Enabled", "Suspended"], "MFADelete": "Disabled"},
            "PublicAccessBlock": {
                "BlockPublicAcls": True,
                "IgnorePublicAcls": True,
                "BlockPublicPolicy": ["?", True, True, False],
                "RestrictPublicBuckets": True,
            },
            "Lifecycle": ["*", 0, 4, {"ID": "{word}", "Status": "Enabled", "Expiration": {"Days": "{number}"}}],
            "Tags": _TAGS,
        },
    ),
    _made(
        "cloud.instances",
        0.14,
        "InstanceId",
        {
            "InstanceId": "i-{hex8}{n}",
            "ImageId": "ami-{hex16}",
            "InstanceType": ["?", "t3.medium", "m6i.large", "c7g.xlarge", "r6i.2xlarge"],
            "LaunchTime": "{date}",
            "Placement": {"AvailabilityZone": "{region}a", "Tenancy": "default"},
            "PrivateIpAddress": "{ip}",
            "SubnetId": "subnet-{hex16}",
            "VpcId": "vpc-{hex8}",
            "MetadataOptions": {"HttpTokens": ["?", "required", "optional"], "HttpEndpoint": "enabled"},
            "BlockDeviceMappings": [
                "*",
                1,
                4,
                {"DeviceName": "/dev/sd{hex1}", "Ebs": {"VolumeId": "vol-{hex16}", "AttachTime": "{date}"}},
            ],
            "SecurityGroups": ["*", 1, 4, {"GroupId": "sg-{hex16}", "GroupName": "{word}-{word}"}],
            "NetworkInterfaces": [
                "*",
                1,
                2,
                {
                    "NetworkInterfaceId": "eni-{hex16}",
                    "MacAddress": "0a:{hex2}:{hex2}:{hex2}:{hex2}:{hex2}",
                    "PrivateIpAddress": "{ip}",
                    "Status": "in-use",
                    "SourceDestCheck": True,
                },
            ],
            "IamInstanceProfile": {"Arn": "arn:aws:iam::{account}:instance-profile/{word}", "Id": "AIPA{hex16}"},
            "State": {"Code": 16, "Name": "running"},
            "Tags": _TAGS,
        },
    ),
    _made(
        "cloud.security_groups",
        0.12,
        "GroupId",
        {
            "GroupId": "sg-{hex8}{n}",
            "GroupName": "{word}-{word}",
            "Description": "Allows {word} to reach {word}",
            "VpcId": "vpc-{hex8}",
            "OwnerId": "{account}",
            "IpPermissions": [
                "*",
                1,
                8,
                {
                    "IpProtocol": ["?", "tcp", "udp", "-1"],
                    "FromPort": "{number}",
                    "ToPort": "{number}",
                    "IpRanges": ["*", 1, 5, {"CidrIp": "{ip}/32", "Description": "{word} office"}],
                    "UserIdGroupPairs": [],
                },
            ],
            "IpPermissionsEgress": [{"IpProtocol": "-1", "IpRanges": [{"CidrIp": "0.0.0.0/0"}]}],
            "Tags": _TAGS,
        },
    ),
    _made(
        "cloud.keys",
        0.05,
        "KeyArn",
        {
            "KeyArn": "arn:aws:kms:{region}:{account}:key/{hex8}-{n}",
            "AWSAccountId": "{account}",
            "CreationDate": "{date}",
            "Description": "{word} {word} for the {word} service",
            "Enabled": True,
            "KeyManager": ["?", "AWS", "CUSTOMER"],
            "KeySpec": "SYMMETRIC_DEFAULT",
            "KeyState": "Enabled",
            "KeyUsage": "ENCRYPT_DECRYPT",
            "MultiRegion": False,
            "EncryptionAlgorithms": ["SYMMETRIC_DEFAULT"],
            "KeyRotation": {"KeyRotationEnabled": ["?", True, False], "RotationPeriodInDays": 365},
            "Policy": _POLICY,
        },
    ),
    _made(
        "cloud.databases",
        0.03,
        "DBInstanceArn",
        {
            "DBInstanceArn": "arn:aws:rds:{region}:{account}:db:{word}-{n}",
            "Engine": ["?", "postgres", "mysql", "aurora-postgresql"],
            "EngineVersion": "{number}.{number}",
            "DBInstanceClass": "db.r6g.large",
            "StorageEncrypted": ["?", True, True, False],
            "KmsKeyId": "arn:aws:kms:{region}:{account}:key/{uuid}",
            "MultiAZ": ["?", True, False],
            "BackupRetentionPeriod": "{number}",
            "PubliclyAccessible": False,
            "Endpoint": {"Address": "{word}.{hex8}.{region}.rds.amazonaws.com", "Port": 5432},
            "VpcSecurityGroups": ["*", 1, 4, {"VpcSecurityGroupId": "sg-{hex16}", "Status": "active"}],
            "DBParameterGroups": ["*", 1, 2, {"DBParameterGroupName": "{word}", "ParameterApplyStatus": "in-sync"}],
            "DBSubnetGroup": {
                "DBSubnetGroupName": "{word}-{word}",
                "Subnets": [
                    "*",
                    2,
                    6,
                    {
                        "SubnetIdentifier": "subnet-{hex16}",
                        "SubnetAvailabilityZone": {"Name": "{region}b"},
                        "SubnetStatus": "Active",
                    },
                ],
            },
            "PendingMaintenance": {},
            "CertificateDetails": {"CAIdentifier": "rds-ca-rsa2048-g1", "ValidTill": "{date}"},
            "TagList": _TAGS,
        },
        {"LatestRestorableTime": "{date}"},
    ),
    _made(
        "code.repositories",
        0.07,
        "full_name",
        {
            "full_name": "acme/{word}-{word}-{n}",
            "id": "{number}{number}{number}",
            "node_id": "R_{hex16}",
            "private": ["?", True, False],
            "html_url": "https://github.example/acme/{word}",
            "description": "{word} {word} {word} service",
            "topics": ["*", 0, 6, "{word}"],
            "default_branch": "main",
            "permissions": {"admin": False, "maintain": False, "push": True, "triage": True, "pull": True},
            "security_and_analysis": {
                "secret_scanning": {"status": ["?", "enabled", "disabled"]},
                "dependabot_security_updates": {"status": ["?", "enabled", "disabled"]},
            },
            "license": {"key": "apache-2.0", "name": "Apache License 2.0", "spdx_id": "Apache-2.0"},
            "owner": {"login": "acme", "id": 1, "type": "Organization", "url": "https://api.github.example/users/acme"},
        },
        {"pushed_at": "{date}", "stargazers_count": "{number}", "size": "{number}"},
    ),
    _made(
        "code.branch_protection",
        0.07,
        "full_name",
        {
            "full_name": "acme/{word}-{n}",
            "protection": {
                "required_status_checks": {"strict": True, "contexts": ["*", 1, 7, "ci/{word}-{word}"]},
                "enforce_admins": {"enabled": ["?", True, False]},
                "required_pull_request_reviews": {
                    "dismiss_stale_reviews": True,
                    "require_code_owner_reviews": ["?", True, False],
                    "required_approving_review_count": ["?", 1, 2],
                },
                "restrictions": {
                    "users": ["*", 0, 4, {"login": "{person}", "id": "{number}{number}"}],
                    "teams": ["*", 1, 3, {"slug": "{word}", "node_id": "T_{hex16}"}],
                },
                "allow_force_pushes": {"enabled": False},
                "allow_deletions": {"enabled": False},
            },
        },
    ),
    _made(
        "people.accounts",
        0.08,
        "id",
        {
            "id": "00u{hex8}{n}",
            "status": ["?", "ACTIVE", "ACTIVE", "ACTIVE", "SUSPENDED"],
            "created": "{date}",
            "activated": "{date}",
            "profile": {
                "firstName": "{person}",
                "lastName": "{person}",
                "email": "{person}.{person}{n}@acme.example",
                "department": "{word}",
                "title": ["?", "Engineer", "Manager", "Analyst", "Director"],
                "manager": "{person}",
            },
            "factors": ["*", 1, 3, {"id": "{hex16}", "factorType": ["?", "webauthn", "push"], "created": "{date}"}],
            "groups": ["*", 2, 10, {"id": "00g{hex16}", "name": "{word}-{word}"}],
        },
        {"lastLogin": "{date}", "lastUpdated": "{date}"},
    ),
    _made(
        "code.findings",
        0.04,
        "Id",
        {
            "Id": "arn:aws:inspector2:{region}:{account}:finding/{hex8}{n}",
            "Severity": ["?", "LOW", "MEDIUM", "HIGH", "CRITICAL"],
            "Title": "CVE-20{number}-{number} - {word}, {word} and {number} more",
            "Description": ["*", 10, 30, "{word} {word} {word}"],
            "Status": ["?", "ACTIVE", "SUPPRESSED"],
            "Packages": [
                "*",
                2,
                20,
                {"name": "lib{word}", "version": "{number}.{number}", "arch": "X86_64", "sourceLayerHash": "{hex16}"},
            ],
            "ReferenceUrls": ["*", 2, 6, "https://advisories.example/{word}/{hex8}"],
            "FirstObservedAt": "{date}",
        },
    ),
)

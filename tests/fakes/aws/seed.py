"""Fills an empty account with what a small company has, good and bad, through boto3 alone.

Everything is named by number, so that a test or a demo can change one thing and know what it was.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cache
from typing import Any

import boto3
from botocore.config import Config

REGIONS = ("us-east-1", "eu-west-1")


@dataclass(frozen=True)
class Size:
    """How many of what; the regional ones once per region. None of a thing leaves its service untouched."""

    users: int = 12
    groups: int = 3
    roles: int = 5
    policies: int = 3
    buckets: int = 6
    security_groups: int = 5
    keys: int = 4
    databases: int = 2
    trails: int = 1
    accounts: int = 3
    permission_sets: int = 3
    detectors: bool = True
    recorders: bool = True
    findings: int = 4


class Account:
    """Makes clients of one endpoint; every client is made once."""

    def __init__(self, endpoint: str, key: str = "AKIAFAKE", secret: str = "secret") -> None:
        self._endpoint = endpoint
        self._session = _session(key, secret)
        self._clients: dict[tuple[str, str], Any] = {}

    def client(self, service: str, region: str = REGIONS[0]) -> Any:
        """Return the client of *service* in *region*."""
        made = self._clients.get((service, region))
        if made is None:
            config = Config(s3={"addressing_style": "path"}, max_pool_connections=16)
            made = self._session.client(service, region, endpoint_url=self._endpoint, config=config)
            self._clients[service, region] = made
        return made


@cache
def _session(key: str, secret: str) -> Any:
    return boto3.Session(key, secret)


def seed(endpoint: str, size: Size | None = None, regions: Sequence[str] = REGIONS) -> None:
    """Fill the account behind *endpoint* (moto's server); the first of *regions* is the home region.

    Of the users two thirds have MFA and half a key; of the buckets and keys every third lacks what it should have.
    """
    size, account = size or Size(), Account(endpoint)
    _identities(account, size)
    _buckets(account, size, regions)
    if size.accounts:
        _organization(account, size)
    for region in regions:
        _network(account, size, region)
        _data(account, size, region)
        _watch(account, size, region, home=regions[0])


def _each(make: Callable[[int], object], count: int) -> None:
    with ThreadPoolExecutor(4) as pool:
        for _ in pool.map(make, range(count)):
            pass


def _trust(service: str) -> str:
    statement = {"Effect": "Allow", "Principal": {"Service": service}, "Action": "sts:AssumeRole"}
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


def _allow(*actions: str, resource: str = "*") -> str:
    statement = {"Effect": "Allow", "Action": list(actions), "Resource": resource}
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


def _identities(account: Account, size: Size) -> None:
    iam = account.client("iam")
    if not size.users:
        return
    iam.create_account_alias(AccountAlias="example-corp")
    iam.update_account_password_policy(MinimumPasswordLength=14, RequireSymbols=True, RequireNumbers=True)
    arns = [
        iam.create_policy(PolicyName=f"policy-{n:04}", PolicyDocument=_allow("s3:GetObject"))["Policy"]["Arn"]
        for n in range(size.policies)
    ]
    for n in range(size.groups):
        iam.create_group(GroupName=f"group-{n:04}")
        if arns:
            iam.attach_group_policy(GroupName=f"group-{n:04}", PolicyArn=arns[n % len(arns)])
    for n in range(size.roles):
        iam.create_role(RoleName=f"role-{n:04}", AssumeRolePolicyDocument=_trust("ec2.amazonaws.com"))
        iam.put_role_policy(RoleName=f"role-{n:04}", PolicyName="inline", PolicyDocument=_allow("logs:PutLogEvents"))
    _each(lambda n: _user(iam, size, n), size.users)


def _user(iam: Any, size: Size, n: int) -> None:
    name = f"user-{n:04}"
    iam.create_user(UserName=name)
    # Big accounts are there to be paged, not to be rich.
    if n >= 50:
        return
    iam.create_login_profile(UserName=name, Password="Correct-horse-7")
    if size.groups:
        iam.add_user_to_group(GroupName=f"group-{n % size.groups:04}", UserName=name)
    if n % 3:
        device = iam.create_virtual_mfa_device(VirtualMFADeviceName=name)["VirtualMFADevice"]["SerialNumber"]
        iam.enable_mfa_device(
            UserName=name, SerialNumber=device, AuthenticationCode1="123456", AuthenticationCode2="654321"
        )
    if n % 2:
        iam.create_access_key(UserName=name)


def _buckets(account: Account, size: Size, regions: Sequence[str]) -> None:
    def make(n: int) -> None:
        region, name = regions[n % len(regions)], f"example-bucket-{n:04}"
        s3 = account.client("s3", region)
        place = {} if region == "us-east-1" else {"CreateBucketConfiguration": {"LocationConstraint": region}}
        s3.create_bucket(Bucket=name, **place)
        if n % 3 == 0:
            return
        rule = {"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "aws:kms"}, "BucketKeyEnabled": True}
        s3.put_bucket_encryption(Bucket=name, ServerSideEncryptionConfiguration={"Rules": [rule]})
        block = dict.fromkeys(
            ("BlockPublicAcls", "IgnorePublicAcls", "BlockPublicPolicy", "RestrictPublicBuckets"), n % 3 == 1
        )
        s3.put_public_access_block(Bucket=name, PublicAccessBlockConfiguration=block)
        s3.put_bucket_ownership_controls(
            Bucket=name, OwnershipControls={"Rules": [{"ObjectOwnership": "BucketOwnerEnforced"}]}
        )

    for region in regions:
        account.client("s3", region)
    _each(make, size.buckets)


def _network(account: Account, size: Size, region: str) -> None:
    if not size.security_groups:
        return
    ec2 = account.client("ec2", region)
    vpc = ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]

    def make(n: int) -> None:
        group = ec2.create_security_group(GroupName=f"group-{n:04}", Description=f"group {n}", VpcId=vpc)["GroupId"]
        # The first one is open to the world.
        if n < 50:
            source = "0.0.0.0/0" if n == 0 else f"10.0.{n}.0/24"
            rule = {"IpProtocol": "tcp", "FromPort": 22, "ToPort": 22, "IpRanges": [{"CidrIp": source}]}
            ec2.authorize_security_group_ingress(GroupId=group, IpPermissions=[rule])

    _each(make, size.security_groups)
    if region == REGIONS[0]:
        ec2.enable_ebs_encryption_by_default()


def _data(account: Account, size: Size, region: str) -> None:
    kms, rds = account.client("kms", region), account.client("rds", region)

    def key(n: int) -> None:
        made = kms.create_key(Description=f"key {n}")["KeyMetadata"]["KeyId"]
        kms.create_alias(AliasName=f"alias/key-{n:04}", TargetKeyId=made)
        if n % 3:
            kms.enable_key_rotation(KeyId=made)

    _each(key, size.keys)
    for n in range(size.databases):
        rds.create_db_instance(
            DBInstanceIdentifier=f"database-{n:04}",
            DBInstanceClass="db.t3.micro",
            Engine="postgres",
            AllocatedStorage=20,
            MasterUsername="root",
            MasterUserPassword="Correct-horse-7",
            StorageEncrypted=bool(n % 2),
            BackupRetentionPeriod=7 * (n % 2),
        )


def _watch(account: Account, size: Size, region: str, *, home: str) -> None:
    if size.trails and region == home:
        account.client("s3", home).create_bucket(Bucket="example-trail-logs", **_place(home))
        trails = account.client("cloudtrail", home)
        for n in range(size.trails):
            trails.create_trail(Name=f"trail-{n:04}", S3BucketName="example-trail-logs", IsMultiRegionTrail=n == 0)
            trails.start_logging(Name=f"trail-{n:04}")
            selector = {"ReadWriteType": "All", "IncludeManagementEvents": True, "DataResources": []}
            trails.put_event_selectors(TrailName=f"trail-{n:04}", EventSelectors=[selector])
    if size.recorders:
        _recorder(account.client("config", region))
    if size.detectors:
        account.client("guardduty", region).create_detector(Enable=True, FindingPublishingFrequency="SIX_HOURS")
    if size.findings:
        hub = account.client("securityhub", region)
        hub.enable_security_hub(EnableDefaultStandards=False)
        for some in _in_hundreds([_finding(region, n) for n in range(size.findings)]):
            hub.batch_import_findings(Findings=some)


def _place(region: str) -> dict[str, Any]:
    return {} if region == "us-east-1" else {"CreateBucketConfiguration": {"LocationConstraint": region}}


def _in_hundreds(items: list[Any]) -> Iterable[list[Any]]:
    return (items[start : start + 100] for start in range(0, len(items), 100))


def _finding(region: str, n: int) -> dict[str, Any]:
    own = f"arn:aws:securityhub:{region}:123456789012:product/123456789012/default"
    return {
        "SchemaVersion": "2018-10-08",
        "Id": f"finding-{region}-{n:04}",
        "ProductArn": own,
        "GeneratorId": "example",
        "AwsAccountId": "123456789012",
        "Types": ["Software and Configuration Checks"],
        "CreatedAt": "2026-01-01T00:00:00.000Z",
        "UpdatedAt": "2026-01-02T00:00:00.000Z",
        "Severity": {"Label": ("LOW", "MEDIUM", "HIGH")[n % 3]},
        "Title": f"Finding {n}",
        "Description": "An example.",
        "Resources": [{"Type": "AwsAccount", "Id": "AWS::::Account:123456789012"}],
    }


def _recorder(config: Any) -> None:
    config.put_configuration_recorder(
        ConfigurationRecorder={
            "name": "default",
            "roleARN": "arn:aws:iam::123456789012:role/config",
            "recordingGroup": {"allSupported": True, "includeGlobalResourceTypes": True},
        }
    )
    config.put_delivery_channel(DeliveryChannel={"name": "default", "s3BucketName": "example-trail-logs"})
    config.start_configuration_recorder(ConfigurationRecorderName="default")


def _organization(account: Account, size: Size) -> None:
    organizations = account.client("organizations")
    organizations.create_organization(FeatureSet="ALL")
    root = organizations.list_roots()["Roots"][0]["Id"]
    organizations.enable_policy_type(RootId=root, PolicyType="SERVICE_CONTROL_POLICY")
    members = [
        organizations.create_account(AccountName=f"account-{n:04}", Email=f"account-{n:04}@example.com")
        for n in range(size.accounts)
    ]
    policy = organizations.create_policy(
        Name="no-leaving", Description="", Type="SERVICE_CONTROL_POLICY", Content=_allow("organizations:Leave")
    )["Policy"]["PolicySummary"]["Id"]
    organizations.attach_policy(PolicyId=policy, TargetId=root)
    _permission_sets(account, size, [member["CreateAccountStatus"]["AccountId"] for member in members])


def _permission_sets(account: Account, size: Size, members: Sequence[str]) -> None:
    sso = account.client("sso-admin")
    instance = sso.list_instances()["Instances"][0]["InstanceArn"]
    for n in range(size.permission_sets):
        made = sso.create_permission_set(Name=f"set-{n:04}", InstanceArn=instance, SessionDuration="PT4H")
        arn = made["PermissionSet"]["PermissionSetArn"]
        sso.put_inline_policy_to_permission_set(
            InstanceArn=instance, PermissionSetArn=arn, InlinePolicy=_allow("ec2:Describe*")
        )
        sso.create_account_assignment(
            InstanceArn=instance,
            PermissionSetArn=arn,
            TargetId=members[n % len(members)],
            TargetType="AWS_ACCOUNT",
            PrincipalType="USER" if n % 2 else "GROUP",
            PrincipalId=f"00000000-0000-4000-8000-{n:012}",
        )

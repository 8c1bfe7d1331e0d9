"""What `account` gives each region: networks, keys, databases, trails and recorders."""

from __future__ import annotations

from typing import Any

from tests.fakes.aws.fixtures import ACCOUNT, by, made, whole
from tests.fakes.aws.refusal import Refusal
from tests.fakes.aws.server import FakeAws
from tests.fakes.aws.wire import Ask


def ec2(aws: FakeAws, count: int, region: str) -> None:
    """Play security groups, their rules, and the defaults of the region."""
    groups = made("ec2", "DescribeSecurityGroups", "SecurityGroups", count, GroupId=lambda n: f"sg-{region}-{n:04}")
    aws.play("ec2", "DescribeSecurityGroups", groups, region)
    # Two rules for each, but none for every seventh.
    rules = made(
        "ec2",
        "DescribeSecurityGroupRules",
        "SecurityGroupRules",
        2 * count,
        SecurityGroupRuleId=lambda n: f"sgr-{region}-{n:05}",
        GroupId=lambda n: f"sg-{region}-{n // 2:04}",
    )
    rules = [rule for number, rule in enumerate(rules) if number // 2 % 7]

    def of_groups(ask: Ask) -> Any:
        wanted = {value for each in ask.params.get("Filters", ()) for value in each["Values"]}
        if len(wanted) > 200:
            return Refusal("FilterLimitExceeded", "The maximum number of filter values is 200.")
        return [rule for rule in rules if not wanted or rule["GroupId"] in wanted]

    aws.play("ec2", "DescribeSecurityGroupRules", of_groups, region)
    for operation in (
        "GetEbsEncryptionByDefault",
        "GetEbsDefaultKmsKeyId",
        "GetSnapshotBlockPublicAccessState",
        "GetImageBlockPublicAccessState",
        "GetSerialConsoleAccessStatus",
        "GetInstanceMetadataDefaults",
    ):
        aws.play("ec2", operation, whole("ec2", operation), region)


def kms(aws: FakeAws, count: int, region: str) -> None:
    """Play keys of four sorts with their rotation, and aliases."""
    keys = [f"{number:08}-0000-4000-8000-000000000000" for number in range(count)]
    arns = {key: f"arn:aws:kms:{region}:{ACCOUNT}:key/{key}" for key in keys}
    aws.play("kms", "ListKeys", [{"KeyId": key, "KeyArn": arn} for key, arn in arns.items()], region)
    metadata = whole("kms", "DescribeKey")["KeyMetadata"]
    described = {}
    for number, (key, arn) in enumerate(arns.items()):
        own = {
            "KeyManager": ("CUSTOMER", "AWS")[number % 2],
            "KeySpec": ("SYMMETRIC_DEFAULT", "RSA_2048")[number // 4 % 2],
        }
        described[key] = {"KeyMetadata": {**metadata, "KeyId": key, "Arn": arn, **own}}
    missing = Refusal("NotFoundException")
    aws.play("kms", "DescribeKey", by("KeyId", described, missing), region)
    rotations: dict[str, Any] = {
        key: {"KeyRotationEnabled": number % 4 == 0, "KeyId": arns[key]} for number, key in enumerate(keys)
    }
    rotations |= dict.fromkeys(keys[::10], Refusal("UnsupportedOperationException"))
    aws.play("kms", "GetKeyRotationStatus", by("KeyId", rotations, missing), region)
    alias = f"arn:aws:kms:{region}:{ACCOUNT}:alias/key-"
    aws.play(
        "kms", "ListAliases", made("kms", "ListAliases", "Aliases", count, AliasArn=lambda n: f"{alias}{n}"), region
    )


def rds(aws: FakeAws, count: int, region: str) -> None:
    """Play database instances."""
    arn = f"arn:aws:rds:{region}:{ACCOUNT}:db:"
    instances = made("rds", "DescribeDBInstances", "DBInstances", count, DBInstanceArn=lambda n: f"{arn}{n:04}")
    aws.play("rds", "DescribeDBInstances", instances, region)


def trails(aws: FakeAws, count: int, region: str) -> None:
    """Play trails, every other one without insights."""
    arns = [f"arn:aws:cloudtrail:{region}:{ACCOUNT}:trail/trail-{number}" for number in range(count)]
    trails = made("cloudtrail", "DescribeTrails", "trailList", count, TrailARN=arns.__getitem__, HomeRegion=region)
    aws.play("cloudtrail", "DescribeTrails", trails, region)
    missing = Refusal("TrailNotFoundException")
    status = {arn: whole("cloudtrail", "GetTrailStatus", number) for number, arn in enumerate(arns)}
    aws.play("cloudtrail", "GetTrailStatus", by("Name", status, missing), region)
    selectors = {arn: whole("cloudtrail", "GetEventSelectors", n, TrailARN=arn) for n, arn in enumerate(arns)}
    aws.play("cloudtrail", "GetEventSelectors", by("TrailName", selectors, missing), region)
    insights: dict[str, Any] = {arn: whole("cloudtrail", "GetInsightSelectors", TrailARN=arn) for arn in arns}
    insights |= dict.fromkeys(arns[::2], Refusal("InsightNotEnabledException"))
    aws.play("cloudtrail", "GetInsightSelectors", by("TrailName", insights, missing), region)


def config(aws: FakeAws, count: int, region: str) -> None:
    """Play one recorder and one delivery channel."""
    for operation in (
        "DescribeConfigurationRecorders",
        "DescribeConfigurationRecorderStatus",
        "DescribeDeliveryChannels",
        "DescribeDeliveryChannelStatus",
    ):
        aws.play("config", operation, whole("config", operation), region)

"""A whole account for `FakeAws`: what moto lacks, and lists of any length.

Every member of every item is filled; what a reader must tell apart (kinds of keys, buckets without a policy, events in
and out of a window) alternates by number. Details answer for their own item and region only.
"""

from __future__ import annotations

from collections.abc import Sequence

from tests.fakes.aws import account_events, account_global, account_regional
from tests.fakes.aws.fixtures import ACCOUNT
from tests.fakes.aws.server import FakeAws

_GLOBAL = {
    "iam": account_global.iam,
    "organization": account_global.organization,
    "identity_center": account_global.identity_center,
}
_REGIONAL = {
    "ec2": account_regional.ec2,
    "kms": account_regional.kms,
    "rds": account_regional.rds,
    "trails": account_regional.trails,
    "config": account_regional.config,
    "guardduty": account_events.guardduty,
    "findings": account_events.findings,
    "backup": account_events.backup,
}


def furnish(aws: FakeAws, count: int, regions: Sequence[str], **counts: int) -> None:
    """Give the account *count* of everything, in each region of *regions* where it is regional.

    *counts* are other counts for parts: iam, organization, identity_center, buckets, ec2, kms, rds, trails, config,
    guardduty, findings, backup.
    """
    aws.play("sts", "GetCallerIdentity", {"UserId": "AIDA", "Account": ACCOUNT, "Arn": aws.principal})
    named = [{"RegionName": name, "OptInStatus": "opt-in-not-required"} for name in regions]
    aws.play("ec2", "DescribeRegions", named)
    account_global.buckets(aws, counts.get("buckets", count), regions)
    for name, part in _GLOBAL.items():
        part(aws, counts.get(name, count))
    for region in regions:
        for name, regional in _REGIONAL.items():
            regional(aws, counts.get(name, count), region)

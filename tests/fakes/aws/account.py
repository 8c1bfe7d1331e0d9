"""A whole account for `FakeAws`: what moto lacks, and lists of any length.

Every member of every item is filled; what a reader must tell apart (kinds of keys, buckets without a policy, events in
and out of a window) alternates by number. Details answer for their own item and region only.
"""

from __future__ import annotations

from collections.abc import Sequence

from tests.fakes.aws import account_events, account_global, account_regional
from tests.fakes.aws.fixtures import ACCOUNT
from tests.fakes.aws.server import FakeAws

_REGIONAL = (
    account_regional.ec2,
    account_regional.kms,
    account_regional.rds,
    account_regional.trails,
    account_regional.config,
    account_events.guardduty,
    account_events.findings,
    account_events.backup,
)


def furnish(aws: FakeAws, count: int, regions: Sequence[str]) -> None:
    """Give the account *count* of everything, in each region of *regions* where it is regional."""
    aws.play("sts", "GetCallerIdentity", {"UserId": "AIDA", "Account": ACCOUNT, "Arn": aws.principal})
    named = [{"RegionName": name, "OptInStatus": "opt-in-not-required"} for name in regions]
    aws.play("ec2", "DescribeRegions", named)
    for part in (account_global.iam, account_global.organization, account_global.identity_center):
        part(aws, count)
    account_global.buckets(aws, count, regions)
    for region in regions:
        for regional in _REGIONAL:
            regional(aws, count, region)

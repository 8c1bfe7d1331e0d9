"""For every kind: the population the connector yields is what boto3 lists by itself, over many pages of every call."""

from __future__ import annotations

import json

import pytest

from collector.clock import iso
from connectors.aws import connector
from tests.fakes.aws import trouble
from tests.fakes.aws.listings import LISTINGS


def as_set(items):
    return sorted(json.dumps(item, sort_keys=True, default=iso) for item in items)


every_kind = pytest.mark.parametrize("kind", connector.kinds())


@every_kind
def test_the_population_is_what_boto3_lists(aws, reader, boto, kind):
    """The items, their numbers in the ledger (hence in the IPE sheet), and not one request more than boto3 makes."""
    reader(aws).session().principal()
    aws.calm()
    items, ledger = reader(aws).read(kind)
    asked = aws.counts()
    aws.calm()
    alone = boto()
    expected = LISTINGS[kind](alone)
    assert as_set(items) == as_set(expected)
    assert {name: each.items for name, each in ledger.items() if each.items} == dict(+alone.listed)
    assert {name: each.calls for name, each in ledger.items()} == asked == aws.counts()
    assert all(each.drained and each.first_request_id and each.first_date for each in ledger.values())


@every_kind
def test_a_page_without_items_in_the_middle_loses_nothing(aws, reader, kind):
    whole, _ = reader(aws).read(kind)
    for service in {operation.split(".")[0] for operation in aws.counts()}:
        aws.trouble(service, "*", trouble.empty_page(), times=1)
    assert as_set(reader(aws).read(kind)[0]) == as_set(whole)


@pytest.mark.parametrize("kind", ["aws.kms.keys", "aws.ec2.security_groups", "aws.rds.instances"])
def test_each_region_has_a_population_of_its_own(aws, reader, boto, kind):
    there, _ = reader(aws).read(kind, "eu-west-1")
    assert as_set(there) == as_set(LISTINGS[kind](boto("eu-west-1")))
    assert as_set(there) != as_set(reader(aws).read(kind, "us-east-1")[0])

"""Pages end when the source says so, and only then."""

from __future__ import annotations

import pytest

from collector.errors import Denied, Truncated
from connectors.aws import calls
from tests.fakes.aws import trouble

WEB_ACLS = """
list = [{ op = "wafv2.ListWebACLs", params = { Scope = "REGIONAL" } }]
key = "ARN"
"""

ALIASES = "aws.kms.aliases"


@pytest.fixture
def aliases(aws):
    aws.play(
        "kms",
        "ListAliases",
        [{"AliasName": f"alias/{n}", "AliasArn": f"arn:aws:kms:us-east-1:123456789012:alias/{n}"} for n in range(250)],
    )


@pytest.mark.usefixtures("aliases")
def test_every_page_is_read_to_the_last(reader):
    assert len({item["AliasArn"] for item in reader.read(ALIASES)}) == 250
    asked = reader.operation("kms.ListAliases")
    assert (asked.pages, asked.items, asked.drained) == (3, 250, True)


def test_an_operation_without_boto3_paginator_is_paged_by_its_tokens(aws, reader):
    aws.play(
        "wafv2",
        "ListWebACLs",
        [{"Name": f"acl-{n}", "ARN": f"arn:aws:wafv2:us-east-1:123456789012:regional/webacl/{n}"} for n in range(120)],
    )
    assert len(reader.read(WEB_ACLS)) == 120
    assert reader.operation("wafv2.ListWebACLs").pages > 1


@pytest.mark.usefixtures("aliases")
@pytest.mark.parametrize(
    ("bad", "said"),
    [
        (trouble.repeat_token(), "gave a continuation token a second time"),
        (trouble.lose_token(), "says that there is more but not how to get it"),
    ],
)
def test_pages_that_cannot_be_followed_are_truncated_and_never_an_end(aws, reader, bad, said):
    aws.trouble("kms", "ListAliases", bad)
    with pytest.raises(Truncated, match=said):
        reader.read(ALIASES)
    assert not reader.operation("kms.ListAliases").drained


@pytest.mark.usefixtures("aliases")
@pytest.mark.parametrize("bad", [trouble.go_round(), trouble.page_for_ever()])
def test_pages_without_end_are_truncated(aws, reader, bad, monkeypatch):
    monkeypatch.setattr(calls, "MOST_PAGES", 20)
    aws.trouble("kms", "ListAliases", bad)
    with pytest.raises(Truncated, match="did not end after 20 pages"):
        reader.read(ALIASES)


@pytest.mark.usefixtures("aliases")
def test_a_page_without_items_is_not_the_last(aws, reader):
    aws.trouble("kms", "ListAliases", trouble.empty_page(), times=1)
    assert len(reader.read(ALIASES)) == 250


@pytest.mark.usefixtures("aliases")
def test_a_later_page_that_is_absent_is_no_end(aws, reader):
    aws.trouble("kms", "ListAliases", trouble.refuse("NotFoundException"), nth=2)
    with pytest.raises(Truncated, match="ended in the middle"):
        reader.read('list = [{ op = "kms.ListAliases", absent = ["NotFoundException"] }]\nkey = "AliasArn"')


@pytest.mark.usefixtures("aliases")
def test_a_denied_second_page_fails_the_reading(aws, reader):
    aws.trouble("kms", "ListAliases", trouble.deny(), nth=2)
    with pytest.raises(Denied):
        reader.read(ALIASES)


def test_a_detail_that_is_a_list_is_paged_too(aws, reader):
    member = {"MasterId": "1", "Email": "a@example.com", "RelationshipStatus": "Enabled", "UpdatedAt": ""}
    members = [{**member, "AccountId": f"{n:012}"} for n in range(120)]
    aws.play("guardduty", "ListDetectors", ["d" * 32])
    aws.play("guardduty", "GetDetector", {"ServiceRole": "role", "Status": "ENABLED"})
    aws.play("guardduty", "ListMembers", members)
    (detector,) = reader.read("aws.guardduty.detectors")
    assert len(detector["Members"]) == 120
    assert reader.operation("guardduty.ListMembers").items == 120


def test_a_single_answer_that_offers_more_is_truncated(aws, reader):
    aws.play("guardduty", "ListDetectors", ["d" * 32])
    aws.play(
        "guardduty",
        "DescribeOrganizationConfiguration",
        {"MemberAccountLimitReached": False, "NextToken": "more"},
    )
    with pytest.raises(Truncated, match="offers more than one answer holds"):
        reader.read("aws.guardduty.organization")

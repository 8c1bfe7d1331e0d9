"""The declared kinds: lint, what is inferred, the permissions and the policies made of them."""

from __future__ import annotations

import json

import pytest

from collector.errors import ConfigError
from collector.procedure import Kind
from connectors.aws import connector, policy
from connectors.aws.prepare import prepare

KINDS = connector.kinds()


def lint_of(**spec):
    kind = Kind.model_validate({"name": "aws.test.kind", "title": "A kind of a test", **spec})
    return [f"{each.place}: {each.message}" for each in connector.lint(kind)]


@pytest.mark.parametrize("name", KINDS)
def test_every_kind_is_clean(name):
    assert connector.lint(KINDS[name]) == []


@pytest.mark.parametrize("name", KINDS)
def test_every_kind_can_be_explained(name):
    document = connector.explain(KINDS[name])
    json.dumps(document)
    assert document["grants"] == sorted(connector.grants(KINDS[name]))
    assert [call["op"] for call in document["calls"]] == [call.name for call in prepare(KINDS[name]).calls]
    for call in document["calls"]:
        assert call["grant"].count(":") == 1


@pytest.mark.parametrize("name", KINDS)
def test_every_kind_names_its_criteria(name):
    assert KINDS[name].criteria


FIRST_SLICE = {
    "iam": ["credential_report", "authorization_details", "account_summary", "password_policy"],
    "identitycenter": ["permission_sets", "account_assignments"],
    "organizations": ["accounts", "policies"],
    "cloudtrail": ["trails"],
    "config": ["recorders"],
    "guardduty": ["detectors", "findings"],
    "securityhub": ["findings"],
    "inspector2": ["findings"],
    "ec2": ["security_groups", "account_defaults"],
    "s3": ["bucket_public_access", "bucket_encryption"],
    "kms": ["keys"],
    "rds": ["instances"],
    "backup": ["jobs", "restore_tests"],
}


def test_the_first_slice_is_there():
    first = {f"aws.{area}.{name}" for area, names in FIRST_SLICE.items() for name in names}
    assert len(first) == 22
    assert first <= set(KINDS)


def test_what_is_inferred_is_shown():
    document = connector.explain(KINDS["aws.kms.keys"])
    listed, described, rotation = document["calls"]
    assert listed["items"] == "Keys"
    assert listed["paging"] == "paginator: NextMarker -> Marker"
    assert described["bind"] == {"KeyId": "KeyId"}
    assert rotation["if"].startswith("KeyManager=='CUSTOMER'")


def test_a_loop_variable_is_shown_as_the_parameter_it_gives():
    document = connector.explain(KINDS["aws.identitycenter.account_assignments"])
    assert document["calls"][-1]["bind"] == {
        name: "{" + name + "}" for name in ("InstanceArn", "PermissionSetArn", "AccountId")
    }


def test_an_operation_without_paginator_says_that_we_page_it():
    kind = Kind(name="aws.test.acls", title="Web access lists", list=["wafv2.ListWebACLs"], key="ARN")
    assert connector.explain(kind)["calls"][0]["paging"] == "token loop: NextMarker -> NextMarker"


@pytest.mark.parametrize(
    ("operation", "action"),
    [
        ("s3.ListBuckets", "s3:ListAllMyBuckets"),
        ("s3.GetPublicAccessBlock", "s3:GetBucketPublicAccessBlock"),
        ("sso-admin.ListInstances", "sso:ListInstances"),
        ("cloudwatch.DescribeAlarms", "cloudwatch:DescribeAlarms"),
        ("elbv2.DescribeLoadBalancers", "elasticloadbalancing:DescribeLoadBalancers"),
    ],
)
def test_an_action_is_the_signing_name_and_the_operation_unless_iam_calls_it_otherwise(operation, action):
    kind = Kind(name="aws.test.kind", title="A kind of a test", each=[operation])
    assert action in connector.grants(kind)


def test_declared_grants_win():
    kind = Kind(name="aws.test.kind", title="A kind of a test", each=["kms.ListKeys"], grants=["kms:ListKeys", "a:B"])
    assert connector.grants(kind) == ("a:B", "kms:ListKeys")


def test_a_policy_allows_every_action_once_and_nothing_else():
    kinds = list(KINDS.values())
    statements = [each["Statement"][0] for each in connector.policy(kinds)]
    actions = [action for statement in statements for action in statement["Action"]]
    assert len(actions) == len(set(actions))
    assert set(actions) == {grant for kind in kinds for grant in connector.grants(kind)} | {"ec2:DescribeRegions"}
    assert all(statement["Effect"] == "Allow" for statement in statements)


def test_a_policy_is_split_where_iam_would_refuse_it_and_the_same_however_asked():
    kinds = [
        Kind(
            name=f"aws.test.k{n}", title="A kind of a test", each=["kms.ListKeys"], grants=[f"service{n}:GetNumber{n}"]
        )
        for n in range(900)
    ]
    documents = connector.policy(kinds)
    assert len(documents) > 3
    for document in documents:
        assert len("".join(json.dumps(document).split())) <= 6144
        assert policy.size(document) > 6000 or document is documents[-1]
    assert connector.policy(kinds[::-1]) == documents
    assert sum(len(document["Statement"][0]["Action"]) for document in documents) == 901


def test_a_policy_reads_nothing_that_changes_anything():
    actions = [action for each in connector.policy(list(KINDS.values())) for action in each["Statement"][0]["Action"]]
    verbs = ("Get", "List", "Describe", "BatchGet", "GenerateCredentialReport")
    assert all(action.partition(":")[2].startswith(verbs) for action in actions)


@pytest.mark.parametrize(
    ("spec", "said"),
    [
        ({"list": "kms.ListLocks", "key": "KeyId"}, "no operation kms.ListLocks"),
        ({"list": "kmz.ListKeys", "key": "KeyId"}, "no service 'kmz'"),
        ({"list": "kms.CreateKey", "key": "KeyId"}, "is not a read"),
        ({"list": "kms.ListKeys"}, "need a key"),
        ({"each": ["iam.GetAccountSummary"], "key": "x"}, "has no key"),
        ({"list": "kms.ListKeys", "key": "KeyName"}, "the item has no KeyName"),
        ({"list": "kms.ListKeys", "key": "KeyId ||"}, "not a JMESPath expression"),
        ({"list": "iam.GetAccountAuthorizationDetails", "key": "Arn"}, "which list holds the items"),
        ({"list": [{"op": "kms.ListKeys", "items": "Locks"}], "key": "KeyId"}, "the answer has no Locks"),
        ({"list": [{"op": "kms.ListKeys", "params": {"Colour": 1}}], "key": "KeyId"}, "has no parameter Colour"),
        (
            {"list": [{"op": "kms.ListKeys", "params": {"Limit": "x"}}], "key": "KeyId"},
            "Invalid type for parameter Limit",
        ),
        (
            {"list": [{"op": "kms.ListKeys", "params": {"Marker": "{since}"}}], "key": "KeyId"},
            "gives a value to {since}",
        ),
        ({"list": "organizations.ListPolicies", "key": "Id"}, "parameter Filter is required"),
        (
            {"list": "organizations.ListAccounts", "each": ["organizations.DescribePolicy"], "key": "Id"},
            "PolicyId is required",
        ),
        ({"list": "kms.ListKeys", "each": [{"op": "DescribeKey", "bind": {"KeyId": "Nam"}}], "key": "KeyId"}, "no Nam"),
        ({"list": "kms.ListKeys", "each": ["iam.GetAccountSummary"], "key": "KeyId"}, "does not depend on the item"),
        (
            {"list": "kms.ListKeys", "each": [{"op": "DescribeKey", "pick": "Meta"}], "key": "KeyId"},
            "the answer has no Meta",
        ),
        (
            {"list": "kms.ListKeys", "each": [{"op": "DescribeKey", "if": "Enabled"}], "key": "KeyId"},
            "the item has no Enabled",
        ),
        (
            {"list": "kms.ListKeys", "each": [{"op": "DescribeKey", "absent": ["NotFoundException"]}], "key": "KeyId"},
            "need `into`",
        ),
        (
            {"list": "kms.ListKeys", "each": [{"op": "DescribeKey", "gone": ["NoSuchKey"]}], "key": "KeyId"},
            "no error NoSuchKey",
        ),
        ({"list": "kms.ListKeys", "volatile": ["LastUsed"], "key": "KeyId"}, "no item has LastUsed"),
        ({"list": "kms.ListKeys", "redact": ["KeyId.Owner"], "key": "KeyId"}, "no item has KeyId.Owner"),
        ({"list": "kms.ListKeys", "sets": ["KeyArn"], "key": "KeyId"}, "KeyArn is no list"),
        ({"list": "organizations.ListAccounts", "key": "Id"}, "calls Email sensitive"),
        ({"list": "guardduty.ListDetectors", "key": "DetectorId"}, "bare values"),
        ({"list": "kms.ListKeys", "grants": ["kms:Listkeys"], "key": "KeyId"}, "is no action"),
        ({"list": "kms.ListKeys", "since": {"field": "KeyId"}, "key": "KeyId"}, "no call passes {since}"),
        ({"each": ["ec2.GetSnapshotBlockPublicAccessState", "GetSerialConsoleAccessStatus"]}, "its ManagedBy hides"),
        ({"for": [{"var": "x"}], "list": "kms.ListKeys", "key": "KeyId"}, "neither values nor a call"),
    ],
)
def test_lint_sees_what_is_wrong(spec, said):
    assert any(said in line for line in lint_of(**spec)), lint_of(**spec)


def test_reading_a_kind_that_cannot_be_read_names_it():
    with pytest.raises(ConfigError, match=r"^aws\.test\.kind: botocore knows no operation kms\.ListLocks"):
        prepare(Kind(name="aws.test.kind", title="A kind of a test", list=["kms.ListLocks"], key="x"))


def test_the_connector_says_what_it_is():
    assert connector.name == "aws"
    assert list(connector.levels()) == ["account", "region"]
    assert {kind.scope for kind in KINDS.values()} <= set(connector.levels())

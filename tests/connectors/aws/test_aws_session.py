"""Opening a session: whose credentials, which account, which regions, at which endpoint."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from botocore.exceptions import EndpointConnectionError

from collector.errors import ConfigError, Denied, Misconfigured, NotEnabled
from collector.model import Principal, Scope
from connectors.aws.clients import Clients
from connectors.aws.settings import AwsSettings
from tests.fakes.aws import FakeAws, Refusal, trouble

ROLE = "arn:aws:iam::123456789012:role/auditor"
ALIASES = "aws.kms.aliases"


def keys_used(aws, operation):
    return [ask.access_key for ask in aws.requests if ask.operation == operation]


class Sts:
    """Hands out credentials for `ROLE` to whoever brings the external id, each good for *life*."""

    def __init__(self, life=timedelta(hours=1), external_id="agreed-1"):
        self.life, self.external_id, self.given = life, external_id, 0

    def __call__(self, ask):
        if ask.params.get("ExternalId") != self.external_id or ask.params["RoleArn"] != ROLE:
            return Refusal("AccessDenied", "User is not authorized to perform: sts:AssumeRole", 403)
        self.given += 1
        credentials = {
            "AccessKeyId": f"ASIAROLE{self.given:08}",
            "SecretAccessKey": "secret",
            "SessionToken": "token",
            "Expiration": datetime.now(UTC) + self.life,
        }
        return {"Credentials": credentials, "AssumedRoleUser": {"AssumedRoleId": "AROA:x", "Arn": f"{ROLE}/evidenced"}}


@pytest.fixture
def aliases(aws):
    aws.play(
        "kms",
        "ListAliases",
        [{"AliasArn": f"arn:aws:kms:us-east-1:123456789012:alias/a{n}"} for n in range(250)],
    )


def test_the_principal_is_who_sts_says_and_is_asked_for_once(aws, reader):
    session = reader.session()
    assert session.principal() == Principal(aws.principal, "123456789012")
    assert session.principal() == session.principal()
    assert aws.count("sts") == 1


def test_opening_a_session_asks_nothing_and_looks_for_no_credentials(aws, reader, monkeypatch):
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    reader.session(profile="none-such", role_arn=ROLE)
    assert aws.requests == []


def test_another_account_than_the_configured_one_is_never_read(aws, reader):
    with pytest.raises(Misconfigured, match=r"belong to account 123456789012 \(.*\), not to 999999999999"):
        reader.read("aws.iam.account_summary", account="999999999999")
    assert aws.count("iam") == 0


def test_without_credentials_the_operator_is_told(reader, monkeypatch):
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    with pytest.raises(Misconfigured, match="Unable to locate credentials") as error:
        reader.session().principal()
    assert "profile" in error.value.hint()


def test_a_profile_that_does_not_exist_is_named(reader):
    with pytest.raises(Misconfigured, match="none-such"):
        reader.session(profile="none-such").principal()


@pytest.mark.usefixtures("aliases")
def test_a_profile_gives_the_credentials(aws, reader, tmp_path, monkeypatch):
    (tmp_path / "aws-credentials").write_text(
        "[audit]\naws_access_key_id = AKIAPROFILE\naws_secret_access_key = secret\n"
    )
    reader.read(ALIASES, profile="audit")
    assert set(keys_used(aws, "ListAliases")) == {"AKIAPROFILE"}


@pytest.mark.usefixtures("aliases")
def test_a_role_is_assumed_with_the_external_id_from_its_reference(aws, reader, monkeypatch):
    monkeypatch.setenv("EXTERNAL_ID", "agreed-1")
    aws.play("sts", "AssumeRole", Sts())
    reader.read(ALIASES, role_arn=ROLE, external_id="env:EXTERNAL_ID", session_name="soc2")
    (assumed,) = [ask.params for ask in aws.requests if ask.operation == "AssumeRole"]
    assert (assumed["RoleSessionName"], assumed["DurationSeconds"]) == ("soc2", 3600)
    assert keys_used(aws, "AssumeRole") == ["AKIAFAKE"]
    assert set(keys_used(aws, "ListAliases")) == {"ASIAROLE00000001"}


@pytest.mark.usefixtures("aliases")
def test_the_external_id_may_lie_in_a_file(aws, reader, tmp_path):
    (tmp_path / "external-id").write_text("agreed-1\n")
    aws.play("sts", "AssumeRole", Sts())
    assert len(reader.read(ALIASES, role_arn=ROLE, external_id=f"file:{tmp_path}/external-id")) == 250


@pytest.mark.parametrize("settings", [{}, {"external_id": "env:EXTERNAL_ID"}])
def test_a_role_that_refuses_us_is_denied_and_its_trust_policy_named(aws, reader, monkeypatch, settings):
    monkeypatch.setenv("EXTERNAL_ID", "wrong")
    aws.play("sts", "AssumeRole", Sts())
    with pytest.raises(Denied, match=r"sts\.AssumeRole was denied") as error:
        reader.session(role_arn=ROLE, **settings).principal()
    assert "external id" in error.value.hint()


def test_an_external_id_that_cannot_be_found_is_the_operators_to_correct(reader):
    with pytest.raises(ConfigError, match="MISSING_VARIABLE"):
        reader.session(role_arn=ROLE, external_id="env:MISSING_VARIABLE").principal()


@pytest.mark.usefixtures("aliases")
def test_credentials_that_end_in_the_middle_of_a_run_are_renewed(aws, reader, monkeypatch):
    monkeypatch.setenv("EXTERNAL_ID", "agreed-1")
    # Inside the last minutes of their life botocore must not use them any more.
    aws.play("sts", "AssumeRole", Sts(life=timedelta(minutes=5)))
    assert len(reader.read(ALIASES, role_arn=ROLE, external_id="env:EXTERNAL_ID")) == 250
    used = keys_used(aws, "ListAliases")
    assert len(used) == len(set(used)) == 3


@pytest.mark.usefixtures("aliases")
def test_a_refusal_to_renew_in_the_middle_of_a_run_fails_the_run(aws, reader, monkeypatch):
    monkeypatch.setenv("EXTERNAL_ID", "agreed-1")
    aws.play("sts", "AssumeRole", Sts(life=timedelta(minutes=5)))
    aws.trouble("sts", "AssumeRole", trouble.deny(), nth=3)
    with pytest.raises(Denied, match=r"sts\.AssumeRole"):
        reader.read(ALIASES, role_arn=ROLE, external_id="env:EXTERNAL_ID")


def test_the_endpoint_of_the_environment_is_honoured(aws, reader, monkeypatch):
    monkeypatch.setenv("AWS_ENDPOINT_URL", aws.url)
    assert reader.session(endpoint_url="").principal().account == "123456789012"


def test_an_endpoint_that_cannot_be_one_is_the_operators_to_correct(reader, monkeypatch):
    monkeypatch.setenv("AWS_ENDPOINT_URL", "localhost")
    with pytest.raises(Misconfigured, match="Invalid endpoint: localhost"):
        reader.session(endpoint_url="").principal()


def test_sessions_share_one_loader_of_models(reader):
    first, second = reader.session(), reader.session()
    for session in (first, second):
        session.principal()
    loaders = {id(each._clients._session._session.get_component("data_loader")) for each in (first, second)}
    assert len(loaders) == 1


def test_a_closed_session_can_be_opened_again(reader):
    reader.session().close()
    assert reader.session().principal().account == "123456789012"


def test_scopes_are_the_account_and_the_configured_regions(aws, reader):
    scopes = reader.session(regions=["eu-west-1", "us-east-1"]).scopes()
    assert scopes == [Scope("123456789012", "account"), Scope("eu-west-1", "region"), Scope("us-east-1", "region")]
    assert aws.count("ec2") == 0


def test_discovered_regions_that_are_not_switched_on_are_excluded_and_say_why(aws, reader):
    aws.play(
        "ec2",
        "DescribeRegions",
        [
            {"RegionName": "us-east-1", "OptInStatus": "opt-in-not-required"},
            {"RegionName": "af-south-1", "OptInStatus": "opted-in"},
            {"RegionName": "ap-east-1", "OptInStatus": "not-opted-in"},
        ],
    )
    assert reader.session(regions="enabled").scopes() == [
        Scope("123456789012", "account"),
        Scope("af-south-1", "region"),
        Scope("ap-east-1", "region", "the account has not opted in to the region"),
        Scope("us-east-1", "region"),
    ]
    (asked,) = [ask for ask in aws.requests if ask.operation == "DescribeRegions"]
    assert asked.params == {"AllRegions": True}


def test_regions_that_may_not_be_listed_are_unknown_and_not_none(aws, reader):
    aws.play("ec2", "DescribeRegions", [])
    aws.trouble("ec2", "DescribeRegions", trouble.deny())
    with pytest.raises(Denied, match="needs ec2:DescribeRegions"):
        reader.session(regions="enabled").scopes()


@pytest.mark.parametrize(
    ("regions", "home"),
    [("enabled", "us-east-1"), (["eu-west-1"], "us-east-1"), (["us-gov-east-1"], "us-gov-west-1")],
)
def test_global_services_are_asked_in_the_home_region_of_the_partition(aws, reader, regions, home):
    aws.play("organizations", "ListAccounts", [])
    reader.read("aws.organizations.accounts", regions=regions)
    assert {ask.region for ask in aws.requests} == {home}


def test_a_region_that_nobody_knows_is_the_operators_to_correct(reader):
    with pytest.raises(Misconfigured, match="zz-north-1"):
        reader.session(regions=["zz-north-1"]).principal()


@pytest.mark.parametrize(
    ("service", "region", "url", "offered"),
    [
        ("cloudhsm", "eu-north-1", "https://cloudhsm.eu-north-1.amazonaws.com/", False),
        ("cloudhsm", "us-east-1", "https://cloudhsm.us-east-1.amazonaws.com/", True),
        ("cloudhsm", "eu-north-1", "http://127.0.0.1:9/", True),
        ("iam", "eu-north-1", "https://iam.eu-north-1.amazonaws.com/", True),
    ],
)
def test_a_service_that_a_region_does_not_have_is_not_enabled_there(reader, service, region, url, offered):
    error = EndpointConnectionError(endpoint_url=url)
    reason = Clients(AwsSettings(), "0").not_offered(error, service, region)
    assert (reason is None) is offered
    assert offered or isinstance(reason, NotEnabled)


def test_a_regional_kind_is_asked_in_its_region(aws, reader):
    aws.play("kms", "ListAliases", [], region="eu-west-1")
    assert reader.read(ALIASES, scope=Scope("eu-west-1", "region")) == []


def test_two_accounts_are_kept_apart(reader):
    with FakeAws(account="222222222222") as other:
        other.play("sts", "GetCallerIdentity", {"Arn": other.principal, "Account": other.account, "UserId": "AIDA"})
        accounts = [reader.session().principal().account, reader.session(endpoint_url=other.url).principal().account]
    assert accounts == ["123456789012", "222222222222"]

"""How other tools lost the truth about a cloud account, 1 to 5, 18, 19: AWS on loopback, everything else for real."""

from __future__ import annotations

import json
from datetime import timedelta

import jmespath
import pytest
from botocore.exceptions import ClientError

from collector.clock import SystemClock
from collector.connector import Reading
from collector.model import Outcome, Reason, Scope
from collector.procedure import Kind
from connectors.aws import connector as shipped
from connectors.aws.connector import AwsConnector
from connectors.aws.errors import as_read_error
from tests.fakes.aws import FakeAws, trouble
from tests.fakes.aws.account import furnish
from tests.fakes.aws.fixtures import ACCOUNT
from tests.suite.installed import REGION, identify

HOUR = timedelta(hours=1)


@pytest.mark.parametrize(
    ("bad", "reason"),
    [
        (trouble.deny(), Reason.DENIED),
        (trouble.throttle(), Reason.THROTTLED),
        (trouble.slow(30), Reason.UNAVAILABLE),
        (trouble.hang_up(), Reason.UNAVAILABLE),
        (trouble.fail(500), Reason.UNAVAILABLE),
        (trouble.cut(), Reason.TRUNCATED),
        (trouble.garbage(), Reason.INVALID),
        (trouble.garbage(b"{}"), Reason.INVALID),
    ],
    ids=lambda each: getattr(each, "name", None),
)
def test_a_call_without_an_answer_is_no_empty_answer(install, account, bad, reason):
    """1: A denied or timed-out call returned `[]`; it was stored, or the items' history was closed as "deleted"."""
    site = install("aws.kms.keys", patience=2 if bad.name == "slow" else 20)
    before = (site.tick(), site.items())[1]
    assert len(before) == 6
    account.trouble("kms", "ListKeys", bad)
    run = site.tick(HOUR)
    assert (run.outcome, run.reason, run.population, run.counts.items) == (Outcome.FAILED, reason, None, 0)
    assert site.items() == before
    assert all(each.end is None for key in before for each in site.store.history("aws.kms.keys", key))
    assert [gap.reason for gap in site.coverage().gaps] == [reason]


@pytest.mark.parametrize(
    ("kind", "service", "operation"),
    [
        ("aws.cloudtrail.trails", "cloudtrail", "GetTrailStatus"),
        ("aws.kms.keys", "kms", "GetKeyRotationStatus"),
        ("aws.s3.bucket_encryption", "s3", "GetBucketEncryption"),
        ("aws.config.recorders", "config", "DescribeConfigurationRecorderStatus"),
    ],
)
def test_what_nobody_may_look_at_is_not_known_to_be_off(install, account, kind, service, operation):
    """2: A denied *sub*-call collapsed to a negative value ("trail is not logging") although nobody could look."""
    site = install(kind)
    before = (site.tick(), site.items())[1]
    account.trouble(service, operation, trouble.deny())
    assert site.tick(HOUR).reason is Reason.DENIED
    assert site.items() == before != {}


@pytest.mark.parametrize("kind", shipped.kinds())
def test_no_kind_takes_a_refusal_or_an_outage_for_an_absence(kind):
    """2 and 5: the codes for "there is none" and "it is gone" are none by which AWS refuses, throttles or fails."""
    for call in shipped.kinds()[kind].calls:
        for code in [*call.absent, *call.gone]:
            answer = {"Error": {"Code": str(code)}, "ResponseMetadata": {"HTTPStatusCode": 400}}
            assert as_read_error(ClientError(answer, call.op), call.op, "", SystemClock()) is None, code


def test_switched_off_and_not_permitted_and_not_opted_in_are_three_different_things(install, account):
    """4: A feature that is switched off, a disabled service API and a missing permission were told apart nowhere."""
    off, closed = "aws.securityhub.findings", "ap-east-1"
    regions = [{"RegionName": REGION, "OptInStatus": "opt-in-not-required"}]
    account.play("ec2", "DescribeRegions", [*regions, {"RegionName": closed, "OptInStatus": "not-opted-in"}])
    account.play("guardduty", "ListDetectors", [], region=REGION)
    account.trouble("securityhub", "GetFindings", trouble.refuse("InvalidAccessException"))
    account.trouble("backup", "*", trouble.refuse("SubscriptionRequiredException"))
    account.trouble("kms", "*", trouble.deny())
    kinds = (off, "aws.guardduty.findings", "aws.backup.jobs", "aws.kms.keys", "aws.kms.aliases")
    site = install(*kinds, regions='"enabled"')
    site.tick()
    site.tick(HOUR)
    assert {kind: site.last(kind).reason for kind in kinds} == {
        off: Reason.NOT_ENABLED,
        "aws.guardduty.findings": Reason.NOT_ENABLED,
        "aws.backup.jobs": Reason.NOT_ENABLED,
        "aws.kms.keys": Reason.DENIED,
        "aws.kms.aliases": Reason.DENIED,
    }
    assert {gap.subject.scope for gap in site.coverage().gaps} == {REGION}
    tallies = {row.name.rpartition(" ")[2]: row.tally for row in site.coverage(by="scope").rows}
    assert (tallies[closed].excluded, tallies[closed].failed, tallies[closed].missed) == (2 * len(kinds), 0, 0)


def test_a_refusal_inside_an_answer_is_a_refusal(install, account):
    """4: Inspector answers 200 and, in a list of failures, that we may not know: that is not "switched off"."""
    refused = {"accountId": ACCOUNT, "errorCode": "ACCESS_DENIED", "errorMessage": "not permitted"}
    account.play("inspector2", "BatchGetAccountStatus", {"accounts": [], "failedAccounts": [refused]}, region=REGION)
    run = install("aws.inspector2.findings").tick()
    assert run.reason is Reason.DENIED
    assert "not permitted" in run.message


def test_regions_that_may_not_be_listed_are_denied_and_not_a_region_without_the_service(install, account):
    """4: What could not be asked for is not read somewhere else, nor taken for a service that is not offered."""
    account.trouble("ec2", "DescribeRegions", trouble.deny())
    run = install("aws.kms.keys", regions='"enabled"').tick()
    assert (run.subject.scope, run.outcome, run.reason) == ("unresolved", Outcome.FAILED, Reason.DENIED)
    assert "ec2:DescribeRegions" in run.message
    assert account.count("kms") == 0


def test_no_regions_at_all_is_no_answer(install, account):
    """10: an account always has regions; an answer without any must not empty the plan."""
    site = install("aws.kms.keys", regions='"enabled"')
    assert site.tick().outcome is Outcome.COLLECTED
    account.play("ec2", "DescribeRegions", [])
    site.clock.move(timedelta(hours=25))
    assert site.tick().subject.scope == REGION
    assert len(site.store.plans()) == 1


def _details():
    """Every detail call of an item that can be gone: its kind, its name, and the code that says so."""
    for kind in shipped.kinds().values():
        code = next((code for call in kind.each for code in call.gone), "")
        for call in kind.each if code else ():
            yield pytest.param(kind, call.op.rpartition(".")[2], code, id=f"{kind.name}-{call.op}")


@pytest.fixture(scope="module")
def session():
    """The account opened once, as sweeps do, with the server that plays it."""
    with pytest.MonkeyPatch.context() as patch, FakeAws() as server:
        identify(patch)
        furnish(server, 6, [REGION])
        settings = shipped.settings(endpoint_url=server.url, regions=[REGION], requests_per_second={"*": 1e6})
        opened = shipped.open("aws:prod", settings, SystemClock())
        opened.principal()
        yield opened, server
        opened.close()


@pytest.mark.parametrize(("kind", "operation", "code"), list(_details()))
def test_an_item_deleted_while_it_was_read_is_gone_and_the_others_are_there(session, kind, operation, code):
    """5: An item deleted between list and detail was reported as an error."""
    opened, server = session
    server.calm()
    victim = set()

    def of_one_item(ask):
        named = {value for value in ask.params.values() if isinstance(value, str)}
        if ask.operation == operation and not victim:
            victim.update(named)
        return bool(victim) and victim <= named

    def read():
        reading = Reading(SystemClock(), float("inf"))
        scope = Scope(ACCOUNT if kind.scope == "account" else REGION, kind.scope)
        return {str(jmespath.search(kind.key, item)): item for item in opened.read(kind, scope, reading)}

    before = read()
    service = next(ask.service for ask in server.requests if ask.operation == operation)
    server.trouble(service, "*", trouble.refuse(code), when=of_one_item)
    after = read()
    assert len(after) == len(before) - 1
    assert after.items() <= before.items()


@pytest.mark.parametrize("operation", ["DescribeKey", "GetKeyRotationStatus"])
def test_an_item_refused_while_it_was_read_is_not_gone(install, account, operation):
    """5: An item refused between list and detail was reported as deleted."""
    site = install("aws.kms.keys")
    before = (site.tick(), site.items())[1]
    account.trouble("kms", operation, trouble.deny(), times=1)
    assert site.tick(HOUR).reason is Reason.DENIED
    assert site.items() == before


def test_credentials_that_end_between_two_pages_end_no_item(install, account):
    """18: Session credentials expired in the middle of a long run."""
    account.at_most("kms", "ListKeys", 2)
    site = install("aws.kms.keys")
    before = (site.tick(), site.items())[1]
    account.trouble("kms", "ListKeys", trouble.expire(), nth=2)
    run = site.tick(HOUR)
    assert (run.outcome, run.reason) == (Outcome.FAILED, Reason.MISCONFIGURED)
    assert "credentials" in run.message
    assert site.items() == before
    account.calm()
    assert site.tick(HOUR).detail == "unchanged"


def test_another_account_behind_the_same_source_is_not_that_account_emptied(install, account):
    """9 and 20: other credentials answer for another account; its items are not our items, and ours are not gone."""
    site = install("aws.iam.password_policy", "aws.kms.keys")
    before = (site.tick(), site.items("aws.kms.keys"))[1]
    other = {"UserId": "AIDA", "Account": "999999999999", "Arn": "arn:aws:iam::999999999999:user/collector"}
    account.play("sts", "GetCallerIdentity", other)
    account.play("kms", "ListKeys", [])
    run = site.tick(HOUR)
    assert (run.reason, run.principal.account) == (Reason.MISCONFIGURED, "999999999999")
    assert "999999999999" in run.message
    site.dispatcher.stop()
    site.start()
    assert site.tick(timedelta(hours=25)).reason is Reason.MISCONFIGURED
    assert site.items("aws.kms.keys") == before


FUNCTIONS = {
    "name": "aws.lambda.functions",
    "title": "Functions of a test",
    "scope": "region",
    "list": "lambda.ListFunctions",
    "key": "FunctionArn",
    "volatile": ["LastModified", "State"],
}
LEAKS = {
    "lambda": {},
    "user data": {
        "list": [{"op": "ec2.DescribeInstances", "items": "Reservations[].Instances[]"}],
        "each": [{"op": "DescribeInstanceAttribute", "params": {"Attribute": "userData"}, "into": "Attribute"}],
        "key": "InstanceId",
    },
    "user data of a template": {
        "list": [{"op": "ec2.DescribeLaunchTemplateVersions", "params": {"Versions": ["$Latest"]}}],
        "key": "LaunchTemplateId",
    },
    "user data of a launch configuration": {
        "list": "autoscaling.DescribeLaunchConfigurations",
        "key": "LaunchConfigurationARN",
    },
    "variables of a build": {
        "list": [{"op": "codebuild.ListProjects", "wrap": "name"}],
        "batch": [{"op": "BatchGetProjects", "ids": "names", "id": "name", "match": "name", "items": "projects"}],
        "key": "name",
    },
    "variables of a model": {
        "list": "sagemaker.ListModels",
        "each": [{"op": "DescribeModel", "into": "Model"}],
        "key": "ModelArn",
    },
    "variables of a job": {"list": "batch.DescribeJobDefinitions", "key": "jobDefinitionArn"},
}


@pytest.mark.parametrize("leak", LEAKS)
def test_a_kind_that_would_keep_environment_variables_or_user_data_is_refused(leak):
    """19: Lambda environment variables and instance user data were written to the report."""
    kind = Kind.model_validate({**FUNCTIONS, "volatile": [], **LEAKS[leak]})
    found = [each.message for each in shipped.lint(kind) if each.place == "redact"]
    assert any(word in message for message in found for word in ("Environment", "environment", "UserData")), found


@pytest.mark.parametrize("rule", [{"never": ["Environment"]}, {"redact": ["Environment.Variables"]}, {}])
def test_environment_variables_are_nowhere_in_the_store(install, account, tmp_path, rule):
    """19: neither in items nor in volatile fields, messages or the database's files; a slip of the spec included."""
    secrets = {"DB_PASSWORD": "hunter2-hunter2", "GITHUB_TOKEN": "ghp_" + "a1B2" * 9, "STRIPE_SECRET": "whatever-it-is"}
    if rule:
        secrets["CUSTOMERS"] = "a-list-of-customers"  # looks like no secret: only a rule removes it
    arn = f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:f"
    account.play("lambda", "ListFunctions", [{"FunctionArn": arn, "Environment": {"Variables": secrets}}])
    leaky = AwsConnector()
    leaky._kinds = {"aws.lambda.functions": Kind.model_validate({**FUNCTIONS, **rule})}
    site = install("aws.lambda.functions", connector=leaky)
    run = site.tick()
    assert (run.outcome, run.counts.items) == (Outcome.COLLECTED, 1)
    site.tick(HOUR)
    kept = json.dumps([site.items(), site.store.volatile(run.subject, site.clock.now())])
    kept += b"".join(path.read_bytes() for path in tmp_path.glob("evidence.db*") if path.is_file()).decode("latin-1")
    assert not [name for name, secret in secrets.items() if secret in kept]
    if "redact" in rule:
        assert [each.path for each in run.redactions] == ["Environment.Variables"]


def test_what_a_finding_shows_of_a_function_is_not_kept_either(install, account):
    """19: Security Hub repeats the settings of the resource that a finding is about, environment variables included."""
    texts = ("SchemaVersion", "Id", "ProductArn", "GeneratorId", "AwsAccountId", "Title", "Description")
    times = dict.fromkeys(("CreatedAt", "UpdatedAt"), "2026-03-14T02:00:00Z")
    details = {"AwsLambdaFunction": {"Environment": {"Variables": {"STRIPE_SECRET": "whatever-it-is"}}}}
    resource = {"Type": "AwsLambdaFunction", "Id": "f", "Details": details}
    found = {**dict.fromkeys(texts, "x"), **times, "Resources": [resource]}
    account.play("securityhub", "GetFindings", [found], region=REGION)
    site = install("aws.securityhub.findings")
    assert site.tick().counts.items == 1
    assert "whatever-it-is" not in json.dumps(site.items())

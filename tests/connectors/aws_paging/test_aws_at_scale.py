"""An account of more than one page of every paged call, AWS's own pages: what is stored is what boto3 lists."""

from __future__ import annotations

from contextlib import closing
from datetime import timedelta

import jmespath
import pytest

from collector.config import load_config
from collector.dispatch import Dispatcher
from collector.model import Outcome
from collector.procedure import Kind
from collector.store import open_store
from connectors.aws import connector
from tests.fakes.aws import FakeAws
from tests.fakes.aws.account import furnish
from tests.fakes.aws.boto import Boto
from tests.fakes.aws.fixtures import ACCOUNT, START, made
from tests.fakes.aws.listings import LISTINGS
from tests.fakes.clock import PlayedClock

CONFIG = """
[store]
url = "sqlite:///{path}/evidence.db"

[sources."aws:big"]
endpoint_url = "{url}"
regions = ["us-east-1"]
requests_per_second = {{ "*" = 1000000 }}
attempts = 1
"""

SIZES = {
    "iam": 1100,
    "ec2": 1100,
    "kms": 150,
    "rds": 120,
    "organization": 45,
    "identity_center": 12,
    "buckets": 60,
    "guardduty": 130,
    "findings": 120,
    "backup": 60,
    "trails": 5,
}
# Where a whole page is more than we want to make: AWS may always give less than is asked for.
SHORT_PAGES = {
    ("kms", "*"): 100,
    ("s3", "ListBuckets"): 25,
    ("backup", "*"): 25,
    ("sso-admin", "ListPermissionSets"): 10,
    ("sso-admin", "*"): 3,
}


KINDS = {name: kind for name, kind in connector.kinds().items() if not kind.optional}
MORE_THAN_A_PAGE = {
    "iam.GetAccountAuthorizationDetails": 1100 + 40 + 300 + 60,
    "ec2.DescribeSecurityGroups": 1100,
    "kms.ListKeys": 150,
    "kms.ListAliases": 150,
    "rds.DescribeDBInstances": 120,
    "organizations.ListAccounts": 45,
    "guardduty.ListMembers": 130,
    "guardduty.ListFindings": 130,
    "securityhub.GetFindings": 120,
    "inspector2.ListFindings": 120,
    "backup.ListBackupJobs": 60,
    "s3.ListBuckets": 60,
    "sso-admin.ListPermissionSets": 12,
}


@pytest.fixture
def big():
    with FakeAws() as server:
        furnish(server, 12, ["us-east-1"], **SIZES)
        for (service, operation), items in SHORT_PAGES.items():
            server.at_most(service, operation, items)
        yield server


@pytest.fixture
def store(big, tmp_path):
    """What the daemon's first sweep left behind."""
    (tmp_path / "evidenced.toml").write_text(CONFIG.format(path=tmp_path, url=big.url))
    clock, connectors = PlayedClock(START + timedelta(days=1)), {"aws": connector}
    with closing(open_store(f"sqlite:///{tmp_path}/evidence.db", clock=clock)) as store:
        dispatcher = Dispatcher(load_config(tmp_path / "evidenced.toml", connectors), connectors, store, clock)
        dispatcher.start()
        dispatcher.tick()
        dispatcher.settle()
        dispatcher.stop()
        yield store


def listed(big, run, kind, clients):
    """Keys and item counts by boto3 alone, for the window of *run*."""
    window = {"since": run.window.since, "until": run.window.until} if run.window else {}
    alone = Boto(big.client, clients=clients, **window)
    items = LISTINGS[kind.name](alone)
    return sorted(jmespath.search(kind.key, item) if kind.key else run.subject.scope for item in items), alone.listed


def test_what_is_stored_is_what_boto3_lists(big, store):
    """Every kind: the keys, their count in the run's sheet, and the items of every listing in it."""
    runs = {name: store.runs(kind=name)[0] for name in KINDS}
    assert {name: run.message for name, run in runs.items() if run.outcome is not Outcome.COLLECTED} == {}
    calls = {name: {each.operation: each for each in run.operations} for name, run in runs.items()}
    clients = {}
    for name, run in runs.items():
        keys, items = listed(big, run, KINDS[name], clients)
        assert (name, sorted(item.key for item in store.as_of(name, run.finished))) == (name, keys)
        assert (name, run.counts.items) == (name, len(keys))
        assert (name, {each: calls[name][each].items for each in items}) == (name, dict(items))
    every = {operation: call for one in calls.values() for operation, call in one.items()}
    assert {operation: every[operation].items for operation in MORE_THAN_A_PAGE} == MORE_THAN_A_PAGE
    assert all(every[operation].pages > 1 and every[operation].drained for operation in MORE_THAN_A_PAGE)


def test_an_operation_that_boto3_cannot_page_is_read_to_the_end(reader):
    """wafv2.ListWebACLs: a token, and no paginator."""
    spec = {"name": "test.wafv2.web_acls", "title": "Web ACLs of the region", "scope": "region", "key": "ARN"}
    kind = Kind.model_validate({**spec, "list": [{"op": "wafv2.ListWebACLs", "params": {"Scope": "REGIONAL"}}]})
    with FakeAws() as aws:
        aws.play("sts", "GetCallerIdentity", {"Account": ACCOUNT, "Arn": aws.principal})
        acls = made("wafv2", "ListWebACLs", "WebACLs", 120, ARN=lambda n: f"arn:aws:wafv2:us-east-1:1:webacl/{n}")
        aws.play("wafv2", "ListWebACLs", acls)
        items, ledger = reader(aws).read(kind)
        assert items == acls
        assert (ledger["wafv2.ListWebACLs"].calls, ledger["wafv2.ListWebACLs"].items) == (2, 120)

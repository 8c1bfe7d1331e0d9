"""Every connector keeps every promise of `collector.testing`, in a world that its vendor's description judges."""

from __future__ import annotations

from contextlib import ExitStack

import pytest

from collector.installed import connectors
from collector.testing import Trial, cases
from tests.connectors.conformance.worlds import WORLDS

# Names, numbers and states, or texts that are redacted whatever they say.
AWS_TEXTLESS = [
    *("aws.backup.restore_testing_plans", "aws.cloudtrail.trails", "aws.guardduty.detectors"),
    *("aws.guardduty.organization", "aws.iam.account_summary", "aws.iam.credential_report"),
    *("aws.iam.password_policy", "aws.identitycenter.account_assignments", "aws.identitycenter.permission_sets"),
    *("aws.kms.aliases", "aws.organizations.accounts", "aws.s3.bucket_encryption", "aws.s3.bucket_public_access"),
]
AZURE_TEXTLESS = [
    *("azure.activitylog.events", "azure.authorization.role_assignments", "azure.defender.pricings"),
    "azure.policy.states",
]
# AWS gives these in one page. A region has one detector and an account has its root user, whatever else there is.
DETECTOR, ROOT = ["aws.guardduty.detectors", "aws.guardduty.organization"], ["aws.iam.credential_report"]
EXCEPTIONS = {
    "aws": {
        "unpaged": ["aws.cloudtrail.trails", *DETECTOR, *ROOT],
        "never_empty": [*DETECTOR, *ROOT],
        "textless": AWS_TEXTLESS,
    },
    "azure": {"unpaged": ["azure.defender.pricings", "azure.policy.states"], "textless": AZURE_TEXTLESS},
    "github": {"textless": ["github.branch_protection", "github.members"]},
    "gcp": {"textless": ["gcp.iam.service_account_keys"]},
    "entra": {"textless": ["entra.mfa_registration"]},
}
CASES = [(name, case) for name in WORLDS for case in cases(connectors()[name], **EXCEPTIONS.get(name, {}))]


@pytest.fixture(scope="module")
def trials(tmp_path_factory):
    """Trials by vendor, each opened when it is first asked for: building clients is what takes long."""
    with ExitStack() as open_ones:
        kept = {}

        def trial(name):
            if name not in kept:
                world = open_ones.enter_context(WORLDS[name](tmp_path_factory.mktemp(name)))
                kept[name] = open_ones.enter_context(Trial(connectors()[name], world, getattr(world, "clock", None)))
            return kept[name]

        yield trial


@pytest.mark.parametrize(("vendor", "case"), CASES, ids=str)
def test_the_connector_keeps_its_promise(trials, vendor, case):
    case(trials(vendor))


def test_every_installed_connector_is_on_trial():
    assert set(connectors()) == set(WORLDS)

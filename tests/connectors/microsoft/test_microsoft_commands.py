"""Azure and Entra from the command line, as an operator would: check, policy, snapshot; and what is then kept."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from datetime import UTC, datetime

import pytest

from connectors.azure.connector import AzureConnector
from connectors.entra.connector import EntraConnector
from tests.connectors.microsoft import tenant
from tests.connectors.microsoft.authority import APPLICATION, OBJECT, SECRET, TENANT
from tests.fakes.described import trouble

CONFIG = """
[store]
url = "sqlite:///evidence.db"
"""
SOURCE = """
[sources."{name}:acme"]
tenant = "{tenant}"
client_id = "{client}"
client_secret = "env:APPLICATION_SECRET"
private_authority = true
addresses = {{ {addresses} }}
requests_per_second = {{ "*" = 1000 }}
attempts = 1
{more}
"""
KINDS = {"azure:acme": 6, "entra:acme": 3}


class Site:
    """A folder with a configuration of both sources, and the command."""

    def __init__(self, folder, arm, graph, authority):
        self.folder, self.authority = folder, authority
        said = CONFIG
        for connector, fake, more in (
            (AzureConnector, arm, f'exclude_subscriptions = ["{tenant.guid(6)}"]'),
            (EntraConnector, graph, ""),
        ):
            addresses = ", ".join(f'{host} = "{fake.url}"' for host in connector.api.hosts)
            known = {"name": connector.name, "tenant": TENANT, "client": APPLICATION}
            said += SOURCE.format(addresses=addresses, more=more, **known)
        (folder / "evidenced.toml").write_text(said)

    def evidenced(self, *arguments, before=""):
        """Return how the command ended and its JSON, in which no secret is. *before* is Python that runs first."""
        done = subprocess.run(
            [sys.executable, "-c", f"{before}\nfrom collector.cli import main; main()", *arguments, "--json"],
            env=dict(os.environ),
            cwd=self.folder,
            capture_output=True,
            text=True,
            check=False,
        )
        assert [each for each in self.secrets() if each in done.stdout + done.stderr] == []
        return done.returncode, json.loads(done.stdout)

    def secrets(self):
        return [SECRET, *self.authority.issued]


@pytest.fixture
def site(tmp_path, arm, graph, authority):
    for name in ("platform", "workloads", TENANT):
        arm.put(tenant.ROLES_AT, items=[], scope=f"{tenant.GROUPS}/{name}".strip("/"), **{"$filter": "atScope()"})
    return Site(tmp_path, arm, graph, authority)


def test_the_check_says_who_we_are_and_which_permission_is_missing(site, arm):
    arm.trouble(tenant.PRICINGS, trouble.deny())
    code, answer = site.evidenced("check")
    assert code == 1
    assert f"application {APPLICATION}, object {OBJECT}" in json.dumps(answer)
    assert "Microsoft.Security/pricings/read" in json.dumps(answer)
    assert "the principal has no role in it" in json.dumps(answer)


@pytest.mark.parametrize("source", KINDS)
def test_what_a_snapshot_reads_is_evidence_and_no_secret_is_kept(site, source):
    code, answer = site.evidenced("snapshot", "--source", source, "--reason", "a first look")
    assert code == 0, answer
    _, answer = site.evidenced("runs")
    kinds = {run["subject"]["kind"] for run in answer["runs"] if run["outcome"] == "collected"}
    assert len(kinds) == KINDS[source]
    now = datetime.now(UTC).isoformat()
    shown = json.dumps([site.evidenced("as-of", kind, "--at", now, "--field", "@") for kind in sorted(kinds)])
    assert tenant.guid(3) in shown
    written = b"".join(path.read_bytes() for path in site.folder.glob("evidence.db*") if path.is_file())
    planted = [*site.secrets(), "vera@", "203.0.113."]
    assert [each for each in planted if each in shown or each.encode() in written] == []


@pytest.mark.parametrize(("name", "told"), [("azure", "Actions"), ("entra", "applicationPermissions")])
def test_the_policy_is_printed(site, name, told):
    code, answer = site.evidenced("policy", name)
    assert code == 0
    assert told in answer["documents"][0]


def test_without_the_extra_kinds_are_known_and_the_check_says_what_to_install(site):
    without = "import sys; sys.modules['azure'] = None"
    code, answer = site.evidenced("kinds", "list", before=without)
    assert code == 0 and "entra.users" in json.dumps(answer)
    _, answer = site.evidenced("check", before=without)
    assert "evidenced[azure]" in json.dumps(answer) and "evidenced[entra]" in json.dumps(answer)

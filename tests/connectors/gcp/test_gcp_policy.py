"""The custom role that an administrator creates, and what the connector is on a machine without its libraries."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from connectors.gcp import connector
from tests.fakes.described.judge import problems
from tests.fakes.described.vendors import GCP

TREE = ["resourcemanager.folders.get", "resourcemanager.projects.get"]


def evidenced(*arguments, without=()):
    """Run a command in a process of its own, in which the modules *without* cannot be imported."""
    hidden = f"import sys; sys.modules.update(dict.fromkeys({list(without)!r}))"
    done = subprocess.run(
        [sys.executable, "-c", f"{hidden}; from collector.cli import main; main()", *arguments],
        capture_output=True,
        text=True,
        check=False,
    )
    return done.returncode, done.stdout, done.stderr


@pytest.mark.parametrize("kind", connector.kinds())
def test_the_role_has_what_a_kind_and_the_tree_need_and_nothing_else(kind):
    (role,) = connector.policy([connector.kinds()[kind]])
    assert role["includedPermissions"] == sorted({*connector.grants(connector.kinds()[kind]), *TREE})


def test_every_permission_of_the_role_only_reads():
    (role,) = connector.policy(list(connector.kinds().values()))
    verbs = {each.rpartition(".")[2] for each in role["includedPermissions"]}
    assert verbs == {"get", "list", "getIamPolicy", "listIamPolicy"}


def test_iam_takes_the_role_that_the_command_prints():
    """Judged by the description of organizations.roles.create, which ``gcloud iam roles create --file`` calls."""
    code, printed, _ = evidenced("policy", "gcp", "--json")
    create = GCP.description.named("iam.v1:organizations.roles.create")
    assert code == 0
    for role in json.loads(printed)["documents"]:
        assert not list(problems({"roleId": "evidenced", "role": role}, create.body, create.resolve))


def test_kinds_are_known_on_a_machine_without_googles_libraries():
    code, printed, _ = evidenced("kinds", "explain", "gcp.sql.instances", without=["google", "google.auth"])
    assert (code, "cloudsql.users.list" in printed) == (0, True)


def test_a_machine_without_googles_libraries_is_told_what_to_install(tmp_path):
    config = tmp_path / "evidenced.toml"
    config.write_text('[sources."gcp:acme"]\norganization = "1"\n')
    code, printed, _ = evidenced("check", "--config", str(config), without=["google", "google.auth"])
    assert code == 1
    assert "evidenced[gcp]" in printed

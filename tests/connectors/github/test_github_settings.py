"""What a source may set, what an App must be allowed, and that the kinds are sound."""

from __future__ import annotations

import json

import pytest
from typer.testing import CliRunner

from collector.cli.app import app
from connectors.github import connector
from connectors.github.settings import GithubSettings

KINDS = sorted(connector.kinds())
TOKEN = {"token": "env:T"}


@pytest.mark.parametrize(
    "wrong",
    [
        {},
        {"token": "ghp_" + "a" * 36},
        {"token": "env:T", "app_id": "1"},
        {"app_id": "1"},
        {"private_key": "file:/key.pem"},
        {"app_id": "1", "private_key": "file:key.pem"},
        {**TOKEN, "orgs": ["acme", "Acme"]},
        {**TOKEN, "server": "https://github.acme.example"},
    ],
    ids=["no way in", "a literal", "two ways", "no key", "no App", "a relative path", "one twice", "an address"],
)
def test_settings_that_are_wrong_are_refused(wrong):
    with pytest.raises(ValueError, match=r"token|reference|path|orgs|server"):
        GithubSettings.model_validate(wrong)


@pytest.mark.parametrize(
    ("server", "rest", "graphql"),
    [
        ("github.acme.example", "https://github.acme.example/api/v3", "https://github.acme.example/api"),
        ("acme.ghe.com", "https://api.acme.ghe.com", "https://api.acme.ghe.com"),
    ],
)
def test_another_server_is_where_its_documentation_says(server, rest, graphql):
    found = GithubSettings.model_validate({**TOKEN, "server": server})
    assert found.addresses == {"main": rest, "graphql": graphql}


def test_the_manifest_of_an_app_has_what_the_kinds_need_to_read_and_nothing_to_write():
    (document,) = connector.policy(list(connector.kinds().values()))
    assert document["app_manifest"]["default_permissions"] == dict.fromkeys(
        (
            "administration",
            "checks",
            "contents",
            "members",
            "metadata",
            "pull_requests",
            "statuses",
            "vulnerability_alerts",
        ),
        "read",
    )
    assert document["classic_token"]["scopes"] == ["read:org", "repo"]


def test_an_app_for_members_alone_may_see_no_repository():
    (document,) = connector.policy([connector.kinds()["github.members"]])
    assert document["app_manifest"]["default_permissions"] == {"members": "read"}
    assert document["classic_token"]["scopes"] == ["read:org"]


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_is_clean(kind):
    assert connector.lint(connector.kinds()[kind]) == []


def test_check_says_as_whom_and_what_may_be_read_kind_by_kind(reader, github, tmp_path):
    config = tmp_path / "evidenced.toml"
    config.write_text(
        f'[store]\nurl = "sqlite:///{tmp_path}/e.db"\n[sources."github:acme"]\ntoken = "env:GITHUB_TOKEN"\n'
        f'addresses = {{ main = "{github.url}", graphql = "{github.url}" }}\n'
        'requests_per_second = { "*" = 1000.0 }\n'
    )
    ran = CliRunner().invoke(app, ["check", "--config", str(config), "--json"])
    said = json.loads(ran.stdout)
    assert ran.exit_code == 0, ran.output
    assert "robot" in json.dumps(said)
    assert all(kind in ran.stdout for kind in KINDS)

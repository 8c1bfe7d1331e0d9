"""`config.example.toml`: what `evidenced init` writes, and the reference of every key."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import jsonschema
import pytest

from collector.config import Config, load_config
from collector.connector import Settings
from collector.data import data_path
from collector.installed import connectors
from collector.schemas import config_schema
from connectors.aws.settings import AwsSettings
from connectors.azure.settings import AzureSettings
from connectors.entra.settings import EntraSettings
from connectors.gcp.settings import GcpSettings
from connectors.github.settings import GithubSettings
from connectors.okta.settings import OktaSettings
from tests.fakes.stationer import Stationer


def connector(name: str, settings: type[Settings], *more: str) -> Stationer:
    """Return what takes the *settings* of the connector *name*, and knows kinds of its names."""
    kinds = {f"{name}.{each}": kind for each, kind in Stationer().kinds().items()}
    made = Stationer(name, kinds | {each: next(iter(kinds.values())) for each in more})
    made.settings = settings
    return made


WITHOUT_PYTHON = ("gworkspace", "jira")
CONNECTORS = {
    **{name: connector(name, connectors()[name].settings) for name in WITHOUT_PYTHON},
    "aws": connector("aws", AwsSettings, "aws.iam.users"),
    "azure": connector("azure", AzureSettings),
    "entra": connector("entra", EntraSettings),
    "gcp": connector("gcp", GcpSettings),
    "github": connector("github", GithubSettings),
    "okta": connector("okta", OktaSettings),
}


@pytest.fixture
def text() -> str:
    return data_path("config.example.toml").read_text(encoding="utf-8")


@pytest.fixture
def uncommented(text: str) -> str:
    """The example with every key and table that is commented out in force."""
    return re.sub(r"^# (?=\[|[a-z_]+ = |\")", "", text, flags=re.MULTILINE)


def load(folder: Path, text: str) -> Config:
    (folder / "evidenced.toml").write_text(text, encoding="utf-8")
    (folder / "controls.toml").touch()
    return load_config(folder / "evidenced.toml", CONNECTORS)


def test_the_example_loads_as_it_is_and_says_nothing_but_defaults(tmp_path: Path, text: str) -> None:
    assert load(tmp_path, text) == load(tmp_path, '[sources."aws:main"]')


def test_what_is_commented_out_shows_what_is_in_force_without_it(tmp_path: Path, text: str, uncommented: str) -> None:
    said, unsaid = load(tmp_path, uncommented), load(tmp_path, text)
    assert (said.store, said.log, said.plan) == (unsaid.store, unsaid.log, unsaid.plan)
    assert said.checkpoints.model_copy(update={"anchors": {}, "authorities": {}}) == unsaid.checkpoints
    assert said.sources["aws:main"] == unsaid.sources["aws:main"]


def test_a_source_that_is_read_through_a_role_is_an_example_that_holds(tmp_path: Path, uncommented: str) -> None:
    settings = load(tmp_path, uncommented).sources["aws:prod"]
    assert isinstance(settings, AwsSettings)
    assert settings.external_id == "env:EVIDENCED_EXTERNAL_ID"
    assert settings.regions == ["eu-central-1", "us-east-1"]


def test_a_google_cloud_organisation_is_an_example_that_holds(tmp_path: Path, uncommented: str) -> None:
    settings = load(tmp_path, uncommented).sources["gcp:acme"]
    assert isinstance(settings, GcpSettings)
    assert settings.organization == "123456789012"
    assert settings.exclude_projects == ["sys-*"]


def test_an_app_and_an_owners_token_at_github_are_examples_that_hold(tmp_path: Path, uncommented: str) -> None:
    sources = load(tmp_path, uncommented).sources
    app, owner = sources["github:acme"], sources["github:other"]
    assert isinstance(app, GithubSettings) and isinstance(owner, GithubSettings)
    assert (app.app_id, app.orgs, app.run_limit) == ("123456", ["acme"], owner.run_limit)
    assert owner.token == "env:GITHUB_TOKEN"


def test_a_tenant_and_its_directory_are_examples_that_hold(tmp_path: Path, uncommented: str) -> None:
    sources = load(tmp_path, uncommented).sources
    azure, entra = sources["azure:acme"], sources["entra:acme"]
    assert isinstance(azure, AzureSettings) and azure.client_secret == "env:EVIDENCED_AZURE_SECRET"
    assert isinstance(entra, EntraSettings) and entra.identity == "managed"


def test_an_okta_organisation_is_an_example_that_holds(tmp_path: Path, uncommented: str) -> None:
    okta = load(tmp_path, uncommented).sources["okta:acme"]
    assert isinstance(okta, OktaSettings)
    assert (okta.domain, okta.token) == ("acme.okta.com", "env:OKTA_TOKEN")


def test_sources_of_connectors_without_python_are_examples_that_hold(tmp_path: Path, uncommented: str) -> None:
    sources = load(tmp_path, uncommented).sources
    assert sources["gworkspace:acme"].model_dump()["admin"] == "auditor@acme.example"
    assert sources["jira:acme"].model_dump()["token"] == "env:JIRA_TOKEN"


def test_every_key_of_the_configuration_is_in_the_example(uncommented: str) -> None:
    document = tomllib.loads(uncommented)
    assert set(document) == set(Config.model_fields) - {"path"}
    for section in ("store", "log", "plan", "checkpoints"):
        assert set(document[section]) == set(type(getattr(Config(), section)).model_fields)
    assert set(document["sources"]["aws:main"]) == set(Settings.model_fields)


def test_every_anchor_of_ours_is_an_example_that_holds_and_names_its_keys(tmp_path: Path, uncommented: str) -> None:
    anchors = load(tmp_path, uncommented).checkpoints.anchors
    document = tomllib.loads(uncommented)["checkpoints"]["anchors"]
    assert {each.type for each in anchors.values()} == {"directory", "git", "s3", "log"}
    for name, settings in anchors.items():
        assert set(document[name]) == set(type(settings).model_fields)


def test_the_example_fits_the_schema_of_the_configuration(text: str, uncommented: str) -> None:
    for each in (text, uncommented):
        jsonschema.validate(tomllib.loads(each), config_schema())

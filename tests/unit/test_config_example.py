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
from tests.fakes.stationer import Stationer


class Aws(Stationer):
    """Anything that takes the AWS connector's settings."""

    settings = AwsSettings


@pytest.fixture
def text() -> str:
    return data_path("config.example.toml").read_text(encoding="utf-8")


@pytest.fixture
def uncommented(text: str) -> str:
    """The example with every key and table that is commented out in force."""
    return re.sub(r"^# (?=\[|[a-z_]+ = |\")", "", text, flags=re.MULTILINE)


def load(folder: Path, text: str) -> Config:
    kinds = {f"aws.{name}": kind for name, kind in Stationer().kinds().items()}
    kinds["aws.iam.users"] = next(iter(kinds.values()))
    (folder / "evidenced.toml").write_text(text, encoding="utf-8")
    (folder / "controls.toml").touch()
    return load_config(folder / "evidenced.toml", {**connectors(), "aws": Aws("aws", kinds)})


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

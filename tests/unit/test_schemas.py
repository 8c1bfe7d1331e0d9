"""The JSON Schemas in `schemas/`: current, and true of what they describe."""

from __future__ import annotations

import tomllib
from dataclasses import replace
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from collector.clock import parse_instant
from collector.data import data_path
from collector.http.declaration import TABLE
from collector.model import (
    OperationCalls,
    Outcome,
    Principal,
    Provenance,
    Reason,
    Redaction,
    Run,
    Subject,
    Trigger,
    Window,
)
from collector.procedure import kinds_of, load_kinds, read_tables
from collector.schemas import config_schema, kinds_schema, run_schema, schemas, written
from collector.words import plain

KINDS = sorted(Path(__file__).parents[2].glob("connectors/*/*.toml"))
ACME = (Path(__file__).parents[1] / "http/acme.toml").read_text(encoding="utf-8")
NOON = parse_instant("2026-03-14T12:00")


@pytest.mark.parametrize("name", schemas())
def test_a_schema_is_what_the_types_make_now(name: str) -> None:
    """If this fails: ``python -m collector.schemas``."""
    assert (data_path("schemas") / name).read_text(encoding="utf-8") == written(schemas()[name])


@pytest.mark.parametrize("schema", schemas().values(), ids=schemas())
def test_a_schema_is_a_schema(schema: Any) -> None:
    jsonschema.Draft202012Validator.check_schema(schema)


@pytest.mark.parametrize("path", KINDS, ids=lambda path: f"{path.parent.name}/{path.name}")
def test_the_kinds_of_our_own_connectors_fit_the_schema(path: Path) -> None:
    tables = read_tables(path)
    jsonschema.validate(tables, kinds_schema())
    kinds_of(path, {name: table for name, table in tables.items() if name != TABLE})


@pytest.mark.parametrize(
    "text",
    [
        'list = "kms.ListKeys"\nkey = "Arn"',
        'list = { op = "kms.ListKeys" }\neach = ["x", { op = "y", if = "z", absent = [404] }]',
    ],
)
def test_a_call_may_be_written_short(tmp_path: Path, text: str) -> None:
    text = f'["a.b"]\ntitle = "A title of its own"\n{text}'
    (tmp_path / "kinds.toml").write_text(text)
    load_kinds(tmp_path / "kinds.toml")
    jsonschema.validate(tomllib.loads(text), kinds_schema())


@pytest.mark.parametrize(
    "text",
    ['["a.b"]\nlist = "x"', '["a.b"]\ntitle = "A title of its own"\nlst = "x"', '[a]\ntitle = "A title of its own"'],
)
def test_a_kind_that_is_wrong_does_not_fit(text: str) -> None:
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(tomllib.loads(text), kinds_schema())


def test_a_connector_that_is_one_file_fits_the_schema() -> None:
    jsonschema.validate(tomllib.loads(ACME), kinds_schema())
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(tomllib.loads(ACME.replace('scheme = "bearer"', 'scheme = "bear"')), kinds_schema())


@pytest.mark.parametrize("paging", ['"link"', '{ style = "token", next = "next", param = "page" }', '{ total = "n" }'])
def test_paging_may_be_written_as_a_style_or_as_a_table(paging: str) -> None:
    text = f'["a.b"]\ntitle = "A title of its own"\nkey = "id"\nlist = {{ op = "GET /x", paging = {paging} }}'
    jsonschema.validate(tomllib.loads(text), kinds_schema())


def test_a_source_may_hold_its_connectors_own_keys_and_the_file_no_others() -> None:
    jsonschema.validate({"sources": {"aws:prod": {"role_arn": "arn:..."}}}, config_schema())
    for wrong in ({"stor": {}}, {"plan": {"grase": "1h"}}, {"path": "x"}):
        with pytest.raises(jsonschema.ValidationError):
            jsonschema.validate(wrong, config_schema())


@pytest.fixture
def failed() -> Run:
    return Run(
        subject=Subject("aws:prod", "aws.iam.users", "123456789012"),
        due=NOON,
        trigger=Trigger.SCHEDULE,
        provenance=Provenance("aws", "0.1.0", "0.1.0", "sha256:00", "sha256:01", 1, criteria=("CC6.1",)),
        started=NOON,
        finished=NOON,
        outcome=Outcome.FAILED,
        reason=Reason.DENIED,
    )


@pytest.fixture
def collected(failed: Run) -> Run:
    return replace(
        failed,
        outcome=Outcome.COLLECTED,
        reason=None,
        principal=Principal("arn:aws:sts::123456789012:assumed-role/evidenced/x", "123456789012"),
        operations=(OperationCalls("iam.ListUsers", 1, 1, total=3, first_date=NOON, last_date=NOON),),
        population=bytes(32),
        redactions=(Redaction("Tags[].Value", "named", 2),),
        window=Window(NOON, NOON),
        skew_ms=-3,
        recorded=NOON,
        id="12-3",
    )


def test_a_run_as_json_fits_the_schema(failed: Run, collected: Run) -> None:
    for run in (failed, collected):
        jsonschema.validate(plain(run), run_schema())


def test_a_run_that_lacks_a_field_or_has_one_too_many_does_not_fit(collected: Run) -> None:
    whole = plain(collected)
    for wrong in ({**whole, "note": ""}, {key: each for key, each in whole.items() if key != "population"}):
        with pytest.raises(jsonschema.ValidationError):
            jsonschema.validate(wrong, run_schema())
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate({**whole, "population": "00" * 32}, run_schema())

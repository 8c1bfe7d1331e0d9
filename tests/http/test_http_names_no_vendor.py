"""The collector knows no vendor: what is special about one is declared by its connector."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

COLLECTOR = Path(__file__).parents[2] / "collector"
VENDORS = re.compile(
    r"\b(aws|amazon|azure|entra|microsoft|google|gcp|gworkspace|github|gitlab|okta|jira|atlassian|slack|datadog)\b",
    re.IGNORECASE,
)
# Names of sources and kinds as help and errors show them to people: "aws:prod", "aws.iam.*".
EXAMPLE = re.compile(r"evidenced policy [a-z]+|\b[a-z]+(?::[a-z*][\w*-]*|\.[a-z*][\w.*]*)(?<!\.com)")
SECRETS = {"secrets.py", "secret_shapes.py"}
"""Here vendors are named on purpose: the forms of their secrets are what is looked for."""


def named(path, *, examples):
    """Return the lines of *path* that name a vendor; *examples* may."""
    return [
        f"{path.name}:{number}: {line.strip()}"
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1)
        if VENDORS.search(EXAMPLE.sub("", line) if examples else line)
    ]


@pytest.mark.parametrize("package", ["http", "procedures", "testing", "store", "log", "verify"])
def test_no_line_names_a_vendor(package):
    assert [each for path in sorted((COLLECTOR / package).rglob("*.py")) for each in named(path, examples=False)] == []


def test_nowhere_is_a_vendor_named_but_in_examples_and_among_the_forms_of_secrets():
    paths = [path for path in sorted(COLLECTOR.rglob("*.py")) if path.name not in SECRETS]
    assert len(paths) > 200
    assert [each for path in paths for each in named(path, examples=True)] == []

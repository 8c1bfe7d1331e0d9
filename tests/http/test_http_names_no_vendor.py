"""The engine knows no vendor: what is special about one is declared by its connector."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

COLLECTOR = Path(__file__).parents[2] / "collector"
VENDORS = re.compile(
    r"\b(aws|amazon|azure|entra|microsoft|google|gcp|gworkspace|github|gitlab|okta|jira|atlassian|slack|datadog)\b",
    re.IGNORECASE,
)


@pytest.mark.parametrize("package", ["http", "procedures", "testing"])
def test_no_line_names_a_vendor(package):
    found = [
        f"{path.name}:{number}: {line.strip()}"
        for path in sorted((COLLECTOR / package).rglob("*.py"))
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1)
        if VENDORS.search(line)
    ]
    assert found == []

"""The page of guarantees names, row by row, tests that exist."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs/guarantees.md").read_text(encoding="utf-8")
ATTACKS = PAGE.partition("| attacker |")[2].partition("\n\n")[0].splitlines()[2:]


@pytest.mark.parametrize("row", ATTACKS, ids=lambda row: row.split("|")[1].strip())
def test_every_row_names_tests_that_exist(row):
    cells = [each.strip() for each in row.strip("|").split("|")]
    assert len(cells) == 5
    named = re.findall(r"`(\S+\.py)::(test_\w+)`", cells[-1])
    assert named
    for file, test in named:
        tree = ast.parse((ROOT / "tests" / file).read_text(encoding="utf-8"))
        assert test in {each.name for each in tree.body if isinstance(each, ast.FunctionDef)}, f"{file}::{test}"


def test_what_the_database_alone_does_not_show_is_said_for_every_such_attack():
    """The tests that call an altered store intact in itself are each behind a row that says **not**."""
    shown = {test for row in ATTACKS for test in re.findall(r"::(test_\w+)`", row) if "intact_in_itself" in test}
    said = {test for row in ATTACKS if "**not**" in row for test in re.findall(r"::(test_\w+)`", row)}
    tests = "".join(path.read_text(encoding="utf-8") for path in (ROOT / "tests/verify").glob("test_*.py"))
    assert shown == set(re.findall(r"def (test_\w+intact_in_itself\w+)\(", tests))
    assert shown <= said

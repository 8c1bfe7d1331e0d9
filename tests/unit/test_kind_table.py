"""The documentation follows the declarations."""

from pathlib import Path

from collector.ask.kind_table import markdown
from collector.installed import connectors

DOCS = Path(__file__).parents[2] / "docs" / "kinds.md"


def test_the_table_of_kinds_is_what_the_declarations_say():
    assert DOCS.read_text(encoding="utf-8") == markdown(connectors())

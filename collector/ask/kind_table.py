"""The documentation's table of kinds, made from the declarations: ``python -m collector.ask.kind_table``."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

from collector.connector import Connector
from collector.installed import connectors
from collector.procedure import Kind

_HEAD = """# Kinds of evidence

Made from the declarations by `python -m collector.ask.kind_table docs/kinds.md`; a test compares.
`evidenced kinds explain KIND` shows the calls, their paging and what is inferred.
Cadence, and what of this is collected at all, is set in the configuration.
"""


def markdown(installed: Mapping[str, Connector]) -> str:
    """Return one table a connector: kind, what it is, where it is read, cadence, criteria, permissions."""
    return "\n".join([_HEAD, *(line for name in sorted(installed) for line in _table(installed[name]))])


def _table(connector: Connector) -> Iterator[str]:
    kinds = connector.kinds()
    yield f"## {connector.name} ({len(kinds)} kinds)\n"
    yield "| kind | what | read per | every | criteria | permissions |"
    yield "|---|---|---|---|---|---|"
    for name in sorted(kinds):
        kind = kinds[name]
        cells = (f"`{name}`", kind.title, _scope(kind), kind.every, " ".join(kind.criteria), _code(connector, kind))
        yield "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"
    yield ""


def _scope(kind: Kind) -> str:
    words = [kind.scope, *(["events"] if kind.since else []), *(["optional"] if kind.optional else [])]
    return ", ".join(words)


def _code(connector: Connector, kind: Kind) -> str:
    return " ".join(f"`{grant}`" for grant in connector.grants(kind))


if __name__ == "__main__":
    Path(sys.argv[1]).write_text(markdown(connectors()), encoding="utf-8")

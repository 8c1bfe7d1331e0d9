"""The command line: parse, call, render. Nothing here decides anything about evidence, and nothing names a connector.

Every answer goes to stdout, as a readable table or as one JSON document; everything else goes to stderr.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence


def main(arguments: Sequence[str] | None = None) -> None:
    """Run `evidenced` with *arguments* (the process's own by default) and exit with a documented code."""
    from collector.cli.exits import run

    sys.exit(run(sys.argv[1:] if arguments is None else list(arguments)))

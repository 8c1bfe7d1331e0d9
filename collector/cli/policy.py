"""`evidenced policy`: the least a source must allow us."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from collector.cli.opening import config_path, load
from collector.cli.options import ConfigOption, JsonOption
from collector.cli.render import note, show_json, write
from collector.errors import ConfigError, QueryError
from collector.model import Json
from collector.words import plural

if TYPE_CHECKING:
    from collections.abc import Mapping

    from collector.connector import Connector


def policy(
    connector: Annotated[
        str, typer.Argument(metavar="CONNECTOR", help="What stands before the colon in a source's name.")
    ],
    source: Annotated[
        str, typer.Option("--source", metavar="SOURCE", help="For the kinds of this source.", show_default=False)
    ] = "",
    into: Annotated[
        Path | None, typer.Option("--into", metavar="FOLDER", help="Write each document to a file in this folder.")
    ] = None,
    config: ConfigOption = None,
    as_json: JsonOption = False,
) -> None:
    """Print the least-privilege policy of what is enabled.

    Without a configuration, for every kind of the connector. There may be several documents: each is within the
    vendor's size limit.

    \b
    Example: evidenced policy aws --source aws:prod --into policies/
    """
    from collector.ask.kinds import find_connector
    from collector.installed import connectors

    known = connectors()
    chosen = find_connector(known, connector)
    names = _names(known, chosen, source, config)
    documents = chosen.policy([chosen.kinds()[name] for name in names])
    note(f"{plural(len(documents), 'document')} for {plural(len(names), 'kind')} of {connector}")
    if into is not None:
        files = _write(into, connector, documents)
        if as_json:
            show_json({"connector": connector, "files": files, "kinds": names})
        else:
            write("".join(f"{file}\n" for file in files))
    elif as_json:
        show_json({"connector": connector, "documents": documents, "kinds": names})
    else:
        # One document goes into a file as it is; several must be told apart.
        for document in documents:
            show_json(document)


def _names(known: Mapping[str, Connector], chosen: Connector, source: str, config: Path | None) -> list[str]:
    """Return the kinds to allow: of *source*, of every source of the connector, or all that it has."""
    if config is None and not source and not config_path(None).exists():
        return sorted(chosen.kinds())
    from collector.plan import build_plan

    settings, _ = load(config)
    planned = [each for each in build_plan(settings, known, {}, {}).sources if each.connector == chosen.name]
    if source:
        planned = [each for each in planned if each.name == source]
    if not planned:
        raise QueryError(
            f"the configuration has no source {source!r} of {chosen.name}"
            if source
            else f"the configuration has no source of {chosen.name}",
            hint="`evidenced plan show` lists the sources.",
        )
    return sorted({kind.name for each in planned for kind in each.kinds if not kind.excluded})


def _write(folder: Path, connector: str, documents: list[Json]) -> list[str]:
    files = []
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for number, document in enumerate(documents, start=1):
            path = folder / f"evidenced-{connector}-{number}.json"
            path.write_text(json.dumps(document, indent=2) + "\n", encoding="utf-8")
            files.append(str(path))
    except OSError as error:
        raise ConfigError(f"{folder}: cannot be written: {error.strerror}", hint="Name another folder.") from error
    return files

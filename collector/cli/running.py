"""`evidenced run`: the daemon; `evidenced run show`: the sheet of one run."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from collector.cli.layout import show
from collector.cli.opening import config_path, load, opened_store
from collector.cli.options import ConfigOption, JsonOption, LogFormatOption
from collector.cli.render import show_json, write_file
from collector.errors import ConfigError

app = typer.Typer(invoke_without_command=True)

_PDF = typer.Option("--pdf", metavar="FILE", help="Write the sheet, with the proof, as a PDF.", show_default=False)


@app.callback()
def run(
    context: typer.Context,
    log_format: LogFormatOption = "",
    config: ConfigOption = None,
) -> None:
    """Run the daemon; `run show` opens the sheet of one run.

    It stays in the foreground and reads what the plan asks for, on schedule, until it is told to stop. SIGTERM and
    Ctrl-C let the calls under way finish and end it; SIGHUP reads the configuration again. Only one daemon runs on a
    store: a second ends with 6. Logs go to stderr.

    \b
    Example: evidenced run --log-format json
    The sheet of one run: evidenced run show 12-3
    """
    if context.invoked_subcommand is None:
        _daemon(config, log_format)


@app.command("show")
def show_run(
    run_id: Annotated[str, typer.Argument(metavar="ID", help="As `evidenced runs` lists it, e.g. 12-3.")],
    pdf: Annotated[Path | None, _PDF] = None,
    config: ConfigOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show the sheet of one run, or write it as PDF.

    Where it came from, with which query, when by both clocks, and how complete it is. The PDF also has the proof that
    the run is in the log; for that, PDFs must be installed: pip install 'evidenced[pdf]'.

    \b
    Example: evidenced run show 12-3
    Example: evidenced run show 12-3 --pdf run-12-3.pdf
    """
    from collector.ask.sheet import sheet_of
    from collector.cli.sheet import sheet
    from collector.clock import SystemClock
    from collector.export import sheet_pdf
    from collector.verify import prove

    with opened_store(config) as store:
        found = sheet_of(store, run_id, now=SystemClock().now())
        proof = prove(store, f"run:{found.run.id}").proof if pdf else None
    if pdf and proof:
        write_file(pdf, sheet_pdf(found, proof))
        if as_json:
            show_json({"file": str(pdf), "run": found.run.id})
        else:
            show(f"{pdf}: the sheet of run {found.run.id}")
    elif as_json:
        show_json(found)
    else:
        show(*sheet(found))


def _daemon(config: Path | None, log_format: str) -> None:
    from collector.clock import SystemClock
    from collector.daemon import Daemon
    from collector.lasting import settle
    from collector.logs import configure_logs

    settings, connectors = load(config)
    if not settings.sources:
        raise ConfigError(f"{settings.path}: names no source, so there is nothing to run", hint="Add one.")
    configure_logs(settings.log.level, log_format or settings.log.format)  # type: ignore[arg-type]
    daemon = Daemon(config_path(config), settings, connectors, SystemClock())
    daemon.handle_signals()
    settle()
    daemon.run()

"""`evidenced db`: the roles of a PostgreSQL store, its tables from version to version, and moving a store."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated
from urllib.parse import parse_qs, urlsplit

import typer

from collector.cli.layout import Part, Table, show
from collector.cli.opening import DEFAULT_CONFIG
from collector.cli.options import JsonOption
from collector.cli.render import progress, show_json, write
from collector.errors import ConfigError
from collector.words import plural

if TYPE_CHECKING:
    from collector.store.roles import SetUp

app = typer.Typer(no_args_is_help=True, help="Set up PostgreSQL, or move a store.")

_AdminOption = Annotated[
    str,
    typer.Option(
        "--admin-url",
        metavar="REF",
        help="Who may create roles and a schema: env:NAME, file:PATH, or a URL without a password.",
        show_default=False,
    ),
]
_PrefixOption = Annotated[
    str, typer.Option("--prefix", metavar="NAME", help="Begins the roles' names; names the schema.")
]
_FromOption = Annotated[str, typer.Option("--from", metavar="REF", help="A URL without password, env:NAME, file:PATH.")]
_ToOption = Annotated[str, typer.Option("--to", metavar="REF", help="An empty database, named the same way.")]


@app.command("init")
def init(
    admin_url: _AdminOption,
    prefix: _PrefixOption = "evidenced",
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Print the SQL, do nothing.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Make the roles and tables of a store on PostgreSQL.

    Owner, writer, signer, eraser, reader and desk, each with no more rights than its part needs. Again, it brings
    roles, rights, policies and tables up to date and takes back what else was granted. No superuser is needed, and no
    password is set.

    \b
    Example: evidenced db init --admin-url env:EVIDENCED_ADMIN_URL --dry-run
    """
    from collector.store.roles import set_up

    made = set_up(_url(admin_url), prefix, dry_run=dry_run)
    if as_json:
        show_json(_document(made) | {"dry_run": dry_run})
    elif dry_run:
        write("\n".join(["BEGIN;", *(f"{each};" for each in made.statements), "COMMIT;", ""]))
    else:
        show(*_told(made))


@app.command("migrate")
def migrate(admin_url: _AdminOption, prefix: _PrefixOption = "evidenced", as_json: JsonOption = False) -> None:
    """Bring the tables that `db init` made up to date.

    For a store whose writer may not change tables; any other is brought up to date by whoever opens it first. What is
    recorded is never changed by this.

    \b
    Example: evidenced db migrate --admin-url env:EVIDENCED_ADMIN_URL
    """
    from collector.store.roles import set_up

    made = set_up(_url(admin_url), prefix, create=False)
    if as_json:
        show_json(_document(made))
    else:
        show(f"The tables in the schema {made.schema} and the rights of its roles are up to date.")


@app.command("copy")
def copy(source: _FromOption, target: _ToOption, as_json: JsonOption = False) -> None:
    """Copy a store, log and all, into an empty database.

    From SQLite to PostgreSQL or back. The copy is the same store: its id, its runs, its log and every proof and
    checkpoint stay true. It is compared row by row, and its log made again, before it counts; when anything is wrong,
    nothing was copied. No daemon may run on either.

    \b
    Example: evidenced db copy --from sqlite:///evidenced.db --to env:NEW_STORE
    """
    from collector.clock import SystemClock
    from collector.running import DAEMON_LOCK
    from collector.store.copying import copy_store

    urls = _url(source), _url(target)
    copied = copy_store(*urls, clock=SystemClock(), lock=DAEMON_LOCK, progress=progress)
    if as_json:
        show_json(copied)
        return
    show(
        f"Copied the store {copied.store}: {plural(sum(copied.rows.values()), 'row')}, {copied.size:,} leaves"
        f" of the log, root {copied.root}.",
        "Every row was compared, and the log, the contents and the populations were made again from what arrived.",
        "Now point store.url to it, and keep the first one as it is: two stores that both go on have logs that"
        " contradict each other.",
    )


def _url(text: str) -> str:
    """Return the URL that *text* is or names. Raises `ConfigError` for a password written out, and never shows it."""
    from collector.config_checks import store_url

    parts = urlsplit(text)
    if parts.password or any("password" in name for name in parse_qs(parts.query)):
        raise ConfigError(
            "a password is written out in the URL, where others can read it",
            hint="Name the URL by reference (env:NAME, file:PATH), or leave the password to ~/.pgpass.",
        )
    return store_url(Path(DEFAULT_CONFIG), text)


def _document(made: SetUp) -> dict[str, object]:
    roles = {str(role): {"name": name, "url": made.urls.get(role)} for role, name in made.roles.items()}
    return {"schema": made.schema, "roles": roles, "sql": list(made.statements)}


def _told(made: SetUp) -> list[Part]:
    from collector.store.grants import PURPOSES, Role

    rows = [[name, PURPOSES[role]] for role, name in made.roles.items()]
    return [
        f"The store's tables are in the schema {made.schema}. Its roles:",
        Table(["role", "for"], rows),
        "",
        f'The daemon:    store.url = "{made.urls[Role.WRITER]}"',
        f'Who only asks: store.url = "{made.urls[Role.READER]}"',
        f'The web side:  store.url = "{made.urls[Role.DESK]}"',
        "",
        "No password was set, so nobody logs in by one. Set it in psql (it never crosses the wire in clear):",
        f"  \\password {made.roles[Role.WRITER]}",
        'and keep the URL with it behind a reference: store.url = "env:EVIDENCED_STORE". Or let the server know the'
        " client by its certificate or operating system user (pg_hba.conf: cert, peer).",
    ]

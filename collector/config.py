"""The configuration: one TOML file, read into typed, frozen settings, or refused with every error in it at once."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable, Mapping
from datetime import time, timedelta
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, SerializeAsAny
from pydantic_core import PydanticCustomError

from collector.cadence import Cadence, parse_daily_at, parse_duration, parse_zone
from collector.canonical import canonical, digest
from collector.config_errors import ConfigProblems, near
from collector.connector import Connector, Settings
from collector.errors import ConfigError
from collector.model import Json
from collector.procedure import Kind, select
from collector.secrets import check_reference, is_reference, literal_secret, literal_secrets, resolve_secret
from collector.toml_lines import Place, key_lines

__all__ = ["Config", "LogSettings", "PlanSettings", "StoreSettings", "load_config", "resolve_secret", "source_digest"]

_SOURCE_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:-]{0,63}")
_JITTER = (timedelta(0), timedelta(days=1))
_GRACE = (timedelta(minutes=1), timedelta(days=7))
_RUN_LIMIT = (timedelta(seconds=1), timedelta(days=1))


def _zone(text: str) -> str:
    return _worded(parse_zone, text)


def _daily_at(text: str) -> str:
    return _worded(parse_daily_at, text)


def _jitter(text: str) -> str:
    return _worded(lambda each: _duration_within(each, _JITTER), text)


def _grace(text: str) -> str:
    return _worded(lambda each: _duration_within(each, _GRACE), text)


def _toml_time(value: object) -> object:
    return value.strftime("%H:%M") if isinstance(value, time) else value


class _Section(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class StoreSettings(_Section):
    """Where evidence is kept. Once loaded, *url* is what a reference named; it may hold a password: do not show it."""

    url: str = Field(
        default="sqlite:///evidenced.db",
        repr=False,
        description="sqlite:///FILE (relative to this file) or postgresql://USER@HOST/DATABASE; env:NAME or file:PATH.",
    )


class LogSettings(_Section):
    """What the daemon says of its own work."""

    level: Literal["debug", "info", "warning", "error"] = "info"
    format: Literal["auto", "console", "json"] = Field(
        default="auto", description="auto is console on a terminal, JSON elsewhere."
    )


class PlanSettings(_Section):
    """When kinds fall due. Durations are texts for `parse_duration`; they and the zone were checked."""

    timezone: Annotated[str, AfterValidator(_zone)] = Field(
        default="UTC", description="IANA time zone of daily, weekly, monthly and cron cadences."
    )
    daily_at: Annotated[str, BeforeValidator(_toml_time), AfterValidator(_daily_at)] = Field(
        default="03:00", description="Wall time of daily, weekly (Mondays) and monthly (the 1st) cadences."
    )
    jitter: Annotated[str, AfterValidator(_jitter)] = Field(
        default="10m",
        description="Each source is moved by a fixed part of this, so that they do not all start at once.",
    )
    grace: Annotated[str, AfterValidator(_grace)] = Field(
        default="30m", description="A slot read later than this is missed; it is then read as a catch-up."
    )


class _Sections(_Section):
    store: StoreSettings = StoreSettings()
    log: LogSettings = LogSettings()
    plan: PlanSettings = PlanSettings()
    every: dict[str, str] = Field(default={}, description="Kind pattern -> cadence, for every source.")
    controls: str | None = Field(default=None, description="File of your own controls; else the starter set.")


class Config(_Sections):
    """The whole configuration. *sources* holds the connectors' own settings, each with its *connector* filled in."""

    sources: dict[str, SerializeAsAny[Settings]] = Field(
        default={}, description='Accounts to read, by name. "aws:prod" is read by the connector aws.'
    )
    path: Path = Path("evidenced.toml")

    @property
    def controls_path(self) -> Path | None:
        """The file *controls* names, relative to the configuration's; None for the starter set."""
        return None if self.controls is None else _beside(self.path, self.controls)


def load_config(path: Path, connectors: Mapping[str, Connector]) -> Config:
    """Return the configuration in the TOML file *path*; sources are checked by the settings of *connectors*.

    Raises one `ConfigError` for everything that is wrong, a line each: file, line, place, what, and what was nearest.
    No message shows a value that may be a secret.
    """
    text = _text(path)
    try:
        document = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"{path}: not TOML: {error}") from error
    problems = ConfigProblems(path, key_lines(text))
    _refuse_secrets(text, document, problems)
    config = _load(path, document, connectors, problems)
    problems.raise_any()
    assert config is not None, "a config that failed validation has problems"
    return config


def source_digest(settings: Settings) -> bytes:
    """Return the SHA-256 of a source's settings, defaults included; references are digested, not what they name."""
    return digest(canonical(settings.model_dump(mode="json")))


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise ConfigError(f"{path}: there is no such file", hint="`evidenced init` writes a commented one.") from None
    except UnicodeDecodeError:
        raise ConfigError(f"{path}: not UTF-8 text") from None
    except OSError as error:
        raise ConfigError(f"{path}: cannot be read: {error.strerror}") from error


def _refuse_secrets(text: str, document: dict[str, Json], problems: ConfigProblems) -> None:
    for place, what in literal_secrets(document):
        problems.secret(place, what)
    for number, line in enumerate(text.splitlines(), start=1):
        if what := literal_secret(line):
            problems.secret_line(number, what)


def _load(
    path: Path, document: dict[str, Json], connectors: Mapping[str, Connector], problems: ConfigProblems
) -> Config | None:
    tables = document.pop("sources", {})
    sections = problems.validated(_Sections, document, (), also=("sources",))
    every = document.get("every")
    everything = {name: kind for connector in connectors.values() for name, kind in connector.kinds().items()}
    if isinstance(every, dict):
        _check_every(every, everything, ("every",), problems)
    sources = {}
    if not isinstance(tables, dict):
        problems.add(("sources",), 'sources are tables: [sources."aws:prod"]')
        tables = {}
    for name, table in tables.items():
        settings = _source(name, table, connectors, problems)
        if settings is not None:
            sources[name] = settings
    _check_references(document | {"sources": tables}, problems)
    if sections is None:
        return None
    store = _store(path, sections.store.url, problems)
    config = Config(
        **{name: getattr(sections, name) for name in _Sections.model_fields if name != "store"},
        store=store,
        sources=sources,
        path=path,
    )
    if config.controls_path and not config.controls_path.is_file():
        problems.add(("controls",), f"there is no file {config.controls_path}")
    return config


def _source(name: str, table: Json, connectors: Mapping[str, Connector], problems: ConfigProblems) -> Settings | None:
    place: Place = ("sources", name)
    if not _SOURCE_NAME.fullmatch(name):
        problems.add(place, "a source's name is letters, digits, '.', '_', ':' and '-', at most 64")
    if not isinstance(table, dict):
        problems.add(place, f'a source is a table: [sources."{name}"]')
        return None
    wanted = table.get("connector") or name.partition(":")[0]
    connector = connectors.get(wanted) if isinstance(wanted, str) else None
    if connector is None:
        given = (*place, "connector") if "connector" in table else place
        problems.add(given, _no_connector(str(wanted), connectors))
        return None
    settings = problems.validated(connector.settings, {**table, "connector": wanted}, place)
    if settings is None:
        return None
    kinds = connector.kinds()
    for key, patterns in (("kinds", settings.kinds), ("exclude", settings.exclude)):
        _check_patterns(patterns, kinds, (*place, key), problems)
    _check_every(settings.every, kinds, (*place, "every"), problems)
    with problems.at((*place, "run_limit")):
        _duration_within(settings.run_limit, _RUN_LIMIT)
    return settings


def _no_connector(name: str, connectors: Iterable[str]) -> str:
    return (
        f'no connector "{name}" is installed{near(name, connectors)}; installed: '
        f"{', '.join(sorted(connectors)) or 'none'}; add one with: pip install 'evidenced[NAME]' or its own package"
    )


def _check_patterns(patterns: Iterable[str], kinds: Mapping[str, Kind], place: Place, problems: ConfigProblems) -> None:
    for number, pattern in enumerate(patterns):
        with problems.at((*place, number)):
            select(kinds, [pattern])


def _check_every(every: Mapping[str, Any], kinds: Mapping[str, Kind], place: Place, problems: ConfigProblems) -> None:
    for pattern, cadence in every.items():
        with problems.at((*place, pattern)):
            select(kinds, [pattern])
        if isinstance(cadence, str):
            with problems.at((*place, pattern)):
                Cadence.parse(cadence)


def _check_references(value: Json, problems: ConfigProblems, place: Place = ()) -> None:
    if isinstance(value, dict | list):
        for key, each in value.items() if isinstance(value, dict) else enumerate(value):
            _check_references(each, problems, (*place, key))
    elif isinstance(value, str) and is_reference(value):
        with problems.at(place):
            check_reference(value)


def _store(path: Path, url: str, problems: ConfigProblems) -> StoreSettings:
    with problems.at(("store", "url")):
        return StoreSettings(url=_store_url(path, resolve_secret(url) if is_reference(url) else url))
    return StoreSettings()


def _store_url(path: Path, url: str) -> str:
    """Return *url* with a SQLite file made absolute. Messages never show it: it may hold a password."""
    scheme, separator, rest = url.partition("://")
    if separator and scheme.partition("+")[0] == "postgresql":
        return url
    if not separator or scheme.partition("+")[0] != "sqlite":
        raise ConfigError("a store is sqlite:///FILE or postgresql://USER@HOST/DATABASE")
    file, question, options = rest.removeprefix("/").partition("?")
    if not rest.startswith("/") or file in ("", ":memory:"):
        raise ConfigError("a SQLite store is a file: sqlite:///evidenced.db, or sqlite:////absolute/evidenced.db")
    return f"{scheme}:///{_beside(path, file)}{question}{options}"


def _beside(path: Path, name: str) -> Path:
    return path.absolute().parent / Path(name).expanduser()


def _duration_within(text: str, limits: tuple[timedelta, timedelta]) -> timedelta:
    duration = parse_duration(text)
    least, most = limits
    if not least <= duration <= most:
        raise ConfigError(f"{text!r} is not between {_show(least)} and {_show(most)}")
    return duration


def _show(duration: timedelta) -> str:
    seconds = duration // timedelta(seconds=1)
    return next(f"{seconds // size}{unit}" for size, unit in ((86400, "d"), (60, "m"), (1, "s")) if seconds % size == 0)


def _worded(check: Any, text: str) -> str:
    """Return *text* when *check* takes it; turn its `ConfigError` into an error of the field."""
    try:
        check(text)
    except ConfigError as error:
        words = " ".join(filter(None, (error.message + ";", error.hint())))
        raise PydanticCustomError("config", "{words}", {"words": words}) from error
    return text

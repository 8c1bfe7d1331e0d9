"""The configuration: one TOML file, read into typed, frozen settings, or refused with every error in it at once."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Callable, Mapping
from datetime import time, timedelta
from pathlib import Path
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, SerializeAsAny

from collector.cadence import parse_daily_at, parse_zone
from collector.canonical import canonical, digest
from collector.config_checkpoints import CheckpointSettings, read_checkpoints
from collector.config_checks import (
    beside,
    check_cadences,
    check_choice,
    check_controls,
    check_own_cadences,
    check_patterns,
    check_references,
    duration_within,
    no_connector,
    store_url,
)
from collector.config_desk import SampleSettings, UploadSettings
from collector.config_errors import ConfigProblems, worded
from collector.config_metrics import MetricsSettings
from collector.config_retention import Length
from collector.config_web import WebSettings
from collector.connector import Connector, Settings
from collector.encryption import EncryptionSettings
from collector.errors import ConfigError
from collector.model import Json
from collector.redact import scrub
from collector.secrets import literal_secret, literal_secrets, resolve_secret
from collector.toml_lines import Place, key_lines

__all__ = [
    "CheckpointSettings",
    "Config",
    "LogSettings",
    "MetricsSettings",
    "PlanSettings",
    "StoreSettings",
    "load_config",
    "load_settings",
    "resolve_secret",
    "source_digest",
]

_SOURCE_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:-]{0,63}")
_DEFAULT_STORE = "sqlite:///evidenced.db"
_JITTER = (timedelta(0), timedelta(days=1))
_GRACE = (timedelta(minutes=1), timedelta(days=7))
_VERIFY = (timedelta(hours=1), timedelta(days=366))
_RUN_LIMIT = (timedelta(seconds=1), timedelta(days=1))


def _zone(text: str) -> str:
    return worded(parse_zone, text)


def _daily_at(text: str) -> str:
    return worded(parse_daily_at, text)


def _jitter(text: str) -> str:
    return worded(lambda each: duration_within(each, _JITTER), text)


def _grace(text: str) -> str:
    return worded(lambda each: duration_within(each, _GRACE), text)


def _verify_every(text: str) -> str:
    return worded(lambda each: duration_within(each, _VERIFY), text)


def _toml_time(value: object) -> object:
    return value.strftime("%H:%M") if isinstance(value, time) else value


class _Section(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class StoreSettings(_Section):
    """Where evidence is kept. Once loaded, *url* is what a reference named; it may hold a password: do not show it."""

    url: str = Field(
        default=_DEFAULT_STORE,
        repr=False,
        description="sqlite:///FILE (relative to this file) or postgresql://USER@HOST/DATABASE; env:NAME or file:PATH.",
    )


class LogSettings(_Section):
    """What the daemon says of its own work."""

    level: Literal["debug", "info", "warning", "error"] = "info"
    format: Literal["auto", "console", "json"] = Field(
        default="auto", description="auto is console on a terminal, JSON elsewhere."
    )


class VerifySettings(_Section):
    """How often the daemon verifies the whole store."""

    every: Annotated[str, AfterValidator(_verify_every)] = Field(
        default="1d", description="How often everything recorded is made again from its bytes and compared."
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
    checkpoints: CheckpointSettings = CheckpointSettings()
    verify: VerifySettings = VerifySettings()
    encryption: EncryptionSettings = EncryptionSettings()
    samples: SampleSettings = SampleSettings()
    uploads: UploadSettings = UploadSettings()
    metrics: MetricsSettings = MetricsSettings()
    web: WebSettings = WebSettings()
    retention: dict[str, Length] = Field(
        default={}, description="Kind pattern -> how long contents are kept (400d); what none matches is kept for ever."
    )
    every: dict[str, str] = Field(default={}, description="Kind pattern -> cadence, for every source.")
    controls: str | None = Field(default=None, description="File of your own controls; else the starter set.")


class Config(_Sections):
    """The whole configuration. *sources* holds the connectors' own settings, each with its *connector* filled in."""

    sources: dict[str, SerializeAsAny[Settings]] = Field(
        default={}, description='Accounts to read, by name. "aws:prod" is read by the connector before its colon.'
    )
    path: Path = Path("evidenced.toml")

    @property
    def controls_path(self) -> Path | None:
        """The file *controls* names, relative to the configuration's; None for the starter set."""
        return None if self.controls is None else beside(self.path, self.controls)


def load_config(path: Path, connectors: Mapping[str, Connector]) -> Config:
    """Return the configuration in the TOML file *path*; sources are checked by the settings of *connectors*.

    Raises one `ConfigError` for everything that is wrong, a line each: file, line, place, what, and what was nearest.
    No message shows a value that may be a secret.
    """
    return _checked(path, lambda document, problems: _load(path, document, connectors, problems))


def load_settings(path: Path) -> Config:
    """Return the configuration as `load_config` does, but with no sources: all that a question to the store needs.

    No connector is loaded, so evidence can be asked where none is installed, and while a source's table is wrong.
    """

    def load(document: dict[str, Json], problems: ConfigProblems) -> Config | None:
        ours = {name: each for name, each in document.items() if name not in ("sources", "every")}
        return _load(path, ours, {}, problems)

    return _checked(path, load)


def _checked(path: Path, load: Callable[[dict[str, Json], ConfigProblems], Config | None]) -> Config:
    text = _text(path)
    document = _document(path, text)
    problems = ConfigProblems(path, key_lines(text))
    _refuse_secrets(text, document, problems)
    config = load(document, problems)
    problems.raise_any()
    assert config is not None, "a config that failed validation has problems"
    return config


def source_digest(settings: Settings) -> bytes:
    """Return the SHA-256 of a source's settings, defaults included; references are digested, not what they name."""
    return digest(canonical(settings.model_dump(mode="json")))


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8-sig")
    except FileNotFoundError:
        raise ConfigError(f"{path}: there is no such file", hint="`evidenced init` writes a commented one.") from None
    except UnicodeDecodeError:
        raise ConfigError(f"{path}: not UTF-8 text") from None
    except OSError as error:
        raise ConfigError(f"{path}: cannot be read: {error.strerror}") from error


def _document(path: Path, text: str) -> dict[str, Json]:
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        found = re.search(r"at line (\d+)", str(error))
        line = found[1] if found else len(text.splitlines())
        raise ConfigError(f"{path}:{line}: not TOML: {scrub(str(error))}") from error


def _refuse_secrets(text: str, document: Json, problems: ConfigProblems) -> None:
    for place, what, breaks in literal_secrets(document):
        problems.secret(place, what, breaks)
    for number, line in enumerate(text.split("\n"), start=1):
        if what := literal_secret(line):
            problems.secret_line(number, what)


def _load(
    path: Path, document: dict[str, Json], connectors: Mapping[str, Connector], problems: ConfigProblems
) -> Config | None:
    """Return the configuration, or None; whatever is wrong is noted, and every part is looked at all the same."""
    check_references(document, problems)
    everything = {name: kind for connector in connectors.values() for name, kind in connector.kinds().items()}
    check_cadences(document.get("every"), everything, ("every",), problems)
    check_controls(path, document.get("controls"), problems)
    tables = document.pop("sources", {})
    if not isinstance(tables, dict):
        problems.add(("sources",), 'sources are tables: [sources."aws:prod"]')
        tables = {}
    found = {name: _source(name, table, connectors, problems) for name, table in tables.items()}
    sources = {name: settings for name, settings in found.items() if settings is not None}
    store = document.pop("store", {})
    with problems.at(("store", "url")):
        if isinstance(store, dict) and isinstance(store.setdefault("url", _DEFAULT_STORE), str):
            store = {**store, "url": store_url(path, store["url"])}
    table = document.pop("checkpoints", {})
    checkpoints = read_checkpoints(path, table, problems)
    sections = problems.validated(_Sections, {**document, "store": store}, (), also=("sources",))
    if sections is None or checkpoints is None:
        return None
    if not sections.encryption.key:
        for name in (each for each, settings in sources.items() if settings.sealed):
            problems.add(("sources", name, "sealed"), "encryption.key names no key to encrypt with")
    read = {name: getattr(sections, name) for name in _Sections.model_fields} | {"checkpoints": checkpoints}
    return Config(**read, sources=sources, path=path)


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
        problems.add(given, no_connector(str(wanted), connectors))
        return None
    kinds = connector.kinds()
    check_own_cadences(connector.name, kinds, place, problems)
    if table.get("kinds") == []:
        problems.add((*place, "kinds"), "no kind is named: the source would be read for nothing")
    check_patterns(table.get("kinds"), kinds, (*place, "kinds"), problems)
    check_choice(table.get("kinds"), kinds, (*place, "kinds"), problems)
    check_patterns(table.get("exclude"), kinds, (*place, "exclude"), problems)
    check_patterns(table.get("sealed"), kinds, (*place, "sealed"), problems)
    check_cadences(table.get("every"), kinds, (*place, "every"), problems)
    if isinstance(table.get("run_limit"), str):
        with problems.at((*place, "run_limit")):
            duration_within(table["run_limit"], _RUN_LIMIT)
    return problems.validated(connector.settings, {**table, "connector": wanted}, place)

"""What a configuration must hold beyond its types: kinds that exist, cadences that fall, references that can name."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import timedelta
from fnmatch import fnmatchcase
from pathlib import Path

from collector.cadence import Cadence, parse_duration
from collector.config_errors import ConfigProblems, near
from collector.errors import ConfigError
from collector.model import Json
from collector.procedure import Kind, select
from collector.secrets import check_reference, is_reference, resolve_secret
from collector.toml_lines import Place


def check_patterns(patterns: Json, kinds: Mapping[str, Kind], place: Place, problems: ConfigProblems) -> None:
    """Note each of *patterns* that matches none of *kinds*. What is no list of texts is the validation's to note."""
    if not isinstance(patterns, list):
        return
    for number, pattern in enumerate(patterns):
        if isinstance(pattern, str):
            with problems.at((*place, number)):
                select(kinds, [pattern])


def check_choice(patterns: Json, kinds: Mapping[str, Kind], place: Place, problems: ConfigProblems) -> None:
    """Note each of *patterns* that matches nothing but optional *kinds* it does not name in full: nothing is read."""
    for number, pattern in enumerate(patterns if isinstance(patterns, list) else ()):
        found = [name for name in kinds if isinstance(pattern, str) and fnmatchcase(name, pattern)]
        if found and pattern not in found and all(kinds[name].optional for name in found):
            problems.add((*place, number), f"only optional kinds match; name them in full: {', '.join(sorted(found))}")


def check_cadences(every: Json, kinds: Mapping[str, Kind], place: Place, problems: ConfigProblems) -> None:
    """Note each pattern of *every* that matches none of *kinds*, and each cadence that is none."""
    if not isinstance(every, dict):
        return
    for pattern, cadence in every.items():
        with problems.at((*place, pattern)):
            select(kinds, [pattern])
        if isinstance(cadence, str):
            with problems.at((*place, pattern)):
                Cadence.parse(cadence)


def check_own_cadences(connector: str, kinds: Mapping[str, Kind], place: Place, problems: ConfigProblems) -> None:
    """Note each of a *connector*'s own *kinds* whose cadence is none: here, not when its slots are first asked for."""
    for name, kind in kinds.items():
        try:
            Cadence.parse(kind.every)
        except ConfigError as error:
            problems.add(place, f"the connector {connector} is defective: {name}: {error.message}")


def check_controls(path: Path, name: Json, problems: ConfigProblems) -> None:
    """Note a file of controls *name* that is not there; it is beside the configuration *path*."""
    if isinstance(name, str) and not beside(path, name).is_file():
        problems.add(("controls",), f"there is no file {beside(path, name)}")


def check_references(value: Json, problems: ConfigProblems, place: Place = ()) -> None:
    """Note every reference to a secret in *value* that could not name one on any machine."""
    if isinstance(value, dict):
        for key, each in value.items():
            check_references(each, problems, (*place, key))
    elif isinstance(value, list):
        for number, each in enumerate(value):
            check_references(each, problems, (*place, number))
    elif isinstance(value, str) and is_reference(value):
        with problems.at(place):
            check_reference(value)


def no_connector(name: str, connectors: Iterable[str]) -> str:
    """Return the words for a source whose connector *name* is not among *connectors*."""
    installed = ", ".join(sorted(connectors)) or "none"
    return (
        f'no connector "{name}" is installed{near(name, connectors)}; installed: {installed}; '
        "add one with: pip install 'evidenced[NAME]', or its own package"
    )


def store_url(path: Path, written: str) -> str:
    """Return the URL that *written* is or names, a SQLite file made absolute: it is beside the configuration *path*.

    Raises `ConfigError`; no message shows the URL, for it may hold a password.
    """
    url = resolve_secret(written) if is_reference(written) else written
    scheme, separator, rest = url.partition("://")
    if separator and scheme.partition("+")[0] == "postgresql":
        return url
    if not separator or scheme.partition("+")[0] != "sqlite":
        raise ConfigError("a store is sqlite:///FILE or postgresql://USER@HOST/DATABASE")
    file, question, options = rest.removeprefix("/").partition("?")
    if not rest.startswith("/") or file in ("", ":memory:"):
        raise ConfigError("a SQLite store is a file: sqlite:///evidenced.db, or sqlite:////absolute/evidenced.db")
    return f"{scheme}:///{beside(path, file)}{question}{options}"


def beside(path: Path, name: str) -> Path:
    """Return the absolute path of *name*, which is relative to the folder of the file *path*; ``~`` is the home."""
    return path.absolute().parent / Path(name).expanduser()


def duration_within(text: str, limits: tuple[timedelta, timedelta]) -> timedelta:
    """Return the duration *text*. Raises `ConfigError` when it is none, or outside of *limits* (both included)."""
    duration = parse_duration(text)
    least, most = limits
    if not least <= duration <= most:
        raise ConfigError(f"{text!r} is not between {_show(least)} and {_show(most)}")
    return duration


def _show(duration: timedelta) -> str:
    seconds = duration // timedelta(seconds=1)
    return next(f"{seconds // size}{unit}" for size, unit in ((86400, "d"), (60, "m"), (1, "s")) if seconds % size == 0)

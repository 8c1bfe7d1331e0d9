"""Everything that is wrong with a configuration, said at once, each with its place."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from difflib import get_close_matches
from pathlib import Path
from typing import Any, TypeVar, get_args

from pydantic import BaseModel, ValidationError
from pydantic_core import PydanticCustomError

from collector.errors import ConfigError
from collector.toml_lines import Place, line_of, show_place

_Model = TypeVar("_Model", bound=BaseModel)


def near(name: str, known: Iterable[str]) -> str:
    """Return words for the nearest of *known*, to be put after a message; empty when none is near."""
    found = get_close_matches(name, list(known), n=1)
    return f'; did you mean "{found[0]}"?' if found else ""


def words(error: ConfigError) -> str:
    """Return *error* in one line: its message, and its hint where it has one of its own."""
    hint = error.hint()
    return f"{error.message}. {hint}" if hint != ConfigError.default_hint else error.message


def worded(check: Callable[[str], object], text: str) -> str:
    """Return *text* when *check* takes it; turn its `ConfigError` into an error of the field."""
    try:
        check(text)
    except ConfigError as error:
        raise PydanticCustomError("config", "{words}", {"words": words(error)}) from error
    return text


class ConfigProblems:
    """Collects problems of one file; *lines* says where each place is written."""

    def __init__(self, path: Path, lines: Mapping[Place, int]) -> None:
        self._path = path
        self._lines = lines
        self._found: list[tuple[int, str]] = []
        self._secrets: list[Place] = []
        self._secret_lines: set[int] = set()

    def add(self, place: Place, said: str) -> None:
        """Note that *place* is wrong, unless a secret stands there: then what is *said* might repeat it."""
        line = line_of(self._lines, place)
        if line not in self._secret_lines and not any(secret[: len(place)] == place for secret in self._secrets):
            self._note(line, show_place(place), said)

    def secret(self, place: Place, what: str, breaks: int = 0) -> None:
        """Note that the value at *place*, of *breaks* line breaks, is a literal secret. Comes before any `add`."""
        line = line_of(self._lines, place) or 0
        self._secrets.append(place)
        self._secret_lines.update(range(line, line + breaks + 2 if breaks else line + 1))
        self._note(line, show_place(place), _refusal(what))

    def secret_line(self, line: int, what: str) -> None:
        """Note a literal secret on *line*, which may be a comment; nothing when a value there was noted already."""
        if line not in self._secret_lines:
            self._secret_lines.add(line)
            self._note(line, "", _refusal(what))

    @contextmanager
    def at(self, place: Place) -> Iterator[None]:
        """Note a `ConfigError` of the block as a problem of *place*, and go on after the block."""
        try:
            yield
        except ConfigError as error:
            self.add(place, words(error))

    def validated(
        self, model: type[_Model], table: Mapping[str, Any], place: Place, *, also: Iterable[str] = ()
    ) -> _Model | None:
        """Return *table* as *model*; None when it is not, noting every error. *also* are further known keys."""
        try:
            return model.model_validate(table)
        except ValidationError as error:
            for each in error.errors(include_url=False, include_context=False, include_input=False):
                where: Place = each["loc"]
                if each["type"] == "extra_forbidden":
                    known = [*_known_keys(model, where[:-1]), *(also if len(where) == 1 else ())]
                    key = str(where[-1])
                    said = f'unknown key "{key}"' + (near(key, known) or f"; known are: {', '.join(sorted(known))}")
                else:
                    said = each["msg"].removeprefix("Value error, ")
                self.add((*place, *where), said)
            return None

    def raise_any(self) -> None:
        """Raise one `ConfigError` with every problem noted, in the order of the file; return when there is none."""
        if self._found:
            raise ConfigError("\n".join(said for _, said in sorted(self._found, key=lambda each: each[0])))

    def _note(self, line: int | None, place: str, said: str) -> None:
        where = f"{self._path}:{line}" if line else f"{self._path}"
        self._found.append((line or 0, ": ".join(filter(None, (where, place, said)))))


def _refusal(what: str) -> str:
    return f"{what} is written out (not shown here); name it by reference, env:NAME or file:/absolute/path"


def _known_keys(model: type[BaseModel], place: Place) -> list[str]:
    """Return the keys that the table at *place* within *model* may have; none when it is not a model's."""
    for part in place:
        field = model.model_fields.get(str(part))
        if field is None:
            continue
        nested = next((each for each in (field.annotation, *get_args(field.annotation)) if _is_model(each)), None)
        if nested is None:
            return []
        model = nested
    return [field.alias or name for name, field in model.model_fields.items()]


def _is_model(annotation: object) -> bool:
    return isinstance(annotation, type) and issubclass(annotation, BaseModel)

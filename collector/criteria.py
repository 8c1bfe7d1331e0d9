"""The catalog of criteria: the 61 of the trust services, by id, each with a short title of our own.

One file a category, ``schemas/criteria/<category>.toml``, read in the standard's order.
"""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from collector.data import data_path
from collector.errors import ConfigError
from collector.model import Json

CATEGORIES = {
    "security": "CC",
    "availability": "A",
    "confidentiality": "C",
    "processing_integrity": "PI",
    "privacy": "P",
}
"""Category -> the letters its criteria begin with, in the standard's order."""


@dataclass(frozen=True, slots=True)
class Criterion:
    """One requirement of the standard. Where no API can give evidence (*api_evidence*), people must upload it."""

    id: str
    title: str
    category: str
    api_evidence: bool


class _Entry(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    title: str = Field(min_length=8, max_length=80)
    api_evidence: bool = True


@lru_cache(maxsize=1)
def _installed() -> dict[str, Criterion]:
    return load_criteria(data_path("schemas") / "criteria")


def criteria() -> dict[str, Criterion]:
    """Return every criterion by id, in the standard's order."""
    return dict(_installed())


def load_criteria(folder: Path) -> dict[str, Criterion]:
    """Return the criteria that the files of *folder* declare, by id, in the standard's order.

    Raises `ConfigError` naming the file and the key that is wrong.
    """
    found: dict[str, Criterion] = {}
    for category, letters in CATEGORIES.items():
        path = folder / f"{category}.toml"
        for name, entry in _tables(path).items():
            if name.rstrip("0123456789.") != letters or name.count(".") != 1:
                raise ConfigError(
                    f'{path}: ["{name}"]: criteria of {category} are named {letters}1.1, {letters}1.2 ...'
                )
            found[name] = _criterion(path, name, category, entry)
    return found


def _tables(path: Path) -> dict[str, Json]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"{path}: not TOML: {error}") from error
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path}: cannot be read: {error}") from error


def _criterion(path: Path, name: str, category: str, entry: Json) -> Criterion:
    try:
        valid = _Entry.model_validate(entry)
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"])
        raise ConfigError(f'{path}: ["{name}"] {place}: {first["msg"]}') from error
    return Criterion(name, valid.title, category, valid.api_evidence)

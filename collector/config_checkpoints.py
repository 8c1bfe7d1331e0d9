"""The section [checkpoints]: who signs the log's heads, how often, who stamps them and where they are anchored."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, SerializeAsAny

from collector.anchors import AnchorSettings, anchor_type
from collector.cadence import parse_duration
from collector.config_checks import beside, duration_within
from collector.config_errors import ConfigProblems, worded
from collector.model import Json
from collector.tokens import Roots, read_roots
from collector.toml_lines import Place

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
_KEY = r"^[a-z][a-z0-9-]*:."
_LEAST, _MOST = parse_duration("1m"), parse_duration("30d")


def _duration(text: str) -> str:
    return worded(lambda each: duration_within(each, (_LEAST, _MOST)), text)


class AuthoritySettings(BaseModel):
    """One RFC 3161 authority."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    url: str = Field(pattern=r"^https?://[^\s/]+", description="Where it answers time stamp queries.")
    roots: str = Field(default="", description="PEM file of its root, to check its answers; beside this file.")


class CheckpointSettings(BaseModel):
    """How the log is signed. Without *keys* and *signer* there are no checkpoints. Durations were checked."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    every: Annotated[str, AfterValidator(_duration)] = Field(default="1h", description="How often one is taken.")
    keys: list[Annotated[str, Field(pattern=_KEY)]] = Field(
        default=[],
        description="Signing keys: file:/absolute/path, env:NAME, or NAME:... of an installed key keeper.",
    )
    memory: str = Field(
        default="evidenced.signer.json",
        min_length=1,
        description="What the signer remembers; a file outside of the database, beside this one.",
    )
    signer: str = Field(
        default="", description="Socket of a signer of its own (`evidenced keys serve`); else the daemon signs."
    )
    late_after: Annotated[str, AfterValidator(_duration)] = Field(
        default="6h", description="An anchor or authority without a checkpoint younger than this is warned about."
    )
    authorities: dict[str, AuthoritySettings] = Field(default={}, description="RFC 3161 authorities, by name.")
    anchors: dict[str, SerializeAsAny[AnchorSettings]] = Field(
        default={}, description="Where checkpoints are kept out of the database's reach, by name."
    )

    @property
    def signs(self) -> bool:
        """Whether anybody is there to sign."""
        return bool(self.keys or self.signer)

    def memory_path(self, config: Path) -> Path:
        """The signer's memory; *config* is the path of the configuration."""
        return beside(config, self.memory)

    def socket_path(self, config: Path) -> Path:
        """Where the signer listens; *config* is the path of the configuration."""
        return beside(config, self.signer)

    def roots_path(self, config: Path, authority: str) -> Path | None:
        """The PEM file of *authority*, or None; *config* is the path of the configuration."""
        roots = self.authorities[authority].roots
        return beside(config, roots) if roots else None

    def known_roots(self, config: Path) -> dict[str, Roots]:
        """Return the certificates of every authority that has some, by its name. Raises `ConfigError`.

        *config* is the path of the configuration.
        """
        named = {name: self.roots_path(config, name) for name in self.authorities}
        return {name: read_roots(path, f"checkpoints.authorities.{name}.roots") for name, path in named.items() if path}


def read_checkpoints(path: Path, table: Json, problems: ConfigProblems) -> CheckpointSettings | None:
    """Return the section [checkpoints] that says *table*, or None; whatever is wrong is noted.

    *path* is the configuration's; anchors are checked by the settings of their type.
    """
    place: Place = ("checkpoints",)
    if not isinstance(table, dict):
        problems.add(place, "it is a table: [checkpoints]")
        return None
    table = dict(table)
    anchors = table.pop("anchors", {})
    if not isinstance(anchors, dict):
        problems.add((*place, "anchors"), "anchors are tables: [checkpoints.anchors.NAME]")
        anchors = {}
    found = {name: _anchor(name, each, problems) for name, each in anchors.items()}
    section = problems.validated(CheckpointSettings, table, place, also=("anchors",))
    if section is None:
        return None
    for name, authority in section.authorities.items():
        _check_name((*place, "authorities", name), name, problems)
        if authority.roots and not beside(path, authority.roots).is_file():
            problems.add((*place, "authorities", name, "roots"), f"there is no file {beside(path, authority.roots)}")
    if parse_duration(section.late_after) <= parse_duration(section.every):
        problems.add((*place, "late_after"), f"checkpoints are {section.every} apart; it must be longer")
    opened = {name: each for name, each in found.items() if each is not None}
    return section.model_copy(update={"anchors": opened})


def _anchor(name: str, table: Json, problems: ConfigProblems) -> AnchorSettings | None:
    place: Place = ("checkpoints", "anchors", name)
    _check_name(place, name, problems)
    if not isinstance(table, dict):
        problems.add(place, f"an anchor is a table: [checkpoints.anchors.{name}]")
        return None
    with problems.at((*place, "type") if "type" in table else place):
        return problems.validated(anchor_type(str(table.get("type", ""))).settings, table, place)
    return None


def _check_name(place: Place, name: str, problems: ConfigProblems) -> None:
    if not _NAME.fullmatch(name):
        problems.add(place, "a name is letters, digits, '.', '_' and '-', at most 64")

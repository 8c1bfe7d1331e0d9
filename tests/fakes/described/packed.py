"""Documents inside npm packages, and where they are once installed."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from tests.fakes.described import shelf


@dataclass(frozen=True)
class Packed:
    """The file *member* of the npm *package*: an OpenAPI 3 document, or text that is kept as it is."""

    package: str
    member: str

    @property
    def place(self) -> Path:
        """Where it is once installed."""
        name = f"{self.package}/{self.member}".strip("@").replace("/", "+")
        return shelf.FOLDER / (f"{name}.sqlite" if self.member.endswith(".json") else name)

    def is_installed(self, locked: Mapping[str, str]) -> bool:
        """Return whether it is there, from the very package that *locked*, an entry of package-lock.json, names."""
        mark = self._mark()
        return self.place.exists() and mark.exists() and json.loads(mark.read_text()) == self._origin(locked)

    def origin(self) -> dict[str, str]:
        """Return package, version, integrity and member as installed. Raises `shelf.NotInstalled`."""
        if not self._mark().exists():
            raise shelf.NotInstalled(f"{self.member} of {self.package} is not installed: run make .venv/.test")
        origin: dict[str, str] = json.loads(self._mark().read_text())
        return origin

    def keep(self, content: bytes, locked: Mapping[str, str]) -> None:
        """Put *content*, as unpacked, in its place."""
        self.place.parent.mkdir(parents=True, exist_ok=True)
        if self.member.endswith(".json"):
            shelf.write(self.place, json.loads(content))
        else:
            self.place.write_bytes(content)
        self._mark().write_text(json.dumps(self._origin(locked)))

    def _mark(self) -> Path:
        return self.place.with_name(self.place.name + ".origin")

    def _origin(self, locked: Mapping[str, str]) -> dict[str, str]:
        return {"package": self.package, "member": self.member, **{k: locked[k] for k in ("version", "integrity")}}


def packed() -> Iterator[Packed]:
    """Yield what the vendors' modules name."""
    from tests.fakes.described.vendors import VENDORS

    for vendor in VENDORS:
        yield from vendor.packed

"""Makes a value of any botocore shape, every member filled: fixtures for services nobody wants to write out."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

_EPOCH = datetime(2026, 1, 1, tzinfo=UTC)


def sample(shape: Any, number: int = 0, *, depth: int = 4, required_only: bool = False) -> Any:
    """Return the *number*-th value of *shape*: strings and numbers differ from one number to the next.

    Structures nested deeper than *depth* keep only what is required of them; *required_only* says so of all.
    """
    return _Sample(number, depth, required_only).value(shape, shape.name)


class _Sample:
    def __init__(self, number: int, depth: int, required_only: bool) -> None:
        self._number, self._depth, self._required_only = number, depth, required_only

    def value(self, shape: Any, name: str) -> Any:
        return getattr(self, f"_{shape.type_name}", self._string)(shape, name)

    def _structure(self, shape: Any, name: str) -> dict[str, Any]:
        if getattr(shape, "is_document_type", False):
            return {"a": "document"}
        self._depth -= 1
        names = shape.required_members if self._depth < 0 or self._required_only else shape.members
        made = {member: self.value(shape.members[member], member) for member in names}
        self._depth += 1
        return dict(list(made.items())[:1]) if shape.is_tagged_union else made

    def _list(self, shape: Any, name: str) -> list[Any]:
        # XML cannot say that a flattened list is empty.
        if self._depth <= 0 and not shape.metadata.get("min") and not shape.serialization.get("flattened"):
            return []
        return [self.value(shape.member, name) for _ in range(max(shape.metadata.get("min", 1), 1))]

    def _map(self, shape: Any, name: str) -> dict[str, Any]:
        return {self.value(shape.key, f"{name}Key"): self.value(shape.value, name)}

    def _string(self, shape: Any, name: str) -> str:
        if getattr(shape, "enum", None):
            return str(shape.enum[self._number % len(shape.enum)])
        text = f"{name}-{self._number:06}".rjust(shape.metadata.get("min", 0), "x")
        most = shape.metadata.get("max", len(text))
        return text[-most:] if most else ""

    def _integer(self, shape: Any, name: str) -> int:
        least, most = shape.metadata.get("min", 0), shape.metadata.get("max", 2**31 - 1)
        return int(min(least + self._number, most))

    _long = _integer

    def _float(self, shape: Any, name: str) -> float:
        return float(min(shape.metadata.get("min", 0) + self._number + 0.5, shape.metadata.get("max", 1e6)))

    _double = _float

    def _boolean(self, shape: Any, name: str) -> bool:
        return self._number % 2 == 0

    def _timestamp(self, shape: Any, name: str) -> datetime:
        return _EPOCH + timedelta(minutes=self._number)

    def _blob(self, shape: Any, name: str) -> bytes:
        return f"{name} {self._number}".encode()

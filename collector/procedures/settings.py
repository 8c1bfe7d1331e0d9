"""How hard a source may be asked: settings of every source whose connector makes its own requests."""

from __future__ import annotations

from pydantic import Field, field_validator

from collector.connector import Settings


class RequestSettings(Settings):
    """Pace, patience and persistence of one source's requests."""

    requests_per_second: dict[str, float] = Field(
        default={},
        description="Service (host over HTTP), or '*' for every one, -> requests a second in each region or scope, "
        "over our defaults.",
    )
    detail_concurrency: int = Field(default=16, ge=1, le=64, description="Detail calls under way at a time.")
    attempts: int = Field(default=3, ge=1, le=10, description="Attempts at one request, the first included.")
    connect_timeout_s: float = Field(default=10, gt=0, description="Longest wait for a connection.")
    read_timeout_s: float = Field(default=60, gt=0, description="Longest wait for an answer.")

    @field_validator("requests_per_second")
    @classmethod
    def _positive(cls, value: dict[str, float]) -> dict[str, float]:
        if any(rate <= 0 for rate in value.values()):
            raise ValueError("a rate must be above 0")
        return value

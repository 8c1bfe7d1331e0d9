"""The section [metrics]: where the daemon's numbers can be read, and by whom."""

from __future__ import annotations

from ipaddress import ip_address
from typing import Self

from pydantic import BaseModel, ConfigDict, Field, model_validator
from pydantic_core import PydanticCustomError

_MOST_PORT = 65_535


class MetricsSettings(BaseModel):
    """Where Prometheus finds the daemon's metrics; nowhere when *listen* is empty."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    listen: str = Field(default="", description="ADDRESS:PORT, an address of this machine: 127.0.0.1:9464. Empty: off.")
    allow_remote: bool = Field(
        default=False, description="Whether *listen* may be an address that other machines reach; nobody has to log in."
    )

    @model_validator(mode="after")
    def _checked(self) -> Self:
        if not self.listen:
            return self
        host, port = self.address
        try:
            loopback = ip_address(host).is_loopback
        except ValueError as error:
            raise _wrong("it is not ADDRESS:PORT, such as 127.0.0.1:9464 or [::1]:9464") from error
        if not 0 <= port <= _MOST_PORT:
            raise _wrong(f"there is no port {port}")
        if not loopback and not self.allow_remote:
            said = f"{host} can be reached from other machines, and metrics name your sources and say what fails"
            raise _wrong(f"{said}; write 127.0.0.1, or allow_remote = true where a network of yours keeps others out")
        return self

    @property
    def address(self) -> tuple[str, int]:
        """The address and the port of *listen*; port 0 takes a free one, -1 is none."""
        host, _, port = self.listen.rpartition(":")
        return host.removeprefix("[").removesuffix("]"), int(port) if port.isdecimal() else -1


def _wrong(said: str) -> PydanticCustomError:
    return PydanticCustomError("config", "{words}", {"words": f"listen: {said}"})

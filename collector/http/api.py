"""What a connector declares of its vendor's API, as data: addresses, paging, limits, errors. See ``README.md`` here."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Literal
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, field_validator

from collector.errors import ConfigError
from collector.procedure import Paging
from collector.procedures.settings import RequestSettings

MAIN = "main"  # the host of operations written without a prefix
_FIELD = re.compile(r"\{([a-z]\w*)\}")
_LOOPBACK = ("127.0.0.1", "localhost", "::1")


class _Declared(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class RateHeaders(_Declared):
    """Headers in which the vendor counts requests down: at 0 left, nothing is asked before the reset."""

    remaining: str = ""
    reset: str = ""
    form: Literal["epoch_s", "epoch_ms", "seconds"] = "epoch_s"


class Errors(_Declared):
    """Where an error answer says what is wrong, and what the vendor's codes (words or statuses) mean.

    *codes* and *messages* are expressions over the body; every text or number that any of them finds counts.
    *throttled_messages* are words in a message of a 403 that is not a refusal but a limit. *failed* is an expression
    over the body of a good status: where it is true, the answer is a refusal all the same (GraphQL needs none).
    """

    codes: list[str] = [
        "error.status",
        "error.code",
        "error.details[].reason",
        "error.errors[].reason",
        "errorCode",
        "code",
        "errors[].type",
        "errors[].extensions.code",
    ]
    messages: list[str] = [
        "error.message",
        "message",
        "errorSummary",
        "errorMessages[]",
        "errors[].message",
        "error_description",
    ]
    failed: str = ""
    denied: list[str | int] = []
    not_enabled: list[str | int] = []
    misconfigured: list[str | int] = []
    throttled: list[str | int] = []
    unavailable: list[str | int] = []
    invalid: list[str | int] = []
    throttled_messages: list[str] = []


class Limits(_Declared):
    """What bounds a request and a list; reaching one is a failure, never an end."""

    pages: int = Field(default=10_000, ge=1, description="Pages of one list.")
    response_bytes: int = Field(default=64 * 1024 * 1024, ge=1, description="Bytes of one answer, decompressed.")
    backoff_s: float = Field(default=1.0, gt=0, description="Longest first wait before a retry; doubles each time.")
    longest_backoff_s: float = Field(default=30.0, gt=0)
    kept_bytes: int = Field(default=32 * 1024 * 1024, ge=0, description="Answers kept for their ETags, in bytes.")


class Api(_Declared):
    """One vendor's API. *hosts* is the closed list of addresses that are ever asked: name -> base address."""

    hosts: dict[str, str]
    paging: Paging = Paging(style="none")
    headers: dict[str, str] = {}
    reads: list[str] = Field(default=[], description="POST operations that only read, as kinds write them; * matches.")
    graphql: str = Field(default="", description="Where GraphQL documents are sent: 'POST /graphql'.")
    errors: Errors = Errors()
    rate: RateHeaders = RateHeaders()
    rates: dict[str, float] = Field(default={"*": 5.0}, description="Host, or '*', -> requests a second per scope.")
    shared: list[str] = Field(default=[], description="Hosts whose rate is of the whole source, not of each scope.")
    request_id: list[str] = ["x-request-id"]
    etags: bool = Field(default=False, description="Ask with If-None-Match where an answer had an ETag.")
    limits: Limits = Limits()

    @field_validator("paging")
    @classmethod
    def _styled(cls, value: Paging) -> Paging:
        if not value.style:
            raise ValueError("the default paging needs a style")
        return value


class HttpSettings(RequestSettings):
    """What every source that is read over HTTP may set; a connector adds its own."""

    addresses: dict[str, str] = Field(
        default={}, description="Host name of the connector -> base address, instead of the vendor's own."
    )

    @field_validator("addresses")
    @classmethod
    def _absolute(cls, value: dict[str, str]) -> dict[str, str]:
        for address in value.values():
            try:
                check_address(address)
            except ConfigError as error:
                raise ValueError(error.message) from error
        return value


def check_address(address: str) -> None:
    """Raise `ConfigError` unless *address* is a base address to which credentials may go.

    It is absolute, without user, query and fragment; plain http only to this machine itself.
    """
    try:
        parts = urlsplit(address)
        named = bool(parts.hostname) and parts.port != 0
    except ValueError:
        parts, named = urlsplit(""), False
    if not named or parts.username or parts.password or parts.query or parts.fragment:
        raise ConfigError(f"{address!r} is no base address", hint="Write https://host or https://host/path.")
    if parts.scheme != "https" and not (parts.scheme == "http" and parts.hostname in _LOOPBACK):
        raise ConfigError(f"{address!r}: credentials are sent over https only", hint="Write https://...")


def addresses(api: Api, settings: HttpSettings) -> Mapping[str, str]:
    """Return the base address of every host of *api*, those of *settings* first, without a slash at the end.

    ``{field}`` in a declared address stands for that field of the settings (``https://{domain}``).
    Raises `ConfigError` for a host that the connector does not declare, and for an address that may not be asked.
    """
    for name in settings.addresses:
        if name not in api.hosts:
            raise ConfigError(f"addresses: there is no host {name!r}", hint=f"Hosts: {', '.join(sorted(api.hosts))}.")
    own = {name: str(value) for name, value in settings.model_dump().items() if isinstance(value, str)}
    filled = {name: _FIELD.sub(lambda found: own.get(found[1], found[0]), text) for name, text in api.hosts.items()}
    found = {name: address.rstrip("/") for name, address in {**filled, **settings.addresses}.items()}
    for address in found.values():
        check_address(address)
    return found

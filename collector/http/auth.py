"""Authentication: a small protocol that connectors fulfil with their vendor's own library, and the plain schemes."""

from __future__ import annotations

import base64
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Protocol

from collector.secrets import resolve_secret


@dataclass
class Request:
    """One request about to be sent; an `Authorizer` adds to *headers* and changes nothing else.

    *host* is the connector's name for the host, *scope* that of the scope that is read; both may choose a token.
    *url* is complete and belongs to that host. *headers* are in lower case.
    """

    method: str
    url: str
    host: str
    scope: str = ""
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes | None = None


class Authorizer(Protocol):
    """Puts credentials on requests; used by many threads at once.

    Raises a `ReadError` or a `ConfigError` when there are none; no message ever holds a secret.
    """

    def apply(self, request: Request) -> None:
        """Add the credentials, renewed before they end; called for every attempt."""

    def refresh(self) -> bool:
        """Get new credentials after a 401, and return whether there are any; called once for many such answers."""


class Unauthenticated:
    """Sends no credentials."""

    def apply(self, request: Request) -> None:
        """See `Authorizer.apply`."""

    def refresh(self) -> bool:
        """There is nothing to renew."""
        return False


class SecretHeaders:
    """Headers made of secrets named by reference, read again after a 401: a file may have been rotated.

    *write* is given the secrets by their names and returns the headers.
    """

    def __init__(self, references: Mapping[str, str], write: Callable[[Mapping[str, str]], Mapping[str, str]]) -> None:
        self._references = dict(references)
        self._write = write
        self._headers: dict[str, str] = {}

    def apply(self, request: Request) -> None:
        """See `Authorizer.apply`."""
        headers = self._headers or self._read()
        request.headers.update(headers)

    def refresh(self) -> bool:
        """Read the secrets again; True when they changed."""
        before = self._headers
        return self._read() != before

    def _read(self) -> dict[str, str]:
        secrets = {name: resolve_secret(reference) for name, reference in self._references.items()}
        self._headers = {name.lower(): value for name, value in self._write(secrets).items()}
        return self._headers


def bearer(reference: str, scheme: str = "Bearer") -> SecretHeaders:
    """Return an authorizer for ``Authorization: <scheme> <token>``."""
    return SecretHeaders({"token": reference}, lambda secrets: {"authorization": f"{scheme} {secrets['token']}"})


def basic(user: str, reference: str) -> SecretHeaders:
    """Return an authorizer for HTTP Basic (RFC 7617) with a *user* that is no secret."""

    def write(secrets: Mapping[str, str]) -> dict[str, str]:
        pair = base64.b64encode(f"{user}:{secrets['password']}".encode()).decode()
        return {"authorization": f"Basic {pair}"}

    return SecretHeaders({"password": reference}, write)


def header_keys(references: Mapping[str, str]) -> SecretHeaders:
    """Return an authorizer for vendors whose keys are headers of their own: header name -> reference."""
    return SecretHeaders(references, dict)

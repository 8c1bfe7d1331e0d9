"""The section [web]: where the API and the pages are served, and who may come in."""

from __future__ import annotations

import re
from datetime import timedelta
from ipaddress import ip_address, ip_network
from pathlib import Path
from typing import Annotated, Self
from urllib.parse import urlsplit

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator
from pydantic_core import PydanticCustomError

from collector.cadence import parse_duration
from collector.config_checks import beside, duration_within
from collector.config_errors import worded
from collector.secrets import Reference

_MOST_PORT = 65_535
_SESSION = (timedelta(minutes=1), timedelta(days=7))
_CAPITALS = re.compile("[A-Z]+")
_EMAIL = re.compile(r"[^\s@:]+@[^\s@:]+")


def _duration(text: str) -> str:
    return worded(lambda each: duration_within(each, _SESSION), text)


def _url(text: str) -> str:
    """Return *text* without a slash at its end, if it is a URL that nobody on the way can read."""
    parts = urlsplit(text)
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.query or parts.fragment or "@" in text:
        raise _wrong("it is not a URL such as https://evidence.example.org")
    if parts.scheme == "http" and not is_loopback(parts.hostname):
        raise _wrong("it is not https, so anybody on the way could read it")
    return text


def _address(text: str) -> str:
    parts = urlsplit(_url(text))
    if parts.path not in ("", "/"):
        raise _wrong("it has a path; the API and the pages stand at the root of their host")
    # Browsers leave the port out where it is the scheme's own.
    default = ":443" if parts.scheme == "https" else ":80"
    return f"{parts.scheme}://{parts.netloc.removesuffix(default)}".lower()


def _proxy(text: str) -> str:
    try:
        ip_network(text)
    except ValueError as error:
        raise _wrong(f"{text!r} is neither an address nor a network, such as 10.0.0.0/8") from error
    return text


def _person(text: str) -> str:
    if text.startswith("group:") and text.removeprefix("group:").strip():
        return text
    if not _EMAIL.fullmatch(text):
        raise _wrong(f'{text!r} is neither an e-mail address nor "group:NAME"')
    return folded(text)


_Duration = Annotated[str, AfterValidator(_duration)]
_People = list[Annotated[str, AfterValidator(_person)]]


class OidcSettings(BaseModel):
    """The OpenID provider that people sign in through."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    issuer: Annotated[str, AfterValidator(_url)] = Field(
        description="The provider, letter for letter as its ID tokens name it in iss."
    )
    client_id: str = Field(min_length=1, description="As the provider knows this installation.")
    client_secret: Reference = Field(default="", description="env:NAME or file:PATH; empty for a public client.")
    scopes: list[str] = Field(default=["openid", "email"], description="What is asked for; openid must be among them.")
    groups_claim: str = Field(default="groups", description="The claim with the groups of whoever signs in.")

    @model_validator(mode="after")
    def _checked(self) -> Self:
        if "openid" not in self.scopes:
            raise _wrong('scopes: "openid" is missing, without which no provider says who it is')
        return self


class AccessSettings(BaseModel):
    """Who may do what, of those who sign in through the provider: e-mail addresses, or "group:NAME".

    Whoever stands in several has the most of them. Auditors stand in the terms of their engagement.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    admin: _People = Field(default=[], description="May do everything; grants tokens and creates engagements.")
    operator: _People = Field(default=[], description="Adds files, reviews and answers; asks for snapshots.")
    reader: _People = Field(default=[], description="May read everything.")


class WebSettings(BaseModel):
    """How `evidenced serve` serves. Durations, addresses and URLs were checked."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    listen: str = Field(default="127.0.0.1:8300", description="ADDRESS:PORT, an address of this machine.")
    public_url: Annotated[str, AfterValidator(lambda text: _address(text) if text else "")] = Field(
        default="", description="Where browsers find it: https://evidence.example.org. Empty: on this machine alone."
    )
    certificate: str = Field(default="", description="PEM file of the certificate and its chain; beside this file.")
    certificate_key: str = Field(default="", description="PEM file of its key; beside this file.")
    proxies: list[Annotated[str, AfterValidator(_proxy)]] = Field(
        default=["127.0.0.1", "::1"],
        description="With --behind-proxy: the addresses or networks whose X-Forwarded-* are believed.",
    )
    store_url: Reference = Field(
        default="",
        description="env:NAME or file:PATH: the store's URL for a PostgreSQL role of its own; empty: [store]'s.",
    )
    requests_a_minute: int = Field(default=600, ge=1, description="What one person or token may ask in a minute.")
    session_idle: _Duration = Field(default="1h", description="A session ends when nothing was asked for so long.")
    session_longest: _Duration = Field(default="12h", description="And when it is so old, whatever was asked.")
    oidc: OidcSettings | None = Field(default=None, description="The OpenID provider; without one, tokens alone.")
    access: AccessSettings = AccessSettings()

    @model_validator(mode="after")
    def _checked(self) -> Self:
        host, port = self.address
        try:
            ip_address(host)
        except ValueError as error:
            raise _wrong("listen: it is not ADDRESS:PORT, such as 127.0.0.1:8300 or [::1]:8300") from error
        if not 0 <= port <= _MOST_PORT:
            raise _wrong(f"listen: there is no port {port}")
        if bool(self.certificate) != bool(self.certificate_key):
            raise _wrong("certificate and certificate_key belong together; one of them is missing")
        return self

    @property
    def address(self) -> tuple[str, int]:
        """The address and the port of *listen*; port 0 takes a free one, -1 is none."""
        host, _, port = self.listen.rpartition(":")
        return host.removeprefix("[").removesuffix("]"), int(port) if port.isdecimal() else -1

    def certificate_paths(self, config: Path) -> tuple[Path, Path] | None:
        """Return the files of the certificate and of its key, or None; *config* is the path of the configuration."""
        if not self.certificate:
            return None
        return beside(config, self.certificate), beside(config, self.certificate_key)

    @property
    def idle(self) -> timedelta:
        """After how long without a request a session ends."""
        return parse_duration(self.session_idle)

    @property
    def longest(self) -> timedelta:
        """How old a session may grow."""
        return parse_duration(self.session_longest)


def folded(address: str) -> str:
    """Return an e-mail *address* in the form in which two are compared: A to Z small, and every other letter as it is.

    Unicode's own folding would make one person of ``straße@`` and ``strasse@``, who may be two.
    """
    return _CAPITALS.sub(lambda found: found[0].lower(), address.strip())


def is_loopback(host: str) -> bool:
    """Return whether *host*, a name or an address, is this machine as seen from itself."""
    if host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


def _wrong(said: str) -> PydanticCustomError:
    return PydanticCustomError("config", "{words}", {"words": said})

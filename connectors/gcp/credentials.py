"""Access tokens of Google Cloud by google-auth: a service account's key, federation, or what the machine has."""

from __future__ import annotations

import json
import re
from datetime import UTC
from typing import TYPE_CHECKING, Any

from collector.clock import Clock
from collector.errors import ConfigError, Misconfigured, ReadError, Unavailable
from collector.http import RenewedToken, Request, Token
from collector.secrets import resolve_secret
from connectors.gcp.settings import GcpSettings

if TYPE_CHECKING:
    from google.auth.exceptions import GoogleAuthError

# Several of the services take nothing narrower; what may be read is decided by the role. The second is for userinfo.
SCOPES = ("https://www.googleapis.com/auth/cloud-platform", "https://www.googleapis.com/auth/userinfo.email")
_AWS_TOKEN = "urn:ietf:params:aws:token-type:aws4_request"  # noqa: S105
_CODE = re.compile(r"(?:Error code )?([a-z]+(?:_[a-z]+)+)\b")
_RENEW = "Renew or correct the source's `credentials`; `gcloud auth` shows what Google makes of them."
_EXTRA = "Install it: pip install 'evidenced[gcp]'."


class GoogleCredentials:
    """An `Authorizer`: a bearer token, renewed before it ends, and the project whose quota is used."""

    def __init__(self, settings: GcpSettings, clock: Clock) -> None:
        self._settings = settings
        self._clock = clock
        self._token = RenewedToken(self._fetch, clock)
        self._found: Any = None

    def apply(self, request: Request) -> None:
        """See `Authorizer.apply`."""
        self._token.apply(request)
        if self._settings.quota_project:
            request.headers["x-goog-user-project"] = self._settings.quota_project

    def refresh(self) -> bool:
        """See `Authorizer.refresh`. The key is read anew: its file may have been rotated."""
        self._found = None
        return self._token.refresh()

    def machine_account(self) -> str:
        """Return the service account that the metadata server gives to this machine; empty without such."""
        try:
            from google.auth import compute_engine
        except ImportError as error:
            raise ConfigError("google-auth is not installed", hint=_EXTRA) from error

        self._token.apply(Request("GET", "", ""))
        held = self._found
        return str(held.service_account_email) if isinstance(held, compute_engine.Credentials) else ""

    def _fetch(self) -> Token:
        try:
            from google.auth.exceptions import GoogleAuthError
            from google.auth.transport.requests import Request as Exchange
        except ImportError as error:
            raise ConfigError("google-auth is not installed", hint=_EXTRA) from error

        try:
            if self._found is None:
                self._found = _load(self._settings.credentials)
            self._found.refresh(Exchange())
        except GoogleAuthError as error:
            # Its text may quote what was sent or answered: the cause stays out of every traceback.
            raise _reason(error) from None
        ends = self._found.expiry.replace(tzinfo=UTC)
        return Token(self._found.token, (ends - self._clock.now()).total_seconds())


def _load(reference: str) -> Any:
    """Return google-auth's credentials for what *reference* names, or those that the machine has."""
    import google.auth

    if not reference:
        found, _ = google.auth.default(scopes=SCOPES)
        return found
    try:
        info = json.loads(resolve_secret(reference))
        form = info["type"]
    except (ValueError, TypeError, KeyError):
        raise Misconfigured(f"{reference} is no JSON of Google credentials", hint=_RENEW) from None
    try:
        return _of_form(form, info)
    except (ValueError, KeyError, TypeError):
        raise Misconfigured(f"{reference}: the {form} in it cannot be used", hint=_RENEW) from None


def _of_form(form: str, info: dict[str, Any]) -> Any:
    from google.auth import aws, identity_pool
    from google.oauth2 import service_account

    if form == "service_account":
        return service_account.Credentials.from_service_account_info(info, scopes=SCOPES)
    if form == "external_account" and info.get("subject_token_type") == _AWS_TOKEN:
        return aws.Credentials.from_info(info, scopes=SCOPES)
    if form == "external_account":
        return identity_pool.Credentials.from_info(info, scopes=SCOPES)
    raise Misconfigured(
        "credentials are of a type that is not taken",
        hint="Give a service_account key or an external_account configuration; for others, use the machine's own.",
    )


def _reason(error: GoogleAuthError) -> ReadError:
    from google.auth.exceptions import DefaultCredentialsError, TransportError

    if isinstance(error, TransportError) or error.retryable:
        return Unavailable("Google's token endpoint cannot be reached", hint="The next slot tries again.")
    if isinstance(error, DefaultCredentialsError):
        return Misconfigured("no usable Google credentials were found", hint=_RENEW)
    code = _CODE.match(str(error.args[0]) if error.args else "")
    return Misconfigured(f"Google refused the credentials: {code[1] if code else 'no code given'}", hint=_RENEW)

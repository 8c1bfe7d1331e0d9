"""Tokens by a vendor's own library, which knows where its credentials are and how they become a token."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from collector.clock import Clock
from collector.errors import Misconfigured, ReadError, Unavailable
from collector.http.assertion import claims_of
from collector.http.auth import Request
from collector.http.tokens import RenewedToken, Token
from collector.model import Json


class _Issued(Protocol):
    @property
    def token(self) -> str: ...

    @property
    def expires_on(self) -> int: ...


class Credential(Protocol):
    """What such libraries call a credential."""

    def get_token(self, *scopes: str) -> _Issued:
        """Return a token for *scopes*; ``expires_on`` is in seconds since 1970."""


@dataclass(frozen=True)
class Library:
    """A *credential* and its library's errors, *failed*.

    The authority did not answer where one of *unanswered* is the cause, and could not where the text matches *busy*;
    everything else is for the operator to correct. Of texts only what *code* matches is ever quoted: the rest may hold
    what was sent.
    """

    credential: Credential
    failed: type[Exception]
    unanswered: tuple[type[Exception], ...]
    busy: re.Pattern[str]
    code: re.Pattern[str]

    def is_passing(self, error: BaseException | None) -> bool:
        """Return whether *error*, or one that led to it, will be over by itself."""
        if error is None:
            return False
        found = isinstance(error, self.unanswered) or self.busy.search(str(error)) is not None
        return found or self.is_passing(error.__cause__ or error.__context__)


class LibraryToken:
    """An `Authorizer`: bearer tokens for *scope* by the library that *make* returns, made anew after a 401."""

    def __init__(self, make: Callable[[], Library], scope: str, clock: Clock) -> None:
        self._make = make
        self._scope = scope
        self._clock = clock
        self._library: Library | None = None
        self._token = RenewedToken(self._fetch, clock)

    def apply(self, request: Request) -> None:
        """See `Authorizer.apply`."""
        self._token.apply(request)

    def refresh(self) -> bool:
        """See `Authorizer.refresh`. Libraries keep tokens that are not over: the kept one was just refused."""
        self._library = None
        return self._token.refresh()

    def claims(self) -> dict[str, Json]:
        """Return what the token says of whom it was issued to. Raises as `apply`, and `Misconfigured` for no JWT."""
        request = Request("GET", "", "")
        self.apply(request)
        return claims_of(request.headers["authorization"].partition(" ")[2])

    def _fetch(self) -> Token:
        library = self._library = self._library or self._make()
        try:
            issued = library.credential.get_token(self._scope)
        except library.failed as error:
            # Its text may quote what was sent or answered: the cause stays out of every traceback.
            raise _failure(library, error) from None
        return Token(issued.token, issued.expires_on - self._clock.now().timestamp())


def _failure(library: Library, error: Exception) -> ReadError:
    found = library.code.search(str(error))
    said = f"{type(error).__name__} {found[0]}" if found else type(error).__name__
    if library.is_passing(error):
        return Unavailable(f"the token authority did not answer: {said}", hint="The next slot tries again.")
    return Misconfigured(
        f"no token was issued for the credentials: {said}", hint="Renew or correct the source's credentials."
    )

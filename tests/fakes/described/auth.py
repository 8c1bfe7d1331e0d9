"""Who may ask: tokens that the fake issues, and the header that carries them."""

from __future__ import annotations

import base64
import secrets
from collections.abc import Callable
from dataclasses import dataclass

from tests.fakes.listener import Http


@dataclass(frozen=True)
class Auth:
    """The header *name* of a vendor: one of *schemes* and a token; ``Basic`` carries *user* too.

    Without schemes it is an API key's header, which carries the bare token.
    """

    schemes: tuple[str, ...] = ("Bearer",)
    name: str = "Authorization"
    user: str = "collector@example.com"

    def header(self, token: str) -> dict[str, str]:
        """Return the header that carries *token*, by the first of the schemes."""
        if not self.schemes:
            return {self.name: token}
        scheme = self.schemes[0]
        said = base64.b64encode(f"{self.user}:{token}".encode()).decode() if scheme == "Basic" else token
        return {self.name: f"{scheme} {said}"}

    def token(self, http: Http) -> tuple[str, str]:
        """Return the token that *http* carries, and what is wrong with how it does; one of them is empty."""
        if not self.schemes:
            key = http.header(self.name)
            return key, "" if key else f"{self.name} is missing"
        scheme, _, said = http.header(self.name).partition(" ")
        known = {each.lower(): each for each in self.schemes}
        if scheme.lower() not in known:
            return "", f"{self.name} must be one of {', '.join(self.schemes)}, not {scheme or 'absent'}"
        if scheme.lower() != "basic":
            return said.strip(), ""
        try:
            user, _, token = base64.b64decode(said, validate=True).decode().partition(":")
        except ValueError:
            return "", f"{self.name}: Basic without base64 of user:token"
        return (token, "") if user == self.user else ("", f"{self.name}: the user is {self.user}, not {user}")


class Tokens:
    """The tokens of one fake. *trusted* also says yes to tokens that were made elsewhere (a JWT of the client's)."""

    def __init__(self) -> None:
        self._good: set[str] = set()
        self._over: set[str] = set()
        self.trusted: Callable[[str], bool] = lambda _: False

    def issue(self) -> str:
        """Return a new token that is good until `expire`."""
        token = f"fake-{secrets.token_hex(12)}"
        self._good.add(token)
        return token

    def admit(self, token: str) -> str:
        """Return *token*, made by an authority of the test's, which is good until `expire`."""
        self._good.add(token)
        return token

    def expire(self) -> None:
        """End every token issued so far."""
        self._over |= self._good
        self._good.clear()

    def is_good(self, token: str) -> bool:
        """Return whether *token* opens the door."""
        return token in self._good or self.trusted(token)

    def is_over(self, token: str) -> bool:
        """Return whether *token* once did."""
        return token in self._over

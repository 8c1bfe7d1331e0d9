"""The two cookies: of a session, and of a browser that has none yet but is shown a form."""

from __future__ import annotations

from typing import Literal, TypedDict


class _Attributes(TypedDict):
    path: str
    secure: bool
    httponly: bool
    samesite: Literal["lax"]


class Cookies:
    """Names and attributes. With *tls* the prefix ``__Host-`` keeps other hosts of the domain from setting them."""

    def __init__(self, *, tls: bool) -> None:
        prefix = "__Host-" if tls else ""
        self.session = f"{prefix}evidenced"
        self.form = f"{prefix}evidenced-form"
        self.attributes: _Attributes = {"path": "/", "secure": tls, "httponly": True, "samesite": "lax"}

    def of_browser(self, value: str) -> str:
        """Return the header that gives a browser its cookie for forms; *value* needs no quotes."""
        secure = "; Secure" if self.attributes["secure"] else ""
        return f"{self.form}={value}; Path=/; HttpOnly; SameSite=Lax{secure}"

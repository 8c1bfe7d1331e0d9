"""Forms that only our own pages can send: a value in each, made from the session by a key that this process has alone.

A browser without a session has a cookie of its own for forms, so that nobody can be signed in as somebody else.
"""

from __future__ import annotations

import secrets
from hashlib import sha256
from hmac import compare_digest, digest

from starlette.requests import Request

from collector.gate.cookies import Cookies
from collector.gate.place import Place
from collector.gate.visit import Forbidden


class Forged(Forbidden):
    """A form came that no page of ours sent, or one of a session that is over."""

    default_hint = "Load the page again and send the form from there."


class Forms:
    """Makes and checks the values of one process."""

    def __init__(self, cookies: Cookies, place: Place) -> None:
        self._cookies = cookies
        self._place = place
        self._key = secrets.token_bytes(32)

    def value(self, request: Request) -> str:
        """Return the value for a form in the answer to *request*. A browser without any cookie is given one."""
        session = request.cookies.get(self._cookies.session)
        if session:
            return self._made("session", session)
        return self._made("browser", self.browser(request))

    def browser(self, request: Request) -> str:
        """Return what the browser of *request* is known by while it has no session; the answer sets the cookie."""
        given = request.cookies.get(self._cookies.form)
        if not given:
            given = getattr(request.state, "new_browser", None) or secrets.token_urlsafe(32)
            request.state.new_browser = given
        return given

    def require(self, request: Request, given: str) -> None:
        """Raise `Forged` unless *given* is the value for the session of *request*, and a page of ours sent it.

        Browsers say where a form comes from (Origin, Sec-Fetch-Site); what they say is held against our own origin.
        """
        origin = request.headers.get("origin")
        if origin is not None and origin.lower() != self._place.origin(request.headers.get("host", "")):
            raise Forged("the form was sent by a page of another site")
        if request.headers.get("sec-fetch-site", "same-origin") not in ("same-origin", "none"):
            raise Forged("the form was sent by a page of another site")
        session, browser = (request.cookies.get(each) for each in (self._cookies.session, self._cookies.form))
        wanted = self._made("session", session) if session else self._made("browser", browser) if browser else ""
        if not wanted or not compare_digest(wanted.encode(), given.encode("utf-8", "surrogateescape")):
            raise Forged("the form does not belong to this session")

    def _made(self, what: str, id: str) -> str:
        return digest(self._key, f"{what}:{id}".encode("utf-8", "surrogateescape"), sha256).hex()

"""What stands before every route, as ASGI layers: whose host it is, how much and how often, and the headers of answers.

From the outside in: `Headed`, `OwnHosts`, `SignInRates`, `Bodies`, `Recorded`. Each is pure ASGI, so that answers
stream through.
"""

from __future__ import annotations

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from collector.clock import Clock
from collector.errors import EvidencedError
from collector.gate.answers import Elsewhere, TooLarge, TooMany, refusal
from collector.gate.cookies import Cookies
from collector.gate.gate import Gate
from collector.gate.place import Place
from collector.gate.rates import Rates, neighbourhood

POLICY = (
    "default-src 'none'; style-src 'self'; img-src 'self'; script-src 'self'; form-action 'self'; "
    "frame-ancestors 'none'; base-uri 'none'"
)
_HEADERS = {
    "content-security-policy": POLICY,
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "same-origin",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
}
_STATIC = "/static/"
_A_YEAR = "max-age=31536000"
_SMALL = 1_000_000
_AROUND_A_FILE = 1_000_000
_UNKNOWN_HOSTS_MAY = ("/healthz", "/readyz")
FAILED_SIGN_INS = 10
BEGUN_SIGN_INS = 30


def guarded(app: ASGIApp, gate: Gate) -> ASGIApp:
    """Return *app* behind every layer."""
    for_files = gate.config.uploads.max_mb * 1_000_000 + _AROUND_A_FILE
    app = Bodies(Recorded(app, gate), for_files)
    return Headed(
        OwnHosts(SignInRates(app, gate.clock, gate.config.web.requests_a_minute), gate.place), gate.cookies, gate.place
    )


class Headed:
    """Gives every answer the headers that keep browsers strict, and a new browser its cookie for forms."""

    def __init__(self, app: ASGIApp, cookies: Cookies, place: Place) -> None:
        self._app = app
        self._cookies = cookies
        self._tls = place.tls

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """See the class."""
        if scope["type"] != "http":
            return await self._app(scope, receive, send)
        state = scope.setdefault("state", {})

        async def headed(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                headers.update(_HEADERS)
                if self._tls:
                    headers["strict-transport-security"] = _A_YEAR
                if "visit" in state or not scope["path"].startswith(_STATIC):
                    headers["cache-control"] = "no-store"
                if browser := state.get("new_browser"):
                    headers.append("set-cookie", self._cookies.of_browser(browser))
            await send(message)

        return await self._app(scope, receive, headed)


class OwnHosts:
    """Answers only requests that name a host of ours: others come by a name that somebody pointed at this machine."""

    def __init__(self, app: ASGIApp, place: Place) -> None:
        self._app = app
        self._place = place

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """See the class. Probes may use any name: what they are told is no secret."""
        if scope["type"] == "http" and scope["path"] not in _UNKNOWN_HOSTS_MAY:
            named = Headers(scope=scope).getlist("host")
            if len(named) != 1 or not self._place.is_ours(named[0]):
                return await _refuse(Elsewhere("this host is not known here"), scope, receive, send)
        return await self._app(scope, receive, send)


class SignInRates:
    """Lets an address fail to sign in a few times a minute, and then has it wait. Good sign-ins cost nothing.

    Programs may come *a_minute* times with a token that is not good: nobody guesses 256 bits, and an office has one
    address.
    """

    def __init__(self, app: ASGIApp, clock: Clock, a_minute: int) -> None:
        self._app = app
        self._failed = Rates(clock, FAILED_SIGN_INS)
        self._tokens = Rates(clock, a_minute)
        self._begun = Rates(clock, BEGUN_SIGN_INS)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """See the class."""
        if scope["type"] != "http":
            return await self._app(scope, receive, send)
        who = neighbourhood(scope["client"][0] if scope.get("client") else "")
        asked = (scope["method"], scope["path"])
        if asked == ("GET", "/sign-in/oidc"):
            return await self._unless(self._begun.take(who), scope, receive, send)
        if asked in (("POST", "/sign-in"), ("GET", "/sign-in/callback")):
            rates = self._failed
        elif "authorization" in Headers(scope=scope):
            rates = self._tokens
        else:
            return await self._app(scope, receive, send)

        async def watched(message: Message) -> None:
            if message["type"] == "http.response.start" and (
                message["status"] == 401 or scope.get("state", {}).get("refused")  # noqa: PLR2004 - RFC 9110
            ):
                rates.take(who)
            await send(message)

        return await self._unless(rates.wait(who), scope, receive, watched)

    async def _unless(self, wait: float, scope: Scope, receive: Receive, send: Send) -> None:
        if wait:
            return await _refuse(TooMany("too many attempts came from your address", wait), scope, receive, send)
        return await self._app(scope, receive, send)


class Bodies:
    """Takes bodies of a megabyte; where files are sent, as large as the configuration lets them be."""

    def __init__(self, app: ASGIApp, for_files: int) -> None:
        self._app = app
        self._for_files = for_files

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """See the class."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        files = headers.get("content-type", "").startswith("multipart/") or scope["path"].endswith("/uploads")
        most = self._for_files if files else _SMALL
        said = headers.get("content-length", "0")
        if not said.isdecimal() or int(said) > most:
            await _refuse(_too_large(most), scope, receive, send)
            return
        taken, started = 0, False
        refused: TooLarge | None = None

        async def counted() -> Message:
            nonlocal taken, refused
            message = await receive()
            taken += len(message.get("body", b""))
            if taken > most:
                refused = _too_large(most)
                raise refused
            return message

        async def noted(message: Message) -> None:
            nonlocal started
            if refused is None or started:  # what a reader of forms says of a body that was cut short is no answer
                started = True
                await send(message)

        try:
            await self._app(scope, counted, noted)
        except TooLarge:
            if started:
                raise
        if refused is not None and not started:
            await _refuse(refused, scope, receive, send)


class Recorded:
    """Notes what auditors read: when an answer begins, so that one that is broken off is on record too."""

    def __init__(self, app: ASGIApp, gate: Gate) -> None:
        self._app = app
        self._gate = gate

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """See the class."""

        async def noted(message: Message) -> None:
            if message["type"] == "http.response.start" and "visit" in scope.get("state", {}):
                query = scope["query_string"].decode("latin-1")
                path = scope["path"] + (f"?{query}" if query else "")
                self._gate.note(scope["state"]["visit"], scope["method"], path, message["status"])
            await send(message)

        await self._app(scope, receive, noted)


def _too_large(most: int) -> TooLarge:
    return TooLarge(f"a request may bring {most // 1_000_000} MB here")


async def _refuse(error: EvidencedError, scope: Scope, receive: Receive, send: Send) -> None:
    await refusal(scope["path"], error)(scope, receive, send)

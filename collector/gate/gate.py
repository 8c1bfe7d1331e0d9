"""Lets people in: by a token of the API, or by a session that a sign-in began."""

from __future__ import annotations

from threading import Lock

from starlette.requests import Request

from collector.access import Grant, Principal, Role
from collector.act import ActKind
from collector.ask.access import granted, holder
from collector.clock import Clock
from collector.config import Config
from collector.config_web import folded
from collector.gate.answers import TooMany, Unrecorded
from collector.gate.cookies import Cookies
from collector.gate.errands import Errands
from collector.gate.forms import Forms
from collector.gate.oidc import Provider
from collector.gate.place import Place
from collector.gate.rates import Rates
from collector.gate.reads import Reads
from collector.gate.sessions import Account, ByToken, Sessions
from collector.gate.visit import SignedOut, Visit
from collector.secrets import resolve_secret
from collector.store import Store


class Gate:
    """One gate for one installation, reached at *place*. Thread-safe."""

    def __init__(self, store: Store, config: Config, clock: Clock, place: Place | None = None) -> None:
        self.config = config
        self.clock = clock
        self.place = place or Place(config.web.public_url)
        self.cookies = Cookies(tls=self.place.tls)
        self.forms = Forms(self.cookies, self.place)
        self.sessions = Sessions(clock, config.web.idle, config.web.longest)
        self.reads = Reads(store, clock)
        self.errands = Errands(clock)
        self.provider = _provider(config, clock)
        self._rates = Rates(clock, config.web.requests_a_minute)
        self._store = store
        self._lock = Lock()
        self._grants: tuple[int, list[Grant]] = (-1, [])

    def by_token(self, token: str) -> Visit:
        """Return the visit of whoever holds *token*. Raises `SignedOut` for a token that is unknown or not good."""
        return self.visit(self.grant(token).principal())

    def by_session(self, request: Request) -> Visit:
        """Return the visit of whoever's session *request* belongs to, by its cookie.

        Who they are and what they may do is found out anew: the token must still be good, and through a provider the
        configuration and the terms of the engagements decide. Raises `SignedOut`.
        """
        id = request.cookies.get(self.cookies.session)
        beginner = self.sessions.beginner(id) if id else None
        if beginner is None:
            raise SignedOut("nobody is signed in here, or the session is over")
        principal = self._of_token(beginner) if isinstance(beginner, ByToken) else self.principal(beginner)
        visit = self.visit(principal)
        request.state.visit = visit
        return visit

    def csrf(self, request: Request) -> str:
        """Return the value that a form must bring, for the session (or the browser, without one) of *request*."""
        return self.forms.value(request)

    def require_csrf(self, request: Request, given: str) -> None:
        """Raise `Forged` (a `Forbidden`) unless *given* is that value, and no page elsewhere sent the form."""
        self.forms.require(request, given)

    def grant(self, token: str) -> Grant:
        """Return what *token* was granted. Raises `SignedOut`, in the same words for any that is not good."""
        found = holder(self._known(), token, self.clock.now())
        if found is None:
            raise SignedOut("the token is not good: it is unknown, has expired or was revoked")
        return found

    def principal(self, account: Account) -> Principal:
        """Return who *account* is now, by [web.access] and, for auditors, by the terms of the engagements.

        Raises `SignedOut` for somebody who is in neither.
        """
        access = self.config.web.access
        held = {account.email, *(f"group:{each}" for each in account.groups)}
        for role, people in (
            (Role.ADMIN, access.admin),
            (Role.OPERATOR, access.operator),
            (Role.READER, access.reader),
        ):
            if held.intersection(people):
                return Principal(account.email, role)
        audited = frozenset(
            each.id
            for each in self._store.engagements()
            if account.email in {folded(auditor) for auditor in each.terms.auditors}
        )
        if not audited:
            raise SignedOut("nobody has let this account in")
        return Principal(account.email, Role.AUDITOR, audited)

    def visit(self, principal: Principal) -> Visit:
        """Return a visit of *principal* now, counted as one request of theirs.

        Raises `TooMany`, and for an auditor `Unrecorded` while what auditors read cannot be recorded.
        """
        if wait := self._rates.take(principal.token or principal.name):
            most = self.config.web.requests_a_minute
            raise TooMany(f"more than {most} requests a minute came from {principal.name}", wait)
        if principal.role is Role.AUDITOR and self.reads.full():
            raise Unrecorded(
                "what auditors read cannot be recorded now, so nothing is shown to them",
                hint="Tell whoever runs it; it goes on by itself when the store takes records again.",
            )
        return Visit(principal, self.config, self.clock.now(), self._store)

    def log_size(self) -> int:
        """Return how many leaves the store's log has. Raises `StoreError` when it does not answer."""
        return self._store.checkpoints.head().size

    def note(self, visit: Visit, method: str, path: str, status: int) -> None:
        """Keep, for the record, what *visit* read of engagements at *path* (with its query), if an auditor did."""
        if visit.principal.role is Role.AUDITOR:
            self.reads.note(visit, method, path, status)

    def _of_token(self, beginner: ByToken) -> Principal:
        now = self.clock.now()
        found = next((each for each in self._known() if each.id == beginner.grant and each.holds(now)), None)
        if found is None:
            raise SignedOut("the token that began the session has expired or was revoked")
        return found.principal()

    def _known(self) -> list[Grant]:
        """Return every token. It is asked each time whether there is a new act, so that a revocation holds at once."""
        newest = self._store.desk.newest(ActKind.TOKEN)
        with self._lock:
            if self._grants[0] != newest:
                self._grants = (newest, granted(self._store))
            return self._grants[1]


def _provider(config: Config, clock: Clock) -> Provider | None:
    """Return the OpenID provider of *config*, None where there is none. Raises `ConfigError` for a missing secret."""
    settings, access = config.web.oidc, config.web.access
    if settings is None:
        return None
    secret = resolve_secret(settings.client_secret) if settings.client_secret else ""
    everybody = (*access.admin, *access.operator, *access.reader)
    return Provider(settings, secret, clock, groups=any(each.startswith("group:") for each in everybody))

"""The gate with next to nothing behind it: two engagements, a route of each sort, and browsers that come to it.

The routes stand beside those of the API, where nothing but the gate answers what is refused.
"""

from __future__ import annotations

from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime, timedelta

from fastapi import Request
from fastapi.responses import PlainTextResponse

from collector.access import Right, Role
from collector.act import ActKind
from collector.ask import engagements
from collector.ask.access import grant
from collector.config import load_settings
from collector.engagement import Examination, Terms
from collector.errors import IntegrityError
from collector.model import Period
from collector.server import application
from collector.store import open_store
from collector.tag import load_controls
from tests.web.serving import Visitor, running

MINE, OTHERS = "soc2-2026", "other-2026"
AUDITOR = "Ana@Auditors.example"
PERIOD = Period(datetime(2026, 1, 1, tzinfo=UTC), datetime(2026, 4, 1, tzinfo=UTC))


def terms(*auditors):
    """Return terms that name *auditors*."""
    return Terms(Examination.TYPE_II, PERIOD, auditors=auditors)


class Client(Visitor):
    """A `Visitor` that does not follow a redirect in answer to GET either, as a test of redirects must see them."""

    def get(self, url, **more):
        return self.request("GET", url, **more)


class Gated:
    """The application of *store* at *url*, until `end`; `browser` and `program` come to it, `grant` lets them in."""

    def __init__(self, store, clock, url, app, end):
        self.store, self.clock, self.url, self.app, self.end = store, clock, url, app, end
        self.gate = app.state.gate

    @property
    def file(self):
        """The file of a store on SQLite."""
        return self.gate.config.store.url.removeprefix("sqlite:///")

    def grant(self, role=Role.READER, engagement="", lasts=timedelta(days=1), name="Ana"):
        """Record a token, and return what is recorded and the token."""
        return grant(self.store, name, role, engagement, now=self.clock.now(), lasts=lasts, actor="Ben")

    def token(self, *what, **more):
        """Return a new token."""
        return self.grant(*what, **more)[1]

    def program(self, token):
        """Return who comes with *token* in the header."""
        return Client(self.url, token)

    def browser(self, token="", then="/api/gated/page"):
        """Return who comes with cookies; signed in by *token*, where one is given."""
        browser = Client(self.url)
        if token:
            answer = sign_in(browser, token, then)
            assert answer.headers["location"] == then
        return browser

    def reads(self):
        """Return the reads of auditors on record: the engagement's id, by whom, and the paths."""
        return [
            (act.engagement, act.actor, [each["path"] for each in act.document["reads"]])
            for act in self.store.desk.acts(ActKind.ACCESS)
        ]


def sign_in(browser, token, then="/api/gated/page", **more):
    """Send the form, with the value that the page before it gave."""
    form = {"token": token, "next": then, "csrf": browser.get("/api/gated/form").text}
    return browser.post("/sign-in", data=form, **more)


def sign_out(browser):
    """Send the form that ends the session."""
    return browser.post("/sign-out", data={"csrf": browser.get("/api/gated/form").text})


@contextmanager
def gated(folder, url, clock, more="", place=None):
    """Serve a new store at *url* with *more* in the configuration."""
    (folder / "evidenced.toml").write_text(f'[store]\nurl = "{url}"\n{more}\n', encoding="utf-8")
    store = open_store(url, clock=clock)
    controls = load_controls(None)
    engagements.create(store, controls, MINE, terms(AUDITOR), actor="Ben")
    engagements.create(store, controls, OTHERS, terms("dan@auditors.example"), actor="Ben")
    app = application(store, load_settings(folder / "evidenced.toml"), clock, place)
    _add_routes(app)
    with ExitStack() as serving:
        yield Gated(store, clock, serving.enter_context(running(app)), app, serving.close)
    store.close()


def _add_routes(app):
    @app.get("/api/gated/form")
    def form(request: Request):
        return PlainTextResponse(request.app.state.gate.csrf(request))

    @app.get("/api/gated/page")
    def page(request: Request):
        visit = request.app.state.gate.by_session(request)
        return {"name": visit.principal.name, "role": visit.principal.role}

    @app.get("/api/gated/e/{name}")
    def engagement(request: Request, name: str):
        visit = request.app.state.gate.by_session(request)
        return {"name": visit.engaged(name).engagement.name}

    @app.post("/api/gated/e/{name}")
    async def change(request: Request, name: str):
        given = (await request.form()).get("csrf", "")
        request.app.state.gate.by_session(request).require(Right.DRAW)
        request.app.state.gate.require_csrf(request, given)
        return {"changed": name}

    @app.get("/api/gated/by-token/{name}")
    def by_token(request: Request, name: str):
        token = request.headers.get("authorization", "").removeprefix("Bearer ")
        visit = request.state.visit = request.app.state.gate.by_token(token)
        return {"name": visit.engaged(name).engagement.name}

    @app.post("/api/gated/uploads")
    async def upload(request: Request):
        return {"bytes": len(await request.body())}

    @app.get("/api/gated/broken")
    def broken():
        raise ValueError("a defect, with the detail of a defect")

    @app.get("/api/gated/altered")
    def altered():
        raise IntegrityError("artifact sha256:00 is not what its digest says")

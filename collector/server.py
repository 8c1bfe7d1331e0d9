"""The web application: the API, the pages, and the gate before both. It loads no connector."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI, Request
from starlette.responses import Response
from starlette.types import ASGIApp

from collector import __version__, api, web
from collector.clock import Clock
from collector.config import Config
from collector.errors import EvidencedError
from collector.gate import Gate, Place
from collector.gate.answers import Defect, refusal
from collector.gate.counting import Counted, Numbers
from collector.gate.guard import guarded
from collector.gate.health import router as health
from collector.gate.signing_in import router as signing_in
from collector.store import Store


class Application(FastAPI):
    """The application behind the gate's layers, which answer even where an answer failed."""

    def build_middleware_stack(self) -> ASGIApp:
        """See `FastAPI`."""
        return Counted(guarded(super().build_middleware_stack(), self.state.gate), self.state.numbers)


def application(store: Store, config: Config, clock: Clock, place: Place | None = None) -> FastAPI:
    """Return the application that answers from *store*, and is reached at *place* (None: on this machine alone)."""
    app = Application(
        title="evidenced",
        version=__version__,
        docs_url=None,
        redoc_url=None,
        openapi_url=None,
        lifespan=_recording,
    )
    app.add_exception_handler(Exception, _broken)
    app.state.gate = Gate(store, config, clock, place)
    app.state.numbers = Numbers(app.state.gate)
    app.add_exception_handler(EvidencedError, _refuse)
    for router in (health, signing_in):
        app.include_router(router)
    app.router.routes.append(api.mounted(app.state.gate))
    web.install(app)
    return app


@asynccontextmanager
async def _recording(app: FastAPI) -> AsyncIterator[None]:
    gate: Gate = app.state.gate
    gate.reads.start()
    try:
        yield
    finally:
        gate.reads.stop()


def _refuse(request: Request, error: Exception) -> Response:
    assert isinstance(error, EvidencedError), "it is the handler of these"
    return refusal(request.url.path, error)


def _broken(request: Request, _: Exception) -> Response:
    return refusal(request.url.path, Defect("what was asked for could not be answered"))

"""The web application: the API, the pages, and the gate before both. It loads no connector."""

from __future__ import annotations

from fastapi import FastAPI

from collector import __version__, api, web
from collector.clock import Clock
from collector.config import Config
from collector.gate import Gate
from collector.store import Store


def application(store: Store, config: Config, clock: Clock) -> FastAPI:
    """Return the application that answers from *store*."""
    app = FastAPI(
        title="evidenced", version=__version__, docs_url=None, redoc_url=None, openapi_url="/api/v1/openapi.json"
    )
    app.state.gate = Gate(store, config, clock)
    app.include_router(api.router)
    web.install(app)
    return app

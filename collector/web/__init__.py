"""The pages: what the command line asks, for people with a browser. Rendered here, and whole without a script."""

from __future__ import annotations

from fastapi import FastAPI
from fastapi.staticfiles import StaticFiles

from collector.web import desk, failures
from collector.web.pages import STATIC
from collector.web.routes import router

__all__ = ["install"]


def install(app: FastAPI) -> None:
    """Let *app*, which has the API and a gate already, serve the pages and what they load."""
    app.mount("/static", StaticFiles(directory=STATIC), name="static")
    app.include_router(router)
    desk.install(app)
    failures.install(app)

"""The pages of the auditor's desk, put together."""

from __future__ import annotations

from fastapi import FastAPI

from collector.web import (
    bundles,
    populations,
    reconciliations,
    requests,
    reviews,
    runs,
    samples,
    sheets,
    standing,
    tokens,
    uploads,
)
from collector.web.building import Builds

PARTS = (runs, sheets, standing, populations, samples, reconciliations, requests, uploads, reviews, bundles, tokens)


def install(app: FastAPI) -> None:
    """Let *app* serve the desk, and keep the bundles that it makes."""
    app.state.builds = Builds()
    for part in PARTS:
        app.include_router(part.router)

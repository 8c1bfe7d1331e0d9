"""The API as an application of its own, to be mounted at ``/api/v1``: its errors and its document are its own."""

from __future__ import annotations

import re
from typing import Any

from fastapi import APIRouter, FastAPI, Request
from fastapi.openapi.utils import get_openapi
from starlette.exceptions import HTTPException
from starlette.responses import Response
from starlette.routing import Mount

from collector import __version__
from collector.api.problems import Place, Problem, problem_of
from collector.api.route import Answer, Route
from collector.api.routes import engagements, installation, periods, populations, records, requests, runs, state
from collector.gate import Gate

PREFIX = "/api/v1"
_WITHIN = "/engagements/{engagement}"
_SUMMARY = "What the command line asks and records, for programs"
_DESCRIPTION = """\
Every answer is JSON, or a file to be saved. Send a token: `Authorization: Bearer evd_...`.

- A list is answered in pages: `limit`, and `next` (also as `Link: rel="next"`) as `cursor` of the next.
- `ETag` is strong; `If-None-Match` saves the body.
- Whatever goes wrong is a problem (RFC 9457) with a `hint`.
- Instants are UTC; a period includes its start and not its end.
- What belongs to an engagement that you may not see is not there: 404.
"""
_TAGS = {
    "periods": "What is there of a period, and what is missing.",
    "state": "What was there at an instant, what changed, and who had access.",
    "runs": "Every attempt to read, its sheet, its proof, and the bytes it found.",
    "populations": "What existed over the period: frozen, sampled, reconciled.",
    "records": "What people bring: files, reviews, claims.",
    "requests": "What the auditor asks for.",
    "engagements": "Audits, and the bundle of one.",
    "installation": "Who you are, how the collecting goes, snapshots, tokens.",
}


def application(gate: Gate) -> FastAPI:
    """Return the API, which lets people in by *gate*."""
    app = FastAPI(
        title="evidenced",
        version=__version__,
        summary=_SUMMARY,
        description=_DESCRIPTION,
        docs_url=None,
        redoc_url=None,
        openapi_url="/openapi.json",
        default_response_class=Answer,
        redirect_slashes=False,
        generate_unique_id_function=lambda route: route.name,
        openapi_tags=[{"name": name, "description": said} for name, said in _TAGS.items()],
    )
    app.state.gate = gate
    app.router.route_class = Route
    for each in (installation, engagements):
        app.include_router(each.router)
    within = APIRouter(prefix=_WITHIN, route_class=Route)
    for each in (periods, state, runs, populations, records, requests):
        within.include_router(each.router)
    app.include_router(within)
    app.add_exception_handler(HTTPException, _unrouted)
    app.openapi = lambda: _document(app)  # type: ignore[method-assign]
    return app


def mounted(gate: Gate) -> Mount:
    """Return the API at its place, for the routes of the application that serves it too."""
    mount = Mount(PREFIX, application(gate))
    # A path may hold a line's end, percent-encoded: that too is ours to answer.
    mount.path_regex = re.compile(mount.path_regex.pattern, re.DOTALL)
    return mount


def _unrouted(_: Request, error: Exception) -> Response:
    """Answer what no route is there for: 404 and 405."""
    return problem_of(error)


def _document(app: FastAPI) -> dict[str, Any]:
    if app.openapi_schema is None:
        document = get_openapi(
            title=app.title,
            version=app.version,
            summary=app.summary,
            description=app.description,
            routes=app.routes,
            tags=app.openapi_tags,
            servers=[{"url": PREFIX}],
        )
        for path, methods in document["paths"].items():
            for method, operation in methods.items():
                one = re.compile(re.escape(path) + r"/\{\w+\}")
                _head(method, operation, told=any(map(one.fullmatch, document["paths"])))
        schemas = document["components"]["schemas"]
        for form in (Problem, Place):
            schemas[form.__name__] = form.model_json_schema(ref_template="#/components/schemas/{model}")
            schemas[form.__name__].pop("$defs", None)
        for unused in ("HTTPValidationError", "ValidationError"):
            schemas.pop(unused, None)
        document["components"]["securitySchemes"] = {
            "token": {"type": "http", "scheme": "bearer", "description": "`evidenced token create` makes one."}
        }
        app.openapi_schema = document
    return app.openapi_schema


def _head(method: str, operation: dict[str, Any], *, told: bool) -> None:
    """Add the headers of a good answer to what the document says of it; *told* is where what it made can be read."""
    status = next(each for each in operation["responses"] if each.startswith("2"))
    good = operation["responses"][status]
    headers = good.setdefault("headers", {})
    if method == "get":
        headers.setdefault("ETag", _header("The SHA-256 of the body: a strong tag."))
    if any(each["name"] == "cursor" for each in operation.get("parameters", ())):
        headers["Link"] = _header('Where the next page is, `rel="next"`; left out on the last.')
    if told and status in ("201", "202"):
        headers["Location"] = _header("Where what was recorded is read.")
    if not headers:
        del good["headers"]


def _header(description: str) -> dict[str, Any]:
    return {"description": description, "schema": {"type": "string"}}

"""What every route of the API does: lets in, refuses unknown parameters, answers errors as problems, tags answers."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Coroutine, Iterator
from typing import Any

from fastapi import Request
from fastapi.dependencies.models import Dependant
from fastapi.exceptions import RequestValidationError
from fastapi.routing import APIRoute
from starlette.concurrency import run_in_threadpool
from starlette.responses import JSONResponse, Response

from collector.api.problems import MEDIA_TYPE, problem_of
from collector.api.visiting import Entry, Reach, entered

Documented = dict[int | str, dict[str, Any]]
_ERRORS = {
    401: "No token came, or it is not good.",
    403: "The role does not have the right.",
    404: "There is nothing of that name or number, or you may not see it.",
    422: "The question is wrong: what is wrong with it, and where.",
    429: "Too many requests: wait as long as `Retry-After` says.",
    500: "A defect, or a store that does not match its digests.",
    503: "The store cannot be used now.",
}
_OF_BODIES = {
    400: "The body cannot be read as what it says it is.",
    409: "Something else holds what this needs.",
    413: "The body is too large.",
}
_REACH = {
    Reach.OWN: "",
    Reach.ENGAGEMENT: " in the engagement",
    Reach.INSTALLATION: ", and to see the whole installation",
}


class Answer(JSONResponse):
    """JSON in ASCII: whatever could deceive a reader or a terminal is written as JSON's own escape."""

    def render(self, content: Any) -> bytes:
        """Return *content* as bytes."""
        return json.dumps(content, ensure_ascii=True, allow_nan=False, separators=(",", ":")).encode("ascii")


class Route(APIRoute):
    """A route that declares, by one `Entry` among its dependencies, which right it needs."""

    def __init__(self, path: str, endpoint: Callable[..., Any], **more: Any) -> None:
        methods = set(more.get("methods") or {"GET"})
        errors = _ERRORS | (_OF_BODIES if "GET" not in methods else {})
        documented: Documented = {status: problem_response(said) for status, said in errors.items()}
        if methods == {"GET"}:
            documented[304] = {"description": "It is what `If-None-Match` names."}
        super().__init__(path, endpoint, **{**more, "responses": documented | (more.get("responses") or {})})
        [self.entry] = list(_entries(self.dependant))
        self._parameters = sorted(_parameters(self.dependant))
        self.openapi_extra = {
            **(self.openapi_extra or {}),
            "x-right": self.entry.right.value,
            "x-reach": self.entry.reach.value,
            "security": [{"token": []}],
        }
        needs = f"Needs the right `{self.entry.right}`{_REACH[self.entry.reach]}."
        # A router that is included in another makes each of its routes anew.
        self.description = f"{self.description.removesuffix(needs).rstrip()}\n\n{needs}"

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """Return what answers a request."""
        answer = super().get_route_handler()

        async def handle(request: Request) -> Response:
            try:
                # Nobody unknown makes us read a body, or learns what form it should have.
                await run_in_threadpool(entered, request, self.entry.right)
                self._require_known(request)
                response = await answer(request)
            except Exception as error:  # noqa: BLE001 - the last line of defence: a defect is told in one line
                response = problem_of(error)
            return _tagged(request, response)

        return handle

    def _require_known(self, request: Request) -> None:
        """Raise `RequestValidationError` for parameters that are not there, or twice.

        A filter that is misspelt and passed over would show more than was asked for, as if it were all.
        """
        given = [name for name, _ in request.query_params.multi_items()]
        unknown = dict.fromkeys(each for each in given if each not in self._parameters)
        wrong = [_wrong(each, "there is no such parameter") for each in unknown]
        wrong += [_wrong(each, "it is there twice") for each in self._parameters if given.count(each) > 1]
        if wrong:
            raise RequestValidationError(wrong)


def _wrong(name: str, said: str) -> dict[str, Any]:
    return {"type": "value_error", "loc": ("query", name), "msg": said}


def _entries(dependant: Dependant) -> Iterator[Entry]:
    for each in dependant.dependencies:
        if isinstance(each.call, Entry):
            yield each.call


def _parameters(dependant: Dependant) -> set[str]:
    """Return the names of the parameters in the query, those of dependencies too."""
    own = {each.alias for each in dependant.query_params}
    return own.union(*map(_parameters, dependant.dependencies))


def problem_response(description: str) -> dict[str, Any]:
    """Return how a problem is documented."""
    return {
        "description": description,
        "content": {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}},
    }


def _tagged(request: Request, response: Response) -> Response:
    """Return *response* with a strong tag over its body, or 304 when the request has it already."""
    if request.method != "GET" or response.status_code != 200:  # noqa: PLR2004
        return response
    tag = response.headers.get("ETag")
    if tag is None:
        tag = response.headers["ETag"] = f'"{hashlib.sha256(response.body).hexdigest()}"'
    given = request.headers.get("If-None-Match", "")
    if given.strip() == "*" or tag in [each.strip().removeprefix("W/") for each in given.split(",")]:
        return Response(status_code=304, headers={"ETag": tag})
    return response

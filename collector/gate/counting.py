"""What the web process counts of its own work, for Prometheus: by templates of routes, never by names in them."""

from __future__ import annotations

from time import perf_counter

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, ProcessCollector, disable_created_metrics
from prometheus_client.exposition import generate_latest
from starlette.routing import Mount
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from collector.gate.gate import Gate

_SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30)
_METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")


class Numbers:
    """The numbers of one process."""

    def __init__(self, gate: Gate) -> None:
        disable_created_metrics()  # type: ignore[no-untyped-call]  # a second series for each that nobody asked for
        self._registry = CollectorRegistry()
        labels = ["method", "route"]
        self._requests = Counter(
            "evidenced_web_requests",
            "Requests by the route's template and the status of the answer.",
            [*labels, "status"],
            registry=self._registry,
        )
        self._seconds = Histogram(
            "evidenced_web_request_duration_seconds",
            "How long requests took, until the answer had been sent.",
            labels,
            buckets=_SECONDS,
            registry=self._registry,
        )
        for name, said, asked in (
            ("evidenced_web_reads_waiting", "Reads of auditors that are not recorded yet.", gate.reads.waiting),
            ("evidenced_web_sessions", "Sessions of people who are signed in.", gate.sessions.count),
        ):
            Gauge(name, said, registry=self._registry).set_function(asked)
        ProcessCollector(registry=self._registry)

    def answered(self, scope: Scope, status: int, seconds: float) -> None:
        """Count the request of *scope*, which was answered with *status* after *seconds*."""
        method = scope["method"] if scope["method"] in _METHODS else "other"
        route = _template(scope)
        self._requests.labels(method, route, status).inc()
        self._seconds.labels(method, route).observe(seconds)

    def text(self) -> bytes:
        """Return everything as a scrape gets it."""
        return generate_latest(self._registry)


def _template(scope: Scope) -> str:
    """Return the template of the route that answered, with what it is mounted under; ``none`` where none did."""
    route = scope.get("route")
    if route is None:
        return "none"
    mounted = str(scope.get("root_path", ""))
    return mounted if isinstance(route, Mount) else mounted + str(route.path)


class Counted:
    """Counts every request, those too that a layer within it refuses."""

    def __init__(self, app: ASGIApp, numbers: Numbers) -> None:
        self._app = app
        self._numbers = numbers

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """See the class."""
        if scope["type"] != "http":
            return await self._app(scope, receive, send)
        began, status = perf_counter(), 500

        async def noted(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            return await self._app(scope, receive, noted)
        finally:
            self._numbers.answered(scope, status, perf_counter() - began)

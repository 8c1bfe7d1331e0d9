"""The real application, served on loopback by uvicorn in a thread, and those who come to it."""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from urllib.parse import urljoin

import requests
import uvicorn

from collector.access import Role
from collector.ask.access import grant
from collector.clock import SystemClock
from collector.config import load_settings
from collector.server import application
from collector.store import Store, open_store
from tests.web.world import ENGAGEMENT, MARK, OTHER, World, write_config

_PATIENCE = 10
NAMES = {
    ENGAGEMENT: "Eva Lind",
    OTHER: f"Otto {MARK}",
    Role.READER: "Rosa Brook",
    Role.OPERATOR: "Ana Alder",
    Role.ADMIN: "Ines Castell",
}
"""Whose the tokens are: of auditors by engagement, of the others by role."""
FOREIGNER = "foreigner"
"""Who comes as the auditor of the other engagement."""


class Visitor(requests.Session):
    """A session of HTTP with the server at *url*: paths are taken from there, and redirects are not followed."""

    def __init__(self, url: str, token: str = "") -> None:
        super().__init__()
        self.url = url
        if token:
            self.headers["Authorization"] = f"Bearer {token}"

    def get(self, url, **more):
        """See `requests.Session.get`, which would follow redirects."""
        return self.request("GET", url, **more)

    def request(self, method, url, **more):
        """See `requests.Session.request`."""
        return super().request(method, urljoin(self.url, url), **{"allow_redirects": False, "timeout": 30, **more})


class Browser(Visitor):
    """A session with cookies, that sends forms as a browser does: with the value that the page before gave it."""

    def csrf(self, page: str) -> str:
        """Return the value that the forms of *page* bring."""
        found = re.search(r'name="csrf" value="([0-9a-f]+)"', self.get(page).text)
        assert found, f"{page} has no form"
        return found[1]

    def fill(self, page: str, to: str, files=None, **fields):
        """Send a form of *page* to *to*, and return the answer."""
        return self.post(to, data={"csrf": self.csrf(page), **fields}, files=files)


@dataclass
class Served:
    """A world that is served at *url*; *tokens* open it, by role, and `FOREIGNER`'s the other engagement."""

    world: World
    store: Store
    url: str
    tokens: dict[str, str] = field(default_factory=dict)
    stop: Callable[[], None] = lambda: None
    """Ends the server, which records what waits to be recorded; the store stays open."""

    def api(self, who: str = Role.AUDITOR) -> Visitor:
        """Return the session of a program that holds the token of *who*; of nobody for an empty name."""
        return self.open(self.tokens[who] if who else "")

    def open(self, token: str) -> Visitor:
        """Return the session of a program that holds *token*."""
        return Visitor(self.url, token)

    def browser(self, who: str = Role.AUDITOR) -> Browser:
        """Return the session of a browser whose user signed in by the token of *who*."""
        found = Browser(self.url)
        found.fill("/sign-in", "/sign-in", token=self.tokens[who])
        return found


@contextmanager
def serve(world: World, more: str = "") -> Iterator[Served]:
    """Serve *world* with the machine's own clock, until the block ends; *more* is TOML for its configuration."""
    write_config(world.folder, world.url, more)
    clock = SystemClock()
    store = open_store(world.url, clock=clock)
    tokens = {each.value: _token(store, each) for each in Role}
    tokens[FOREIGNER] = _token(store, Role.AUDITOR, OTHER)
    with ExitStack() as cleanup:
        cleanup.callback(store.close)
        server = cleanup.enter_context(ExitStack())
        url = server.enter_context(running(application(store, load_settings(world.config), clock)))
        yield Served(world, store, url, tokens, server.close)


def _token(store: Store, role: Role, engagement: str = ENGAGEMENT) -> str:
    name, of = (NAMES[engagement], engagement) if role is Role.AUDITOR else (NAMES[role], "")
    return grant(store, name, role, of, now=SystemClock().now(), lasts=timedelta(days=1), actor="Ana Alder")[1]


@contextmanager
def running(app: object) -> Iterator[str]:
    """Run *app* on a free port of loopback, and give its URL."""
    server = uvicorn.Server(uvicorn.Config(app, host="127.0.0.1", port=0, log_level="error", access_log=False))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    began = time.monotonic()
    while not server.started:
        assert thread.is_alive() and time.monotonic() - began < _PATIENCE, "the server did not start"
        time.sleep(0.01)
    yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    server.should_exit = True
    thread.join(_PATIENCE)

"""The connector keeps its promises, in a world of its own on loopback."""

import json
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from urllib.parse import parse_qs, urlsplit

import pytest

from collector.installed import connectors
from collector.model import Scope
from collector.testing import Trial, Trouble, cases

PARCELS = connectors()["parcels"]
PEOPLE, FACTORS = "GET /people", "GET /people/{id}/factors"
REFUSALS = {
    Trouble.DENIED: (403, {"code": "forbidden", "message": "the role auditor is missing"}),
    Trouble.THROTTLED: (429, {"code": "slow_down", "message": "too many requests"}),
}


class ParcelsWorld:
    """Parcels, with as many people as a test wants."""

    def __init__(self, folder):
        self.file = folder / "token"
        self.file.write_text("prc-4f1d9be07c2a4d5e")
        self.people, self.text = [], "packer"
        self.calm()
        handler = type("Handler", (Handler,), {"world": self})
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
        Thread(target=self.server.serve_forever, daemon=True).start()

    def hold(self, kind, count):
        self.people, self.text = [f"user{number}" for number in range(count)], "packer"
        return self.people

    def plant(self, kind, secret):
        self.text = secret

    def settings(self):
        url = f"http://127.0.0.1:{self.server.server_port}"
        own = {"domain": "acme.example", "token": f"file:{self.file}"}
        return own | {"addresses": {"main": url}, "attempts": 2, "requests_per_second": {"*": 1e6}}

    def scope(self, kind):
        return Scope("acme.example", "company")

    def operations(self, kind):
        return [PEOPLE, FACTORS]

    def credentials(self):
        return [self.file.read_text()]

    def trouble(self, operation, trouble, *, nth=1, times=None):
        self.troubles[operation] = (trouble, nth, (times or 10**9) + nth)

    def calm(self):
        self.troubles, self.asked = {}, {PEOPLE: 0, FACTORS: 0}

    def struck(self, operation):
        """Count a request, and return the trouble that it meets."""
        self.asked[operation] += 1
        trouble, first, end = self.troubles.get(operation, (None, 0, 0))
        return trouble if first <= self.asked[operation] < end else None

    def page(self, after):
        shown = self.people[after : after + 2]
        people = [{"id": name, "login": name, "role": self.text, "phone": "+1 555 0100"} for name in shown]
        return {"people": people, "next": str(after + 2) if after + 2 < len(self.people) else None}


class Handler(BaseHTTPRequestHandler):
    """Answers from the world's state; whoever has no token is refused."""

    def do_GET(self):
        at = urlsplit(self.path)
        if self.headers["Authorization"] != f"Bearer {self.world.file.read_text()}":
            return self.answer(401, {"code": "unauthenticated"})
        if at.path == "/me":
            return self.answer(200, {"login": "auditor"})
        operation = PEOPLE if at.path == "/people" else FACTORS
        trouble = self.world.struck(operation)
        if trouble in REFUSALS:
            return self.answer(*REFUSALS[trouble])
        after = int(parse_qs(at.query).get("after", ["0"])[0])
        body = self.world.page(after) if operation == PEOPLE else {"factors": [{"type": "totp"}]}
        return self.answer(200, body, cut=trouble is Trouble.CUT)

    def answer(self, status, body, *, cut=False):
        data = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data[: len(data) // 2] if cut else data)

    def log_message(self, *words):
        """Say nothing: pytest shows what failed."""


@pytest.fixture(scope="module")
def trial(tmp_path_factory):
    world = ParcelsWorld(tmp_path_factory.mktemp("parcels"))
    with Trial(PARCELS, world) as trial:
        yield trial
    world.server.shutdown()
    world.server.server_close()


@pytest.mark.parametrize("case", cases(PARCELS), ids=str)
def test_it_keeps_its_promise(trial, case):
    case(trial)

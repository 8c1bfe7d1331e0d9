"""What can happen between asking and a whole answer: bytes that are cut, endless, slow or elsewhere."""

from __future__ import annotations

import gzip
import threading
import time

import pytest

from collector.clock import SystemClock
from collector.connector import Reading
from collector.errors import Invalid, Truncated, Unavailable
from collector.model import Scope
from tests.http.conftest import ORG, kind
from tests.http.loopback import Loopback, Reply, zipped

LIST = 'list = { op = "GET /orgs/{org}/things", items = "@", paging = "link" }\nkey = "id"'
PATH = "GET /orgs/acme/things"
THINGS = [{"id": number} for number in range(5)]
HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"


@pytest.fixture
def elsewhere():
    """Another server, which must never be asked."""
    server = Loopback()
    yield server
    server.close()


def _raw(*parts, pause=0.0):
    def write(handler):
        for part in parts:
            handler.wfile.write(part)
            handler.wfile.flush()
            time.sleep(pause)

    return Reply(raw=write)


def test_a_compressed_answer_is_read(vendor):
    vendor.server.on(PATH, zipped(THINGS))
    assert vendor.read(LIST) == THINGS


@pytest.mark.parametrize(
    "answer",
    [
        _raw(HEAD, b"Content-Length: 1000\r\n\r\n", b'[{"id": 1},'),
        _raw(HEAD, b"Content-Length: 1000\r\n\r\n", b'[{"id": 1}]'),
        _raw(HEAD, b"Transfer-Encoding: chunked\r\n\r\n", b"b\r\n", b'[{"id": 1}]\r\n'),
        _raw(HEAD, b"Transfer-Encoding: chunked\r\n\r\n", b"ff\r\n", b'[{"id": 1}]'),
        _raw(HEAD, b"Content-Encoding: gzip\r\n\r\n", gzip.compress(b'[{"id": 1}]' * 99)[:-9]),
    ],
    ids=["length, open list", "length, closed list", "no last chunk", "cut chunk", "cut gzip"],
)
def test_an_answer_that_stops_early_is_truncated_though_it_may_look_whole(vendor, answer):
    vendor.server.on(PATH, answer)
    with pytest.raises(Truncated):
        vendor.read(LIST)


def test_an_answer_cut_once_is_asked_for_again(vendor):
    vendor.server.in_turn(PATH, _raw(HEAD, b"Content-Length: 1000\r\n\r\n", b"["), THINGS)
    assert vendor.read(LIST) == THINGS


@pytest.mark.parametrize("encoded", [False, True])
def test_an_answer_longer_than_the_limit_is_truncated_and_not_asked_for_again(vendor, encoded):
    """The limit counts decompressed bytes: 40 KB on the wire are 40 MB in memory otherwise."""
    vendor.api(limits={"response_bytes": 100_000})
    body = b"[" + b" " * (40_000_000 if encoded else 200_000) + b"]"
    answer = Reply(gzip.compress(body), headers={"Content-Encoding": "gzip"}) if encoded else Reply(body)
    vendor.server.on(PATH, answer)
    with pytest.raises(Truncated, match="longer than 100000 bytes"):
        vendor.read(LIST)
    assert len(vendor.server.asked(PATH)) == 1


@pytest.mark.parametrize("framing", [b"Content-Length: 100000\r\n\r\n", b"Transfer-Encoding: chunked\r\n\r\nffff\r\n"])
def test_an_answer_that_drips_ends_with_the_run(vendor, framing):
    """Each byte comes within the read timeout; only the run's own limit ends it."""
    vendor.set(attempts=1)
    vendor.server.on(PATH, _raw(HEAD + framing, *[b" "] * 60, pause=0.05))
    started = time.monotonic()
    with pytest.raises(Unavailable, match="longer than its limit"):
        vendor.read(LIST, limit=0.5)
    assert time.monotonic() - started < 2


def test_silence_ends_with_the_read_timeout(vendor):
    vendor.set(read_timeout_s=0.1, attempts=2)
    vendor.server.on(PATH, lambda _: vendor.server.stopping.wait(3) or [])
    with pytest.raises(Unavailable, match="no answer in time"):
        vendor.read(LIST)
    assert len(vendor.server.asked(PATH)) == 2


def test_a_connection_that_is_refused_is_unavailable(vendor):
    vendor.set(addresses={"main": "http://127.0.0.1:9"})
    with pytest.raises(Unavailable, match="connection failed"):
        vendor.read(LIST)


def test_the_run_ends_in_the_middle_of_a_wait_when_the_daemon_is_stopped(vendor):
    vendor.server.on(PATH, Reply({}, 429, {"Retry-After": "60"}))
    reading = Reading(vendor.clock, vendor.clock.monotonic() + 300)
    threading.Timer(0.3, reading.stopping.set).start()
    session = vendor.open()
    started = time.monotonic()
    with pytest.raises(Unavailable, match="stopped"):
        list(session.read(kind(LIST), ORG, reading))
    session.close()
    assert time.monotonic() - started < 5


@pytest.mark.parametrize("form", ["link", "next_url"])
def test_a_next_address_on_another_host_is_not_followed(vendor, elsewhere, form):
    target = f"{elsewhere.url}/orgs/acme/things"
    if form == "link":
        vendor.server.on(PATH, Reply(THINGS, headers={"Link": f'<{target}>; rel="next"'}))
        spec = LIST
    else:
        vendor.server.on(PATH, {"value": THINGS, "next": target})
        spec = LIST.replace('"@"', '"value"').replace('"link"', '{ style = "next_url", next = "next" }')
    with pytest.raises(Invalid, match="another host"):
        vendor.read(spec)
    assert elsewhere.heard == []


def test_a_redirect_to_another_host_is_not_followed(vendor, elsewhere):
    vendor.server.on(PATH, Reply({}, 302, {"Location": f"{elsewhere.url}/orgs/acme/things"}))
    with pytest.raises(Invalid, match="another host"):
        vendor.read(LIST)
    assert elsewhere.heard == []


def test_a_redirect_on_the_same_host_is_followed(vendor):
    vendor.server.on(PATH, Reply({}, 301, {"Location": "/orgs/renamed/things"}))
    vendor.server.on("GET /orgs/renamed/things", THINGS)
    assert vendor.read(LIST) == THINGS


def test_redirects_without_end_are_invalid(vendor):
    vendor.server.on(PATH, Reply({}, 302, {"Location": "/orgs/acme/things"}))
    with pytest.raises(Invalid, match="without end"):
        vendor.read(LIST)


def test_cookies_and_netrc_add_no_credentials(vendor, tmp_path, monkeypatch):
    (tmp_path / "netrc").write_text("machine 127.0.0.1 login ana password s3cret\n")
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    link = f'<{vendor.server.url}/orgs/acme/things?page=2>; rel="next"'
    vendor.server.in_turn(PATH, Reply(THINGS, headers={"Set-Cookie": "session=1", "Link": link}), [])
    vendor.read(LIST)
    assert len(vendor.server.heard) == 2
    assert not any({"cookie", "authorization"} & each.headers.keys() for each in vendor.server.heard)


EACH = LIST + '\neach = [{ op = "GET /things/{id}", into = "Detail" }]'


def test_details_come_in_the_order_of_the_list_however_long_each_takes(vendor):
    vendor.server.on(PATH, THINGS)

    def detail(heard):
        number = int(heard.path.rpartition("/")[2])
        time.sleep(0.05 * (5 - number))
        return {"n": number}

    for each in THINGS:
        vendor.server.on(f"GET /things/{each['id']}", detail)
    started = time.monotonic()
    assert [each["Detail"]["n"] for each in vendor.read(EACH)] == [0, 1, 2, 3, 4]
    assert time.monotonic() - started < 0.75, "one after the other"


def test_a_source_is_asked_no_faster_than_its_rate(vendor, clock):
    vendor.api(rates={"*": 2.0})
    vendor.set(detail_concurrency=1)
    vendor.server.on(PATH, THINGS)
    for each in THINGS:
        vendor.server.on(f"GET /things/{each['id']}", {"x": 1})
    before = clock.now()
    vendor.read(EACH, limit=120, clock=clock)
    # Six requests, of which a rested bucket lets four through at once.
    assert 0.9 <= (clock.now() - before).total_seconds() <= 1.1


@pytest.mark.parametrize(("shared", "waited"), [(["main"], 1.0), ([], 0.0)])
def test_the_rate_of_a_shared_host_is_one_for_all_scopes(vendor, clock, shared, waited):
    """Its vendor counts who asks, not what is read."""
    vendor.api(rates={"*": 2.0}, shared=shared)
    vendor.server.on("GET /things", THINGS)
    session, before = vendor.open(clock), clock.now()
    for name in "abcdef":
        reading = Reading(clock, clock.monotonic() + 120)
        things = kind('list = { op = "GET /things", items = "@" }\nkey = "id"')
        assert list(session.read(things, Scope(name, "org"), reading)) == THINGS
    session.close()
    assert (clock.now() - before).total_seconds() == pytest.approx(waited, abs=0.1)


def test_a_turn_after_the_end_of_the_run_is_not_waited_for(vendor):
    vendor.api(rates={"*": 0.01})
    vendor.server.on(PATH, THINGS)
    for each in THINGS:
        vendor.server.on(f"GET /things/{each['id']}", {"x": 1})
    started = SystemClock().monotonic()
    with pytest.raises(Exception, match="its turn is in"):
        vendor.read(EACH, limit=5)
    assert SystemClock().monotonic() - started < 2


@pytest.mark.parametrize("framing", ["length", "chunked", "gzip"])
def test_connections_are_used_again(vendor, framing):
    vendor.set(detail_concurrency=2)
    vendor.server.on(PATH, [{"id": number} for number in range(20)])
    answers = {
        "length": {"x": 1},
        "gzip": zipped({"x": 1}),
        "chunked": Reply(b'8\r\n{"x": 1}\r\n0\r\n\r\n', headers={"Transfer-Encoding": "chunked", "Content-Length": []}),
    }
    for number in range(20):
        vendor.server.on(f"GET /things/{number}", answers[framing])
    vendor.read(EACH)
    assert len({each.client for each in vendor.server.heard}) <= 3

"""Loops, batches, polls, windows and lint: the language of procedures, over HTTP."""

from __future__ import annotations

import time
from datetime import UTC, datetime

import pytest

from collector.connector import Reading
from collector.errors import ConfigError, Invalid, NotEnabled, Unavailable
from collector.model import Window
from tests.http.conftest import ORG, kind
from tests.http.loopback import Reply

LIST = 'list = { op = "GET /orgs/{org}/things", items = "@" }\nkey = "id"'
PATH = "GET /orgs/acme/things"


def test_a_loop_over_what_a_call_lists_reads_each(vendor):
    vendor.server.on("GET /orgs/acme/repos", [{"name": "a"}, {"name": "b/c"}])
    for place in ("a", "b%2Fc"):
        vendor.server.on(f"GET /repos/{place}/pulls", [{"id": f"{place}-1"}])
    found = vendor.read(
        'for = [{ var = "repo", call = { op = "GET /orgs/{org}/repos", items = "[].name" } }]\n'
        'list = { op = "GET /repos/{repo}/pulls", items = "@", set = { repo = "{repo}" } }\nkey = "id"'
    )
    assert found == [{"id": "a-1", "repo": "a"}, {"id": "b%2Fc-1", "repo": "b/c"}]


def test_a_loop_that_lists_nothing_may_mean_not_enabled(vendor):
    vendor.server.on("GET /orgs/acme/repos", [])
    with pytest.raises(NotEnabled):
        vendor.read(
            'for = [{ var = "repo", empty = "not_enabled", call = { op = "GET /orgs/{org}/repos", items = "@" } }]\n'
            'list = { op = "GET /repos/{repo}/pulls", items = "@" }\nkey = "id"'
        )


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_a_batch_asks_for_many_and_finds_each(vendor, method):
    vendor.api(reads=["POST /details"])
    vendor.server.on(PATH, [{"id": "a"}, {"id": "b"}, {"id": "c"}])
    vendor.server.on("GET /details", [{"of": "b", "x": 2}, {"of": "a", "x": 1}])
    vendor.server.on("POST /details", lambda heard: [{"of": each, "x": 1} for each in heard.body["filter"]["ids"]])
    ids = "ids" if method == "GET" else "filter.ids"
    found = vendor.read(
        f'{LIST}\nbatch = [{{ op = "{method} /details", items = "@", ids = "{ids}", id = "id", match = "of", '
        'into = "Detail", optional = true }]'
    )
    assert [bool(each["Detail"]) for each in found] == [True, True, method == "POST"]


def test_a_poll_waits_until_it_is_done(vendor, clock):
    vendor.api(reads=["POST /reports"])
    vendor.server.in_turn("POST /reports", {"state": "busy"}, {"state": "busy"}, {"state": "done"})
    vendor.server.on(PATH, [{"id": 1}])
    found = vendor.read(
        LIST + '\npoll = { call = { op = "POST /reports" }, until = "state == \'done\'", every_s = 10 }',
        limit=120,
        clock=clock,
    )
    assert found == [{"id": 1}]


def test_a_poll_without_end_is_unavailable(vendor, clock):
    vendor.api(reads=["POST /reports"])
    vendor.server.on("POST /reports", {"state": "busy"})
    with pytest.raises(Unavailable, match="not done"):
        vendor.read(
            LIST + '\npoll = { call = { op = "POST /reports" }, until = "state == \'done\'", limit_s = 20 }',
            limit=120,
            clock=clock,
        )


def test_an_event_kind_asks_for_its_window(vendor):
    vendor.server.on("GET /log", [])
    spec = (
        'since = { field = "at", form = "iso" }\nkey = "id"\n'
        'list = { op = "GET /log?since={since}", items = "@", params = { until = "{until}" } }'
    )
    window = Window(datetime(2026, 3, 1, tzinfo=UTC), datetime(2026, 3, 2, 1, 2, 3, tzinfo=UTC))
    reading = Reading(vendor.clock, vendor.clock.monotonic() + 20, window=window)
    session = vendor.open()
    assert list(session.read(kind(spec), ORG, reading)) == []
    session.close()
    assert vendor.server.heard[0].query == {"since": "2026-03-01T00:00:00Z", "until": "2026-03-02T01:02:03Z"}


def test_a_log_that_takes_no_window_is_read_from_its_newest_end_until_it_is_older(vendor):
    vendor.server.on("GET /log", lambda heard: LOG_PAGES[int(heard.query.get("page", 1)) - 1])
    spec = (
        'since = { field = "at", form = "iso" }\nkey = "id"\n'
        "list = { op = \"GET /log\", items = \"log[?at >= '{since}' && at < '{until}']\", paging = "
        '{ style = "token", next = "next", param = "page", more = "log[-1].at >= \'{since}\'" } }'
    )
    window = Window(datetime(2026, 3, 2, tzinfo=UTC), datetime(2026, 3, 5, tzinfo=UTC))
    session = vendor.open()
    found = list(session.read(kind(spec), ORG, Reading(vendor.clock, vendor.clock.monotonic() + 20, window=window)))
    session.close()
    assert [each["id"] for each in found] == [4, 3, 2]
    assert len(vendor.server.heard) == 3


LOG_PAGES = [
    {"log": [{"id": n, "at": f"2026-03-{n:02}T00:00:00Z"} for n in (newest, newest - 1)], "next": page}
    for page, newest in ((2, 6), (3, 4), (4, 2))
]


def test_the_lists_of_one_place_are_read_in_the_order_written(vendor):
    """What moves from the first list to the second while both are read is then seen by the second."""
    done = []

    def answer(heard):
        time.sleep(0.05)
        done.append(heard.path)
        return [{"id": f"{heard.path} after {len([path for path in done if path[:2] == heard.path[:2]])}"}]

    for path in ("/a/first", "/a/second", "/b/first", "/b/second"):
        vendor.server.on(f"GET {path}", answer)
    spec = (
        'for = [{ var = "place", values = ["a", "b"] }]\nkey = "id"\n'
        'list = [{ op = "GET /{place}/first", items = "@" }, { op = "GET /{place}/second", items = "@" }]'
    )
    found = [each["id"] for each in vendor.read(spec)]
    assert found == ["/a/first after 1", "/a/second after 2", "/b/first after 1", "/b/second after 2"]


def test_null_in_a_list_of_graphql_is_something_that_is_not_shown(vendor):
    spec = 'key = "id"\nlist = { op = "GRAPHQL a", items = "things[*].{id: id}", query = "{ things { id } }" }'
    vendor.api(graphql="POST /graphql")
    vendor.server.on("POST /graphql", {"data": {"things": [{"id": 1, "parts": [{"n": 1}, None]}]}})
    with pytest.raises(Invalid, match="null in a list"):
        vendor.read(spec)


def test_a_report_in_csv_is_read_row_by_row(vendor):
    vendor.server.on("GET /report", Reply(b"id,name\n1,ana\n2,bo\n", headers={"Content-Type": "text/csv"}))
    found = vendor.read('list = { op = "GET /report", items = "@", decode = "csv" }\nkey = "id"')
    assert found == [{"id": "1", "name": "ana"}, {"id": "2", "name": "bo"}]


def test_a_bound_value_fills_its_placeholder_or_becomes_a_parameter(vendor):
    vendor.server.on(PATH, [{"id": 1, "link": "groups/7"}])
    vendor.server.on("GET /groups/7/members", {"n": 3})
    found = vendor.read(
        LIST + '\neach = [{ op = "GET /{+group}/members", bind = { group = "link", of = "id" }, into = "M" }]'
    )
    assert found[0]["M"] == {"n": 3}
    assert vendor.server.heard[1].query == {"of": "1"}


def test_a_detail_without_the_value_it_needs_is_not_asked(vendor):
    vendor.server.on(PATH, [{"id": 1, "owner": None}])
    with pytest.raises(Invalid, match=r"no value for \{owner.login\}"):
        vendor.read(LIST + '\neach = [{ op = "GET /users/{owner.login}", into = "Owner" }]')
    assert len(vendor.server.heard) == 1


def test_headers_of_a_call_go_over_the_connectors_own(vendor):
    vendor.api(headers={"Accept": "application/json", "X-Version": "1"})
    vendor.server.on(PATH, [])
    vendor.read('list = { op = "GET /orgs/{org}/things", items = "@", headers = { "x-version" = "2" } }\nkey = "id"')
    assert vendor.server.heard[0].headers["x-version"] == "2"


def test_a_sample_reads_one_page_and_says_that_there_is_more(vendor):
    link = f'<{vendor.server.url}/orgs/acme/things?page=2>; rel="next"'
    vendor.server.on(PATH, Reply([{"id": 1}, {"id": 2}], headers={"Link": link}))
    spec = LIST.replace('items = "@"', 'items = "@", paging = "link"')
    assert vendor.read(spec, sample=True) == [{"id": 1}]
    assert not vendor.calls()["GET /orgs/{org}/things"].drained


# Lint

SOUND = 'key = "id"\nlist = { op = "GET /orgs/{org}/things", items = "@" }\n'


@pytest.mark.parametrize(
    ("spec", "said"),
    [
        ('key = "id"\nlist = "GET /orgs/{org}/things"', "Declare `items`"),
        ('key = "id"\nlist = { op = "DELETE /things", items = "@" }', "is no operation"),
        ('key = "id"\nlist = { op = "POST /things", items = "@" }', "is not a read"),
        ('key = "id"\nlist = { op = "other:GET /things", items = "@" }', "no host 'other'"),
        ('key = "id"\nlist = { op = "GET /things", items = "a[" }', "not a JMESPath expression"),
        ('key = "id"\nlist = { op = "GET /things/{repo}", items = "@" }', "nothing gives a value to {repo}"),
        ('key = "id"\nlist = { op = "GET /things", items = "@", paging = "token" }', "needs `next`, `param`"),
        (SOUND.replace('"@"', '"@", paging = { style = "page", param = "p", last = "short" }'), "needs `size`"),
        ('key = "id"\nlist = { op = "GRAPHQL a", items = "@" }', "has a `query`"),
        ('key = "id"\nlist = { op = "GRAPHQL a", items = "@", query = "mutation { a }" }', "not a query"),
        ('key = "id"\nlist = { op = "GRAPHQL a", items = "@", query = "{ a }\\nmutation b { c }" }', "not a query"),
        ('list = { op = "GET /things", items = "@" }', "need a key"),
        (SOUND + 'scope = "region"', "no level"),
        (SOUND + "grants = []", "name the permissions"),
        (SOUND + 'each = [{ op = "GET /other", into = "X" }]', "does not depend on the item"),
        (SOUND + 'each = [{ op = "GET /other/{id}", absent = [404] }]', "need `into`"),
        (SOUND + 'each = [{ op = "GET /other/{id}", into = "X", paging = "link" }]', "declare its `items`"),
        (SOUND + 'each = [{ op = "GET /other/{id}", into = "X", at = "region" }]', "no meaning"),
        (SOUND + 'since = { field = "at", form = "iso" }', "no call passes {since}"),
        (SOUND + 'since = { field = "at" }', "JSON has no times"),
        (SOUND.replace('"@"', "\"[?at > '{since}']\""), "nothing gives a value to {since}"),
    ],
)
def test_lint_finds_what_is_wrong(vendor, spec, said):
    vendor.api(graphql="POST /graphql")
    problems = vendor.connect().lint(kind(spec))
    assert any(said in each.message for each in problems), problems


@pytest.mark.parametrize(
    "spec",
    [
        SOUND,
        SOUND + 'each = [{ op = "GET /other/{id}", absent = [404], into = "X" }]',
        'key = "id"\nlist = { op = "GRAPHQL a", items = "@", query = "# mutation\\nquery { a }" }',
        'for = [{ var = "r", values = ["x"] }]\nkey = "id"\nlist = { op = "GET /{r}/things", items = "@" }',
    ],
)
def test_lint_finds_nothing_wrong_with_a_sound_kind(vendor, spec):
    vendor.api(graphql="POST /graphql")
    assert vendor.connect().lint(kind(spec)) == []


def test_what_is_no_read_is_never_asked(vendor):
    with pytest.raises(ConfigError, match="not a read"):
        vendor.read('key = "id"\nlist = { op = "POST /things", items = "@" }')
    assert vendor.server.heard == []


def test_explain_shows_host_paging_items_and_grants(vendor):
    spec = SOUND.replace('"@"', '"@", paging = { style = "page", param = "p", last = "empty" }, grants = ["a:read"]')
    explained = vendor.connect().explain(kind(spec))
    call = explained["calls"][0]
    assert (call["op"], call["host"]) == ("GET /orgs/{org}/things", "https://vendor.invalid")
    assert (call["paging"], call["items"], call["grants"]) == ("page: param p, last empty", "@", ["a:read"])
    assert explained["grants"] == ["a:read", "things:read"]

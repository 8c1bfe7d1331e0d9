"""Every way in which a source refuses, and the reason it is recorded with."""

from __future__ import annotations

from datetime import timedelta
from email.utils import format_datetime

import pytest

from collector.errors import Denied, Invalid, Misconfigured, NotEnabled, Throttled, Truncated, Unavailable
from tests.http.loopback import Reply

LIST = 'list = { op = "GET /orgs/{org}/things", items = "@" }\nkey = "id"'
PATH = "GET /orgs/acme/things"
EACH = LIST + '\neach = [{ op = "GET /things/{id}", into = "Detail", %s }]'


def _refused(status, code="", message="", **headers):
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return Reply({"error": {"status": code, "message": message}}, status, named)


@pytest.mark.parametrize(
    ("refusal", "reason"),
    [
        (_refused(403, "PERMISSION_DENIED", "no"), Denied),
        (_refused(401, "UNAUTHENTICATED", "who?"), Denied),
        (_refused(404, "NOT_FOUND", "where?"), Invalid),
        (_refused(400, "BAD", "what?"), Invalid),
        (_refused(429, "SLOW", "wait"), Throttled),
        (_refused(403, "", "You have exceeded a secondary limit"), Throttled),
        (_refused(403, "", "wait", retry_after="0"), Throttled),
        (_refused(403, "", "no more", x_left="0"), Throttled),
        (_refused(500, "OOPS", "oops"), Unavailable),
        (_refused(503, "", ""), Unavailable),
        (_refused(202, "", "still making it"), Unavailable),
        (_refused(206, "", ""), Truncated),
        (_refused(403, "SERVICE_DISABLED", "switch it on"), NotEnabled),
        (_refused(400, "BAD_KEY", "no such key"), Misconfigured),
        (_refused(204), Invalid),
        (Reply(b"<html>Sign in</html>", 200, {"Content-Type": "text/html"}), Invalid),
        (Reply(b'{"a": 1, "a": 2}'), Invalid),
        (Reply(b"[NaN]"), Invalid),
        (Reply(b'[{"id": 1}'), Invalid),
        (Reply(b""), Invalid),
        (Reply(b"[" * 100_000), Invalid),
        (Reply(b"[]", headers={"Content-Encoding": "br"}), Invalid),
        (Reply("caf\u00e9".encode("latin-1"), headers={"Content-Type": "application/json; charset=x-none"}), Invalid),
        (Reply({"not": "a list"}), Invalid),
    ],
)
def test_a_refusal_fails_the_reading_with_its_reason(vendor, refusal, reason):
    vendor.api(
        errors={
            "not_enabled": ["SERVICE_DISABLED"],
            "misconfigured": ["BAD_KEY"],
            "throttled_messages": ["secondary limit"],
        },
        rate={"remaining": "X-Left", "reset": "X-Reset"},
    )
    vendor.set(attempts=1)
    vendor.server.on(PATH, refusal)
    with pytest.raises(reason) as caught:
        vendor.read(LIST)
    assert "GET /orgs/{org}/things" in caught.value.message
    assert "acme" not in caught.value.message


def test_a_refusal_names_the_missing_grant_and_who_needs_it(vendor):
    vendor.server.on(PATH, _refused(403, "PERMISSION_DENIED", "no"))
    with pytest.raises(Denied) as caught:
        vendor.read(LIST)
    assert caught.value.hint() == "Grant things:read to reader@acme."


def test_the_words_of_a_refusal_hold_no_secret(vendor):
    token = "ghp_" + "aB3dE6gH9" * 4
    vendor.server.on(PATH, _refused(400, "BAD", f"token {token} is not good"))
    with pytest.raises(Invalid) as caught:
        vendor.read(LIST)
    assert token not in caught.value.message


@pytest.mark.parametrize("declared", ["404", '"NOT_FOUND"'])
def test_a_declared_absence_is_null(vendor, declared):
    vendor.server.on(PATH, [{"id": 1}])
    vendor.server.on("GET /things/1", _refused(404, "NOT_FOUND"))
    assert vendor.read(EACH % f"absent = [{declared}]") == [{"id": 1, "Detail": None}]


def test_an_item_that_is_gone_when_asked_twice_is_left_out(vendor):
    vendor.server.on(PATH, [{"id": 1}, {"id": 2}])
    vendor.server.on("GET /things/1", _refused(410))
    vendor.server.on("GET /things/2", {"x": 1})
    assert vendor.read(EACH % "gone = [410]") == [{"id": 2, "Detail": {"x": 1}}]
    assert len(vendor.server.asked("GET /things/1")) == 2


def test_a_declared_word_says_that_a_service_is_off(vendor):
    vendor.server.on(PATH, [{"id": 1}])
    vendor.server.on("GET /things/1", _refused(403, "FEATURE_OFF"))
    with pytest.raises(NotEnabled):
        vendor.read(EACH % 'not_enabled = ["FEATURE_OFF"]')


def test_a_denied_detail_fails_the_reading(vendor):
    """An item whose detail was refused is unknown, not absent."""
    vendor.server.on(PATH, [{"id": 1}, {"id": 2}])
    vendor.server.on("GET /things/1", {"x": 1})
    vendor.server.on("GET /things/2", _refused(403))
    with pytest.raises(Denied):
        vendor.read(EACH % "absent = [404]")


def test_a_limit_is_never_taken_for_a_declared_absence(vendor):
    vendor.server.on(PATH, [{"id": 1}])
    vendor.server.on("GET /things/1", _refused(403, retry_after="0"))
    with pytest.raises(Throttled):
        vendor.read(EACH % "absent = [403]")


def test_an_answer_without_content_is_an_empty_object_of_a_detail(vendor):
    vendor.server.on(PATH, [{"id": 1}])
    vendor.server.on("GET /things/1", Reply(status=204))
    assert vendor.read(EACH % "set = { on = true }") == [{"id": 1, "Detail": {"on": True}}]


def test_what_failed_for_a_moment_is_asked_again(vendor):
    vendor.server.in_turn(PATH, _refused(503), _refused(429), [{"id": 1}])
    assert vendor.read(LIST) == [{"id": 1}]
    calls = vendor.calls()["GET /orgs/{org}/things"]
    assert (calls.calls, calls.retries, calls.pages) == (1, 2, 1)


def test_a_storm_of_failures_is_bounded_by_the_attempts(vendor):
    vendor.server.on(PATH, _refused(500))
    with pytest.raises(Unavailable):
        vendor.read(LIST)
    assert len(vendor.server.asked(PATH)) == 3


@pytest.mark.parametrize("form", ["seconds", "date"])
def test_a_retry_waits_as_long_as_the_source_asks(vendor, clock, form):
    later = "30" if form == "seconds" else format_datetime(clock.now() + timedelta(seconds=30), usegmt=True)
    vendor.server.in_turn(PATH, _refused(429, retry_after=later), [{"id": 1}])
    before = clock.now()
    assert vendor.read(LIST, limit=120, clock=clock) == [{"id": 1}]
    assert timedelta(seconds=30) <= clock.now() - before < timedelta(seconds=33)


@pytest.mark.parametrize("form", ["epoch_s", "epoch_ms", "seconds"])
def test_nothing_is_asked_before_a_used_up_quota_is_reset(vendor, clock, form):
    vendor.api(rate={"remaining": "X-Left", "reset": "X-Reset", "form": form})
    reset = (clock.now() + timedelta(seconds=20)).timestamp()
    written = {"epoch_s": int(reset), "epoch_ms": int(reset * 1000), "seconds": 20}[form]
    vendor.server.on(PATH, Reply([{"id": 1}], headers={"X-Left": "0", "X-Reset": str(written)}))
    vendor.server.on("GET /things/1", {"x": 1})
    before = clock.now()
    vendor.read(EACH % "absent = [404]", limit=120, clock=clock)
    assert clock.now() - before >= timedelta(seconds=20)


def test_a_wait_beyond_the_end_of_the_run_is_not_begun(vendor, clock):
    vendor.server.on(PATH, _refused(429, retry_after="3600"))
    before = clock.now()
    with pytest.raises(Throttled):
        vendor.read(LIST, limit=60, clock=clock)
    assert clock.now() - before < timedelta(seconds=5)


def test_errors_of_graphql_fail_though_there_is_data(vendor):
    vendor.api(graphql="POST /graphql", errors={"denied": ["FORBIDDEN"]})
    vendor.server.on("POST /graphql", {"data": {"a": []}, "errors": [{"type": "FORBIDDEN", "message": "not this one"}]})
    with pytest.raises(Denied, match="not this one"):
        vendor.read('list = { op = "GRAPHQL a", query = "{ a { id } }", items = "a", paging = "none" }\nkey = "id"')


def test_a_limit_of_graphql_is_retried(vendor):
    vendor.api(graphql="POST /graphql", errors={"throttled": ["RATE_LIMITED"]})
    vendor.server.in_turn(
        "POST /graphql", {"errors": [{"type": "RATE_LIMITED", "message": "wait"}]}, {"data": {"a": [{"id": 1}]}}
    )
    spec = 'list = { op = "GRAPHQL a", query = "{ a { id } }", items = "a", paging = "none" }\nkey = "id"'
    assert vendor.read(spec) == [{"id": 1}]


def test_a_good_status_that_says_failed_is_a_refusal(vendor):
    vendor.api(errors={"failed": "!ok", "codes": ["error"], "denied": ["missing_scope"]})
    vendor.server.on(PATH, {"ok": False, "error": "missing_scope"})
    with pytest.raises(Denied, match="missing_scope"):
        vendor.read(LIST)


def test_the_ledger_has_the_request_id_and_the_date_of_the_source(vendor):
    vendor.api(request_id=["X-Trace", "X-Request-Id"])
    vendor.server.on(PATH, Reply([], headers={"X-Request-Id": "r-1"}))
    vendor.read(LIST)
    calls = vendor.calls()["GET /orgs/{org}/things"]
    assert calls.first_request_id == "r-1"
    assert abs(calls.first_date - vendor.clock.now()) < timedelta(seconds=5)

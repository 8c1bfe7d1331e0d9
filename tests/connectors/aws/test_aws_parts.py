"""The pure parts: settings, times, reports, parameters, order under concurrency."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta, timezone

import pytest
from botocore.utils import parse_timestamp
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from collector.procedures.decode import decode
from collector.procedures.inorder import in_order
from collector.procedures.values import fill, place
from connectors.aws.settings import AwsSettings
from connectors.aws.times import fast_timestamp

EARLIEST, LATEST = (datetime(year, 1, 2, tzinfo=UTC).replace(tzinfo=None) for year in (1970, 2200))


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"account": "12345"}, "account"),
        ({"regions": []}, "name a region"),
        ({"regions": ["Frankfurt"]}, "not the name of a region: 'Frankfurt'"),
        ({"regions": ["eu-west-1", "eu-west-1"]}, "named twice"),
        ({"regions": "all"}, "enabled"),
        ({"role_arn": "arn:r", "external_id": "literal-secret"}, "given by reference"),
        ({"external_id": "env:ID"}, "no use without role_arn"),
        ({"requests_per_second": {"iam": 0}}, "above 0"),
        ({"attempts": 0}, "attempts"),
        ({"colour": "blue"}, "colour"),
    ],
)
def test_wrong_settings_are_refused(settings, said):
    with pytest.raises(ValidationError, match=said):
        AwsSettings(**settings)


@pytest.mark.parametrize("region", ["us-east-1", "us-gov-west-1", "cn-northwest-1", "us-isob-east-1", "ap-southeast-7"])
def test_regions_of_every_partition_are_regions(region):
    assert AwsSettings(regions=[region]).regions == [region]


@pytest.mark.parametrize(
    "text",
    [
        "2026-03-14T03:00:00Z",
        "2026-03-14T03:00:00.123Z",
        "2026-03-14T03:00:00+02:00",
        "2026-03-14T03:00:00",
        "2026-03-14",
        "20260314T030000Z",
        "Sat, 14 Mar 2026 03:00:00 GMT",
        "1773457200",
        "1773457200.5",
        1773457200,
        1773457200.123,
        0,
    ],
)
def test_a_time_is_what_botocore_makes_of_it_but_in_utc(text):
    at = fast_timestamp(text)
    expected = parse_timestamp(text)
    assert at == (expected if expected.tzinfo else expected.replace(tzinfo=UTC))
    assert at.tzinfo is UTC


@given(st.datetimes(EARLIEST, LATEST), st.integers(-12 * 60, 14 * 60))
def test_any_iso_time_is_the_same_instant_as_botocores(at, minutes):
    text = at.replace(tzinfo=timezone(timedelta(minutes=minutes))).isoformat()
    assert fast_timestamp(text) == parse_timestamp(text)


def test_what_is_no_time_is_refused():
    with pytest.raises(ValueError, match="timestamp"):
        fast_timestamp("yesterday")


def test_a_report_with_quoted_lines_keeps_them():
    assert decode(b'a,b\r\n"1\n2",3\r\n', "csv") == [{"a": "1\n2", "b": "3"}]
    assert decode(b"a,b\n", "csv") == []
    assert decode(b'[{"a": 1}]', "json") == [{"a": 1}]


@pytest.mark.parametrize(
    ("content", "form"),
    [
        (b"", "csv"),
        (None, "csv"),
        (b"a,a\n1,2", "csv"),
        (b"a,b\n1", "csv"),
        (b'{"a": 1}', "json"),
        (b"\xff\xfe", "csv"),
    ],
)
def test_a_report_of_another_form_is_refused(content, form):
    with pytest.raises(ValueError):
        decode(content, form)


def test_a_lone_placeholder_keeps_the_type_of_its_value():
    at = datetime(2026, 1, 1, tzinfo=UTC)
    values = {"since": at, "n": 5, "name": "{n}"}
    assert fill({"a": "{since}", "b": ["{n}", "x-{n}"], "c": "{other}", "d": 1}, values) == {
        "a": at,
        "b": [5, "x-5"],
        "c": "{other}",
        "d": 1,
    }
    # What a value looks like is not filled in again.
    assert fill("{name}/{n}", values) == "{n}/5"


def test_ids_are_placed_inside_structures():
    params = {"Filters": [{"Name": "group-id"}]}
    place(params, "Filters[0].Values", ["a"])
    place(params, "Deep.Inside", ["b"])
    assert params == {"Filters": [{"Name": "group-id", "Values": ["a"]}], "Deep": {"Inside": ["b"]}}


@pytest.fixture
def pool():
    with ThreadPoolExecutor(4) as pool:
        yield pool


def test_results_come_in_the_order_asked_for_whoever_is_first(pool):
    second_done = threading.Event()

    def work(n):
        if n == 0:
            second_done.wait(10)
        if n == 1:
            second_done.set()
        return n

    assert list(in_order(pool, work, range(20), 8)) == list(range(20))


def test_no_more_is_taken_than_fits_the_window(pool):
    taken = []
    results = in_order(pool, lambda n: n, (taken.append(n) or n for n in range(100)), 5)
    next(results)
    assert len(taken) == 5
    results.close()


def test_the_first_failure_is_raised_in_its_place_and_nothing_goes_on_after_it(pool):
    started, running = [], threading.Semaphore(0)

    def work(n):
        started.append(n)
        if n == 3:
            raise ValueError("three")
        running.release()
        return n

    results = in_order(pool, work, range(1000), 6)
    assert [next(results) for _ in range(3)] == [0, 1, 2]
    with pytest.raises(ValueError, match="three"):
        next(results)
    known = len(started)
    assert known < 20
    assert list(in_order(pool, lambda n: n, range(3), 2)) == [0, 1, 2]
    assert len(started) == known


def test_a_failure_of_the_listing_comes_after_what_it_gave(pool):
    def listing():
        yield 1
        yield 2
        raise ValueError("page three")

    results = in_order(pool, lambda n: n, listing(), 2)
    assert next(results) == 1
    with pytest.raises(ValueError, match="page three"):
        list(results)

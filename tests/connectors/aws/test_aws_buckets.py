"""Token buckets, under a clock that the test plays."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collector.procedures.buckets import BURST_S, Bucket, Buckets
from connectors.aws.data import table
from tests.fakes.aws import trouble


def test_a_rested_bucket_lets_a_burst_pass_and_then_its_rate():
    bucket = Bucket(rate=10, now=0.0)
    waits = [bucket.take(0.0) for _ in range(25)]
    assert waits[:20] == [0.0] * 20
    assert waits[20:] == pytest.approx([0.1, 0.2, 0.3, 0.4, 0.5])


def test_a_bucket_refills_with_time_and_no_further_than_a_burst():
    bucket = Bucket(rate=10, now=0.0)
    for _ in range(20):
        bucket.take(0.0)
    assert bucket.take(0.1) == 0.0
    assert [bucket.take(3600.0) for _ in range(21)][-2:] == pytest.approx([0.0, 0.1])


def test_a_slow_bucket_still_lets_the_first_pass_at_once():
    bucket = Bucket(rate=0.1, now=0.0)
    assert (bucket.take(0.0), bucket.take(0.0)) == (0.0, pytest.approx(10.0))


def test_a_throttled_bucket_is_quiet_for_a_second():
    bucket = Bucket(rate=5, now=0.0)
    bucket.throttled(0.0)
    assert bucket.take(0.0) == pytest.approx(1.2)


def test_a_clock_read_by_a_slower_thread_does_not_empty_the_bucket():
    bucket = Bucket(rate=1, now=100.0)
    assert bucket.take(99.0) == 0.0


@given(
    rate=st.floats(0.5, 200),
    gaps=st.lists(st.floats(0, 3), min_size=1, max_size=200),
)
def test_never_more_pass_than_the_rate_and_one_burst(rate, gaps):
    bucket, now, passed = Bucket(rate, 0.0), 0.0, []
    for gap in gaps:
        now += gap
        passed.append(now + bucket.take(now))
    most = max(1.0, rate * BURST_S)
    for start in passed[:20]:
        within = [at for at in passed if start <= at <= start + 5]
        assert len(within) <= most + rate * 5 + 1 + 1e-6


def test_sessions_of_one_source_share_a_bucket_and_other_regions_and_services_have_their_own():
    buckets = Buckets({"*": 10, "iam": 4})
    one = buckets.of("aws:prod", "us-east-1", "kms", {}, 0.0)
    assert buckets.of("aws:prod", "us-east-1", "kms", {}, 5.0) is one
    others = [
        buckets.of("aws:prod", "eu-west-1", "kms", {}, 0.0),
        buckets.of("aws:prod", "us-east-1", "iam", {}, 0.0),
        buckets.of("aws:test", "us-east-1", "kms", {}, 0.0),
    ]
    assert one not in others


@pytest.mark.parametrize(
    ("rates", "expected"), [({}, 4), ({"*": 100}, 100), ({"iam": 2, "*": 100}, 2), ({"kms": 2}, 4)]
)
def test_settings_come_before_our_defaults_and_a_service_before_the_star(rates, expected):
    assert Buckets({"*": 10, "iam": 4}).of("s", "r", "iam", rates, 0.0).rate == expected


def test_our_defaults_have_a_rate_for_any_service():
    assert table("rates")["*"] > 0
    assert all(rate > 0 for rate in table("rates").values())


def test_a_reading_waits_for_its_turn(aws, reader):
    aws.play("kms", "ListKeys", [{"KeyId": f"key-{n}"} for n in range(30)])
    aws.play("kms", "DescribeKey", lambda ask: {"KeyMetadata": {"KeyId": ask.params["KeyId"], "KeyManager": "AWS"}})
    reader.read("aws.kms.keys", requests_per_second={"kms": 5}, detail_concurrency=1)
    # 31 requests at 5 a second, the first 10 of them saved up.
    assert reader.clock.monotonic() == pytest.approx((31 - 10) / 5, abs=0.3)


def test_after_being_throttled_a_source_waits_before_it_asks_again(aws, reader):
    aws.play("iam", "GetAccountSummary", {"SummaryMap": {}})
    aws.trouble("iam", "GetAccountSummary", trouble.throttle(), times=1)
    with pytest.raises(Exception, match="throttled"):
        reader.read("aws.iam.account_summary", requests_per_second={"iam": 5})
    before = reader.clock.monotonic()
    reader.read("aws.iam.account_summary")
    assert reader.clock.monotonic() - before == pytest.approx(1.2, abs=0.05)

"""A token counts when it is granted, over this note, to this request, and under the root that is known."""

from __future__ import annotations

import shutil
import subprocess
import time
from datetime import UTC, datetime, timedelta

import pytest

from collector.errors import ConfigError, DeliveryError
from collector.timestamps import Authority
from collector.tokens import read_roots, read_token, stamped_at, token_trouble
from tests.fakes.authority import TimeStampAuthority
from tests.fakes.clock import PlayedClock

NOTE = b"evidenced/x\n1\n"


@pytest.fixture
def saved(tmp_path, stamper):
    """A token over NOTE, in files."""
    (tmp_path / "note").write_bytes(NOTE)
    (tmp_path / "token").write_bytes(stamper.stamp(NOTE))
    return tmp_path


def test_a_token_is_verified_by_openssl(saved, tsa):
    command = ["openssl", "ts", "-verify", "-in", "token", "-data", "note", "-CAfile", str(tsa.root)]
    done = subprocess.run(command, cwd=saved, capture_output=True, text=True, check=False)
    assert "Verification: OK" in done.stdout + done.stderr


def test_a_token_carries_the_authoritys_time(saved):
    at = stamped_at((saved / "token").read_bytes())
    assert abs(datetime.now(UTC) - at) < timedelta(minutes=5)


def test_an_authority_without_a_known_root_is_taken_at_its_word(tsa):
    assert stamped_at(Authority("paper", tsa.url).stamp(NOTE))


def test_a_token_over_something_else_is_refused(tsa, stamper):
    tsa.instead = stamper.stamp(b"another note\n")
    with pytest.raises(DeliveryError, match=r"the authority paper: .*it is over something else"):
        stamper.stamp(NOTE)


def test_a_token_for_another_request_is_refused(tsa, stamper):
    tsa.instead = stamper.stamp(NOTE)
    with pytest.raises(DeliveryError, match="answers another request"):
        stamper.stamp(NOTE)


def test_a_token_under_another_root_is_refused(tsa, tmp_path):
    other = TimeStampAuthority(tmp_path, "Other Time")
    with pytest.raises(DeliveryError, match="is not signed under"):
        Authority("paper", tsa.url, other.root).stamp(NOTE)


@pytest.mark.parametrize("hours", [-1, 1])
def test_a_token_of_another_time_than_ours_is_refused_for_one_of_the_clocks_is_wrong(tsa, hours):
    ours = PlayedClock(datetime.now(UTC) + timedelta(hours=hours))
    with pytest.raises(DeliveryError, match="a clock is wrong, its or ours") as caught:
        Authority("paper", tsa.url, tsa.root, ours).stamp(NOTE)
    assert "NTP" in caught.value.hint()


def test_a_token_counts_after_its_certificate_expired_by_both_readers(tmp_path, made_authority):
    folder = shutil.copytree(made_authority.folder, tmp_path / "brief")
    brief = TimeStampAuthority(folder, untidy=made_authority.untidy)
    brief.certify(datetime.now(UTC) - timedelta(days=1), datetime.now(UTC) + timedelta(seconds=2))
    token, roots = read_token(brief.stamp(NOTE)), [read_roots(brief.root, "here")]
    assert (token.response is None) == made_authority.untidy
    time.sleep(2.5)
    assert token_trouble(token, NOTE, roots) == ""
    late = read_token(brief.stamp(NOTE))
    assert "is not signed under" in token_trouble(late, NOTE, roots)


@pytest.mark.parametrize("answer", [b"", b"<html>", b"\x30\x03\x02\x01\x02", b"\x30\x80" * 50], ids=repr)
def test_what_is_no_token_is_refused(tsa, answer):
    tsa.instead = answer
    for roots in (None, tsa.root):
        with pytest.raises(DeliveryError, match="the authority paper"):
            Authority("paper", tsa.url, roots).stamp(NOTE)


def test_a_request_that_the_authority_rejects_is_told_with_its_words(tsa, stamper):
    bad = tsa.reply(b"not a query")
    tsa.instead = bad
    with pytest.raises(DeliveryError, match="the authority paper"):
        stamper.stamp(NOTE)


def test_an_authority_that_is_down_is_named(tsa, stamper):
    tsa.down()
    with pytest.raises(DeliveryError, match="does not answer"):
        stamper.stamp(NOTE)


def test_roots_that_are_none_are_the_operators_to_correct(tsa, tmp_path):
    (tmp_path / "roots.pem").write_text("none")
    with pytest.raises(ConfigError, match=r"roots\.pem"):
        Authority("paper", tsa.url, tmp_path / "roots.pem").stamp(NOTE)

"""Time stamps in a verification: each token against its note, its authority's root and the times around it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collector.tokens import CLOCKS_APART, read_roots
from collector.verify import Stamped, Trust, Verdict
from collector.verify.tokens import UNKNOWN, Proven, Times
from tests.fakes.authority import TimeStampAuthority

NOON = datetime(2026, 3, 14, 12, tzinfo=UTC)
MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)


@pytest.fixture
def site(site_at, tmp_path, store_url):
    """A site on each engine in turn with one checkpoint that is not stamped yet; its authority goes by its clock."""
    return _begun(site_at(tmp_path, store_url))


@pytest.fixture
def small(site_at, tmp_path, sqlite_url):
    """The same on SQLite alone: for what does not depend on the engine."""
    site = _begun(site_at(tmp_path, sqlite_url))
    yield site
    site.close()


def _begun(site):
    site.see(site.users, {"ann": {"v": 1}})
    site.checkpointer.create_key("Ana")
    site.take()
    site.roots = read_roots(site.authority.root, "here")
    site.trust = Trust({"paper": site.roots})
    return site


@pytest.fixture(scope="session")
def stranger(tmp_path_factory):
    """An authority that nobody here knows."""
    return TimeStampAuthority(tmp_path_factory.mktemp("stranger"), "Other Time", clock=lambda: NOON + HOUR)


def found(site, **more):
    """Return what differs, and how many tokens are trusted."""
    verified = site.verify(trust=site.trust, **more)
    assert {(each.table, each.row) for each in verified.differences} <= {("checkpoint_token", "paper/1")}
    return [each.what for each in verified.differences], verified.stamped[0].trusted


def test_a_token_of_a_known_authority_is_trusted(site):
    site.stamp(1)
    verified = site.verify(trust=site.trust)
    site.close()
    assert (verified.verdict, verified.remarks) == (Verdict.INTACT, ())
    assert verified.stamped == (Stamped("paper", 1, 1),)


def test_without_a_known_root_a_token_is_read_and_not_trusted(small):
    small.stamp(1)
    verified = small.verify()
    assert (verified.verdict, verified.stamped) == (Verdict.INTACT, (Stamped("paper", 1, 0, UNKNOWN),))


def test_a_root_that_somebody_brings_is_as_good_as_one_of_the_configuration(small):
    small.stamp(1)
    assert small.verify(trust=Trust(roots=(small.roots,))).stamped == (Stamped("paper", 1, 1),)


@pytest.mark.parametrize("untidy", [False, True], ids=["tidy", "untidy"])
def test_a_token_that_openssl_made_just_now_is_trusted(small, tmp_path, untidy):
    (tmp_path / "real").mkdir()
    small.authority = TimeStampAuthority(tmp_path / "real", untidy=untidy)
    small.clock.at = datetime.now(UTC)
    small.checkpointer.take()
    small.stamp(2)
    small.trust = Trust({"paper": read_roots(small.authority.root, "here")})
    assert found(small) == ([], 1)


@pytest.mark.parametrize("at", [-1, 200], ids=["its signature", "what it says"])
def test_an_altered_token_is_found(small, at):
    token = bytearray(small.authority.stamp(small.held))
    token[at] ^= 1
    small.store.checkpoints.add_token(1, "paper", bytes(token))
    said, trusted = found(small)
    assert (len(said), trusted) == (1, 0)


@pytest.mark.parametrize("known", [True, False], ids=["known", "unknown"])
@pytest.mark.parametrize("token", [b"", b"no token", bytes.fromhex("30053003020102")], ids=["none", "text", "refusal"])
def test_what_is_no_token_is_found_whoever_is_known(small, token, known):
    small.store.checkpoints.add_token(1, "paper", token)
    verified = small.verify(trust=small.trust if known else Trust())
    assert [each.table for each in verified.differences] == ["checkpoint_token"]
    assert "it is no time stamp" in verified.differences[0].what


@pytest.mark.parametrize("known", [True, False], ids=["known", "unknown"])
def test_a_token_of_another_note_is_found_whoever_is_known(small, known):
    small.store.checkpoints.add_token(1, "paper", small.authority.stamp(b"another note\n"))
    verified = small.verify(trust=small.trust if known else Trust())
    assert [each.what for each in verified.differences] == ["it is over something else"]


def test_a_token_that_a_stranger_signed_is_found(small, stranger):
    small.store.checkpoints.add_token(1, "paper", stranger.stamp(small.held))
    assert found(small) == ([f"it is not signed under {small.authority.root}"], 0)


def test_a_token_counts_after_its_certificate_expired(small):
    small.authority.certify(NOON - HOUR, NOON + 2 * HOUR)
    assert datetime.now(UTC) > NOON + 2 * HOUR
    small.trust = Trust({"paper": read_roots(small.authority.root, "here")})
    small.stamp(1)
    assert found(small) == ([], 1)


def test_a_token_that_was_made_with_a_certificate_that_had_expired_is_found(small):
    small.authority.certify(NOON - HOUR, NOON + HOUR / 2)
    small.trust = Trust({"paper": read_roots(small.authority.root, "here")})
    small.stamp(1)
    assert "is not signed under" in found(small)[0][0]


@pytest.mark.parametrize(
    ("off", "said"),
    [
        (-HOUR, "what it is over was made at"),
        (-6 * MINUTE, "what it is over was made at"),
        (-5 * MINUTE, ""),
        (5 * MINUTE, ""),
        (6 * MINUTE, "it was here at"),
    ],
    ids=str,
)
def test_a_tokens_time_lies_between_its_checkpoint_and_its_row(small, off, said):
    small.authority.clock = lambda: small.clock.now() + off
    small.stamp(1)
    assert [said in each for each in found(small)[0]] == ([True] if said else [])


def test_a_token_that_came_days_later_is_in_order(small):
    small.clock.move(72 * HOUR)
    small.stamp(1)
    assert found(small) == ([], 1)


@pytest.mark.parametrize(("back", "wrong"), [(HOUR, True), (4 * MINUTE, False)], ids=["an hour", "four minutes"])
def test_what_says_that_it_is_older_than_a_token_before_it_is_found(small, back, wrong):
    small.stamp(1)
    small.clock.at -= back
    small.store.append_tag("run:1-0", "C-1", "note", "Ana")
    assert ["comes after this token" in each for each in found(small)[0]] == ([True] if wrong else [])


def test_a_sweep_that_says_that_it_is_newer_than_the_stamp_over_it_is_found(small):
    small.clock.at += 2 * HOUR
    small.see(small.users, {"ann": {"v": 2}})
    small.clock.at -= 3 * HOUR
    small.take()
    small.stamp(2)
    verified = small.verify(trust=small.trust)
    sweep = next(leaf.index for leaf in small.store.leaves() if leaf.payload.get("sweep") == 2)
    (difference,) = [each for each in verified.differences if each.what.startswith(f"leaf {sweep} ")]
    assert (difference.row, "what covers it was stamped at" in difference.what) == ("paper/2", True)


def test_times_are_not_held_against_a_token_that_nobody_vouches_for(small):
    small.stamp(1)
    small.clock.at -= HOUR
    small.store.append_tag("run:1-0", "C-1", "note", "Ana")
    assert small.verify().verdict is Verdict.INTACT


def test_a_wrong_time_does_not_keep_the_result_from_being_recorded(small):
    small.stamp(1)
    small.clock.at -= HOUR
    small.store.append_tag("run:1-0", "C-1", "note", "Ana")
    assert small.verify(trust=small.trust).may_be_recorded


def test_without_openssl_a_token_that_needs_it_is_neither_trusted_nor_called_altered(small, tmp_path, monkeypatch):
    (tmp_path / "real").mkdir()
    untidy = TimeStampAuthority(tmp_path / "real", untidy=True)
    small.store.checkpoints.add_token(1, "paper", untidy.stamp(small.held))
    monkeypatch.setenv("PATH", "/nonexistent")
    verified = small.verify(trust=small.trust)
    assert (verified.verdict, verified.stamped[0].trusted) == (Verdict.INTACT, 0)
    assert "openssl is needed" in verified.stamped[0].why


INDEX, TIME = st.integers(0, 30), st.integers(-40, 40).map(lambda minutes: NOON + minutes * MINUTE)


@given(st.lists(st.builds(Proven, st.just("t"), INDEX, INDEX, TIME), max_size=12), INDEX, TIME)
def test_a_time_is_possible_exactly_when_no_token_contradicts_it(proven, index, at):
    older = any(each.leaf < index and at < each.at - CLOCKS_APART for each in proven)
    newer = any(each.size > index and at > each.at + CLOCKS_APART for each in proven)
    assert (Times(proven).trouble(index, at) is not None) == (older or newer)

"""Sealing as a user meets it: a key, a sealed kind, what is shown without the key, erasing, another key."""

from __future__ import annotations

import pytest

ANN = "ann@example.com"


@pytest.fixture
def sealed(site, tmp_path):
    """A site whose users are sealed, read once; `use` gives it another section [encryption]."""
    assert site.evidenced("encryption", "create-key", str(tmp_path / "one.key"), config=False).code == 0
    site.use = lambda text: site.configure(more=f'sealed = ["paper.users"]\n[encryption]\n{text}\n')
    site.use(f'key = "file:{tmp_path}/one.key"')
    site.world({"paper.users": [{"id": ANN, "v": 1}, {"id": "bob"}], "paper.rooms": [], "paper.doors": []})
    assert site.evidenced("snapshot", "--source", "paper:hq", "--reason", "first").code == 0
    return site


def test_a_key_is_written_for_its_owner_alone_and_never_over_another(tmp_path, sealed):
    assert (tmp_path / "one.key").stat().st_mode & 0o777 == 0o600
    again = sealed.evidenced("encryption", "create-key", str(tmp_path / "one.key"), config=False)
    assert (again.code, "left as it is" in again.err) == (3, True)


def test_a_sealed_kind_needs_a_key_in_the_configuration(sealed):
    sealed.use("")
    answer = sealed.evidenced("plan", "show", "--configured")
    assert answer.code == 3
    assert "encryption.key names no key" in answer.err


def test_history_shows_content_with_the_key_and_says_sealed_without_it(sealed):
    assert sealed.evidenced("history", "paper.users", ANN).code == 0
    sealed.configure(more="")
    missing = sealed.evidenced("history", "paper.users", ANN)
    assert missing.code == 2
    assert sealed.evidenced("encryption", "show").code == 1


def test_erasing_shows_what_would_go_and_does_it_when_told(sealed):
    ask = ("erase", "paper.users", ANN, "--reason", "request 4711")
    shown = sealed.evidenced(*ask)
    assert (shown.code, "Nothing was erased yet: 1 content would go" in shown.err) == (0, True)
    done = sealed.evidenced(*ask, "--yes", "--as", "Ops", "--json")
    assert (done.code, done.json["erased"], done.json["tombstones"][0]["count"]) == (0, True, 1)
    (form,) = sealed.evidenced("history", "paper.users", ANN, "--json").json["forms"]
    assert "by tombstone 1: request 4711" in form["withheld"]
    assert form["key"].startswith("erased:")
    told = sealed.evidenced("history", "paper.users", ANN)
    assert (told.code, "by tombstone 1" in told.out) == (0, True)
    verified = sealed.evidenced("verify")
    assert (verified.code, "erased, each by a tombstone: 1 contents" in verified.out) == (0, True)
    assert sealed.evidenced(*ask, "--yes").code == 2


def test_what_is_in_plain_is_refused_with_what_to_do(sealed):
    sealed.world({"paper.users": [], "paper.rooms": [{"id": "1"}], "paper.doors": []})
    sealed.evidenced("snapshot", "--source", "paper:hq", "--reason", "second")
    answer = sealed.evidenced("erase", "paper.rooms", "1", "--reason", "request", "--yes")
    assert answer.code == 2
    assert "plain evidence is append-only" in answer.err
    assert "sealed = " in answer.err


def test_nothing_and_nobody_to_erase_are_usage_errors(sealed):
    for what in ((), ("paper.users",), ("paper.users", "nobody"), ("--actor-name", "Nobody")):
        assert sealed.evidenced("erase", *what, "--reason", "x", "--yes").code == 2, what


def test_a_persons_name_is_erased(sealed):
    sealed.evidenced("snapshot", "--source", "paper:hq", "--reason", "second", "--as", "Gil Li")
    done = sealed.evidenced("erase", "--actor-name", "Gil Li", "--reason", "request", "--as", "Ops", "--yes")
    assert done.code == 0
    assert sealed.evidenced("verify").code == 0


def test_a_key_is_changed_and_the_old_one_may_go(sealed, tmp_path):
    sealed.evidenced("encryption", "create-key", str(tmp_path / "two.key"), config=False)
    new, old = (f'"file:{tmp_path}/{name}.key"' for name in ("two", "one"))
    sealed.use(f"key = {new}\nprevious = [{old}]")
    done = sealed.evidenced("encryption", "rewrap", "--json")
    assert (done.code, done.json["subjects"], done.json["secrets"]) == (0, 1, 4)
    (tmp_path / "one.key").unlink()
    sealed.use(f"key = {new}")
    assert sealed.evidenced("encryption", "show").code == 0
    assert sealed.evidenced("history", "paper.users", ANN).code == 0
    assert "remark" not in sealed.evidenced("verify").out

"""No secret stands in a configuration: a literal one is refused and not shown, a reference is followed."""

from __future__ import annotations

from pathlib import Path

import pytest

from collector.config import load_config
from collector.errors import ConfigError
from collector.secrets import resolve_secret
from tests.fakes.stationer import Stationer

AWS_SECRET = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"
GITHUB = "ghp_" + "a1B2" * 9
HEADER = "-----BEGIN " + "RSA PRIVATE KEY-----"


def refused(folder: Path, text: str) -> list[str]:
    path = folder / "evidenced.toml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(ConfigError) as caught:
        load_config(path, {"stationer": Stationer()})
    assert caught.value.__cause__ is None
    return [line.removeprefix(f"{folder}/") for line in str(caught.value).splitlines()]


@pytest.mark.parametrize(
    ("value", "secret"),
    [
        (GITHUB, GITHUB),
        (f"AKIAIOSFODNN7EXAMPLE:{AWS_SECRET}", AWS_SECRET),
        (AWS_SECRET, AWS_SECRET),
        ("xoxb-123456789012-abcdefghij", "abcdefghij"),
        ("eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0In0.c2lnbmF0dXJl", "eyJ"),
        ("AIzaSyA1234567890abcdefghijklmnopqrstuv", "AIza"),
        ("https://me:hunter2@example.org/", "hunter2"),
        ("postgresql://db/evidence?password=hunter2", "hunter2"),
        (HEADER, HEADER),
    ],
)
def test_a_literal_secret_is_refused_wherever_it_stands_and_not_shown(tmp_path: Path, value: str, secret: str) -> None:
    for text in (
        f"[sources.'stationer:a']\nbranch = '{value}'",
        f"[sources.'stationer:a']\nkinds = ['{value}']",
        f"[sources.'stationer:a']\nmisspelled = '{value}'",
        f"[sources.'stationer:a']\nevery = {{ 'stationer.*' = '{value}' }}",
        f"[sources.'stationer:a']\nevery = {{ '{value}' = 'daily' }}",
        f"[sources]\n'{value}' = {{}}",
        f"[store]\nurl = '{value}'",
        f"[plan]\n# timezone = '{value}'",
    ):
        (line,) = refused(tmp_path, text)
        assert line.startswith("evidenced.toml:2: ")
        assert "is written out (not shown here); name it by reference" in line
        assert secret not in line


@pytest.mark.parametrize("key", ["token", "api_key", "client_secret", "password", "secret_access_key"])
def test_under_a_name_that_promises_a_secret_any_literal_is_one(tmp_path: Path, key: str) -> None:
    (line,) = refused(tmp_path, f"[sources.'stationer:a']\n{key} = 'swordfish'")
    assert line.startswith(f'evidenced.toml:2: sources."stationer:a".{key}: a secret')
    assert "swordfish" not in line


def test_a_password_in_the_url_of_the_database_is_refused(tmp_path: Path) -> None:
    (line,) = refused(tmp_path, "store.url = 'postgresql://me:hunter2@db/evidence'")
    assert line.startswith("evidenced.toml:1: store.url: a secret (url password) is written out")
    assert "hunter2" not in line


def test_a_private_key_of_many_lines_is_refused_once(tmp_path: Path) -> None:
    found = refused(tmp_path, f"[sources.'stationer:a']\ntoken = '''\n{HEADER}\nMIIE\n'''\nbranch = 'B'")
    assert [line.split(": ")[0] for line in found] == ["evidenced.toml:2", "evidenced.toml:6"]


def test_a_secret_does_not_hide_the_other_errors(tmp_path: Path) -> None:
    found = refused(tmp_path, f"plan.grace = '0s'\n[sources.'stationer:a']\ntoken = '{GITHUB}'\nbranch = 'B'")
    assert [line.split(": ")[1] for line in found] == [
        "plan.grace",
        'sources."stationer:a".token',
        'sources."stationer:a".branch',
    ]


@pytest.mark.parametrize(
    "text",
    [
        "store.url = 'postgresql://me@db/evidence'",
        "[sources.'stationer:a']\ntoken = 'env:STATIONER_TOKEN'",
        "[sources.'stationer:a']\ntoken = 'file:/run/secrets/stationer'",
        "[sources.'stationer:a']\ndelegation.role = 'arn:aws:iam::123456789012:role/evidenced'",
        "# the password is in ~/.pgpass; AKIAIOSFODNN7EXAMPLE is the id of a key, no secret",
    ],
)
def test_what_is_no_secret_is_let_through(tmp_path: Path, text: str) -> None:
    (tmp_path / "evidenced.toml").write_text(text)
    load_config(tmp_path / "evidenced.toml", {"stationer": Stationer()})


def test_a_reference_to_a_secret_is_checked_but_not_followed_when_the_configuration_is_read(tmp_path: Path) -> None:
    text = "[sources.'stationer:a']\ntoken = '{}'"
    (tmp_path / "evidenced.toml").write_text(text.format("env:NOT_SET_ANYWHERE"))
    config = load_config(tmp_path / "evidenced.toml", {"stationer": Stationer()})
    assert config.sources["stationer:a"].model_dump()["token"] == "env:NOT_SET_ANYWHERE"
    (line,) = refused(tmp_path, text.format("file:token.txt"))
    assert line.startswith("evidenced.toml:2: sources.\"stationer:a\".token: 'file:token.txt' is not an absolute path")


def test_a_reference_gives_what_it_names(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TOKEN", "from the environment")
    monkeypatch.setenv("HOME", str(tmp_path))
    (tmp_path / "token").write_text("from a file\n")
    assert resolve_secret("env:TOKEN") == "from the environment"
    assert resolve_secret(f"file:{tmp_path}/token") == "from a file"
    assert resolve_secret("file:~/token") == "from a file"


@pytest.mark.parametrize(
    ("reference", "expected"),
    [
        ("swordfish", "a secret is written out where a reference belongs"),
        ("env:NOT_SET_ANYWHERE", "env:NOT_SET_ANYWHERE is not set"),
        ("env:EMPTY", "env:EMPTY is not set"),
        ("env:not a name", "'env:not a name' does not name an environment variable"),
        ("file:relative", "'file:relative' is not an absolute path"),
        ("file:/nowhere/token", "file:/nowhere/token: there is no such file"),
        ("file:/", "file:/: cannot be read: IsADirectoryError"),
        ("file:/dev/null", "file:/dev/null is empty"),
    ],
)
def test_a_reference_that_names_nothing_is_an_error(
    reference: str, expected: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("EMPTY", "")
    with pytest.raises(ConfigError) as caught:
        resolve_secret(reference)
    assert caught.value.message == expected

"""Where metrics may be read: on this machine, unless somebody says that others may."""

from __future__ import annotations

from pathlib import Path

import pytest

from collector.config import load_settings
from collector.errors import ConfigError


def load(folder: Path, text: str):
    (folder / "evidenced.toml").write_text(f"[metrics]\n{text}\n", encoding="utf-8")
    return load_settings(folder / "evidenced.toml").metrics


@pytest.mark.parametrize(
    ("listen", "said"),
    [
        ("0.0.0.0:9464", "can be reached from other machines"),
        ("10.1.2.3:9464", "can be reached from other machines"),
        ("[::]:9464", "can be reached from other machines"),
        ("localhost", "it is not ADDRESS:PORT"),
        ("localhost:9464", "it is not ADDRESS:PORT"),
        ("metrics.example.org:9464", "it is not ADDRESS:PORT"),
        ("127.0.0.1:99999", "there is no port"),
        ("127.0.0.1:http", "there is no port"),
        ("127.0.0.1", "it is not ADDRESS:PORT"),
    ],
)
def test_an_address_that_others_reach_or_that_is_none_is_refused(tmp_path, listen, said):
    with pytest.raises(ConfigError, match=said):
        load(tmp_path, f'listen = "{listen}"')


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ('listen = "127.0.0.1:9464"', ("127.0.0.1", 9464)),
        ('listen = "127.8.8.8:1"', ("127.8.8.8", 1)),
        ('listen = "[::1]:9464"', ("::1", 9464)),
        ('listen = "0.0.0.0:9464"\nallow_remote = true', ("0.0.0.0", 9464)),
    ],
)
def test_an_address_that_is_allowed_is_taken(tmp_path, text, address):
    assert load(tmp_path, text).address == address


def test_nothing_listens_unless_it_is_said(tmp_path):
    assert load(tmp_path, "").listen == ""

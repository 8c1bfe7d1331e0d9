"""The section [retention]: which lengths are taken, and which pattern rules."""

from __future__ import annotations

import pytest

from collector.config import load_settings
from collector.config_retention import lengths_of
from collector.errors import ConfigError


def load(folder, text):
    (folder / "evidenced.toml").write_text(f"[retention]\n{text}\n", encoding="utf-8")
    return load_settings(folder / "evidenced.toml").retention


def test_everything_is_kept_for_ever_unless_it_is_said(tmp_path):
    assert load(tmp_path, "") == {}
    assert lengths_of({}, ["paper.users"]) == {}


@pytest.mark.parametrize(
    ("length", "said"),
    [
        ('"29d"', "is not between 30d and 36500d"),
        ('"400h"', "is not between 30d and 36500d"),
        ('"36501d"', "is not between 30d and 36500d"),
        ('"a year"', "not a duration"),
        ("400", "valid string"),
    ],
)
def test_a_length_that_is_none_or_too_short_is_refused_with_its_place(tmp_path, length, said):
    with pytest.raises(ConfigError, match=said) as caught:
        load(tmp_path, f'"paper.*" = {length}')
    assert 'evidenced.toml:2: retention."paper.*"' in caught.value.message


def test_of_several_patterns_the_one_with_most_letters_rules():
    retention = {"paper.*": "400d", "paper.users": "800d", "*": "2000d"}
    kinds = ["paper.users", "paper.doors", "scissors.pairs"]
    assert lengths_of(retention, kinds) == {"paper.users": "800d", "paper.doors": "400d", "scissors.pairs": "2000d"}
    assert lengths_of({"paper.*": "400d"}, ["scissors.pairs"]) == {}

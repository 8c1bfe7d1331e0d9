"""The catalog of criteria: complete, in our own words, and refused when it is wrong."""

from __future__ import annotations

import shutil

import pytest

from collector.criteria import CATEGORIES, criteria, load_criteria
from collector.data import data_path
from collector.errors import ConfigError

COUNTS = {
    **{"CC1": 5, "CC2": 3, "CC3": 4, "CC4": 2, "CC5": 3, "CC6": 8, "CC7": 5, "CC8": 1, "CC9": 2},
    **{"A1": 3, "C1": 2, "PI1": 5},
    **{"P1": 1, "P2": 1, "P3": 2, "P4": 3, "P5": 2, "P6": 7, "P7": 1, "P8": 1},
}
BY_HAND = {"CC1.2", "CC1.5", "CC3.1", "CC3.3", "CC5.1", "CC6.4", "CC6.5", "PI1.1", "PI1.2", "PI1.4", "PI1.5"}


@pytest.fixture
def folder(tmp_path):
    """A copy of the catalog that a test can spoil."""
    return shutil.copytree(data_path("schemas") / "criteria", tmp_path / "criteria")


def test_there_are_all_61_criteria_in_the_order_of_the_standard():
    expected = [f"{series}.{n}" for series, count in COUNTS.items() for n in range(1, count + 1)]
    assert len(expected) == 61
    assert list(criteria()) == expected


def test_each_criterion_is_known_by_its_id_and_its_category():
    for name, criterion in criteria().items():
        assert criterion.id == name
        assert name.startswith(CATEGORIES[criterion.category])


def test_titles_are_short_and_all_different():
    titles = [each.title for each in criteria().values()]
    assert len(set(titles)) == len(titles)
    assert all(len(title) <= 80 for title in titles)


def test_titles_are_not_the_wording_of_the_standard():
    """Its text is its publisher's; these are turns of phrase that only stand there."""
    text = " ".join(each.title for each in criteria().values()).lower()
    for phrase in ("the entity", "demonstrates a commitment", "logical access", "internal control", "objectives"):
        assert phrase not in text


def test_criteria_that_no_api_shows_are_marked_for_upload():
    by_hand = {name for name, each in criteria().items() if not each.api_evidence}
    assert by_hand == BY_HAND | {name for name, each in criteria().items() if each.category == "privacy"}


def test_changing_what_was_returned_does_not_change_the_catalog():
    criteria().clear()
    assert len(criteria()) == 61


@pytest.mark.parametrize(
    ("file", "text", "said"),
    [
        ("availability", '["A1.1"]\ntitle = 3\n', '["A1.1"] title'),
        ("availability", '["A1.1"]\ntitle = "short"\n', '["A1.1"] title'),
        ("availability", '["A1.1"]\ntitle = "Long enough"\nnote = "x"\n', '["A1.1"] note'),
        ("availability", '["A1.1"]\ntitle = "Long enough"\napi_evidence = "no"\n', '["A1.1"] api_evidence'),
        ("availability", '["C1.1"]\ntitle = "Long enough"\n', '["C1.1"]: criteria of availability are named A1.1'),
        ("availability", '["AB.1"]\ntitle = "Long enough"\n', '["AB.1"]'),
        ("availability", '"A1.1" = "Long enough"\n', '["A1.1"]'),
        ("privacy", "[[[", "not TOML"),
        ("privacy", "['P1.1']\ntitle = 'Long enough'\n['P1.1']\n", "not TOML"),
    ],
)
def test_a_wrong_file_is_an_error_that_names_file_and_key(folder, file, text, said):
    (folder / f"{file}.toml").write_text(text)
    with pytest.raises(ConfigError) as error:
        load_criteria(folder)
    assert str(error.value).startswith(f"{folder / file}.toml: ")
    assert said in str(error.value)


def test_a_missing_file_is_an_error_that_names_it(folder):
    (folder / "security.toml").unlink()
    with pytest.raises(ConfigError, match=r"security\.toml: cannot be read"):
        load_criteria(folder)

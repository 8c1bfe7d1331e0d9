"""A bundle as people ask for it and check it, on both engines."""

from __future__ import annotations

import re
import zipfile

import pytest

from collector.log.note import SignerKey


@pytest.fixture
def bundle(march):
    """The bundle of the morning of 14 March 2025, with a population and a sample; nobody signs in that installation."""
    frozen = march.evidenced("population", "paper.users", "--engagement", "soc2", "--freeze", "--json").json
    march.evidenced("sample", f"population:{frozen['population']}", "--size", "2", "--seed", "rain", "--as", "Eva")
    answer = march.evidenced("export", "soc2", "-o", "soc2.zip")
    assert answer.code == 0, answer.err
    return answer


def test_a_bundle_is_written_and_verified_without_a_store(march, bundle):
    assert "which nobody has signed" in bundle.out
    answer = march.evidenced("verify", "soc2.zip", config=False)
    assert (answer.code, answer.out.splitlines()[0]) == (0, "verdict: good")
    assert "signed by nobody" in answer.out


def test_a_bundle_that_nobody_signed_is_not_good_for_whoever_gives_a_key(march, bundle):
    key = str(SignerKey.generate("evidenced/other").key)
    answer = march.evidenced("verify", "soc2.zip", "--key", key, "--json", config=False)
    assert (answer.code, answer.json["verdict"]) == (1, "wrong key")


def test_an_altered_bundle_ends_with_1_and_the_place(march, bundle):
    path = march.folder / "soc2.zip"
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)
    answer = march.evidenced("verify", "soc2.zip", config=False)
    assert (answer.code, answer.out.splitlines()[0]) == (1, "verdict: altered")


def test_the_summary_tells_gaps_with_their_causes_and_what_was_drawn(march, bundle):
    with zipfile.ZipFile(march.folder / "soc2.zip") as file:
        page = file.read("bundle/data/summary.html").decode()
        index = file.read("bundle/data/index.csv").decode()
    for said in (
        "CC6.1",
        "it needs paper:read_users",
        "the daemon was not running",
        "<td>rain</td>",
        "<td>random</td>",
    ):
        assert said in page, said
    assert "\x1b" not in page + index and "\u202e" not in page + index
    assert re.search(r"paper:hq,paper\.users,site,ana,", index)


def test_what_cannot_be_exported_is_said_with_what_to_do(march):
    answer = march.evidenced("export", "soc3", "-o", "soc3.zip")
    assert (answer.code, "there is no engagement 'soc3'" in answer.err) == (2, True)
    answer = march.evidenced("export", "soc2", "-o", "no/soc2.zip")
    assert (answer.code, "cannot be written" in answer.err) == (2, True)

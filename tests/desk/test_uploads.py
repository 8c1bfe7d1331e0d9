"""Files as people add them: kept under their digest, committed to, and refused where they may not be kept."""

from __future__ import annotations

import hashlib

import pytest

from collector.verify import Verdict, check_proof, parse_proof, prove, verify

PDF = b"%PDF-1.7\nreview"
CONTROLS = """
[[control]]
id = "AC-07"
title = "Access is reviewed by its owners"
criteria = ["CC6.2"]
upload = "quarterly"
"""
MORE = ["--control", "AC-07", "--engagement", "soc2", "--effective", "2025-01-01..2025-03-31", "--as", "Eva"]


@pytest.fixture
def desk(march):
    """The site with one control that is shown by uploads alone, not yet on record."""
    (march.folder / "own.toml").write_text(CONTROLS)
    march.config.write_text('controls = "own.toml"\n' + march.config.read_text())
    return march


def add(site, name="review.pdf", data=PDF, *more, reason="first quarter"):
    (site.folder / name).write_bytes(data)
    return site.evidenced("upload", str(site.folder / name), *MORE, "--reason", reason, *more)


def test_a_file_is_kept_as_it_is_and_its_leaf_names_it(desk):
    answer = add(desk, "review.pdf", PDF, "--json")
    assert answer.code == 0, answer.err
    digest = hashlib.sha256(PDF).hexdigest()
    assert {name: answer.json[name] for name in ("name", "type", "bytes", "sha256", "by")} == {
        "name": "review.pdf",
        "type": "pdf",
        "bytes": len(PDF),
        "sha256": digest,
        "by": "Eva",
    }
    assert answer.json["effective"] == {"start": "2025-01-01T00:00:00Z", "end": "2025-04-01T00:00:00Z"}
    store = desk.store()
    try:
        assert store.artifact(bytes.fromhex(digest)) == PDF
        [leaf] = [leaf for leaf in store.leaves() if leaf.kind == "upload"]
        assert leaf.payload["artifact"] == digest
        assert b"review" not in leaf.data
        assert check_proof(parse_proof(prove(store, f"sha256:{digest}").data), []).trouble == ""
        assert verify(store).verdict is Verdict.INTACT
    finally:
        store.close()


def test_a_file_is_written_back_byte_for_byte(desk):
    number = add(desk, "review.pdf", PDF, "--json").json["upload"]
    answer = desk.evidenced("uploads", f"upload:{number}", "--out", str(desk.folder / "back.pdf"))
    assert answer.code == 0, answer.err
    assert (desk.folder / "back.pdf").read_bytes() == PDF
    assert "first quarter" in answer.out


def test_uploads_are_listed_with_what_they_speak_of(desk):
    add(desk)
    listed = desk.evidenced("uploads", "--engagement", "soc2").out
    for each in ("review.pdf", "AC-07", "2025-01-01 to 2025-04-01", "Eva", "1 upload"):
        assert each in listed


def test_coverage_of_an_engagement_shows_what_is_due_and_what_is_missing(march):
    march.evidenced("engagement", "create", "due", "--from", "2025-01-01", "--to", "2025-04-01", "--criterion", "CC6.2")
    [missing] = march.evidenced("uploads", "--engagement", "due", "--json").json["due"]
    assert missing["state"] == "missing"
    (march.folder / "a.pdf").write_bytes(PDF)
    more = ["--control", missing["control"], "--engagement", "due", "--effective", "2025-02-01", "--reason", "x"]
    made = march.evidenced("upload", str(march.folder / "a.pdf"), *more, "--json").json
    [there] = march.evidenced("coverage", "--engagement", "due", "--json").json["uploads"]
    assert (there["state"], there["uploads"]) == ("there", [made["upload"]])
    assert "1 upload expected, 0 missing" in march.evidenced("coverage", "--engagement", "due").out


@pytest.mark.parametrize(
    ("name", "data", "more", "said"),
    [
        ("a.pdf", b"\x89PNG\r\n\x1a\n", [], "its name says pdf, its content is png"),
        ("a.bin", b"MZ\x00\x01", [], "no type that is taken"),
        ("a.pdf", b"", [], "the file is empty"),
        ("a.pdf", PDF, ["--control", "AC-08"], "Nearest: AC-07"),
        ("a.pdf", PDF, ["--effective", "soon"], "no days"),
        ("a.pdf", PDF, ["--engagement", "soc3"], "no engagement 'soc3'"),
        ("a.pdf", PDF, ["--reason", " "], "needs a reason"),
        ("a.pdf", PDF, ["--reason", "key ghp_" + "a1B2" * 9], "looks like a secret"),
        ("a.txt", b"one\ntoken = ghp_" + b"a1B2" * 9, [], "a.txt: line 2 holds what looks like a secret"),
    ],
)
def test_what_may_not_be_kept_is_refused_and_nothing_is_recorded(desk, name, data, more, said):
    answer = add(desk, name, data, *more)
    assert answer.code == 2
    assert said in answer.err
    assert "a1B2a1B2" not in answer.err
    assert desk.evidenced("uploads", "--json").json["uploads"] == []


def test_a_file_that_is_too_large_is_refused(desk):
    desk.config.write_text(desk.config.read_text() + "\n[uploads]\nmax_mb = 1\n")
    assert add(desk, "big.pdf", b"%PDF-" + b"x" * 999_995).code == 0
    answer = add(desk, "bigger.pdf", b"%PDF-" + b"x" * 999_996)
    assert answer.code == 2
    assert "more than 1 MB" in answer.err


def test_a_type_that_the_configuration_does_not_take_is_refused(desk):
    desk.config.write_text(desk.config.read_text() + '\n[uploads]\ntypes = ["png"]\n')
    answer = add(desk)
    assert "takes: png" in answer.err


def test_a_hostile_name_is_harmless(desk):
    answer = add(desk, "=cmd|' \u202efdp.pdf", PDF)
    assert answer.code == 0, answer.err
    listed = desk.evidenced("uploads").out
    assert "\u202e" not in listed
    assert "=cmd" not in listed
    assert desk.evidenced("uploads", "--json").json["uploads"][0]["name"] == "cmd_' _fdp.pdf"


def test_a_folder_or_nothing_is_no_file(desk):
    for path in (desk.folder, desk.folder / "nowhere.pdf"):
        answer = desk.evidenced("upload", str(path), *MORE, "--reason", "x")
        assert answer.code == 2
        assert "not a file" in answer.err

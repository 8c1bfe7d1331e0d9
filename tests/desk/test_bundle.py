"""A bundle as people ask for it and check it, on both engines."""

from __future__ import annotations

import io
import json
import os
import pty
import re
import subprocess
import sys
import zipfile
from pathlib import Path

import openpyxl
import pypdf
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


def test_whoever_watches_an_export_sees_a_bar_and_nobody_else_does(march, bundle):
    assert bundle.err == ""
    ours, theirs = pty.openpty()
    with os.fdopen(theirs, "wb") as terminal:
        command = [Path(sys.executable).with_name("evidenced"), "export", "soc2", "-o", "again.zip", "-c", march.config]
        environment = os.environ | {"TERM": "xterm", "COLUMNS": "100"}
        done = subprocess.run(
            command, cwd=march.folder, stderr=terminal, stdout=subprocess.PIPE, env=environment, check=False
        )
    shown = os.read(ours, 100_000).decode()
    os.close(ours)
    assert done.returncode == 0
    assert "versions of items" in shown and "\u2501" in shown


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


def test_the_sheet_of_a_run_is_written_as_a_pdf_with_its_proof(march):
    [run, *_] = march.evidenced("runs", "--outcome", "failed", "--json").json["runs"]
    answer = march.evidenced("run", "show", run["id"], "--pdf", "run.pdf")
    assert (answer.code, answer.out) == (0, f"run.pdf: the sheet of run {run['id']}\n")
    said = pages(march.folder / "run.pdf")
    for wanted in ("failed: denied", "it needs paper:read_users", "unknown", "Proof that it is in the log", "none yet"):
        assert wanted in said, wanted


def test_a_sheet_that_cannot_be_written_is_said(march):
    answer = march.evidenced("run", "show", "1-0", "--pdf", "no/run.pdf")
    assert (answer.code, "cannot be written" in answer.err) == (2, True)


@pytest.mark.parametrize("asked", [["export", "soc2", "-o", "soc2.zip"], ["run", "show", "1-0", "--pdf", "run.pdf"]])
def test_where_pdfs_cannot_be_made_it_says_what_to_install_and_writes_nothing(march, asked):
    without = f"import sys; sys.modules['reportlab'] = None; sys.argv[1:] = {asked}"
    command = [sys.executable, "-c", f"{without}; from collector.cli import main; main()"]
    answer = subprocess.run(
        command, env=march.environment(), cwd=march.folder, capture_output=True, text=True, check=False
    )
    assert (answer.returncode, "pip install 'evidenced[pdf]'" in answer.stderr) == (3, True)
    assert not list(march.folder.glob("*.zip*")) and not list(march.folder.glob("*.pdf"))


def test_workbook_paper_and_oscal_tell_the_same_slots_and_gaps(march, bundle):
    with zipfile.ZipFile(march.folder / "soc2.zip") as file:
        book = openpyxl.load_workbook(io.BytesIO(file.read("bundle/data/index.xlsx")))
        paper = pages(io.BytesIO(file.read("bundle/data/summary.pdf")))
        oscal = json.loads(file.read("bundle/data/oscal-assessment-results.json"))
    gaps = list(book["Gaps"].iter_rows(min_row=2, values_only=True))
    assert len(gaps) >= 2 and f"Gaps: {len(gaps)}" in paper
    due = {row[1]: row[3] for row in book["Coverage"].iter_rows(min_row=2, values_only=True) if row[0] == "kind"}
    observed = {each["title"]: each["props"] for each in oscal["assessment-results"]["results"][0]["observations"]}
    assert {"paper.users", "paper.rooms"} <= due.keys()
    for kind, slots in due.items():
        assert [each["value"] for each in observed[kind] if each["name"] == "slots-due"] == [str(slots)]


def pages(file):
    """Return the text of a PDF, on one line."""
    return " ".join(" ".join(page.extract_text().split()) for page in pypdf.PdfReader(file).pages)

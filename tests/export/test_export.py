"""A bundle holds what its engagement rests on, the same bytes each time, and whoever has it can check it alone."""

from __future__ import annotations

import csv
import hashlib
import io
import json
import subprocess
import sys
import threading
import tracemalloc
import zipfile

import bagit
import pytest

from collector.act import ActKind
from collector.canonical import canonical, digest
from collector.errors import QueryError
from collector.export import export, verifier
from collector.sealing import MAGIC
from tests.export.conftest import GRACE, HOSTILE, engaged, exported, lived, members
from tests.verify.conftest import HOUR, NOON, USERS, Site


def index(path):
    return list(csv.DictReader(io.StringIO(members(path)["data/index.csv"].decode(), newline="")))


@pytest.fixture
def site(tmp_path, store_url):
    """A lived-in site on each engine in turn."""
    site = lived(tmp_path, store_url)
    yield site
    site.close()


def test_a_bundle_is_good_and_the_same_bytes_each_time(site, tmp_path):
    first, second = exported(site, tmp_path / "1.zip"), exported(site, tmp_path / "2.zip")
    assert first.file.read_bytes() == second.file.read_bytes()
    key = str(site.store.checkpoints.key_events()[0].key)
    found = verifier.verify(str(first.file), [key])
    assert (found["verdict"], found["what"]) == ("good", "")
    assert (found["versions"], found["erased"]) == (first.versions, first.erased)
    assert first.versions > 20 and first.erased and first.sealed


def test_a_bare_python_accepts_it_with_the_program_that_it_brings(bundle, key, tmp_path):
    (tmp_path / "verify.py").write_bytes(members(bundle)["verify.py"])
    command = [sys.executable, "-I", str(tmp_path / "verify.py"), str(bundle), "--key", key]
    found = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path, env={}, check=False)
    assert (found.returncode, found.stderr) == (0, "")
    assert found.stdout.startswith("verdict: good\n")


def test_bagit_and_sha256sum_accept_it(bundle, tmp_path):
    with zipfile.ZipFile(bundle) as file:
        file.extractall(tmp_path)
    bagit.Bag(str(tmp_path / "bundle")).validate()
    for manifest in ("manifest-sha256.txt", "tagmanifest-sha256.txt"):
        subprocess.run(["sha256sum", "--quiet", "--strict", "-c", manifest], check=True, cwd=tmp_path / "bundle")


def test_the_index_names_every_version_that_the_store_says_existed(bundle, whole):
    scope = verifier.Scope(
        {"start": "2026-03-14T12:00:00Z", "end": "2026-04-03T12:00:00Z", "sources": [], "scopes": []}
    )
    with whole.store.evidence(lambda *_: None, lambda *_: None) as evidence:
        digests = {row["id"]: row["digest"].hex() for row in evidence.rows("artifact")}
        keys = {row["id"]: row["key_digest"].hex() for row in evidence.rows("item")}
        stored = sorted(
            (keys[row["item"]], verifier.instant(row["since"]), digests[row["artifact"]])
            for row in evidence.rows("item_version")
            if row["since"] < scope.end and (row["until"] is None or row["until"] > scope.start)
        )
    assert sorted((row["key_sha256"], row["since"], row["artifact_sha256"]) for row in index(bundle)) == stored


def test_every_content_that_the_index_calls_there_is_there(bundle):
    there = members(bundle)
    for row in index(bundle):
        assert (row["file"] in there) == (row["content"] != "erased")


def test_who_was_let_into_the_engagement_and_what_they_read_is_in_it_and_no_token_of_the_installation(bundle, whole):
    there = members(bundle)
    recorded = [each for kind in (ActKind.TOKEN, ActKind.ACCESS) for each in whole.store.desk.acts(kind)]
    number = whole.store.engagements()[-1].id
    for act in recorded:
        assert (artifact_name(act.digest) in there) == (act.engagement == number)
    kinds = [row["kind"] for row in csv.DictReader(io.StringIO(there["data/acts.csv"].decode(), newline=""))]
    assert (kinds.count("token"), kinds.count("access")) == (1, 1)
    assert len([act for act in recorded if act.engagement == act.id]) == 2


def test_every_kind_of_act_is_known_to_the_program_in_the_bundle():
    assert set(verifier.DESK) == {each.value for each in ActKind}


def artifact_name(name):
    return verifier.artifact_file(name.hex())


def test_sealed_contents_are_written_as_stored_and_erased_ones_are_named(bundle):
    there, rows = members(bundle), index(bundle)
    sealed = [row for row in rows if row["content"] == "sealed"]
    gone = [row for row in rows if row["content"] == "erased"]
    assert all(there[row["file"]].startswith(MAGIC) for row in sealed) and sealed
    assert all(row["key"].startswith(("sealed:", "erased:")) for row in sealed + gone) and gone
    named = [json.loads(line) for line in there["data/erased.jsonl"].splitlines()]
    assert {row["artifact_sha256"] for row in gone} <= {name for each in named for name in each["artifacts"]}


def test_what_was_there_before_the_period_and_stayed_is_in_it(whole, tmp_path):
    engaged(whole, "late", NOON + 24 * HOUR, NOON + 25 * HOUR)
    whole.take()
    made = exported(whole, tmp_path / "late.zip", "late")
    assert verifier.verify(str(made.file))["verdict"] == "good"
    assert {row["since"] < "2026-03-15T12" for row in index(made.file)} == {True}


def test_only_sources_in_scope_are_in_it(whole, tmp_path):
    engaged(whole, "branch", sources=("paper:branch",))
    whole.take()
    made = exported(whole, tmp_path / "branch.zip", "branch")
    assert verifier.verify(str(made.file))["verdict"] == "good"
    assert {row["source"] for row in index(made.file)} == {"paper:branch"}
    assert len(members(made.file)["data/sweeps.jsonl"].splitlines()) == 3


def test_an_engagement_that_no_checkpoint_covers_is_refused_with_what_to_do(whole, tmp_path):
    engaged(whole, "fresh")
    with pytest.raises(QueryError, match="no checkpoint covers the engagement 'fresh'") as error:
        exported(whole, tmp_path / "fresh.zip", "fresh")
    assert "log checkpoint" in error.value.hint()
    assert list(tmp_path.iterdir()) == []


def test_no_cell_begins_a_formula_and_every_plain_key_can_be_had_back(bundle):
    for table in ("index.csv", "acts.csv"):
        for row in csv.reader(io.StringIO(members(bundle)[f"data/{table}"].decode(), newline="")):
            assert not [cell for cell in row if cell.startswith(("=", "+", "-", "@", "\t", "\r"))]
            assert all(cell.isprintable() and len(cell) < 32_767 for cell in row)
    digests = {row["key_sha256"]: row["key"] for row in index(bundle)}
    for text in HOSTILE:
        assert hashlib.sha256(text.encode()).hexdigest() in digests
    assert digests[hashlib.sha256(b"+1").hexdigest()] == "'+1"
    assert digests[hashlib.sha256(b"'quoted").hexdigest()] == "''quoted"


def test_no_member_has_a_name_that_evidence_gave(bundle):
    with zipfile.ZipFile(bundle) as file:
        for name in file.namelist():
            assert not set(name) - set("abcdefghijklmnopqrstuvwxyz0123456789-./") and ".." not in name


def test_the_summary_runs_nothing_and_loads_nothing(bundle):
    page = members(bundle)["data/summary.html"].decode()
    for wrong in ("<script", "<b>paper", "<i>Bea", "http:", "https:", "src=", "href=", "\u202e"):
        assert wrong not in page
    for said in ("Coverage by criterion", "Gaps", "&lt;b&gt;paper.users&lt;/b&gt;", "Populations", "Samples"):
        assert said in page


def test_nothing_is_left_behind_where_it_cannot_be_written(whole, tmp_path):
    with pytest.raises(QueryError, match="cannot be written"):
        exported(whole, tmp_path / "no" / "bundle.zip")


def test_an_interrupted_export_leaves_what_was_there_before(whole, tmp_path):
    (tmp_path / "b.zip").write_bytes(b"of yesterday")

    def interrupt(said, *_):
        if said.startswith("contents"):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        export(whole.store, "whole", tmp_path / "b.zip", grace=GRACE, progress=interrupt)
    assert [(each.name, each.read_bytes()) for each in tmp_path.iterdir()] == [("b.zip", b"of yesterday")]


def test_what_is_recorded_while_it_is_written_is_not_in_it(site, tmp_path):
    first = exported(site, tmp_path / "1.zip").file.read_bytes()

    def record(said, *_):
        if said.startswith("slots missed"):
            other = threading.Thread(target=site.see, args=(USERS, {"late": {"v": 1}}))
            other.start()
            other.join()

    made = export(site.store, "whole", tmp_path / "2.zip", grace=GRACE, progress=record)
    assert made.file.read_bytes() == first
    assert exported(site, tmp_path / "3.zip").uncovered == made.uncovered + 1


def test_an_export_takes_less_memory_than_what_it_writes(tmp_path, sqlite_url):
    site = Site(tmp_path, sqlite_url)
    site.store.append_plan({"sources": []}, digest(canonical({"sources": []})), NOON)
    for _ in range(40):
        site.see(USERS, {"ann": {"text": "words of a policy, " * 100_000, "at": site.clock.now().isoformat()}})
    engaged(site)
    tracemalloc.start()
    made = exported(site, tmp_path / "large.zip")
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    site.close()
    assert made.octets > 70_000_000
    assert most < made.octets / 3


def test_what_retention_erased_is_named_and_what_came_back_is_there(whole, tmp_path):
    engaged(whole, "long", NOON - 600 * 24 * HOUR, NOON + 24 * HOUR, sources=("paper:attic",))
    whole.take()
    made = exported(whole, tmp_path / "long.zip", "long")
    assert verifier.verify(str(made.file))["verdict"] == "good"
    boxes = [row["content"] for row in index(made.file) if row["kind"] == "paper.boxes"]
    assert (boxes.count("erased"), boxes.count("plain")) == (made.erased, len(boxes) - made.erased)
    assert made.erased and "plain" in boxes

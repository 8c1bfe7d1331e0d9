"""Nothing that people record goes into a store that was put back; it can still be asked."""

from __future__ import annotations

import pytest

CHECKPOINTS = """
[checkpoints]
keys = ["file:{folder}/signing.key"]
[checkpoints.anchors.vault]
type = "directory"
path = "{folder}/vault"
"""
# An act on each page of the desk; population:2 was frozen before the backup.
RECORDING = [
    ["engagement", "create", "other", "--at", "2025-03-14"],
    ["engagement", "amend", "soc2", "--to", "2025-03-16", "--why", "x"],
    ["engagement", "close", "soc2"],
    ["population", "paper.users", "--engagement", "soc2", "--freeze"],
    ["sample", "population:2", "--seed", "x"],
    ["reconcile", "population:2", "population:2", "--record"],
    ["upload", "a.pdf", "--control", "AC-01", "--engagement", "soc2", "--effective", "2025-03-14", "--reason", "x"],
    ["request", "import", "list.csv", "--engagement", "soc2"],
    ["review", "population:2", "--decision", "approved", "--note", "x"],
    ["token", "create", "Ana", "--role", "reader"],
    ["token", "revoke", "1"],
    # It records what auditors read, so it does not begin.
    ["serve", "--listen", "127.0.0.1:0"],
]


@pytest.fixture
def put_back(march):
    """The site on SQLite, its database taken back to a copy that is older than its last checkpoint."""
    (march.folder / "a.pdf").write_bytes(b"%PDF-1.7")
    (march.folder / "list.csv").write_text("id,title\nR-1,Users\n")
    (march.folder / "vault").mkdir()
    march.config.write_text(march.config.read_text() + CHECKPOINTS.format(folder=march.folder))
    assert march.evidenced("population", "paper.users", "--engagement", "soc2", "--freeze").code == 0
    assert march.evidenced("keys", "create").code == 0
    database = march.folder / "evidence.db"
    before = database.read_bytes()
    assert march.evidenced("engagement", "create", "later", "--at", "2025-03-14").code == 0
    assert march.evidenced("log", "checkpoint").code == 0
    database.write_bytes(before)
    for ending in ("-wal", "-shm"):
        database.with_name(database.name + ending).unlink(missing_ok=True)
    return march


@pytest.mark.parametrize("site", ["sqlite"], indirect=True)
def test_whatever_records_refuses_a_store_that_was_put_back(put_back):
    for command in RECORDING:
        answer = put_back.evidenced(*command)
        assert (answer.code, answer.out) == (7, ""), command
    assert put_back.evidenced("reconcile", "population:2", "population:2").code == 0
    listed = put_back.evidenced("engagement", "list", "--json").json["engagements"]
    assert [(each["name"], each["closed"]) for each in listed] == [("soc2", None)]

"""The signer signs a head only with a proof that it extends the last one, and remembers that outside the database."""

from __future__ import annotations

import stat
from hashlib import sha256

import pytest

from collector.errors import ConfigError, HistoryError, IntegrityError, StoreError
from collector.log.checkpoint import open_checkpoint
from collector.log.note import SignerKey
from collector.log.tree import Node, consistency_proof, leaf_hash, node_hash
from collector.signer import FileSigner

LOG = "evidenced/x"


def tree(*leaves):
    """The root of *leaves* and what reads its nodes."""

    def read_one(node):
        if node.level == 0:
            return leaf_hash(leaves[node.index].encode())
        return node_hash(
            read_one(Node(node.level - 1, node.index * 2)), read_one(Node(node.level - 1, node.index * 2 + 1))
        )

    def root(start, end):
        if end - start == 1:
            return leaf_hash(leaves[start].encode())
        half = 1 << (end - start - 1).bit_length() - 1
        return node_hash(root(start, start + half), root(start + half, end))

    return root(0, len(leaves)), lambda nodes: [read_one(each) for each in nodes]


def sign(signer, leaves, old=0, epoch=1, keys=None):
    root, read = tree(*leaves)
    proof = consistency_proof(min(old, len(leaves)), len(leaves), read)
    return signer.sign(LOG, epoch, (len(leaves), root), proof, keys or signer.held(LOG))


@pytest.fixture
def signer(tmp_path):
    signer = FileSigner([f"file:{tmp_path}/one.key"], tmp_path / "memory.json")
    signer.create(LOG)
    return signer


def test_a_key_file_is_its_owners_alone(signer, tmp_path):
    assert stat.S_IMODE((tmp_path / "one.key").stat().st_mode) == 0o600


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o620, 0o610, 0o644])
def test_a_key_that_others_can_touch_is_refused_with_the_command_that_helps(signer, tmp_path, mode):
    (tmp_path / "one.key").chmod(mode)
    with pytest.raises(ConfigError, match=f"others than its owner.*{mode:04o}") as refused:
        signer.held(LOG)
    assert f"chmod 600 {tmp_path}/one.key" in refused.value.hint()


def test_an_existing_key_is_never_written_over(signer, tmp_path):
    before = (tmp_path / "one.key").read_text()
    with pytest.raises(ConfigError, match="is there already"):
        signer.create(LOG)
    assert (tmp_path / "one.key").read_text() == before


def test_a_key_comes_from_a_variable(tmp_path, monkeypatch):
    key = SignerKey.generate(LOG)
    monkeypatch.setenv("LOG_KEY", key.secret_text())
    signer = FileSigner(["env:LOG_KEY"], tmp_path / "memory.json")
    note = sign(signer, ["a"])
    assert open_checkpoint(note, LOG, [key.key])[1] == (key.key,)


def test_a_spoilt_key_is_refused_and_not_shown(tmp_path, monkeypatch):
    secret = SignerKey.generate(LOG).secret_text()
    monkeypatch.setenv("LOG_KEY", secret[:-6])
    with pytest.raises(ConfigError, match="env:LOG_KEY") as refused:
        FileSigner(["env:LOG_KEY"], tmp_path / "memory.json").held(LOG)
    assert secret[20:40] not in refused.value.message


def test_a_key_keeper_is_found_by_its_entry_point(tmp_path, monkeypatch):
    """It signs without giving the key: all that is asked of it is `collector.keeper.KeptKey`."""
    info = tmp_path / "paper_kms-1.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: paper-kms\nVersion: 1\n")
    (info / "entry_points.txt").write_text("[evidenced.signers]\npaper = tests.fakes.keeper:open_key\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    signer = FileSigner(["paper:safe-1"], tmp_path / "memory.json")
    (key,) = signer.held(LOG)
    assert key.name == LOG
    assert open_checkpoint(sign(signer, ["a"]), LOG, [key])[0].size == 1


def test_a_keeper_that_is_not_installed_is_named(tmp_path):
    with pytest.raises(ConfigError, match="'vault'"):
        FileSigner(["vault:key-1"], tmp_path / "memory.json").held(LOG)


def test_a_log_that_grew_is_signed_and_remembered(signer, tmp_path):
    sign(signer, "ab")
    note = sign(signer, "abcde", old=2)
    last = FileSigner([], tmp_path / "memory.json").recall(LOG)
    assert (last.epoch, last.size, last.note) == (1, 5, note)
    assert last.root == tree(*"abcde")[0]


def test_the_same_head_may_be_signed_again(signer):
    """Whoever lost the answer asks again, and gets the same note."""
    assert sign(signer, "abc") == sign(signer, "abc", old=3)


def test_a_log_that_shrank_is_refused(signer):
    sign(signer, "abc")
    with pytest.raises(HistoryError, match="shrank: 3 leaves were signed, now it has 2"):
        sign(signer, "ab", old=3)
    assert signer.recall(LOG).size == 3


@pytest.mark.parametrize("leaves", ["abX", "abXd", "Xbcd"], ids=["same size", "grown", "first leaf"])
def test_a_log_that_forked_is_refused(signer, leaves):
    sign(signer, "abc")
    with pytest.raises(HistoryError, match="forked after what was signed at size 3"):
        sign(signer, leaves, old=3)
    assert signer.recall(LOG).root == tree(*"abc")[0]


def test_a_head_without_a_proof_is_refused(signer):
    sign(signer, "abc")
    with pytest.raises(HistoryError, match="forked"):
        signer.sign(LOG, 1, (4, tree(*"abcd")[0]), [], signer.held(LOG))
    with pytest.raises(HistoryError, match="forked"):
        signer.sign(LOG, 1, (4, tree(*"abcd")[0]), [sha256(b"x").digest()] * 3, signer.held(LOG))


def test_another_epoch_is_signed_only_after_it_was_begun(signer):
    sign(signer, "abc")
    with pytest.raises(HistoryError, match="epoch 2; the last head signed was of epoch 1"):
        sign(signer, "a", epoch=2)
    signer.begin_epoch(LOG, 2)
    assert open_checkpoint(sign(signer, "a", epoch=2), f"{LOG}/2", signer.held(LOG))[0].size == 1
    for epoch in (1, 2):
        with pytest.raises(HistoryError, match="signed already"):
            signer.begin_epoch(LOG, epoch)


def test_a_key_that_is_not_asked_for_does_not_sign(signer):
    with pytest.raises(ConfigError, match="holds no key"):
        sign(signer, "a", keys=[SignerKey.generate(LOG).key])


def test_a_spoilt_memory_is_an_alarm_and_not_a_fresh_start(signer, tmp_path):
    sign(signer, "abc")
    for text in ("", "[]", "{", '{"evidenced/x": {"epoch": 1}}', '{"evidenced/x": 7}'):
        (tmp_path / "memory.json").write_text(text)
        with pytest.raises(IntegrityError, match="not the signer's memory"):
            sign(signer, "abcd", old=3)


def test_nothing_is_signed_that_cannot_be_remembered(tmp_path):
    (tmp_path / "memory.json").mkdir()
    signer = FileSigner([f"file:{tmp_path}/one.key"], tmp_path / "memory.json")
    signer.create(LOG)
    with pytest.raises((ConfigError, StoreError), match="memory"):
        sign(signer, "a")


def test_the_memory_of_one_log_is_not_anothers(signer):
    sign(signer, "abc")
    root, _ = tree("z")
    signer.sign("evidenced/y", 1, (1, root), [], signer.held(LOG))
    assert (signer.recall(LOG).size, signer.recall("evidenced/y").size) == (3, 1)

"""The signer in a process of its own: the daemon's user asks over a socket and never sees the key."""

from __future__ import annotations

import socket
import stat

import pytest

from collector.checkpoints import Checkpointer
from collector.errors import ConfigError, HistoryError
from collector.log.checkpoint import open_checkpoint
from collector.signer import FileSigner, SocketSigner


@pytest.fixture
def listening(tmp_path, served):
    """A signer that listens, and its socket."""
    return served(FileSigner([f"file:{tmp_path}/its.key"], tmp_path / "its.json"))


@pytest.fixture
def asking(small_office, listening):
    """The small office with a new first key, kept by the signer that listens."""
    (old,) = small_office.checkpointer.keys()
    small_office.checkpointer.revoke_key(old.key.id.hex(), None, "Ana", "moved")
    small_office.signer = SocketSigner(listening)
    small_office.checkpointer = Checkpointer(small_office.store, small_office.signer, small_office.clock)
    small_office.checkpointer.create_key("Ana")
    return small_office


def test_a_checkpoint_is_signed_over_the_socket(asking):
    first, second = asking.take(), asking.take()
    for taken in (first, second):
        assert open_checkpoint(taken.note, asking.log, asking.signer.held(asking.log))[0].size == taken.size
    assert asking.signer.recall(asking.log).note == second.note


def test_the_signer_refuses_a_forked_log_over_the_socket(asking):
    asking.take()
    with pytest.raises(HistoryError, match="forked"):
        asking.signer.sign(asking.log, 1, (99, bytes(32)), [], asking.signer.held(asking.log))
    with pytest.raises(HistoryError, match="signed already"):
        asking.signer.begin_epoch(asking.log, 1)
    asking.signer.begin_epoch(asking.log, 2)
    assert asking.signer.recall(asking.log).epoch == 2


def test_a_second_key_has_no_place(asking):
    with pytest.raises(ConfigError, match="is there already"):
        asking.signer.create("evidenced/y")


def test_only_the_sockets_owner_and_group_may_ask(listening):
    assert stat.S_IMODE(listening.stat().st_mode) == 0o660


@pytest.mark.parametrize("line", [b"\n", b"{}\n", b"[]\n", b'{"do": "sign"}\n', b'{"do": "dance"}\n', b"\xff\n"])
def test_what_is_no_request_is_answered_and_the_signer_goes_on(listening, line):
    with socket.socket(socket.AF_UNIX) as conn:
        conn.connect(str(listening))
        conn.sendall(line)
        assert b"not a request to a signer" in conn.makefile("rb").readline()
    assert SocketSigner(listening).held("x") == ()


def test_a_signer_that_does_not_run_is_told(tmp_path):
    with pytest.raises(ConfigError, match="the signer does not answer") as refused:
        SocketSigner(tmp_path / "nobody").held("x")
    assert "evidenced keys serve" in refused.value.hint()

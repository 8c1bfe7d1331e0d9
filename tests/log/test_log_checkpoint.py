"""Checkpoints as published by others are read and made alike; every other form is refused.

Each test takes the module as its argument: the mutation test calls the same functions with every mutant.
"""

import json
from pathlib import Path

import pytest

from collector.errors import IntegrityError
from collector.log.note import SignerKey, VerifierKey, sign_note
from collector.log.tree import EMPTY_ROOT

_VECTORS = json.loads((Path(__file__).parents[1] / "vectors/log_note.json").read_text(encoding="utf-8"))
_SIGNER = SignerKey.parse(_VECTORS["keys"][0]["secret"])
_ROOT = bytes.fromhex(_VECTORS["checkpoint_with_cosignature"]["root"])


def test_published_checkpoints_are_opened_with_their_logs_key(checkpoint):
    for case in _VECTORS["checkpoints"]:
        key = VerifierKey.parse(case["key"])
        found, signed = checkpoint.open_checkpoint(case["note"].encode(), case["origin"], [key])
        assert (found.origin, found.size, found.root.hex()) == (case["origin"], case["size"], case["root"])
        assert (found.extensions, signed) == ((), (key,))


def test_a_checkpoint_has_one_text(checkpoint):
    for text in _VECTORS["checkpoint_texts"].values():
        assert checkpoint.Checkpoint.parse(text).text() == text
    found = checkpoint.Checkpoint.parse(_VECTORS["checkpoint_texts"]["extensions"])
    assert found == checkpoint.Checkpoint("log.example", 7, _ROOT, ("6086d1a9", "Waxing gibbous"))
    assert checkpoint.Checkpoint.parse(_VECTORS["checkpoint_texts"]["an empty log"]).root == EMPTY_ROOT


def test_what_is_not_a_checkpoints_text_is_refused(checkpoint):
    accepted = []
    for name, text in _VECTORS["not_checkpoint_texts"].items():
        try:
            checkpoint.Checkpoint.parse(text)
        except IntegrityError as error:
            assert error.message.startswith("not a checkpoint: ")
        else:
            accepted.append(name)
    assert accepted == []


def test_a_signed_checkpoint_opens_with_the_key_that_signed_it(checkpoint):
    case = _VECTORS["checkpoint_with_cosignature"]
    head = checkpoint.Checkpoint(case["origin"], case["size"], bytes.fromhex(case["root"]))
    data = checkpoint.sign_checkpoint(head, [_SIGNER])
    assert data.decode().split("\n\n")[0] == case["note"].split("\n\n")[0]
    assert checkpoint.open_checkpoint(data, case["origin"], [_SIGNER.key]) == (head, (_SIGNER.key,))
    others_signed = data + case["note"].split("\n\n")[1].encode()
    assert checkpoint.open_checkpoint(others_signed, case["origin"], [_SIGNER.key]) == (head, (_SIGNER.key,))


def test_a_checkpoint_that_nobody_we_know_signed_is_refused(checkpoint):
    case = _VECTORS["checkpoint_with_cosignature"]
    with pytest.raises(IntegrityError, match="not signed by any key"):
        checkpoint.open_checkpoint(case["note"].encode(), case["origin"], [_SIGNER.key])


def test_a_checkpoint_of_another_log_is_refused_though_the_key_is_known(checkpoint):
    data = checkpoint.sign_checkpoint(checkpoint.Checkpoint("log.example/a", 7, _ROOT), [_SIGNER])
    with pytest.raises(IntegrityError, match="not of 'log"):
        checkpoint.open_checkpoint(data, "log.example/b", [_SIGNER.key])


def test_a_signed_text_that_is_not_a_checkpoint_is_refused(checkpoint):
    for text in ("hello\n", *_VECTORS["not_checkpoint_texts"].values()):
        if text.endswith("\n") and "\r" not in text and "\x01" not in text:
            with pytest.raises(IntegrityError, match="not a checkpoint"):
                checkpoint.open_checkpoint(sign_note(text, [_SIGNER]), "log.example", [_SIGNER.key])


def test_a_head_that_cannot_be_is_not_made(checkpoint):
    for arguments, complaint in (
        (("", 7, _ROOT), "'' cannot be a line"),
        (("a\nb", 7, _ROOT), "cannot be a line"),
        (("a\tb", 7, _ROOT), "cannot be a line"),
        (("a", 7, _ROOT, ("",)), "'' cannot be a line"),
        (("a", 7, _ROOT, ("x", "a\nb")), "cannot be a line"),
        (("a", -1, _ROOT), "-1 cannot be the size"),
        (("a", 2**63, _ROOT), "cannot be the size"),
        (("a", 7, _ROOT[:-1]), "cannot be the root of 7"),
        (("a", 7, _ROOT + b"\x00"), "cannot be the root of 7"),
        (("a", 0, _ROOT), "cannot be the root of 0"),
        (("a", 0, b""), "cannot be the root of 0"),
    ):
        with pytest.raises(ValueError, match="cannot be") as refused:
            checkpoint.Checkpoint(*arguments)
        assert complaint in str(refused.value)
    for size, root in ((0, EMPTY_ROOT), (1, _ROOT), (1, EMPTY_ROOT), (2**63 - 1, _ROOT)):
        assert checkpoint.Checkpoint("a", size, root).size == size

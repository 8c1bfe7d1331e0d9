"""Signed notes as published by others are read and made alike; anything malformed, altered or unsigned is refused.

Each test takes the module as its argument: the mutation test calls the same functions with every mutant.
"""

import json
from pathlib import Path

import pytest

from collector.errors import ConfigError, IntegrityError

_VECTORS = json.loads((Path(__file__).parents[1] / "vectors/log_note.json").read_text(encoding="utf-8"))
_TEXT = _VECTORS["text"]
_PETER_SECRET, _PETER = _VECTORS["keys"][0]["secret"], _VECTORS["keys"][0]["public"]
_ENOCH = _VECTORS["other_keys"][0]
_PETER_LINE, _ENOCH_LINE = _VECTORS["signatures"]["PeterNeumann"], _VECTORS["signatures"]["EnochRoot"]


def _note(*lines, text=_TEXT):
    return (text + "\n" + "".join(lines)).encode()


def _refusal(error, call, *arguments):
    with pytest.raises(error) as refused:
        call(*arguments)
    return refused.value.message


def test_published_keys_are_read_and_written_alike(note):
    for pair in _VECTORS["keys"]:
        signer = note.SignerKey.parse(pair["secret"])
        assert (signer.secret_text(), str(signer.key)) == (pair["secret"], pair["public"])
    for text in [pair["public"] for pair in _VECTORS["keys"]] + _VECTORS["other_keys"]:
        key = note.VerifierKey.parse(text)
        assert str(key) == text
        assert key.id.hex() == text.split("+")[1]
        assert len(key.public) == 32


def test_a_published_note_is_made_byte_for_byte(note):
    assert note.sign_note(_TEXT, [note.SignerKey.parse(_PETER_SECRET)]) == _note(_PETER_LINE)


def test_a_note_is_opened_with_the_keys_that_are_known(note):
    peter, enoch = note.VerifierKey.parse(_PETER), note.VerifierKey.parse(_ENOCH)
    both = _note(_PETER_LINE, _ENOCH_LINE)
    assert note.open_note(both, [peter]) == (_TEXT, (peter,))
    assert note.open_note(both, [enoch]) == (_TEXT, (enoch,))
    assert note.open_note(both, [enoch, peter]) == (_TEXT, (peter, enoch))
    assert note.open_note(_note(_ENOCH_LINE, _PETER_LINE), [peter, enoch]) == (_TEXT, (enoch, peter))


def test_a_note_without_a_signature_by_a_known_key_is_refused(note):
    unsigned = "the note is not signed by any key that is known here"
    assert _refusal(IntegrityError, note.open_note, _note(_PETER_LINE), []) == unsigned
    assert _refusal(IntegrityError, note.open_note, _note(_PETER_LINE), [note.VerifierKey.parse(_ENOCH)]) == unsigned


def test_a_key_is_known_by_name_and_id_together(note):
    """Signatures of others are ignored even if they share the name or the id, but not both, with a key we know."""
    peter, enoch = note.VerifierKey.parse(_PETER), note.VerifierKey.parse(_ENOCH)
    renamed = _PETER_LINE.replace("PeterNeumann", "CarmenSandiego")
    of_another_id = _PETER_LINE.replace("x08g", "xxxx")
    for line in (renamed, of_another_id):
        assert note.open_note(_note(line, _ENOCH_LINE), [peter, enoch]) == (_TEXT, (enoch,))
        with pytest.raises(IntegrityError):
            note.open_note(_note(line), [peter])


def test_a_bad_signature_by_a_known_key_condemns_the_note(note):
    peter, enoch = note.VerifierKey.parse(_PETER), note.VerifierKey.parse(_ENOCH)
    bad = _PETER_LINE[:60] + "ABCD" + _PETER_LINE[60:]
    (of_enoch,) = note.parse_note(_note(_ENOCH_LINE)).signatures
    swapped = f"{note.Signature('PeterNeumann', peter.id, of_enoch.data)}\n"
    for lines in ((bad,), (swapped,), (_PETER_LINE, bad), (bad, _PETER_LINE), (_ENOCH_LINE, bad)):
        assert _refusal(IntegrityError, note.open_note, _note(*lines), [peter, enoch]) == (
            "the signature of PeterNeumann+c74f20a3 is not over this text"
        )


def test_a_signature_given_twice_counts_once(note):
    peter = note.VerifierKey.parse(_PETER)
    assert note.open_note(_note(_PETER_LINE, _ENOCH_LINE, _PETER_LINE), [peter, peter]) == (_TEXT, (peter,))


def test_two_different_keys_under_one_name_and_id_are_refused(note):
    """Four bytes collide within a second of trying: an id proves nothing."""
    first, second = note.VerifierKey("x", (17_346).to_bytes(32)), note.VerifierKey("x", (75_898).to_bytes(32))
    message = _refusal(ConfigError, note.open_note, _note(_PETER_LINE), [first, second])
    assert message == f"two keys are known as x+{first.id.hex()}"


def test_a_text_may_hold_blank_lines_and_other_letters(note):
    found = note.parse_note(_VECTORS["text_with_blank_lines"].encode())
    assert found.text.endswith("sole:\n\ned è subito sera.\n")
    assert [(each.name, each.key_id.hex(), len(each.data)) for each in found.signatures] == [
        ("quasimodo.example/salvatore", "367ba04b", 64)
    ]
    signer = note.SignerKey.parse(_PETER_SECRET)
    for text in (
        "\n",
        "\n\n\n",
        "a\n\n",
        "\n\na\n",
        "— x\n",
        "— x\n\n— PeterNeumann AAAAAAA=\n",
        "\x7f\x80\u2028 \ufeff\n",
    ):
        data = note.sign_note(text, [signer])
        assert note.open_note(data, [signer.key]) == (text, (signer.key,))
        assert data.decode() == f"{text}\n{note.parse_note(data).signatures[0]}\n"


def test_what_is_not_a_note_is_refused(note):
    keys = [note.VerifierKey.parse(_PETER)]
    block = "it does not end in a blank line and signature lines"
    line = "a line after the blank one is not a signature"
    for data, why in (
        (b"", block),
        (_TEXT.encode(), block),
        (_note(), block),
        (_note(_PETER_LINE[:-1]), block),
        (_note(_PETER_LINE, "\n"), block),
        (_note(_PETER_LINE, "\n", _PETER_LINE[:-1]), block),
        (b"\n" + _PETER_LINE.encode(), block),
        (_PETER_LINE.encode(), block),
        (_note(_PETER_LINE, text="\x01" + _TEXT), "it has control characters"),
        (_note(_PETER_LINE, text="a\tb\n"), "it has control characters"),
        (_note(_PETER_LINE.replace("\n", "\r\n")), "it has control characters"),
        (_note(_PETER_LINE, text="a\x00\n"), "it has control characters"),
        (b"\xff" + _note(_PETER_LINE), "it is not UTF-8"),
        (_note(_PETER_LINE).replace("—".encode(), b"\xe2\x80"), "it is not UTF-8"),
        (b"\xed\xa0\x80" + _note(_PETER_LINE), "it is not UTF-8"),
        (_note(_PETER_LINE, "Unexpected line.\n"), line),
        (_note("Unexpected line.\n", _PETER_LINE), line),
        (_note(_PETER_LINE.replace("— ", "- ")), line),
        (_note(_PETER_LINE.replace("— ", "—")), line),
        (_note(_PETER_LINE.replace("— ", "—  ")), line),
        (_note(_PETER_LINE.replace("— ", "")), line),
        (_note(_PETER_LINE.replace("PeterNeumann", "Peter Neumann")), line),
        (_note(_PETER_LINE.replace("PeterNeumann", "Peter\u00a0Neumann")), line),
        (_note(_PETER_LINE.replace("PeterNeumann", "Peter\u2028Neumann")), line),
        (_note(_PETER_LINE.replace("PeterNeumann", "Peter+Neumann")), line),
        (_note(_PETER_LINE.replace("PeterNeumann", "")), line),
        (_note("— PeterNeumann\n"), line),
        (_note("— PeterNeumann \n"), line),
        (_note("— PeterNeumann x08gow==\n"), line),
        (_note(_PETER_LINE.replace("=", "")), line),
        (_note(_PETER_LINE.replace("=", "==")), line),
        (_note(_PETER_LINE.replace("=", "= ")), line),
        (_note(_PETER_LINE.replace("AM=", "AN=")), line),
        (_note(_PETER_LINE.replace("x08go/", "x08go_")), line),
        (_note(_PETER_LINE.replace("x08go/", "x08go/é")), line),
        (_note(_PETER_LINE.replace("x08go/", "x08g o/")), line),
    ):
        assert _refusal(IntegrityError, note.open_note, data, keys) == f"not a signed note: {why}"
        assert _refusal(IntegrityError, note.parse_note, data) == f"not a signed note: {why}"


def test_the_shortest_signature_is_one_byte_after_the_id(note):
    (found,) = note.parse_note(_note("— a AAECAwQ=\n")).signatures
    assert (found.name, found.key_id, found.data) == ("a", b"\x00\x01\x02\x03", b"\x04")
    assert str(found) == "— a AAECAwQ="


def test_a_note_has_at_most_a_hundred_signatures_and_a_million_bytes(note):
    peter = note.VerifierKey.parse(_PETER)
    assert note.open_note(_note(*[_PETER_LINE] * 100), [peter])[1] == (peter,)
    assert _refusal(IntegrityError, note.parse_note, _note(*[_PETER_LINE] * 101)) == (
        "not a signed note: 101 signatures are more than 100"
    )
    room = 1_000_000 - len(_note(_PETER_LINE, text="\n"))
    assert note.parse_note(_note(_PETER_LINE, text="x" * room + "\n")).text == "x" * room + "\n"
    too_long = _note(_PETER_LINE, text="x" * (room + 1) + "\n")
    assert _refusal(IntegrityError, note.parse_note, too_long) == (
        "not a signed note: 1000001 bytes are more than 1000000"
    )


def test_every_changed_bit_of_a_note_is_noticed(note):
    peter = note.VerifierKey.parse(_PETER)
    data = _note(_PETER_LINE)
    for place in range(len(data)):
        with pytest.raises(IntegrityError):
            note.open_note(bytes([*data[:place], data[place] ^ 1, *data[place + 1 :]]), [peter])


def test_a_signature_has_one_form_only(note):
    """S + L is as good as S to a careless verifier, which would make two notes of one (RFC 8032, 5.1.7)."""
    peter = note.VerifierKey.parse(_PETER)
    (good,) = note.parse_note(_note(_PETER_LINE)).signatures
    order = 2**252 + 27742317777372353535851937790883648493
    scalar = int.from_bytes(good.data[32:], "little") + order
    other = good.data[:32] + scalar.to_bytes(32, "little")
    assert peter.verifies(_TEXT.encode(), good.data) is True
    for signature in (other, good.data[:-1], good.data + b"\x00", b"", bytes(64)):
        assert peter.verifies(_TEXT.encode(), signature) is False
    assert peter.verifies(_TEXT.encode()[:-1], good.data) is False


def test_a_text_that_cannot_be_a_notes_is_not_signed(note):
    signer = note.SignerKey.parse(_PETER_SECRET)
    for text in ("", "no newline", "a\tb\n", "a\r\n", "\x00\n", "a\n\x1f\n"):
        with pytest.raises(ValueError, match="a note's text"):
            note.sign_note(text, [signer])
    with pytest.raises(ValueError, match="signed by someone"):
        note.sign_note(_TEXT, [])
    with pytest.raises(UnicodeEncodeError):
        note.sign_note("\ud800\n", [signer])


def test_many_sign_in_the_order_given(note):
    signers = [note.SignerKey.generate(name) for name in ("b.example", "a.example")]
    data = note.sign_note(_TEXT, signers)
    assert [each.name for each in note.parse_note(data).signatures] == ["b.example", "a.example"]
    assert note.open_note(data, [signers[1].key, signers[0].key]) == (_TEXT, (signers[0].key, signers[1].key))


def test_a_signer_whose_signature_is_not_its_own_is_found_out(note):
    """A key kept elsewhere may be asked for under a wrong name."""

    class MixedUpKeeper:
        key = note.VerifierKey.parse(_ENOCH)
        sign = note.SignerKey.parse(_PETER_SECRET).sign

    assert _refusal(IntegrityError, note.sign_note, _TEXT, [MixedUpKeeper()]) == (
        "the signer of EnochRoot gave a signature that is not its own"
    )


def test_a_new_key_is_its_own_and_survives_being_written_down(note):
    first, second = note.SignerKey.generate("log.example/a"), note.SignerKey.generate("log.example/a")
    assert first.key != second.key
    again = note.SignerKey.parse(first.secret_text())
    assert again.key == first.key == note.VerifierKey.parse(str(first.key))
    assert note.sign_note(_TEXT, [again]) == note.sign_note(_TEXT, [first])


def test_any_part_or_change_of_a_key_is_not_a_key(note):
    for parse, text in ((note.VerifierKey.parse, _PETER), (note.SignerKey.parse, _PETER_SECRET)):
        for start in range(len(text)):
            for end in range(start, len(text) + 1):
                if (start, end) != (0, len(text)):
                    _refusal(ConfigError, parse, text[start:end])
        for place in range(len(text)):
            _refusal(ConfigError, parse, text[:place] + chr(ord(text[place]) + 1) + text[place + 1 :])


def test_what_is_wrong_with_a_key_is_said(note):
    form, altered = "is not of the form name+id+base64", "was altered: its id is not that of its name and key"
    for text, complaint in (
        ("", form),
        (_PETER + "WBADKEY==", form),
        (_PETER + "\n", form),
        ("PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy1w==", form),
        (_PETER.replace("+AR", "+ZR"), "is of type 101; only Ed25519, type 1, is read"),
        (_PETER.replace("c74f20a3", "C74F20A3"), altered),
        (_PETER.replace("c74f20a3", "c74f20a4"), altered),
        (_PETER.replace("Peter", "Pieter"), altered),
    ):
        assert _refusal(ConfigError, note.VerifierKey.parse, text) == f"the verifier key {text!r} {complaint}"
    for name in ("Peter Neumann", "", " PeterNeumann"):
        text = _PETER.replace("PeterNeumann", name)
        assert _refusal(ConfigError, note.VerifierKey.parse, text) == f"a key cannot be named {name!r}"


def test_what_is_wrong_with_a_signing_key_is_said_without_its_secret(note):
    form = "the signing key is not of the form name+id+base64"
    altered = "the signing key was altered: it is not of the form PRIVATE+KEY+name+id+base64"
    for text, complaint in (
        (_PETER_SECRET.removeprefix("PRIVATE+KEY+"), altered),
        (_PETER_SECRET.replace("c74f20a3", "c74f20a4"), altered),
        (_PETER_SECRET[:-1], form),
        (_PETER_SECRET + "\n", form),
        (_PETER_SECRET.replace("+AYEK", "+AoEK"), "the signing key is of type 2; only Ed25519, type 1, is read"),
        (_PETER_SECRET.replace("PeterNeumann", "é è"), "a key cannot be named 'é è'"),
    ):
        assert _refusal(ConfigError, note.SignerKey.parse, text) == complaint


def test_a_key_is_not_made_with_a_name_that_a_note_cannot_carry(note):
    for name in ("", " ", "a b", "a+b", "a\u00a0b", "a\u2003b", "a\n", "a\tb", "a\x01b", "a\x85b", "\ud800", "a\udfff"):
        assert "a key cannot be named" in _refusal(ConfigError, note.VerifierKey, name, bytes(32))
    for name in ("é", "a-b/c.d", "a\u200bb", "\x7f", "\ud7ff", "\ue000"):
        assert note.VerifierKey(name, bytes(32)).name == name
    for length in (0, 31, 33):
        assert _refusal(ConfigError, note.VerifierKey, "a", bytes(length)) == (
            f"the public key of a has {length} bytes instead of 32"
        )


def test_a_secret_is_not_shown_by_accident(note):
    signer = note.SignerKey.parse(_PETER_SECRET)
    assert "gQoU" not in f"{signer} {signer!r} {vars(signer)}"
    assert _PETER_SECRET.split("+", 4)[4] not in f"{signer} {signer!r} {vars(signer)}"

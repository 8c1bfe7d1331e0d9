"""The verifier gives a verdict on anything: good for what was exported, under the known key; else another word."""

from __future__ import annotations

import ast
import hashlib
import json
import random
import sys
import zipfile
from pathlib import Path

import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from collector.act import ActKind
from collector.export import verifier
from collector.log.checkpoint import Checkpoint, sign_checkpoint
from collector.log.note import SignerKey, parse_note

# RFC 8032, 7.1: public key, message, signature of tests 1 to 3.
VECTORS = (
    (
        "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a",
        "",
        "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b",
    ),
    (
        "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c",
        "72",
        "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00",
    ),
    (
        "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025",
        "af82",
        "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a",
    ),
)
SEED, MUTATIONS = 20261126, 600


def members(path):
    with zipfile.ZipFile(path) as file:
        return {name: file.read(name) for name in file.namelist()}


def packed(there, path, *, seal=True):
    """Write *there* as a zip file as a forger would: sealed again."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as file:
        for name, data in there.items():
            file.writestr(name, data)
        if seal:
            file.comment = verifier.SEAL + b"0" * 64
    if seal:
        body = path.read_bytes()[:-64]
        path.write_bytes(body + hashlib.sha256(body).hexdigest().encode())
    return path


def rebagged(there):
    """Return *there* with every manifest made again."""
    for manifest, names in (
        ("manifest-sha256.txt", [name for name in there if name.startswith("bundle/data/")]),
        ("tagmanifest-sha256.txt", [f"bundle/{name}" for name in verifier.TAGS]),
    ):
        lines = [f"{hashlib.sha256(there[name]).hexdigest()}  {name[7:]}\n" for name in sorted(names) if name in there]
        there[f"bundle/{manifest}"] = "".join(lines).encode()
    return there


def flipped(data, chance):
    at = chance.randrange(len(data)) if data else 0
    return data[:at] + bytes([data[at] ^ (1 << chance.randrange(8))]) + data[at + 1 :] if data else b"x"


class Mutations:
    """Ways to do harm to a bundle, each of which returns the path of a changed one."""

    def __init__(self, bundle, folder, chance):
        self.data, self.there, self.chance, self.path = bundle.read_bytes(), members(bundle), chance, folder / "b.zip"
        self.evidence = [
            name for name in self.there
            if name.startswith("bundle/data/") and not name.endswith((*verifier.READING, "bundle.json"))
        ]  # fmt: skip

    def write(self, data):
        self.path.write_bytes(data)
        return self.path

    def flip(self):
        return self.write(flipped(self.data, self.chance))

    def cut(self):
        return self.write(self.data[: self.chance.randrange(len(self.data))])

    def drop(self):
        gone = self.chance.choice(sorted(self.there))
        return packed({name: data for name, data in self.there.items() if name != gone}, self.path)

    def drop_and_rebag(self):
        gone = self.chance.choice(self.evidence)
        return packed(rebagged({name: data for name, data in self.there.items() if name != gone}), self.path)

    def swap(self):
        one, two = self.chance.sample([name for name in self.evidence if self.there[name]], 2)
        there = self.there | {one: self.there[two], two: self.there[one]}
        return packed(rebagged(there) if self.chance.random() < 0.5 else there, self.path)

    def alter_and_rebag(self):
        name = self.chance.choice(self.evidence)
        return packed(rebagged(self.there | {name: flipped(self.there[name], self.chance)}), self.path)

    def rename_and_rebag(self):
        """Alter a content, and call it by its new digest."""
        name = self.chance.choice([each for each in self.evidence if "/artifacts/" in each])
        there = dict(self.there)
        data = flipped(there.pop(name), self.chance)
        digest = hashlib.sha256(data).hexdigest()
        return packed(rebagged(there | {f"bundle/{verifier.artifact_file(digest)}": data}), self.path)

    def lose_a_line(self):
        name = self.chance.choice([each for each in self.evidence if each.endswith((".jsonl", ".csv", "leaves"))])
        lines = self.there[name].splitlines(keepends=True) or [b"{}\n"]
        at = self.chance.randrange(len(lines))
        changed = lines[:at] + lines[at + 1 :] if self.chance.random() < 0.5 else lines[: at + 1] + lines[at:]
        return packed(rebagged(self.there | {name: b"".join(changed) if self.there[name] else b"{}\n"}), self.path)

    def rezip(self):
        return packed(self.there, self.path, seal=False)

    def add(self):
        name = self.chance.choice(["data/x", "x", "data/artifacts/00/" + "0" * 64, "../x", "data/../../x", "/etc/x"])
        return packed(rebagged(self.there | {f"bundle/{name}": b"x"}), self.path)

    def another_note(self):
        said = json.loads(self.there["bundle/data/bundle.json"])
        name = f"bundle/data/log/checkpoints/{said['checkpoint']}.note"
        note = Checkpoint.parse(parse_note(self.there[name]).text)
        signer = SignerKey("stranger" if self.chance.random() < 0.5 else note.origin, Ed25519PrivateKey.generate())
        return packed(rebagged(self.there | {name: sign_checkpoint(note, [signer])}), self.path)

    def noise(self):
        return self.write(self.chance.randbytes(self.chance.randrange(2_000)))


WAYS = [name for name in vars(Mutations) if not name.startswith("_") and name != "write"]


def test_six_hundred_mutations_give_six_hundred_verdicts_and_none_is_good(bundle, key, tmp_path, capsys):
    chance = random.Random(SEED)
    mutations = Mutations(bundle, tmp_path, chance)
    seen = {}
    for number in range(MUTATIONS):
        way = WAYS[number % len(WAYS)]
        code = verifier.main([str(getattr(mutations, way)()), "--key", key])
        said = capsys.readouterr().out
        assert (code, said.startswith("verdict: good")) == (1, False), (way, number)
        seen.setdefault(way, set()).add(said.splitlines()[0])
    assert set().union(*seen.values()) >= {
        f"verdict: {each}" for each in ("altered", "incomplete", "truncated", "re-bagged", "wrong key")
    }
    assert seen["cut"] == {"verdict: truncated"}
    assert seen["flip"] <= {"verdict: altered", "verdict: re-bagged", "verdict: truncated"}


def test_another_key_is_the_wrong_key(bundle):
    stranger = str(SignerKey.generate("evidenced/other").key)
    assert verifier.verify(str(bundle), [stranger])["verdict"] == "wrong key"
    assert verifier.verify(str(bundle), ["no key"])["verdict"] == "wrong key"


def test_without_a_key_it_says_that_the_key_came_with_the_bundle(bundle, capsys):
    assert verifier.main([str(bundle)]) == 0
    assert "a key that the bundle itself brought" in capsys.readouterr().out


def test_a_bundle_packed_again_is_told_apart_though_its_contents_agree(bundle, key, tmp_path):
    found = verifier.verify(str(packed(members(bundle), tmp_path / "again.zip", seal=False)), [key])
    assert (found["verdict"], "contents agree with the log" in found["what"]) == ("re-bagged", True)


@pytest.mark.parametrize("name", verifier.READING)
def test_what_is_for_reading_only_is_not_vouched_for(bundle, key, tmp_path, name):
    """A limit, stated in the docs: whoever makes every manifest again can make these say anything."""
    there = members(bundle)
    there[f"bundle/data/{name}"] = b"anything\n"
    assert verifier.verify(str(packed(rebagged(there), tmp_path / "b.zip")), [key])["verdict"] == "good"


def test_a_verdict_is_given_on_what_is_no_file(tmp_path, capsys):
    for path in (tmp_path, tmp_path / "none", "\x00"):
        assert verifier.main([str(path)]) == 1
        assert capsys.readouterr().out.startswith("verdict: ")
    assert verifier.main([]) == 1


@pytest.mark.parametrize(("public", "message", "signature"), VECTORS)
def test_ed25519_agrees_with_the_vectors_of_rfc_8032(public, message, signature):
    assert verifier.ed25519_verifies(*map(bytes.fromhex, (public, message, signature)))


def test_ed25519_agrees_with_the_library_on_good_and_bad_signatures():
    chance = random.Random(SEED)
    for number in range(60):
        private = Ed25519PrivateKey.from_private_bytes(chance.randbytes(32))
        public, message = private.public_key().public_bytes_raw(), chance.randbytes(number)
        signature = private.sign(message)
        given = [public, message, signature]
        if number % 3:
            at = number % 2 * 2
            given[at] = flipped(given[at], chance)
        assert verifier.ed25519_verifies(*given) is by_library(*given)


def by_library(public, message, signature):
    try:
        Ed25519PublicKey.from_public_bytes(public).verify(signature, message)
    except (InvalidSignature, ValueError):
        return False
    return True


def test_it_needs_nothing_but_the_standard_library_and_python_3_9():
    source = Path(verifier.__file__).read_text(encoding="utf-8")
    tree = ast.parse(source, feature_version=(3, 9))
    named = {each.name for node in ast.walk(tree) if isinstance(node, ast.Import) for each in node.names}
    froms = {node.module for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
    assert named | {each.partition(".")[0] for each in froms} <= sys.stdlib_module_names


def test_a_bundle_from_which_somebody_left_out_what_was_read_is_incomplete(whole, bundle, key, tmp_path):
    [*_, act] = whole.store.desk.acts(ActKind.ACCESS)
    there = members(bundle)
    del there[f"bundle/{verifier.artifact_file(act.digest.hex())}"]
    found = verifier.verify(str(packed(rebagged(there), tmp_path / "less.zip")), [key])
    assert found["verdict"] == "incomplete"
    assert act.digest.hex() in found["what"]

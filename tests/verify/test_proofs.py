"""A proof leads from a run or an artifact to a signed head, offline; whatever is altered in it, it leads nowhere."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from base64 import b64decode, b64encode
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from collector.errors import IntegrityError, QueryError, Withheld
from collector.log.note import SignerKey
from collector.model import show_digest
from collector.store import open_store
from collector.tokens import read_roots
from collector.verify import Trust, check_proof, parse_proof, prove
from tests.fakes.authority import TimeStampAuthority
from tests.fakes.clock import PlayedClock

EARLY = datetime(2026, 3, 14, 6, tzinfo=UTC)
PAGE = Path(__file__).parents[2] / "docs" / "proofs.md"


@pytest.fixture(scope="module")
def store(made, tmp_path_factory):
    folder = tmp_path_factory.mktemp("proofs")
    shutil.copyfile(made / "evidence.db", folder / "evidence.db")
    store = open_store(f"sqlite:///{folder}/evidence.db", clock=PlayedClock())
    yield store
    store.close()


@pytest.fixture(scope="module")
def keys(store):
    return [event.key for event in store.checkpoints.key_events()]


@pytest.fixture(scope="module")
def trust(made):
    """The root of the authority that stamped the store's checkpoints, as somebody gave it to a stranger."""
    return Trust(roots=(read_roots(made / "authority" / "root.pem", "here"),))


@pytest.fixture(scope="module")
def artifacts(store):
    """Every artifact that was not erased, or was brought again since, by its number."""
    with store.evidence(lambda *_: None, lambda *_: None) as evidence:
        again = {row["artifact"] for row in evidence.rows("regained")}
        kept = [row for row in evidence.rows("artifact") if row["bytes"] is not None or row["id"] in again]
        return {row["id"]: show_digest(row["digest"]) for row in kept}


@pytest.fixture(scope="module")
def of_an_item(store, artifacts):
    """The proof of an artifact of an item, one of several that changed together."""
    with store.evidence(lambda *_: None, lambda *_: None) as evidence:
        change = evidence.one("change", state=1)
    return prove(store, artifacts[change["artifact"]])


def test_every_run_and_every_artifact_can_be_proved(store, keys, artifacts):
    runs = [run.id for run in store.runs(limit=100)]
    assert len(runs) > 5
    for target in [*runs, *artifacts.values()]:
        made = prove(store, target)
        found = check_proof(parse_proof(made.data), keys)
        assert (found.trouble, found.leaf, found.known) == ("", made.leaf, True), target
        assert found.proves in (f"run {target}", f"artifact {target}")
        assert found.signed == (str(keys[0]),)


def test_the_proof_of_what_was_erased_is_the_word_that_it_was(store, artifacts):
    with store.evidence(lambda *_: None, lambda *_: None) as evidence:
        gone = [show_digest(row["digest"]) for row in evidence.rows("artifact") if row["id"] not in artifacts]
    assert len(gone) == 6
    for target in gone:
        with pytest.raises(Withheld, match=r"erased at .* by tombstone [123]: request 4711|tombstone [67]: retention"):
            prove(store, target)


def test_a_proof_without_a_known_key_is_checked_but_for_its_signature(of_an_item):
    found = check_proof(parse_proof(of_an_item.data), [])
    assert (found.trouble, found.signed, found.known) == ("", (), False)


def test_a_proof_says_when_its_head_was_stamped_and_whether_that_can_be_trusted(of_an_item, trust):
    (stamp,) = check_proof(parse_proof(of_an_item.data), [], trust).stamps
    assert (stamp.authority, stamp.trusted, f"{stamp.at:%Y-%m}") == ("paper", True, "2026-03")
    assert [each.trusted for each in check_proof(parse_proof(of_an_item.data), []).stamps] == [False]


def test_a_proof_whose_leaf_is_newer_than_the_stamp_over_it_does_not_hold(of_an_item, made, tmp_path):
    early = TimeStampAuthority(shutil.copytree(made / "authority", tmp_path / "early"), clock=lambda: EARLY)
    proof = parse_proof(of_an_item.data)
    proof = replace(proof, tokens=(("paper", early.stamp(proof.note)),))
    assert "its times contradict each other" in check_proof(parse_proof(proof.data()), []).trouble


def test_a_proof_with_a_strangers_stamp_does_not_hold(of_an_item, trust, tmp_path):
    proof = parse_proof(of_an_item.data)
    stranger = TimeStampAuthority(tmp_path, "Other Time", clock=lambda: EARLY)
    proof = replace(proof, tokens=(("paper", stranger.stamp(proof.note)),))
    assert "is not signed under" in check_proof(parse_proof(proof.data()), [], trust).trouble


def test_a_proof_that_another_key_signed_does_not_hold(of_an_item, store):
    stranger = SignerKey.generate(f"evidenced/{store.id}").key
    assert "not signed by any key" in check_proof(parse_proof(of_an_item.data), [stranger]).trouble


def test_what_no_checkpoint_covers_yet_is_proved_under_the_head_and_said_to_be_unsigned(store, keys):
    plan = store.append_plan({"new": 1}, *_named({"new": 1}))
    assert plan
    made = prove(store, show_digest(_named({"new": 1})[0]))
    assert not made.signed
    assert check_proof(parse_proof(made.data), []).trouble == ""
    assert "not signed by anybody" in check_proof(parse_proof(made.data), keys).trouble


def _named(document):
    from collector.canonical import canonical, digest

    return digest(canonical(document)), PlayedClock().now()


def _places(value, path=()):
    """Yield the path of every value in a proof."""
    for name, each in value.items() if isinstance(value, dict) else enumerate(value):
        if isinstance(each, dict | list):
            yield from _places(each, (*path, name))
        else:
            yield (*path, name)


def _altered(value):
    if isinstance(value, int):
        return value + 1
    if re.fullmatch(r"[0-9a-f]{64}", value):
        return value[:-1] + ("0" if value[-1] != "0" else "1")
    try:
        data = b64decode(value, validate=True)
    except ValueError:
        return f"{value}x"
    return b64encode(data[:-1] + bytes([data[-1] ^ 1])).decode() if data else "AA=="


@pytest.mark.parametrize("target", ["item", "run"])
def test_whatever_is_altered_in_a_proof_it_does_not_hold(store, keys, trust, of_an_item, target):
    whole = json.loads(of_an_item.data if target == "item" else prove(store, "6-0").data)
    found = check_proof(parse_proof(json.dumps(whole).encode()), keys, trust)
    assert (found.trouble, {each.trusted for each in found.stamps} - {True}) == ("", set())
    for path in _places(whole):
        if (path[0] == "parts" and path[-1] == "size") or path[-1] == "authority":
            continue  # a root says nothing of how many leaves there are, nor a signed token of what we call its signer
        altered = json.loads(json.dumps(whole))
        node = altered
        for name in path[:-1]:
            node = node[name]
        node[path[-1]] = _altered(node[path[-1]])
        try:
            trouble = check_proof(parse_proof(json.dumps(altered).encode()), keys, trust).trouble
        except IntegrityError as error:
            trouble = error.message
        assert trouble, path


def test_a_part_cannot_be_hung_elsewhere(store, keys):
    """The notes in the sheet's place, the entry as the frame: every part has its own place in the tree."""
    whole = json.loads(prove(store, "6-0").data)
    sheet, frame = whole["parts"][:2]
    sheet["name"], frame["name"] = frame["name"], sheet["name"]
    assert "not in its place" in check_proof(parse_proof(json.dumps(whole).encode()), keys).trouble


def test_a_run_that_the_sweep_does_not_have_is_not_proved(store, keys):
    whole = prove(store, "6-0").data.replace(b'"run 6-0"', b'"run 6-7"')
    assert "has no run 6-7" in check_proof(parse_proof(whole), keys).trouble


@pytest.mark.parametrize("data", [b"", b"{}", b"[]", b"\xff", b'{"format": "evidenced-proof/2"}', b"[" * 100_000])
def test_a_file_that_is_no_proof_is_refused(data):
    with pytest.raises(IntegrityError, match="not a proof"):
        parse_proof(data)


@pytest.mark.parametrize("target", ["sha256:zz", "sha256:" + "0" * 64, "999-0", "soon"])
def test_what_the_store_does_not_have_cannot_be_proved(store, target):
    with pytest.raises(QueryError):
        prove(store, target)


def test_the_commands_of_the_page_check_a_proof_with_sha256sum_xxd_and_openssl_alone(of_an_item, made, tmp_path):
    (tmp_path / "item.proof").write_bytes(of_an_item.data)
    shutil.copyfile(made / "authority" / "root.pem", tmp_path / "root.pem")
    assert _run(tmp_path) == [
        "the artifact is in the entry",
        "the entry is in the leaf",
        "the leaf is under the checkpoint",
        "seen Mar 14 21:00:00 2026 GMT",
        "Verification: OK",
    ]
    part = parse_proof(of_an_item.data).parts[0].data
    (tmp_path / "item.proof").write_bytes(of_an_item.data.replace(b64encode(part), b64encode(part + b" ")))
    assert "the artifact is in the entry" not in _run(tmp_path)


def _run(folder):
    script = re.search(r"```sh\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)[1]
    done = subprocess.run(["sh", "-c", script], cwd=folder, capture_output=True, text=True, check=False, timeout=60)
    assert {line for line in done.stderr.splitlines() if not line.startswith("Using configuration from")} == set()
    return done.stdout.splitlines()

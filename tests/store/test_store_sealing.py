"""Sealed subjects on each engine: what is stored, read, erased and wrapped anew, and what attacks on it come to."""

from __future__ import annotations

import pytest
import zstandard
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from sqlalchemy import delete, func, insert, select, update

from collector.canonical import canonical, digest
from collector.errors import ConfigError, IntegrityError, QueryError, Withheld
from collector.log.tables import metadata
from collector.model import ContentSecret, Subject
from collector.sealing import SubjectKey, open_with, seal_with
from collector.store import open_store, tables
from collector.store.sealing_tables import artifact_key, erased, item_key, sealing_key, tombstone
from collector.verify import Verdict, prove, verify
from tests.fakes.sealed import FIRST, PEOPLE, SECOND, Ring, SealedHand
from tests.store.conftest import Audit

ANN, BOB = "ann.example@example.com", "bob.example@example.com"
PLANTED = [ANN, BOB, "ann.example", "Müller-Öz", "4917012345678"]
SECRETIVE = {"name": "Müller-Öz", "phone": "4917012345678"}


@pytest.fixture
def sealed(store):
    """A hand that observes a sealed subject."""
    store.sealing.keys.use(Ring(FIRST))
    return SealedHand(store)


@pytest.fixture
def again(store_url, clock):
    """What opens the same store as another process would, with a keyring."""
    opened = []

    def again(*keys):
        opened.append(open_store(store_url, clock=clock, create=False))
        opened[-1].sealing.keys.use(Ring(*keys))
        return opened[-1]

    yield again
    for each in opened:
        each.close()


def everything(store):
    """Return every byte that is stored, table by table, as the engine gives it."""
    with store._database.reading() as conn:
        return {
            name: [b"\0".join(_bytes(value) for value in row) for row in conn.execute(select(table))]
            for name, table in metadata.tables.items()
        }


def _bytes(value):
    return bytes(value) if isinstance(value, bytes | memoryview) else str(value).encode()


def count(store, table):
    with store._database.reading() as conn:
        return conn.execute(select(func.count()).select_from(table)).scalar_one()


def contents(store, at, key=None):
    return {each.key: store.artifact(each.artifact) for each in store.as_of(PEOPLE.kind, at, key=key)}


def is_intact(store):
    found = verify(store)
    assert (found.verdict, found.differences) == (Verdict.INTACT, ())
    Audit(store)
    return found


def test_what_was_sealed_reads_back_as_it_was(sealed, store, again, noon, hour):
    sealed.see({ANN: {"v": 1}, BOB: {"v": 2}}, noon, volatile=canonical({ANN: {"used": 1}}))
    for each in (store, again(FIRST)):
        assert contents(each, noon) == {ANN: b'{"v":1}', BOB: b'{"v":2}'}
        assert [form.key for form in each.history(PEOPLE.kind, ANN)] == [ANN]
        assert each.volatile(PEOPLE, noon + hour) == {ANN: {"used": 1}}
    is_intact(store)


def test_no_dictionary_is_made_of_what_is_sealed(sealed, store, noon, hour):
    """It would hold pieces of it that no erasure reaches."""
    people = {f"person{number}@example.com": {"v": number} for number in range(40)}
    used = canonical({each: {"used": "2026-03-14T12:00:00Z", "by": each} for each in people})
    for day in range(2):
        sealed.see(people, noon + 24 * day * hour, volatile=used)
        store.stage(sealed.sealer().stage([sealed.content({"staged": [day, each]}) for each in range(40)]))
    assert count(store, tables.volatile) == 2
    assert count(store, tables.dictionary) == 0


def test_nothing_that_is_stored_holds_what_was_sealed(sealed, store, noon):
    sealed.see({ANN: SECRETIVE, BOB: {"v": 2}}, noon, volatile=canonical({ANN: {"seen_by": "Müller-Öz"}}))
    sealed.see({ANN: {**SECRETIVE, "v": 2}}, noon)
    store.stage(sealed.sealer().stage([sealed.content({"staged": "Müller-Öz"})]))
    plain = {digest(each.encode()) for each in (ANN, BOB)} | {digest(canonical(SECRETIVE))}
    for table, rows in everything(store).items():
        for planted in [*(each.encode() for each in PLANTED), *plain, *(each.hex().encode() for each in plain)]:
            assert not any(planted in row for row in rows), (table, planted)


def test_an_unchanged_population_stores_nothing_new(sealed, store, again, noon, hour):
    sealed.see({ANN: {"v": 1}, BOB: {"v": 2}}, noon)
    before = {name: count(store, table) for name, table in metadata.tables.items()}
    other = SealedHand(again(FIRST))
    found = other.saw({ANN: {"v": 1}, BOB: {"v": 2}}, noon + hour)
    assert (found.changes, found.artifacts, str(found.run.detail)) == ((), (), "unchanged")
    other.write(found)
    after = {name: count(store, table) for name, table in metadata.tables.items()}
    grown = {name for name in after if after[name] != before[name]}
    assert grown <= {"sweep", "log_leaf", "log_node"}


def test_equal_contents_of_two_items_are_two_artifacts(sealed, store, noon):
    """Else the one could not be erased without the other."""
    sealed.see({ANN: {"v": 1}, BOB: {"v": 1}}, noon)
    assert len({each.artifact for each in store.as_of(PEOPLE.kind, noon)}) == 2
    sealed.erase(ANN)
    assert contents(store, noon, BOB) == {BOB: b'{"v":1}'}


def test_contents_that_were_staged_are_two_artifacts_too(sealed, store, noon):
    sealer = sealed.sealer()
    content = sealed.content({"v": 1})
    store.stage(sealer.stage([content]))
    sealed.sealer = lambda: sealer
    found = sealed.saw({ANN: {"v": 1}, BOB: {"v": 1}}, noon)
    assert len(found.artifacts) == 1, "the second: the first is stored already"
    sealed.write(found)
    assert contents(store, noon) == {ANN: b'{"v":1}', BOB: b'{"v":1}'}
    is_intact(store)


def test_a_content_that_comes_back_is_told_as_a_change(sealed, store, noon, hour):
    for number, version in enumerate((1, 2, 1)):
        sealed.see({ANN: {"v": version}}, noon + number * hour)
    assert [store.artifact(each.artifact) for each in store.history(PEOPLE.kind, ANN)] == [
        b'{"v":1}',
        b'{"v":2}',
        b'{"v":1}',
    ]


def test_an_item_that_comes_back_has_the_secret_that_it_had(sealed, store, noon, hour):
    """Else its volatile fields of before and after would not open with one secret."""
    sealed.see({ANN: {"v": 1}, BOB: {}}, noon, volatile=canonical({ANN: {"used": 1}}))
    sealed.see({BOB: {}}, noon + hour)
    sealed.see({ANN: {"v": 1}, BOB: {}}, noon + 2 * hour, volatile=canonical({ANN: {"used": 2}}))
    assert store.volatile(PEOPLE, noon) == {ANN: {"used": 1}}
    assert store.volatile(PEOPLE, noon + 3 * hour) == {ANN: {"used": 2}}
    is_intact(store)


@pytest.mark.parametrize("keys", [(), (SECOND,)], ids=["no key", "another key"])
def test_without_the_right_key_items_are_shown_as_sealed(sealed, again, noon, hour, keys):
    sealed.see({ANN: {"v": 1}}, noon, volatile=canonical({ANN: {"used": 1}}))
    other = again(*keys)
    (item,) = other.as_of(PEOPLE.kind, noon)
    assert item.key.startswith("sealed:")
    assert [each.key for each in other.history(PEOPLE.kind, item.key)] == [item.key]
    with pytest.raises(Withheld, match=r"sealed: "):
        other.artifact(item.artifact)
    assert other.volatile(PEOPLE, noon + hour) == {}


def test_without_the_key_a_verification_compares_digests_and_says_so(sealed, again, noon):
    sealed.see({ANN: {"v": 1}, BOB: {"v": 2}}, noon)
    found = verify(again())
    assert found.verdict is Verdict.INTACT
    assert found.remarks[0].startswith("4 sealed things were compared by their digests alone")


# Erasure


def test_what_is_erased_is_gone_and_shown_as_erased(sealed, store, noon, hour):
    sealed.see({ANN: SECRETIVE, BOB: {"v": 2}}, noon, volatile=canonical({ANN: {"used": 1}, BOB: {"used": 2}}))
    sealed.see({ANN: {"v": 2}, BOB: {"v": 2}}, noon + hour)
    made = sealed.erase(ANN)
    assert (made.id, made.count) == (1, 2)
    forms = store.history(PEOPLE.kind, ANN)
    assert len(forms) == 2, "never absent"
    assert all(each.key.startswith("erased:") for each in forms)
    for each in forms:
        with pytest.raises(Withheld, match=r"erased at .* by tombstone 1: request 4711"):
            store.artifact(each.artifact)
    assert contents(store, noon, BOB) == {BOB: b'{"v":2}'}
    assert store.volatile(PEOPLE, noon + hour) == {BOB: {"used": 2}}
    assert "1 items" in is_intact(store).remarks[-1]


def test_a_run_that_saw_what_is_erased_is_still_proved(sealed, store, noon):
    receipt = sealed.see({ANN: {"v": 1}}, noon)
    sealed.erase(ANN)
    assert prove(store, receipt.runs[0]).leaf == receipt.leaf
    assert store.run(receipt.runs[0]).counts.items == 1


def test_the_file_of_a_sqlite_store_holds_nothing_of_what_is_erased(tmp_path, clock, noon):
    store = open_store(f"sqlite:///{tmp_path}/evidence.db", clock=clock)
    store.sealing.keys.use(Ring(FIRST))
    hand = SealedHand(store)
    hand.see({ANN: {"text": "long " * 400, **SECRETIVE}, BOB: {"v": 1}}, noon)
    with store._database.reading() as conn:
        number = conn.execute(select(func.max(artifact_key.c.artifact))).scalar()
        gone = [bytes(each) for each in conn.execute(select(artifact_key.c.wrapped)).scalars()]
        gone += [bytes(each) for each in conn.execute(select(item_key.c.wrapped)).scalars()]
        gone += [bytes(each)[60:] for each in conn.execute(
            select(tables.artifact.c.bytes).where(tables.artifact.c.id <= number, tables.artifact.c.id > number - 2)
        ).scalars()]  # fmt: skip
    for key in (ANN, BOB):
        assert not hand.erase(key).lingers
    held = b"".join(each.read_bytes() for each in tmp_path.glob("evidence.db*") if each.is_file())
    assert len(gone) == 6
    assert not [each for each in gone if each in held]
    store.close()


def test_an_erased_item_that_is_still_there_is_recorded_anew(sealed, store, noon, hour):
    sealed.see({ANN: {"v": 1}, BOB: {"v": 2}}, noon)
    sealed.erase(ANN)
    found = sealed.saw({ANN: {"v": 1}, BOB: {"v": 2}}, noon + hour)
    assert (found.run.counts.added, found.run.counts.changed, found.run.counts.removed) == (0, 1, 0)
    sealed.write(found)
    assert contents(store, noon + hour) == {ANN: b'{"v":1}', BOB: b'{"v":2}'}
    assert sealed.erase(ANN).count == 1
    is_intact(store)


def test_an_erased_item_that_is_gone_is_recorded_as_gone(sealed, store, noon, hour):
    sealed.see({ANN: {"v": 1}, BOB: {"v": 2}}, noon)
    sealed.erase(ANN)
    found = sealed.saw({BOB: {"v": 2}}, noon + hour)
    assert (found.run.counts.items, found.run.counts.removed) == (1, 1)
    sealed.write(found)
    assert sealed.now(noon + hour) == [BOB]
    is_intact(store)


def test_an_erased_event_that_is_read_again_stays_erased(sealed, store, noon, hour):
    sealed.write(sealed.happened({"e1": SECRETIVE, "e2": {"v": 1}}, noon, noon + hour))
    sealed.erase("e1")
    found = sealed.happened({"e1": SECRETIVE, "e2": {"v": 1}}, noon, noon + 2 * hour)
    assert (found.changes, found.run.counts.added) == ((), 0)
    sealed.write(found)
    assert sorted(each.partition(":")[0] for each in sealed.now(noon + 2 * hour)) == ["e2", "erased"]
    is_intact(store)


def test_what_is_in_plain_is_not_erased_and_says_what_to_do(store, hand, noon):
    hand.see({ANN: {"v": 1}}, noon)
    found = store.erasing.find([hand.subject], ANN)
    with pytest.raises(QueryError, match="was not sealed") as refused:
        store.erasing.erase_item(found[0], reason="request 1", actor="Ana")
    assert "sealed = " in refused.value.hint()


@pytest.mark.parametrize("reason", ["", "  "])
def test_an_erasure_needs_a_reason(sealed, noon, reason):
    sealed.see({ANN: {"v": 1}}, noon)
    with pytest.raises(QueryError, match="needs a reason"):
        sealed.erase(ANN, reason=reason)
    assert sealed.now(noon) == [ANN]


def test_nothing_is_erased_twice(sealed, noon):
    sealed.see({ANN: {"v": 1}}, noon)
    sealed.erase(ANN)
    with pytest.raises(QueryError, match="erased already"):
        sealed.erase(ANN)


def test_a_tombstone_in_the_log_names_nobody(sealed, store, noon):
    sealed.see({ANN: {"v": 1}}, noon)
    made = sealed.erase(ANN, actor="Bea Example")
    (leaf,) = store.leaves(made.leaf, made.leaf + 1)
    assert leaf.kind == "tombstone"
    assert set(leaf.payload) == {"tombstone", "digest", "erased"}


def test_a_persons_name_is_erased_and_the_claim_stays(store):
    store.append_tag("run:1-0", "C-1", "seen", "Gil Example")
    made = store.erasing.erase_person("Gil Example", reason="request 2", actor="Ana")
    assert [each.actor for each in store.tags()] == [""]
    assert made.count == 0
    assert not any(b"Gil Example" in row for rows in everything(store).values() for row in rows)
    assert verify(store).verdict is Verdict.INTACT


# Keys


def test_a_new_key_takes_the_place_of_the_old_one(sealed, store, again, noon, hour):
    sealed.see({ANN: {"v": 1}, BOB: {"v": 2}}, noon, volatile=canonical({ANN: {"used": 1}}))
    before = everything(store)
    rotating = again(SECOND, FIRST)
    made = rotating.rewrapping.rewrap()
    assert (made.kek, made.subjects, made.secrets) == (SECOND.name, 1, 4)
    after = everything(store)
    changed = {name for name in after if after[name] != before[name]}
    assert changed <= {"sealing_key", "artifact_key", "item_key", "log_leaf", "log_node", "log_head"}
    alone = again(SECOND)
    assert contents(alone, noon) == {ANN: b'{"v":1}', BOB: b'{"v":2}'}
    assert alone.volatile(PEOPLE, noon + hour) == {ANN: {"used": 1}}
    SealedHand(alone).see({ANN: {"v": 1}, BOB: {"v": 3}}, noon + hour)
    is_intact(alone)
    assert alone.rewrapping.rewrap().subjects == 0


def test_a_rewrap_that_is_interrupted_goes_on_where_it_was(sealed, store, again, noon):
    for number in range(3):
        SealedHand(store, Subject("paper:hq", f"paper.k{number}", "site")).see({ANN: {"v": 1}}, noon)

    class Stopped(Exception):
        pass

    def stop(subject):
        raise Stopped

    rotating = again(SECOND, FIRST)
    with pytest.raises(Stopped):
        rotating.rewrapping.rewrap(stop)
    assert {each.kek: each.subjects for each in store.rewrapping.uses()} == {FIRST.name: 2, SECOND.name: 1}
    assert verify(rotating).remarks == ()
    assert rotating.rewrapping.rewrap().subjects == 2
    assert verify(again(SECOND)).remarks == ()


def test_a_writer_that_was_at_work_meanwhile_wraps_under_the_key_of_now(sealed, store, again, noon, hour):
    sealed.see({ANN: {"v": 1}}, noon)
    found = sealed.saw({ANN: {"v": 2}}, noon + hour)
    again(SECOND, FIRST).rewrapping.rewrap()
    store.sealing.keys.use(Ring(SECOND, FIRST))
    sealed.write(found)
    assert contents(again(SECOND), noon + hour) == {ANN: b'{"v":2}'}


def test_what_cannot_be_wrapped_is_not_recorded(sealed, store, noon, hour):
    sealed.see({ANN: {"v": 1}}, noon)
    found = sealed.saw({ANN: {"v": 2}}, noon + hour)
    store.sealing.keys.use(Ring(SECOND))
    with pytest.raises(ConfigError, match="there is no key"):
        sealed.write(found)
    store.sealing.keys.use(Ring(FIRST))
    assert contents(store, noon + hour) == {ANN: b'{"v":1}'}


# Attacks


@pytest.fixture
def attack(sealed, store, noon):
    """What alters a store with two sealed items, its guards off, and returns what a verification finds."""
    sealed.see({ANN: {"v": 1}, BOB: {"v": 2}}, noon)

    def attack(*statements):
        with store._database.engine.begin() as conn:
            if conn.dialect.name == "postgresql":
                conn.exec_driver_sql("ALTER TABLE artifact DISABLE TRIGGER ALL")
                conn.exec_driver_sql("ALTER TABLE artifact_key DISABLE TRIGGER ALL")
            else:
                for name in conn.exec_driver_sql("SELECT name FROM sqlite_master WHERE type = 'trigger'").scalars():
                    conn.exec_driver_sql(f"DROP TRIGGER {name}")
            for each in statements:
                conn.execute(each)
        return {each.what for each in verify(store).differences}

    return attack


def of_both(store):
    with store._database.reading() as conn:
        query = select(artifact_key, tables.artifact.c.bytes, tables.artifact.c.digest)
        return conn.execute(query.join(tables.artifact, tables.artifact.c.id == artifact_key.c.artifact)).all()


def test_wrapped_keys_that_changed_places_are_found(attack, store):
    one, two = of_both(store)
    swapped = [
        update(artifact_key).where(artifact_key.c.artifact == here.artifact).values(wrapped=there.wrapped)
        for here, there in ((one, two), (two, one))
    ]
    assert attack(*swapped) == {"a wrapped key does not open with the key of its subject"}


def test_an_altered_tag_is_found_without_the_key(attack, store):
    one, _ = of_both(store)
    altered = bytes(one.bytes)[:-1] + bytes([bytes(one.bytes)[-1] ^ 1])
    store.sealing.keys.use(Ring())
    found = attack(update(tables.artifact).where(tables.artifact.c.id == one.artifact).values(bytes=altered))
    assert found == {"its bytes have another digest"}


def test_a_content_sealed_anew_by_who_has_the_keys_has_another_name(attack, store):
    """The key opens it, the digest in the log does not fit: what was recorded was something else."""
    one, _ = of_both(store)
    forged = seal_with(bytes(32), bytes(32), b'{"v":"forged"}')
    assert attack(
        update(tables.artifact).where(tables.artifact.c.id == one.artifact).values(bytes=forged, length=len(forged))
    ) == {"its bytes have another digest"}


def test_a_ciphertext_that_opens_to_something_else_is_caught_by_its_commitment():
    """GCM is not committing: who makes an envelope can let it open under a second key, to other words."""
    key, salt = b"k" * 32, b"s" * 32
    true = seal_with(key, salt, b'{"v":1}')
    head, nonce = true[:36], true[36:48]
    forged = head + nonce + AESGCM(b"2" * 32).encrypt(nonce, zstandard.compress(b'{"v":2}'), head)
    assert open_with(key, salt, true) == b'{"v":1}'
    with pytest.raises(IntegrityError, match="not what its envelope commits to"):
        open_with(b"2" * 32, salt, forged)


def test_a_secret_does_not_open_with_the_key_of_another_subject():
    wrapped = SubjectKey.make(1).wrap(b"n" * 32, ContentSecret(b"k" * 32, b"s" * 32, b"p" * 32))
    with pytest.raises(IntegrityError, match="does not open"):
        SubjectKey.make(2).content_secret(b"n" * 32, wrapped)


def test_a_key_that_is_taken_away_without_a_tombstone_is_found(attack, store):
    one, _ = of_both(store)
    assert attack(delete(artifact_key).where(artifact_key.c.artifact == one.artifact)) == {
        "it is sealed, and its key is not there"
    }


def test_a_tombstone_that_no_leaf_commits_to_is_found(attack, store):
    one, _ = of_both(store)
    store.append_tag("run:1-0", "C-1", "seen", "Ana")
    found = attack(
        insert(tombstone).values(id=1, subject=1, item=1, count=1, reason="x", actor=1, at=0, leaf=2),
        insert(erased).values(artifact=one.artifact, tombstone=1),
        delete(artifact_key).where(artifact_key.c.artifact == one.artifact),
        update(tables.artifact).where(tables.artifact.c.id == one.artifact).values(bytes=None),
    )
    assert found


def test_the_log_says_which_key_a_subject_has(sealed, store, noon):
    sealed.see({ANN: {"v": 1}}, noon)
    with store._database.reading() as conn:
        (row,) = conn.execute(select(sealing_key)).all()
    (leaf,) = store.leaves(row.leaf, row.leaf + 1)
    assert (leaf.kind, leaf.payload["sealing"]) == ("key", row.id)

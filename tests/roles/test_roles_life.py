"""A store's whole life under the roles: the writer does the daemon's work, the reader asks, the signer signs."""

from __future__ import annotations

import pytest
from sqlalchemy import func, select

from collector.act import ActKind, NewAct
from collector.errors import BusyError, QueryError, StoreError
from collector.log.tables import metadata
from collector.model import SnapshotRequest
from collector.store import Store, open_store
from collector.store.grants import Role
from tests.roles.life import answers, go_on, live, sign
from tests.store.conftest import NOON, Audit, Hand


@pytest.fixture
def open_as(ready, clock):
    """What opens the store as a role."""
    opened = []

    def open_as(role, **more):
        opened.append(open_store(ready.login(role), clock=clock, **more))
        return opened[-1]

    yield open_as
    for each in opened:
        each.close()


@pytest.fixture
def lived(open_as):
    """The writer's store after a life."""
    store = open_as(Role.WRITER)
    live(store)
    return store


def test_a_life_leaves_a_row_in_every_table(lived):
    with lived._database.reading() as conn:
        for table in metadata.sorted_tables:
            assert conn.execute(select(func.count()).select_from(table)).scalar() > 0, table.name


def test_the_writer_may_not_analyse_and_is_told_so(lived):
    assert lived.analyse() == sorted(metadata.tables)


def test_a_member_of_the_owner_may_analyse(lived, ready):
    ready.sql(f"GRANT {ready.prefix}_owner TO {ready.prefix}_writer")
    assert lived.analyse() == []


def test_what_the_writer_wrote_adds_up(lived):
    Audit(lived)


def test_the_writer_goes_on_after_opening_again(lived, open_as):
    again = open_as(Role.WRITER, create=False)
    go_on(again, 7)
    Audit(again)


def test_the_writer_holds_locks(lived, open_as):
    with lived.lock("daemon"), pytest.raises(BusyError), open_as(Role.WRITER).lock("daemon"):
        raise AssertionError("two hold one lock")


def test_the_reader_gets_every_answer(lived, open_as):
    assert answers(open_as(Role.READER, create=False)) == answers(lived)


def test_the_desk_gets_every_answer_about_the_whole_store(lived, open_as):
    assert answers(open_as(Role.DESK, create=False)) == answers(lived)


def test_the_desk_records_what_people_say_and_nothing_else(lived, open_as):
    desk = open_as(Role.DESK)
    desk.append_tag("run:1-0", "C-1", "said at the desk", "Ana")
    asked = desk.request_snapshot(SnapshotRequest("paper:hq", (), "asked at the desk", "Ana", NOON))
    [engagement] = desk.engagements()
    desk.desk.record([NewAct(ActKind.UPLOAD, {"name": "a"}, "Ana", engagement.id, data=b"new")])
    assert [each.id for each in lived.pending_requests()][-1] == asked
    Audit(lived)
    before = answers(lived)
    for what, write in WRITES.items():
        if what not in ("a tag", "contents"):  # contents that nothing names say nothing
            with pytest.raises(StoreError, match="lacks a permission"):
                write(desk)
    assert answers(lived) == before


def test_every_question_is_among_those_asked(lived):
    """A question that is added to the store is asked here too."""
    writes = {
        "append",
        "append_controls",
        "append_missed",
        "append_plan",
        "append_tag",
        "rebuild",
        "request_snapshot",
        "stage",
    }
    others = {"analyse", "checkpoints", "close", "evidence", "lock", "rebuild", "size", "sweeps_recorded", "within"}
    names = {name for name in dir(Store) if not name.startswith("_")}
    renamed = {"head": "heads", "artifact": "artifacts"}
    assert {renamed.get(name, name) for name in names - writes - others} <= set(answers(lived))


WRITES = {
    "a sweep": lambda store: go_on(store, 7),
    "a failed run": lambda store: Hand(store).write(Hand(store).failed()),
    "contents": lambda store: store.stage([Hand(store).content({"v": "new"})]),
    "a tag": lambda store: store.append_tag("run:1-0", "C-1", "", "Ana"),
    "a key and a checkpoint": sign,
}


def test_what_the_reader_may_not_record_is_refused_clearly(lived, open_as):
    before, reader = answers(lived), open_as(Role.READER)
    for write in WRITES.values():
        with pytest.raises(StoreError, match="lacks a permission") as error:
            write(reader)
        assert "docs/postgresql.md" in error.value.hint()
    assert answers(lived) == before


def test_what_the_signer_may_not_record_is_refused_clearly(lived, open_as):
    before, signer = answers(lived), open_as(Role.SIGNER)
    for what, write in WRITES.items():
        if "checkpoint" not in what:
            with pytest.raises(StoreError, match="lacks a permission"):
                write(signer)
    assert answers(lived) == before


def test_the_signer_signs_and_the_log_goes_on(lived, open_as):
    sign(open_as(Role.SIGNER, create=False))
    go_on(lived, 7)
    assert len(lived.checkpoints.all()) == 2
    Audit(lived)


def test_the_signer_does_not_see_the_evidence(lived, open_as):
    signer = open_as(Role.SIGNER)
    assert signer.checkpoints.head() == lived.checkpoints.head()
    for ask in (signer.runs, signer.subjects, signer.tags, signer.plans):
        with pytest.raises(StoreError, match="lacks a permission"):
            ask()


def test_the_log_of_a_new_store_is_begun_by_who_writes_not_by_who_asks(open_as):
    for role in (Role.READER, Role.SIGNER, Role.WRITER):
        with pytest.raises(StoreError, match="there is no store here"):
            open_as(role, create=False)
    with pytest.raises(StoreError, match="lacks a permission"):
        open_as(Role.READER)
    assert len(list(open_as(Role.WRITER).leaves())) == 1
    with pytest.raises(QueryError):
        open_as(Role.READER).run("1-0")

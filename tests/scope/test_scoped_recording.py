"""From within an engagement people record acts of it, and nothing else; whoever reads it finds them, on each engine."""

from __future__ import annotations

import pytest

from collector.act import ActKind, NewAct
from collector.engagement import Examination, Terms, engagements
from collector.errors import QueryError, Unknown
from collector.model import Period
from collector.store import open_store
from collector.store.grants import Role
from tests.fakes.clock import PlayedClock
from tests.roles.conftest import make_place
from tests.scope.world import HERE, HOUR, NOON
from tests.store.conftest import Audit, Hand

TERMS = Terms(Examination.TYPE_II, Period(NOON, NOON + HOUR), sources=("paper:hq",))


@pytest.fixture(params=["sqlite", "postgresql", "desk"])
def store(request, tmp_path):
    """A store that people record in; as the desk's login too."""
    if request.param != "desk":
        made = open_store(request.getfixturevalue(f"{request.param}_url"), clock=PlayedClock())
        Hand(made, HERE).see({"a": {"v": 1}})
        yield made
        made.close()
        return
    with make_place(request.getfixturevalue("postgresql_server")) as place:
        place.set_up()
        writer = open_store(place.login(Role.WRITER), clock=PlayedClock())
        Hand(writer, HERE).see({"a": {"v": 1}})
        made = open_store(place.login(Role.DESK), clock=PlayedClock(), create=False)
        yield made
        made.close()
        writer.close()


@pytest.fixture
def engaged(store):
    """The store, and two engagements of it."""
    for name in ("ours", "foreign"):
        store.desk.record([NewAct(ActKind.ENGAGEMENT, {"did": "created", "name": name, **TERMS.document()}, "Ana")])
    return store, *engagements(store.desk.acts(ActKind.ENGAGEMENT))


def test_what_is_recorded_within_is_read_within_and_by_the_whole_store(engaged):
    store, ours, _ = engaged
    new = NewAct(ActKind.UPLOAD, {"name": "a.txt"}, "Eva", ours.id, data=b"bytes", people=("Eva", "Ben"))
    [act] = store.within(ours).desk.record([new])
    assert store.desk.act(act.id, ActKind.UPLOAD) == store.within(ours).desk.act(act.id, ActKind.UPLOAD) == act
    assert store.within(ours).artifact(act.artifact) == b"bytes"
    assert act.people == ("Eva", "Ben")
    [review] = store.within(ours).desk.record([NewAct(ActKind.REVIEW, {"of": 1}, "Eva", ours.id, act.id)])
    assert (review.about, review.id) == (act.id, act.id + 1)


def test_what_is_recorded_within_both_in_turn_is_intact(engaged):
    store, *both = engaged
    for number in range(6):
        each = both[number % 2]
        store.within(each).desk.record([NewAct(ActKind.REQUEST, {"id": number}, f"Eva {number}", each.id)])
    assert [len(store.within(each).desk.acts(ActKind.REQUEST)) for each in both] == [3, 3]
    Audit(store)


@pytest.mark.parametrize("kind", sorted(set(ActKind) - {ActKind.ENGAGEMENT, ActKind.TOKEN}))
def test_nothing_is_recorded_for_another_engagement_in_the_words_for_one_that_is_not_there(engaged, kind):
    store, ours, foreign = engaged
    before, said = store.checkpoints.head(), []
    for number in (foreign.id, 99_999):
        with pytest.raises(QueryError) as error:
            store.within(ours).desk.record([NewAct(kind, {"x": 1}, "Eva", number)])
        said.append(error.value.message.replace(str(number), "N"))
    assert said == ["there is no engagement N"] * 2
    assert store.checkpoints.head() == before


def test_nothing_is_recorded_about_an_act_of_another_engagement(engaged):
    store, ours, foreign = engaged
    [act] = store.desk.record([NewAct(ActKind.POPULATION, {"x": 1}, "Ana", foreign.id)])
    before = store.checkpoints.head()
    for number in (act.id, 99_999):
        with pytest.raises(Unknown, match=f"there is no act {number}"):
            store.within(ours).desk.record([NewAct(ActKind.SAMPLE, {"x": 1}, "Eva", ours.id, number)])
    assert store.checkpoints.head() == before


@pytest.mark.parametrize("kind", [ActKind.ENGAGEMENT, ActKind.TOKEN])
def test_nobody_widens_the_terms_or_lets_anybody_in_from_within(engaged, kind):
    store, ours, _ = engaged
    before = store.checkpoints.head()
    for engagement in (ours.id, None):
        with pytest.raises(QueryError, match="is not recorded from within an engagement"):
            store.within(ours).desk.record([NewAct(kind, {"did": "amended", **TERMS.document()}, "Eva", engagement)])
    assert store.checkpoints.head() == before


def test_a_closed_engagement_takes_nothing_from_within_either(engaged):
    store, ours, _ = engaged
    store.desk.record([NewAct(ActKind.ENGAGEMENT, {"did": "closed"}, "Ana", ours.id)])
    with pytest.raises(QueryError, match="was closed at"):
        store.within(ours).desk.record([NewAct(ActKind.REVIEW, {"x": 1}, "Eva", ours.id)])

"""Who may do what: every route of the OpenAPI document for every role, by the right that the route itself declares.

And what an auditor reaches of another engagement: nothing, whatever of it they name, on any route.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime
from urllib.parse import unquote_plus

import pytest

from collector.access import RIGHTS, Right, Role
from collector.api import PREFIX, application
from tests.web.serving import FOREIGNER, serve
from tests.web.world import CELLAR, ENGAGEMENT, MARK, OTHER, last_run

DOCUMENT = application(None).openapi()
ROUTES = [
    (method, path, operation)
    for path, methods in DOCUMENT["paths"].items()
    for method, operation in methods.items()
]  # fmt: skip
WHO = ["", FOREIGNER, *Role]
MARCH = "2025-03-01"
DAY = datetime(2025, 3, 1, tzinfo=UTC)
# Where a list of everything of one engagement is read, nothing of the path names what belongs to another.
IN_ENGAGEMENT = [each for each in ROUTES if "{engagement}" in each[1]]


@pytest.fixture(scope="module")
def served(unhurried):
    """The world, served to who asks more often than people do."""
    return unhurried


def named(route):
    return f"{route[0].upper()} {route[1]}"


def expected(operation, who):
    """The status that the declared right and reach come to; None where the route then decides by what is asked."""
    if not who:
        return 401
    role = Role.AUDITOR if who == FOREIGNER else Role(who)
    if Right(operation["x-right"]) not in RIGHTS[role]:
        return 403
    if role is Role.AUDITOR and operation["x-reach"] == "installation":
        return 403
    if who == FOREIGNER and operation["x-reach"] == "engagement":
        return 404
    return None


@pytest.fixture(scope="module")
def ours(served):
    """What there is of the engagement, by the name of the path's parameter; a number by what it counts."""
    made, store = served.world.made, served.store
    [item] = store.as_of("acme.users", DAY)[:1]
    return {
        "kind": "acme.users", "control": "AC-01", "run": last_run(store, "acme.users", DAY),
        "request": "R-01", "artifact": item.artifact.hex(), "populations": made.population, "samples": made.sample,
        "uploads": made.upload, "key": item.key, "source": "acme:hq", "scope": "site",
    }  # fmt: skip


@pytest.fixture(scope="module")
def theirs(served):
    """The same of the other engagement."""
    return foreign_things(served)


def foreign_things(served):
    made, store = served.world.made, served.store
    kind = f"{MARK}.ledgers"
    [item] = store.as_of(kind, DAY)[:1]
    return {
        "kind": kind, "control": "MO-01", "run": last_run(store, kind, DAY),
        "request": "V-01", "artifact": item.artifact.hex(), "populations": made.foreign,
        "samples": made.foreign_sample, "uploads": made.foreign_upload, "key": item.key, "source": CELLAR,
        "scope": f"{MARK}-site",
    }  # fmt: skip


def asked(visitor, route, engagement, things, *, everywhere=False):
    """Ask for *things* on the route, in its path, its body and what its query must name; *everywhere*: may name."""
    method, path, operation = route
    counted = re.search(r"/([a-z-]+)/\{number\}", path)
    place = {name: str(value) for name, value in things.items()}
    place |= {"engagement": engagement, "number": place.get(counted[1], "1") if counted else ""}
    query = {
        each["name"]: _value(each["name"], things)
        for each in operation.get("parameters", ())
        if _is_asked(each, everywhere)
    }
    return visitor.request(method, PREFIX + path.format(**place), params=query, **_body(path, things))


def _is_asked(parameter, everywhere):
    return parameter["in"] == "query" and (
        parameter.get("required") or (everywhere and parameter["name"] in ("kind", "source", "scope", "key"))
    )


def _value(name, things):
    return MARCH if name == "at" else things[name]


def _body(path, things):
    """A body that names *things*, for the routes that take one; small changes, and none that others would see."""
    population = f"population:{things['populations']}"
    bodies = {
        "/populations": {"kind": things["kind"]},
        "/samples": {"population": things["populations"], "seed": "a public seed"},
        "/reconciliations": {"left": {"of": population}, "right": {"of": things["kind"]}, "at": MARCH},
        "/links": {"target": things["kind"]},
        "/status": {"status": "accepted"},
        "/comments": {"text": "looked at"},
        "/reviews": {"target": population, "decision": "approved", "note": "looked at"},
        "/tags": {"target": things["run"], "control": "AC-01", "note": "looked at"},
        "/withdrawal": {"note": "looked at"},
        "/amendments": {"start": "2025-01-01", "end": "2025-01-01", "why": "an empty period is refused"},
        "/engagements": {"name": "", "start": "2025-01-01"},
        "/snapshots": {"source": things["source"], "reason": "a change"},
        "/tokens": {"name": "x", "role": "auditor"},
    }
    return next(({"json": said} for ending, said in bodies.items() if path.endswith(ending)), {})


@pytest.mark.parametrize("who", WHO, ids=lambda who: who or "nobody")
@pytest.mark.parametrize("route", ROUTES, ids=named)
def test_a_route_lets_in_whom_its_declared_right_names_and_nobody_else(route, who, desk_of, ours):
    _, path, operation = route
    answer = asked(desk_of(path).api(who), route, ENGAGEMENT, ours)
    status = expected(operation, who)
    if status is None:
        assert answer.status_code not in (401, 403) and answer.status_code < 500, answer.text[:300]
    else:
        assert answer.status_code == status, answer.text[:300]


@pytest.fixture(scope="module")
def desk_of(served, copied):
    """The world a route is asked in: what ends an engagement, or takes a token away, has one of its own."""
    with serve(copied()) as spare:
        yield lambda path: spare if path.endswith(("/closing", "/revocation")) else served


NOTHING_FOREIGN = re.compile(MARK.encode(), re.IGNORECASE)


@pytest.mark.parametrize("route", IN_ENGAGEMENT, ids=named)
def test_within_their_own_engagement_an_auditor_reaches_nothing_of_another(route, served, theirs):
    """Everything that the route takes names what is of the other engagement."""
    _require_nothing_foreign(served.api(Role.AUDITOR), route, theirs)


def test_nor_on_postgresql(copied):
    with serve(copied("postgresql")) as served:
        visitor = served.api(Role.AUDITOR)
        for route in IN_ENGAGEMENT:
            _require_nothing_foreign(visitor, route, foreign_things(served))


def _require_nothing_foreign(visitor, route, theirs):
    answer = asked(visitor, route, ENGAGEMENT, theirs, everywhere=True)
    assert not _foreign(answer, theirs), (named(route), answer.status_code, answer.text[:300])
    if re.search(r"\{(kind|run|artifact|request|number)\}", route[1]):
        assert answer.status_code in (403, 404), (named(route), answer.text[:300])


@pytest.mark.parametrize("route", [each for each in ROUTES if each[0] == "get"], ids=named)
def test_what_an_auditor_reads_of_their_own_holds_nothing_of_another_engagement(route, served, ours):
    answer = asked(served.api(Role.AUDITOR), route, ENGAGEMENT, ours)
    assert not _foreign(answer, {}), (answer.status_code, answer.text[:300])


@pytest.mark.parametrize("route", IN_ENGAGEMENT, ids=named)
def test_another_engagement_is_answered_as_one_that_is_not_there(route, served, theirs):
    visitor = served.api(Role.AUDITOR)
    foreign, none = (asked(visitor, route, name, theirs) for name in (OTHER, "never-was"))
    assert foreign.status_code == none.status_code
    assert foreign.text.replace(OTHER, "never-was") == none.text


def _foreign(answer, said):
    """What of the answer is of the other engagement, and is not the question itself, said again."""
    content, question = answer.content, unquote_plus(answer.request.url).encode() + _sent(answer.request)
    for each in [OTHER, *map(str, said.values())]:
        if each.encode() in question:
            content = content.replace(each.encode(), b"")
    return NOTHING_FOREIGN.search(content)


def _sent(request):
    return request.body or b""

"""Personal data is in artifacts and item keys, which can be erased, and nowhere else; secrets are nowhere at all."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import select

from collector.canonical import canonical
from collector.errors import Denied, Throttled
from collector.log.tables import metadata
from collector.model import SnapshotRequest
from collector.store.packing import unpack
from tests.fakes.secrets import BARE

PEOPLE = ["ana.smith@example.com", "bo@mail.example.org", "Ana Smith", "+49 151 23456789"]
SECRET = BARE["github_token"][0]
PASSWORD = "swordfish-of-the-house"
HOUR = timedelta(hours=1)
USERS = [
    {
        "id": "ana.smith@example.com",
        "name": "Ana Smith",
        "phone": "+49 151 23456789",
        "token": SECRET,
        "seen": {"by": "bo@mail.example.org"},
        "keys": {"ana.smith@example.com": SECRET, "note": f"password={PASSWORD}"},
    },
    {"id": "bo@mail.example.org", "name": "Bo", "token": SECRET},
]
ERRORS = [
    Denied(f"ana.smith@example.com may not list users with {SECRET}", hint="Ask bo@mail.example.org to grant it."),
    Throttled(f"too many requests for <bo@mail.example.org>; password={PASSWORD}"),
    KeyError("ana.smith@example.com"),
    ValueError(f"cannot read {USERS[1]!r}"),
    RuntimeError(f"https://bo:{PASSWORD}@example.com/users/ana.smith%40example.com failed"),
]


@pytest.fixture
def lived(desk):
    """An installation that read people, events of people, and errors that name them."""
    desk.paper.world |= {
        "paper.users": USERS,
        "paper.rooms": [{"id": "1", "booked": "Ana Smith"}],
        "paper.doors": [{"id": "d1", "at": "2026-03-14T02:00:00Z", "who": "ana.smith@example.com", "key": SECRET}],
    }
    desk.pass_time(2 * HOUR, step=HOUR)
    for error in ERRORS:
        desk.paper.world["paper.users"] = [USERS[0], error]
        desk.pass_time(HOUR)
    for listing in ([USERS[0], USERS[0]], [{"name": "Ana Smith", "token": SECRET}], ["ana.smith@example.com"]):
        desk.paper.world["paper.users"] = listing
        desk.pass_time(HOUR)
    desk.paper.world["paper.users"] = USERS[1:]
    desk.store.request_snapshot(SnapshotRequest("paper:hq", (), "before a change", "Ana Smith", desk.clock.now()))
    desk.pass_time(2 * HOUR, step=HOUR)
    assert {str(run.reason) for run in desk.store.runs(limit=100, kind="paper.users")} > {
        "denied",
        "internal",
        "invalid",
    }
    return desk


def everything(store):
    """Yield (where, whether it may hold personal data, its bytes) for every text and every bytes of the store."""
    with store._database.reading() as conn:
        rows = {name: [row._mapping for row in conn.execute(select(table))] for name, table in metadata.tables.items()}
    erasable = {row[name] for row in rows["change"] for name in ("before", "artifact")}
    erasable |= {row["artifact"] for row in rows["volatile"]}
    for name, found in rows.items():
        for row in found:
            for column, stored in row.items():
                may, value = (name, column) in {("item", "key"), ("actor", "name")}, stored
                if name == "artifact" and column == "bytes":
                    may, value = row["id"] in erasable, unpack(row["codec"], stored)
                elif (name, column) == ("sweep", "sheet"):
                    value = unpack(row["codec"], stored)
                if isinstance(value, str | bytes):
                    yield f"{name}.{column}", may, value.encode() if isinstance(value, str) else value


def forms_of(text):
    """Return *text* as it may stand in JSON, in a URL, in hex."""
    plain = text.encode()
    return {plain, canonical(text)[1:-1], text.replace("@", "%40").encode(), plain.hex().encode()}


def test_personal_data_is_in_artifacts_and_item_keys_and_nowhere_else(lived):
    places = {}
    for where, may, data in everything(lived.store):
        for person in PEOPLE:
            if any(form in data for form in forms_of(person)):
                places.setdefault(where, set()).add(person)
                assert may, (where, data)
    assert places["artifact.bytes"] == set(PEOPLE)
    assert places["item.key"] == {"ana.smith@example.com", "bo@mail.example.org"}
    assert places["actor.name"] == {"Ana Smith"}


def test_secrets_are_nowhere(lived):
    for where, _, data in everything(lived.store):
        for secret in (SECRET, PASSWORD):
            assert not any(form in data for form in forms_of(secret)), (where, data)

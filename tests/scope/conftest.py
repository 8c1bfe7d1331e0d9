"""One store with two engagements on each engine, and on PostgreSQL as the desk's login too: to be read."""

from __future__ import annotations

from dataclasses import replace

import pytest

from collector.store import open_store
from collector.store.grants import Role
from tests.conftest import fresh_database
from tests.fakes.clock import PlayedClock
from tests.roles.conftest import make_place
from tests.scope.world import live


@pytest.fixture(scope="session")
def place(postgresql_server):
    """A database with roles, in which the writer lived the two engagements."""
    with make_place(postgresql_server) as made:
        made.set_up()
        store = open_store(made.login(Role.WRITER), clock=PlayedClock())
        made.world = live(store)
        yield made
        store.close()


@pytest.fixture(scope="session")
def sqlite_world(tmp_path_factory):
    store = open_store(f"sqlite:///{tmp_path_factory.mktemp('scope')}/evidence.db", clock=PlayedClock())
    yield live(store)
    store.close()


@pytest.fixture(scope="session")
def postgresql_world(postgresql_server):
    with fresh_database(postgresql_server) as url:
        store = open_store(url, clock=PlayedClock())
        yield live(store)
        store.close()


@pytest.fixture(scope="session")
def desk_world(place):
    store = open_store(place.login(Role.DESK), clock=PlayedClock(), create=False)
    yield replace(place.world, whole=store)
    store.close()


@pytest.fixture(params=["sqlite", "postgresql", "desk"])
def world(request):
    """The world; as the desk's login, whose rows have policies, too."""
    return request.getfixturevalue(f"{request.param}_world")

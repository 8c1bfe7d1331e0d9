"""The world, told once for each engine and copied, and the real application served from it."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from contextlib import ExitStack

import psycopg
import pytest

from tests.web.serving import serve
from tests.web.world import World, build, write_config


@pytest.fixture(scope="session")
def told(request, tmp_path_factory) -> Callable[[str], World]:
    """What gives the world on an engine (sqlite, postgresql); it is only to be copied."""
    worlds: dict[str, World] = {}

    def on(engine: str) -> World:
        if engine not in worlds:
            folder = tmp_path_factory.mktemp(f"told-{engine}")
            url = f"sqlite:///{folder}/evidence.db"
            if engine == "postgresql":
                url = _database(request.getfixturevalue("postgresql_server"))
            worlds[engine] = build(folder, url)
        return worlds[engine]

    return on


@pytest.fixture(scope="session")
def copied(request, told, tmp_path_factory):
    """What gives a world of one's own on an engine, to be recorded in."""
    with ExitStack() as cleanup:

        def copy(engine: str = "sqlite") -> World:
            world, url = told(engine), ""
            if engine == "postgresql":
                server = request.getfixturevalue("postgresql_server")
                url = _database(server, world.url)
                cleanup.callback(_drop, server, url)
            return world.copy(tmp_path_factory.mktemp(f"world-{engine}"), url)

        yield copy


@pytest.fixture(scope="module")
def served(copied):
    """The world, served; to be asked, by tests that do not mind what others of their file recorded."""
    with serve(copied()) as found:
        yield found


@pytest.fixture(scope="module")
def unhurried(copied):
    """The world, served to programs that ask more often than people do."""
    world = copied()
    write_config(world.folder, world.url, "web.requests_a_minute = 1000000\n")
    with serve(world) as found:
        yield found


@pytest.fixture(scope="module")
def auditor(served):
    """The browser of the auditor in `served`."""
    return served.browser()


@pytest.fixture
def desk(copied):
    """A world of the test's own, served."""
    with serve(copied()) as found:
        yield found


@pytest.fixture(params=["sqlite", "postgresql"])
def either(request, copied):
    """A world of the test's own on each engine in turn, served."""
    with serve(copied(request.param)) as found:
        yield found


def _database(server: str, template: str = "") -> str:
    name = f"web_{uuid.uuid4().hex}"
    with psycopg.connect(server, autocommit=True) as conn:
        conn.execute(f"CREATE DATABASE {name} TEMPLATE {_named(template) if template else 'template1'}")
    return server.replace("/postgres?", f"/{name}?")


def _drop(server: str, url: str) -> None:
    with psycopg.connect(server, autocommit=True) as conn:
        conn.execute(f"DROP DATABASE {_named(url)} WITH (FORCE)")


def _named(url: str) -> str:
    return url.split("/")[3].partition("?")[0]

"""An installation with a morning's history, on each engine: told once, and copied for each test to record in."""

from __future__ import annotations

import shutil
import sqlite3
import uuid

import pytest

from tests.cli.conftest import Site, Story, paper_package  # noqa: F401
from tests.fakes.backup import create_database, drop_database


@pytest.fixture(scope="session")
def template(request, tmp_path_factory):
    """What gives the URL of the told story, to be copied, by engine."""
    urls = {}

    def told(engine):
        if engine not in urls:
            folder = tmp_path_factory.mktemp("template")
            urls[engine] = f"sqlite:///{folder}/evidence.db"
            if engine == "postgresql":
                urls[engine] = new_database(request.getfixturevalue("postgresql_server"))
            story = Story(folder, urls[engine])
            story.play()
            story.store.close()
            if engine == "sqlite":
                with sqlite3.connect(folder / "evidence.db") as conn:
                    conn.execute("PRAGMA wal_checkpoint(TRUNCATE)")
                conn.close()
        return urls[engine]

    return told


def new_database(server, template="template1"):
    """Make a database on *server*, a copy of *template*, and return its URL."""
    url = server.replace("/postgres?", f"/desk_{uuid.uuid4().hex}?")
    create_database(url, template)
    return url


@pytest.fixture(params=["sqlite", "postgresql"])
def site(request, tmp_path, capsys, paper_package, monkeypatch):  # noqa: F811
    """An installation on each engine in turn, with the morning of 14 March 2025 collected."""
    monkeypatch.syspath_prepend(str(paper_package))
    for name in ("EVIDENCED_CONFIG", "EVIDENCED_DEBUG", "COLUMNS", "NO_COLOR"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.chdir(tmp_path)
    told = request.getfixturevalue("template")(request.param)
    if request.param == "sqlite":
        shutil.copyfile(told.removeprefix("sqlite:///"), tmp_path / "evidence.db")
        url = f"sqlite:///{tmp_path}/evidence.db"
    else:
        server = request.getfixturevalue("postgresql_server")
        url = new_database(server, told.split("/")[3].partition("?")[0])
    capsys.readouterr()
    yield Site(tmp_path, url, capsys, paper_package)
    if request.param == "postgresql":
        drop_database(url)


@pytest.fixture
def march(site):
    """The site, with the engagement `soc2` over 14 March 2025."""
    answer = site.evidenced("engagement", "create", "soc2", "--from", "2025-03-14", "--to", "2025-03-15", "--as", "Ana")
    assert answer.code == 0, answer.err
    return site

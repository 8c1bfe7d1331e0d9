"""An installation with a history of three years back, asked and recorded in by the command line on each engine."""

from __future__ import annotations

import pytest

from tests.cli.conftest import Site, Story, paper_package  # noqa: F401


@pytest.fixture
def site(tmp_path, store_url, capsys, paper_package, monkeypatch):  # noqa: F811
    """An installation on each engine in turn, with the morning of 14 March 2025 collected."""
    monkeypatch.syspath_prepend(str(paper_package))
    for name in ("EVIDENCED_CONFIG", "EVIDENCED_DEBUG", "COLUMNS", "NO_COLOR"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.chdir(tmp_path)
    story = Story(tmp_path, store_url)
    story.play()
    story.store.close()
    capsys.readouterr()
    return Site(tmp_path, store_url, capsys, paper_package)


@pytest.fixture
def march(site):
    """The site, with the engagement `soc2` over 14 March 2025, criterion and source in scope."""
    answer = site.evidenced("engagement", "create", "soc2", "--from", "2025-03-14", "--to", "2025-03-15", "--as", "Ana")
    assert answer.code == 0, answer.err
    return site

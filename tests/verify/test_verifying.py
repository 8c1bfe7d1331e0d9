"""The daemon verifies the whole store as the configuration says, records the result, and goes on collecting."""

from __future__ import annotations

import io
import json
import logging
from datetime import timedelta

import pytest
import structlog

from collector.config import load_config
from collector.logs import configure_logs
from collector.verifying import Verifying


@pytest.fixture
def site(site_at, tmp_path, sqlite_url):
    site = site_at(tmp_path, sqlite_url)
    site.see(site.users, {"ann": {"v": 1}})
    yield site
    site.close()


@pytest.fixture
def verifying(site):
    """What makes the daemon's part, as when it starts."""

    def verifying(every="1d"):
        path = site.folder / "evidenced.toml"
        path.write_text(f'[store]\nurl = "{site.url}"\n[verify]\nevery = "{every}"\n')
        return Verifying(load_config(path, {}), site.store, site.clock)

    return verifying


@pytest.fixture
def lines():
    """What was logged so far, each line as a dict."""
    out = io.StringIO()
    configure_logs(form="json", stream=out)
    yield lambda: [json.loads(line) for line in out.getvalue().splitlines()]
    structlog.reset_defaults()
    logging.getLogger().handlers.clear()


def results(site):
    return [leaf.payload["verdict"] for leaf in site.store.leaves() if leaf.kind == "verify"]


def test_the_store_is_verified_once_a_day_and_the_result_is_a_leaf(site, verifying):
    part = verifying()
    for hours, expected in ((22, []), (3, ["intact"]), (23, ["intact"]), (1, ["intact"] * 2)):
        site.clock.move(timedelta(hours=hours))
        part.tick()
        assert results(site) == expected


def test_a_daemon_that_starts_again_goes_on_from_the_recorded_result(site, verifying):
    site.clock.move(timedelta(days=2))
    verifying().tick()
    verifying().tick()
    assert results(site) == ["intact"]
    site.clock.move(timedelta(hours=2))
    verifying("1h").tick()
    assert results(site) == ["intact"] * 2


def test_an_altered_store_is_logged_as_an_error_with_what_to_do(site, verifying, lines):
    with site.store._database.engine.begin() as conn:
        conn.exec_driver_sql("DROP TRIGGER evidenced_sweep_update")
        conn.exec_driver_sql("UPDATE sweep SET due = due + 1")
    site.clock.move(timedelta(days=2))
    verifying().tick()
    said = lines()[-1]
    assert (said["event"], said["level"], said["differences"]) == ("the store was altered", "error", 3)
    assert said["first"][0].startswith("sweep 1: ")
    assert results(site) == ["altered"]


def test_a_verification_under_way_is_given_up_when_the_daemon_ends(site, verifying, lines):
    site.clock.move(timedelta(days=2))
    part = verifying()
    read = part._read

    def stopping(table, rows):
        part.stop()
        read(table, rows)

    part._read = stopping
    part.tick()
    assert "given up" in lines()[-1]["event"]
    assert results(site) == []

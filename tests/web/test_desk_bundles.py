"""The page of the bundle: made in the background, kept, made anew, and what is in the way."""

from __future__ import annotations

import hashlib
import re
import time

from collector.ask import engagements
from collector.tag import load_controls
from tests.web.answers import HERE, said, text
from tests.web.world import ENGAGEMENT, sign


def made_bundle(browser, here=HERE):
    """Ask for the bundle, wait for what comes of it, and return its page."""
    browser.fill(f"{here}/bundle", f"{here}/bundle")
    for _ in range(600):
        page = browser.get(f"{here}/bundle")
        if 'http-equiv="refresh"' not in page.text:
            return page
        time.sleep(0.1)
    raise AssertionError("the bundle was not made within a minute")


def test_a_bundle_is_made_and_has_the_digest_that_its_page_shows(auditor):
    assert auditor.get(f"{HERE}/bundle/file").status_code == 404
    page = made_bundle(auditor)
    assert "It is ready" in text(page)
    file = auditor.get(f"{HERE}/bundle/file")
    assert hashlib.sha256(file.content).hexdigest() in page.text
    assert (file.headers["content-type"], f"{ENGAGEMENT}.zip" in file.headers["content-disposition"]) == (
        "application/zip",
        True,
    )


def test_a_bundle_is_made_anew_when_there_is_a_later_checkpoint(desk):
    auditor = desk.browser()
    digests = [re.findall("[0-9a-f]{64}", made_bundle(auditor).text) for _ in range(2)]
    assert digests[0] == digests[1]
    sign(desk.world, desk.store)
    assert "the log has a later checkpoint" in text(auditor.get(f"{HERE}/bundle"))
    page = made_bundle(auditor)
    assert "It is ready" in text(page)
    assert re.findall("[0-9a-f]{64}", page.text)[1] != digests[0][1]


def test_a_bundle_that_cannot_be_made_says_why(desk):
    terms = desk.store.engagements()[0].terms
    engagements.create(desk.store, load_controls(desk.world.folder / "controls.toml"), "late", terms, actor="Ana Alder")
    admin = desk.browser("admin")
    shown = said(made_bundle(admin, "/e/late"))
    assert "No checkpoint covers the engagement 'late' yet" in shown and "Take one first" in shown
    assert admin.get("/e/late/bundle/file").status_code == 404


def test_the_page_of_a_bundle_says_up_to_where_it_goes(auditor, served):
    last = served.store.checkpoints.last()
    shown = text(auditor.get(f"{HERE}/bundle"))
    assert f"{last.size:,} leaves" in shown and "will be in a bundle after the next checkpoint" in shown
    assert str(served.store.checkpoints.key_events()[0].key) in shown

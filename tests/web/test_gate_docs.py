"""`docs/serving.md` says what is so: every number, every key of [web], every limit, and what each role may do."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families

from collector.access import Role
from collector.config_web import WebSettings
from collector.gate.guard import BEGUN_SIGN_INS, FAILED_SIGN_INS
from collector.gate.reads import BATCH, MOST_WAITING, SECONDS
from tests.web.gated import gated

PAGE = (Path(__file__).parents[2] / "docs/serving.md").read_text(encoding="utf-8")


def test_every_number_is_described_with_its_labels_and_none_that_is_not(tmp_path, sqlite_url, clock):
    with gated(tmp_path, sqlite_url, clock) as site:
        site.browser().get("/api/gated/page")
        families = list(text_string_to_metric_families(site.browser().get("/metrics").text))
    told = dict(re.findall(r"^\| `(evidenced_web_\w+)` \|([^|]*)\|", PAGE, re.MULTILINE))
    given = {}
    for family in families:
        if family.name.startswith("evidenced_web_"):
            name = f"{family.name}_total" if family.type == "counter" else family.name
            labels = {label for each in family.samples for label in each.labels} - {"le"}
            given[name] = labels
    assert {name: set(re.findall(r"\w+", labels)) for name, labels in told.items()} == given


@pytest.mark.parametrize("key", sorted(set(WebSettings.model_fields) - {"listen"}))
def test_every_key_is_spoken_of(key):
    assert re.search(rf"`{key}\b|\[web\.{key}\]", PAGE)


def test_the_limits_are_those_in_force():
    web = WebSettings()
    assert f"fail to sign in {FAILED_SIGN_INS} times a minute" in PAGE
    assert f"begin {BEGUN_SIGN_INS} sign-ins" in PAGE
    assert f"`requests_a_minute` times ({web.requests_a_minute})" in PAGE
    assert f"{SECONDS:.0f} seconds, or {BATCH} of them" in " ".join(PAGE.split())
    assert f"when {MOST_WAITING:,} wait" in PAGE


def test_every_role_is_told():
    assert re.findall(r"^\| (\w+) \| (?:the engagements|everything)", PAGE, re.MULTILINE) == [
        each.value for each in Role
    ]

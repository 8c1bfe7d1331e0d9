"""The page of tokens: granted and shown once, revoked at once."""

from __future__ import annotations

import html
import json
import re

import pytest

from collector.ask.access import granted
from tests.web.world import OTHER


def test_a_granted_token_is_shown_once_and_opens_what_it_says(desk):
    admin = desk.browser("admin")
    form = {"holder": "Noor Brook", "role": "auditor", "engagement": OTHER, "days": "30"}
    answer = admin.fill("/tokens", "/tokens", **form)
    token = re.search(r"evd_[A-Za-z0-9_-]{43}", answer.text)[0]
    assert desk.open(token).get("/api/v1/me").json()["engagements"] == [OTHER]
    assert answer.headers["cache-control"] == "no-store"
    assert token not in admin.get("/tokens").text
    assert token not in json.dumps([each.name for each in granted(desk.store)])


def test_a_revoked_token_opens_nothing(desk):
    number = next(each.id for each in granted(desk.store) if each.name == "Rosa Brook")
    reader, admin = desk.browser("reader"), desk.browser("admin")
    assert reader.get("/").status_code == 200
    assert admin.fill("/tokens", f"/tokens/{number}/revoke").headers["location"] == "/tokens"
    assert reader.get("/").status_code == 303
    assert desk.api("reader").get("/api/v1/me").status_code == 401


@pytest.mark.parametrize(
    "wrong",
    [{"engagement": ""}, {"days": "401"}, {"days": "soon"}, {"role": "owner"}, {"holder": " "}, {"engagement": "x"}],
)
def test_a_token_that_cannot_be_granted_keeps_what_was_typed(desk, wrong):
    form = {"holder": "Noor Brook", "role": "auditor", "engagement": OTHER, "days": "30"} | wrong
    before = len(granted(desk.store))
    answer = desk.browser("admin").fill("/tokens", "/tokens", **form)
    assert (answer.status_code, len(granted(desk.store))) == (422, before)
    assert f'value="{html.escape(form["holder"])}"' in answer.text

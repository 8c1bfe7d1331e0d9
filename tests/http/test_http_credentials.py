"""Who asks: credentials that are renewed, and answers that are kept for one principal."""

from __future__ import annotations

import threading

import pytest

from collector.errors import Denied, Misconfigured
from collector.model import Principal
from tests.http.conftest import VendorSession
from tests.http.loopback import Reply

LIST = 'list = { op = "GET /orgs/{org}/things", items = "@" }\nkey = "id"'
PATH = "GET /orgs/acme/things"
THINGS = [{"id": number} for number in range(5)]


class Numbered:
    """Credentials with a number; *most* is the last there will be."""

    def __init__(self, most):
        self.number = 1
        self.most = most
        self.refreshed = 0

    def apply(self, request):
        request.headers["authorization"] = f"Number {self.number}"

    def refresh(self):
        self.refreshed += 1
        self.number = min(self.number + 1, self.most)
        return True


EACH = LIST + '\neach = [{ op = "GET /things/{id}", into = "Detail" }]'


def test_credentials_are_renewed_once_for_many_refusals_at_the_same_time(vendor):
    vendor.authorizer = Numbered(most=9)
    vendor.set(detail_concurrency=8)
    vendor.server.on(PATH, [{"id": number} for number in range(8)])
    together = threading.Barrier(8)

    def detail(heard):
        if heard.headers["authorization"] == "Number 1":
            together.wait(5)
            return Reply({}, 401)
        return {"x": 1}

    for number in range(8):
        vendor.server.on(f"GET /things/{number}", detail)
    assert len(vendor.read(EACH)) == 8
    assert vendor.authorizer.refreshed == 1


def test_credentials_that_are_refused_after_renewal_are_denied(vendor):
    vendor.authorizer = Numbered(most=2)
    vendor.set(attempts=1)
    vendor.server.on(PATH, Reply({}, 401))
    with pytest.raises(Denied):
        vendor.read(LIST)
    assert [each.headers["authorization"] for each in vendor.server.heard] == ["Number 1", "Number 2"]


def test_what_an_authorizer_raises_is_the_reason(vendor):
    class Broken(Numbered):
        def apply(self, request):
            raise Misconfigured("there is no key file")

    vendor.authorizer = Broken(1)
    with pytest.raises(Misconfigured, match="no key file"):
        vendor.read(LIST)
    assert vendor.server.heard == []


def test_an_answer_that_did_not_change_is_taken_from_what_was_kept(vendor):
    vendor.api(etags=True)

    def answer(heard):
        known = heard.headers.get("if-none-match") == '"v1"'
        return Reply(status=304) if known else Reply(THINGS, headers={"ETag": '"v1"'})

    vendor.server.on(PATH, answer)
    assert vendor.read(LIST) == THINGS
    assert vendor.read(LIST) == THINGS
    assert [each.headers.get("if-none-match") for each in vendor.server.heard] == [None, '"v1"']
    assert vendor.calls()["GET /orgs/{org}/things"].calls == 1


def test_what_one_principal_was_shown_is_not_taken_for_another(vendor, monkeypatch):
    vendor.api(etags=True)
    vendor.server.on(PATH, Reply(THINGS, headers={"ETag": '"v1"'}))
    vendor.read(LIST)
    monkeypatch.setattr(VendorSession, "identify", lambda _: Principal("other@acme", "acme"))
    vendor.read(LIST)
    assert not any("if-none-match" in each.headers for each in vendor.server.heard)


def test_what_was_kept_is_bounded(vendor):
    vendor.api(etags=True, limits={"kept_bytes": 10})
    vendor.server.on(PATH, Reply(THINGS, headers={"ETag": '"v1"'}))
    vendor.read(LIST)
    vendor.read(LIST)
    assert not any("if-none-match" in each.headers for each in vendor.server.heard)

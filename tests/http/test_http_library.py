"""Tokens by a vendor's own library, and what is read of them."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import timedelta

import pytest

from collector.errors import Misconfigured, Unavailable
from collector.http import Library, LibraryToken, Request, claims_of, signed
from tests.http.conftest import ORG

PAGE = {"items": [{"id": 1}]}


class VendorError(Exception):
    """Whatever a vendor's library may raise."""


class NoAnswerError(VendorError):
    """Nobody answered."""


@dataclass(frozen=True)
class Issued:
    token: str
    expires_on: int


class Credentials:
    """A vendor's library: hands out numbered tokens for an hour, or raises *error*."""

    def __init__(self, clock):
        self.clock, self.given, self.made, self.error = clock, 0, 0, None

    def make(self):
        self.made += 1
        return Library(self, VendorError, (NoAnswerError,), busy=re.compile("busy"), code=re.compile(r"V\d+"))

    def get_token(self, *scopes):
        if self.error:
            raise self.error
        self.given += 1
        return Issued(f"{scopes[0]}-{self.given}", int(self.clock.now().timestamp()) + 3600)


@pytest.fixture
def library(clock):
    return Credentials(clock)


@pytest.fixture
def authorizer(library, clock):
    return LibraryToken(library.make, "all", clock)


def sent(authorizer):
    request = Request("GET", "https://vendor.example", "main")
    authorizer.apply(request)
    return request.headers["authorization"]


def test_a_token_is_asked_for_again_shortly_before_it_ends(authorizer, clock):
    assert [sent(authorizer), sent(authorizer)] == ["Bearer all-1", "Bearer all-1"]
    clock.move(timedelta(minutes=59))
    assert sent(authorizer) == "Bearer all-2"


def test_after_a_refusal_the_library_is_made_anew(authorizer, library):
    """It keeps tokens by itself, among them the one that was just refused."""
    sent(authorizer)
    assert authorizer.refresh()
    assert (sent(authorizer), library.made) == ("Bearer all-2", 2)


def test_what_the_library_refuses_is_misconfigured_and_only_its_code_is_quoted(authorizer, library):
    library.error = VendorError("V17: the secret hunter2 is wrong")
    with pytest.raises(Misconfigured, match=r"VendorError V17$") as caught:
        sent(authorizer)
    assert caught.value.__suppress_context__


@pytest.mark.parametrize("error", [NoAnswerError("V1"), VendorError("busy, V2")], ids=["no answer", "busy"])
def test_an_authority_that_cannot_answer_now_is_unavailable(authorizer, library, error):
    library.error = error
    with pytest.raises(Unavailable, match="did not answer"):
        sent(authorizer)


def test_what_led_to_an_error_says_whether_it_will_pass(authorizer, library):
    library.error = VendorError("refused")
    library.error.__cause__ = NoAnswerError("nobody")
    with pytest.raises(Unavailable):
        sent(authorizer)


def test_the_claims_of_a_token_are_those_that_were_signed():
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric import rsa

    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    form = (serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    claims = {"oid": "1", "tid": "ü"}
    assert claims_of(signed(claims, key.private_bytes(*form).decode())) == claims


@pytest.mark.parametrize("token", ["", "opaque", "a.b.c", "e30.W10.c2ln", "....", "a.ü.c"])
def test_what_is_no_jwt_is_misconfigured_and_not_quoted(token):
    with pytest.raises(Misconfigured) as caught:
        claims_of(token)
    assert len(token) < 2 or token not in str(caught.value) + caught.value.hint()


def test_a_post_whose_body_is_empty_is_sent_without_one(vendor):
    vendor.api(reads=["POST /orgs/*/summary"])
    vendor.server.on(f"POST /orgs/{ORG.name}/summary", PAGE)
    assert vendor.read('list = { op = "POST /orgs/{org}/summary", body = "", items = "items" }\nkey = "id"') == [
        {"id": 1}
    ]
    (heard,) = vendor.server.heard
    assert heard.body is None and "content-type" not in heard.headers
    assert heard.headers["content-length"] == "0"

"""`evidenced token`: granted and shown once, listed, revoked; never kept."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

import pytest

TOKEN = re.compile(r"evd_[A-Za-z0-9_-]{43}")


@pytest.fixture
def audited(site):
    """A site with a store and an engagement."""
    site.store().close()
    assert site.evidenced("engagement", "create", "soc2", "--from", "2026-01-01", "--to", "2026-07-01").code == 0
    return site


def created(site, *arguments):
    answer = site.evidenced("token", "create", *arguments, "--json")
    assert answer.code == 0, answer.err
    return answer.json


def test_a_token_is_printed_once_and_is_nowhere_in_the_store(audited):
    answer = audited.evidenced("token", "create", "ana@auditors.example", "--role", "auditor", "--engagement", "soc2")
    (token,) = TOKEN.findall(answer.out)
    assert "shown this once" in answer.out
    listed = audited.evidenced("token", "list")
    assert "ana@auditors.example" in listed.out and token not in listed.out
    kept = b"".join(each.read_bytes() for each in audited.folder.glob("evidence.db*") if each.is_file())
    assert token.encode() not in kept and token[4:].encode() not in kept


def test_what_it_is_good_for_is_told_as_json(audited):
    said = created(audited, "Ana", "--role", "auditor", "--engagement", "soc2", "--lasts", "30d")
    assert TOKEN.fullmatch(said.pop("token"))
    lasts = datetime.fromisoformat(said.pop("expires")) - datetime.now(UTC)
    assert timedelta(days=29, hours=23) < lasts <= timedelta(days=30)
    assert {
        "name": "Ana",
        "role": "auditor",
        "engagement": "soc2",
        "state": "good",
        "revoked": None,
    }.items() <= said.items()


def test_a_revoked_token_is_listed_as_such_and_cannot_be_revoked_again(audited):
    number = str(created(audited, "Ana", "--role", "reader")["number"])
    assert audited.evidenced("token", "revoke", number, "--json").json["state"] == "revoked"
    assert [each["state"] for each in audited.evidenced("token", "list", "--json").json["tokens"]] == ["revoked"]
    again = audited.evidenced("token", "revoke", number)
    assert (again.code, again.out) == (2, "") and "revoked already" in again.err


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["Ana", "--role", "auditor"], "opens one engagement"),
        (["Ana", "--role", "owner"], "'owner' is not one of auditor, reader, operator, admin"),
        (["Ana", "--role", "reader", "--lasts", "401d"], "at most 400 days"),
        (["Ana", "--role", "reader", "--lasts", "soon"], "soon"),
        (["Ana", "--role", "reader", "--engagement", "none"], "there is no engagement 'none'"),
        ([" ", "--role", "reader"], "name"),
    ],
)
def test_a_token_that_cannot_be_meant_is_refused_and_nothing_is_recorded(audited, arguments, said):
    answer = audited.evidenced("token", "create", *arguments)
    assert answer.code in (2, 3) and answer.out == "" and said in answer.err
    assert audited.evidenced("token", "list", "--json").json["tokens"] == []


def test_a_number_that_is_no_token_is_refused(audited):
    answer = audited.evidenced("token", "revoke", "7")
    assert answer.code == 2 and "there is no token 7" in answer.err


def test_a_token_in_what_people_write_is_refused_as_any_secret_is(audited):
    token = created(audited, "Ana", "--role", "reader")["token"]
    answer = audited.evidenced("engagement", "amend", "soc2", "--to", "2026-08-01", "--why", f"with {token}")
    assert answer.code == 2 and token not in answer.err


def test_a_token_in_the_configuration_is_refused_and_not_repeated(audited):
    token = created(audited, "Ana", "--role", "reader")["token"]
    audited.configure(f'[web]\nlisten = "{token}"')
    answer = audited.evidenced("token", "list")
    assert answer.code == 3 and "evidenced token" in answer.err and token not in answer.err

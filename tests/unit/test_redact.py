"""Redaction: secrets do not get through, evidence does."""

from __future__ import annotations

import copy
import json
from datetime import UTC, datetime
from urllib.parse import quote, unquote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collector.errors import Invalid
from collector.procedure import Kind
from collector.redact import mark, redact, scrub
from tests.fakes.secrets import BARE, HARMLESS, IN_CONTEXT, armoured, some


def kind(*paths):
    return Kind(name="shop.things", title="Things of a shop", redact=list(paths))


ANY = kind()
ALONE = [pytest.param(rule, secret, id=f"{rule}-{n}") for rule in BARE for n, secret in enumerate(BARE[rule])]
AMONG = [
    pytest.param(rule, text.format(secret), text.format(mark(rule)), secret, id=f"{rule}-{n}")
    for rule in IN_CONTEXT
    for n, (text, secret) in enumerate(IN_CONTEXT[rule])
]
PEM = armoured("PRIVATE KEY")
TOKEN = BARE["github_token"][0]
HASH = BARE["password_hash"][0]


@pytest.mark.parametrize(("rule", "secret"), ALONE)
def test_a_value_that_is_a_secret_is_replaced_by_its_mark(rule, secret):
    document = {"a": [{"b": secret}]}
    assert redact(document, ANY) == [("a[].b", rule)]
    assert document == {"a": [{"b": mark(rule)}]}


@pytest.mark.parametrize(("rule", "secret"), ALONE)
def test_a_secret_in_a_sentence_leaves_the_sentence(rule, secret):
    assert scrub(f"cannot use {secret} (expired)") == f"cannot use {mark(rule)} (expired)"


@pytest.mark.parametrize(("rule", "text", "clean", "secret"), AMONG)
def test_a_secret_known_by_what_stands_around_it_is_replaced_there(rule, text, clean, secret):
    assert scrub(text) == clean
    document = {"a": text}
    assert redact(document, ANY) == [("a", rule)]
    assert document == {"a": clean}


@pytest.mark.parametrize("text", HARMLESS)
def test_what_is_no_secret_stays(text):
    document = {"Value": text, "list": [text], "Text": json.dumps({"x": text}), "Url": quote(text)}
    before = copy.deepcopy(document)
    assert redact(document, ANY) == []
    assert document == before
    assert scrub(text) == text


@pytest.mark.parametrize("secret", [PEM, TOKEN, HASH], ids=["private_key", "github_token", "password_hash"])
@pytest.mark.parametrize(
    "hide",
    [
        json.dumps,
        lambda text: json.dumps({"deep": [json.dumps({"er": text})]}),
        lambda text: quote(json.dumps({"Statement": [{"Note": text}]}), safe=""),
        lambda text: quote(quote(text, safe=""), safe=""),
        lambda text: json.dumps({"cut": text})[:-2],
        lambda text: json.dumps({text: 1}),
        lambda text: "".join(f"\\u{ord(each):04x}" for each in text).join(['{"a":"', '"}']),
        lambda text: f"#!/bin/sh\ncat > key <<END\n{text}\nEND\n",
    ],
    ids=["json", "json_in_json", "url_encoded_json", "url_encoded_twice", "cut_json", "json_key", "escaped", "script"],
)
def test_a_secret_inside_a_string_inside_a_document_is_found(hide, secret):
    hidden = hide(secret)
    document = {"Policies": [{"Document": hidden, "Name": "x"}]}
    assert redact(document, ANY)
    assert document["Policies"][0]["Name"] == "x"
    assert "[redacted:" in document["Policies"][0]["Document"]
    assert redact({"again": document}, ANY) == []


def test_a_policy_document_around_a_secret_stays_readable():
    document = {"doc": json.dumps({"Version": "2012-10-17", "Statement": [{"Sid": TOKEN, "Effect": "Deny"}]})}
    assert redact(document, ANY) == [("doc.Statement[].Sid", "github_token")]
    assert json.loads(document["doc"])["Statement"][0] == {"Sid": "[redacted:github_token]", "Effect": "Deny"}


def test_a_reference_beside_a_secret_in_encoded_text_is_still_one_afterwards():
    hidden = quote(json.dumps({"key": TOKEN, "url": "https://app:${PASSWORD}@db.internal/shop"}))
    document = {"a": hidden}
    assert redact(document, ANY) == [("a.key", "github_token")]
    assert redact(document, ANY) == []
    assert json.loads(unquote(document["a"]))["url"] == "https://app:${PASSWORD}@db.internal/shop"


def test_a_private_key_without_its_end_is_removed_to_the_end_of_the_text():
    assert scrub("key: " + PEM[:200]) == "key: [redacted:private_key]"


def test_a_second_key_after_a_cut_one_is_removed_too():
    cleaned = scrub(PEM[:200] + "\n" + PEM)
    assert not any(line in cleaned for line in PEM.splitlines()[1:-1])


@pytest.mark.parametrize(
    ("document", "path"),
    [
        ({"client_secret": "aZ3!"}, "client_secret"),
        ({"MasterUserPassword": "hunter2"}, "MasterUserPassword"),
        ({"RadiusSettings": {"SharedSecret": "a1b2"}}, "RadiusSettings.SharedSecret"),
        ({"Options": [{"PreSharedKey": "x.y_1"}]}, "Options[].PreSharedKey"),
        ({"Environment": {"DB_PASSWORD": "swordfish"}}, "Environment.DB_PASSWORD"),
        ({"Environment": {"SLACK_TOKEN": "plain"}}, "Environment.SLACK_TOKEN"),
        ({"environment": [{"name": "API_TOKEN", "value": "x1"}]}, "environment[].value"),
        (
            {"environmentVariables": [{"name": "NPM_TOKEN", "value": "x1", "type": "PLAINTEXT"}]},
            "environmentVariables[].value",
        ),
        ({"Tags": [{"Key": "db-password", "Value": "Winter2026"}]}, "Tags[].Value"),
        (
            {"Parameters": [{"ParameterKey": "DbPassword", "ParameterValue": "Winter2026"}]},
            "Parameters[].ParameterValue",
        ),
        ({"config": {"secret": "hunter2"}}, "config.secret"),
        ({"app.io/client-secret": "hunter2"}, '"app.io/client-secret"'),
        ({"passwords": 1, "api_key": ["k1", "k2"]}, "api_key[]"),
    ],
)
def test_a_name_that_promises_a_secret_is_believed(document, path):
    assert redact(document, ANY) == [(path, "named")]
    assert mark("named") in json.dumps(document)


@pytest.mark.parametrize(
    "document",
    [
        {"password_enabled": "true", "password_last_changed": "2026-01-01T00:00:00Z", "Password": "Active"},
        {"PasswordPolicy": {"MinimumPasswordLength": 14, "RequireSymbols": True}},
        {"secret": None, "password": "", "api_key": False},
        {
            "SecretArn": "arn:aws:secretsmanager:eu-west-1:1:secret:a",
            "secret": "arn:aws:secretsmanager:eu-west-1:1:secret:a",
        },
        {"secrets": [{"name": "DB_PASSWORD", "valueFrom": "arn:aws:ssm:eu-west-1:1:parameter/db"}]},
        {"secret": "projects/shop/secrets/db", "privateKey": "file:/run/secrets/key", "password": "${DB_PASSWORD}"},
        {"config": {"secret": "********"}},
        {"LockToken": "a1b2c3", "NextToken": "abc123", "PublicKey": "MIIB123", "KeyId": "alias/x1", "Key": "v1"},
        {"client_secret": "[redacted:declared]"},
        {"passwordAuthentication": "saml_only", "password": "saml_only"},
    ],
)
def test_a_name_that_only_sounds_like_a_secret_keeps_its_value(document):
    before = copy.deepcopy(document)
    assert redact(document, ANY) == []
    assert document == before


def test_declared_fields_go_first_and_are_reported_under_the_declared_path():
    document = {"Env": {"A": TOKEN, "B": 1}, "Users": [{"Mail": "a@x"}, {"Mail": "b@x"}], "Left": TOKEN}
    found = redact(document, kind("Env.*", "Users[].Mail", "Gone"))
    assert found == [("Env.*", "declared"), ("Users[].Mail", "declared"), ("Left", "github_token")]
    assert document["Env"] == {"A": mark("declared"), "B": mark("declared")}
    assert document["Users"] == [{"Mail": mark("declared")}] * 2


def test_a_key_that_is_a_secret_is_replaced_and_its_value_kept():
    document = {"tokens": {TOKEN: "ci", BARE["github_token"][1]: "cd"}}
    found = redact(document, ANY)
    assert document == {"tokens": {"[redacted:github_token]": "ci", "[redacted:github_token](2)": "cd"}}
    assert {rule for _, rule in found} == {"github_token"}
    assert not any(TOKEN in path for path, _ in found)


def test_bytes_that_hold_a_secret_are_replaced_as_a_whole():
    """In the stored base64 nobody could see what was left, nor that something was removed."""
    document = {"UserData": f"#!/bin/sh\nexport X={TOKEN}\n".encode(), "Blob": b"\x00\xff" * 9, "DB_PASSWORD": b"fish"}
    assert redact(document, ANY) == [("UserData", "github_token"), ("DB_PASSWORD", "named")]
    assert document == {"UserData": mark("github_token"), "Blob": b"\x00\xff" * 9, "DB_PASSWORD": mark("named")}


def test_a_secret_in_a_tuple_is_found():
    document = {"a": ("x", {"b": TOKEN})}
    assert redact(document, ANY) == [("a[].b", "github_token")]
    assert document == {"a": ["x", {"b": mark("github_token")}]}


def test_times_and_numbers_pass_through_as_they_are():
    document = {"At": datetime(2026, 1, 1, tzinfo=UTC), "Password": 3, "note": "password of"}
    before = copy.deepcopy(document)
    assert redact(document, ANY) == []
    assert document == before


def test_no_report_holds_a_position_or_repeats_itself():
    document = {"a": [{"b": TOKEN}, {"b": BARE["github_token"][1]}]}
    assert redact(document, ANY) == [("a[].b", "github_token")]


def test_a_document_too_deep_to_search_is_refused_without_showing_it():
    document = {"secret": TOKEN}
    for _ in range(5000):
        document = {"a": document}
    with pytest.raises(Invalid) as error:
        redact(document, ANY)
    assert TOKEN not in str(error.value)


def test_json_too_deep_to_parse_is_searched_as_text():
    document = {"a": "[" * 100_000 + TOKEN}
    assert redact(document, ANY) == [("a", "github_token")]
    assert TOKEN not in document["a"]


def test_text_that_is_not_unicode_is_searched_too():
    document = {"a": "\ud800" + TOKEN}
    assert redact(document, ANY) == [("a", "github_token")]


@pytest.mark.parametrize(
    "unit", ["-----BEGIN PRIVATE KEY-----", "eyJ", "password=", "://a:", "%2525", "[", "AKIA", "Bearer "]
)
def test_hostile_repetition_is_searched_in_linear_time(unit):
    """The timeout of the test run is the assertion: a quadratic pattern would take hours."""
    scrub(unit * (400_000 // len(unit)))


NAMES = st.text("abcXYZ", min_size=1, max_size=3)
LEAVES = st.none() | st.booleans() | st.integers() | st.sampled_from(HARMLESS) | st.text(max_size=10)
TREES = st.recursive(
    LEAVES, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=3), max_leaves=10
)
SECRETS = st.sampled_from([secret for each in BARE.values() for secret in each])
WRAPS = st.lists(st.sampled_from(["list", "dict", "json", "url"]), max_size=4)


@given(TREES, SECRETS, WRAPS, st.dictionaries(NAMES, LEAVES, max_size=3))
def test_a_secret_planted_anywhere_is_gone_afterwards(tree, secret, wraps, beside):
    planted = secret
    for wrap in wraps:
        if wrap == "json":
            planted = json.dumps(planted)
        elif wrap == "url":
            planted = quote(planted if isinstance(planted, str) else json.dumps(planted))
        else:
            planted = [tree, planted] if wrap == "list" else {**beside, "here": planted}
    document = {"tree": tree, "planted": planted}
    found = redact(document, ANY)
    after = json.dumps(document)
    assert any(rule in BARE for _, rule in found)
    for part in [secret, *secret.split()[3:-1], quote(secret), json.dumps(secret)[1:-1]]:
        assert len(part) < 20 or part not in after
    assert redact(copy.deepcopy(document), ANY) == []


@given(TREES)
def test_a_document_without_secrets_is_left_exactly_as_it_was(tree):
    document = {"tree": tree}
    before = copy.deepcopy(document)
    assert redact(document, ANY) == []
    assert document == before


@given(st.text(max_size=40))
def test_scrubbing_twice_is_scrubbing_once(text):
    for each in (text, f"{text} password={some('abc123', 8)}", f"https://u:{text}@host/"):
        assert scrub(scrub(each)) == scrub(each)

"""A connector that is one TOML file and no Python, installed by an entry point that names its folder."""

from __future__ import annotations

import base64
import json
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from pydantic import ValidationError

from collector.clock import SystemClock
from collector.connector import Reading
from collector.errors import ConfigError, Denied, Misconfigured, Unavailable
from collector.http.declared import declared
from collector.installed import connectors
from collector.model import Scope
from tests.http.loopback import Loopback, Reply

ACME = (Path(__file__).parent / "acme.toml").read_text()


@pytest.fixture
def server():
    """Acme's API: two teams, one of them with people on three pages."""
    server = Loopback()
    server.on("GET /api/me", {"email": "reader@acme.example"})
    server.on("GET /api/teams", {"teams": [{"id": 7, "slug": "red"}, {"id": 8, "slug": "blue"}]})
    pages = {"": ("ana", "2"), "2": ("bo", "3"), "3": ("cy", None)}

    def people(heard):
        name, following = pages[heard.query.get("page", "")]
        return {"people": [{"email": name}], "next": following}

    server.on("GET /api/teams/7/people", people)
    yield server
    server.close()


def _connector(tmp_path, text=ACME):
    folder = tmp_path / "acme_evidence"
    folder.mkdir()
    (folder / "acme.toml").write_text(text)
    return declared(folder)


def _session(connector, server, monkeypatch, secret="s3cret-token", **settings):
    monkeypatch.setenv("ACME_TOKEN", secret)
    given = {
        "domain": "acme.example",
        "token": "env:ACME_TOKEN",
        "addresses": {"main": f"{server.url}/api", "auth": server.url},
        **settings,
    }
    return connector.open("acme:main", connector.settings.model_validate(given), SystemClock())


def _read(session, connector, scope="red"):
    clock = SystemClock()
    reading = Reading(clock, clock.monotonic() + 20)
    try:
        return list(session.read(connector.kinds()["acme.people"], Scope(scope, "team"), reading))
    finally:
        session.close()


def test_a_folder_with_one_toml_file_is_installed_as_a_connector(tmp_path, monkeypatch):
    _connector(tmp_path)
    information = tmp_path / "acme_evidence-1.0.dist-info"
    information.mkdir()
    (information / "METADATA").write_text("Metadata-Version: 2.1\nName: acme-evidence\nVersion: 1.0\n")
    (information / "entry_points.txt").write_text("[evidenced.connectors]\nacme = acme_evidence\n")
    monkeypatch.syspath_prepend(tmp_path)
    assert "acme.people" in connectors()["acme"].kinds()


def test_it_says_who_and_where_and_reads_every_page(tmp_path, server, monkeypatch):
    connector = _connector(tmp_path)
    session = _session(connector, server, monkeypatch)
    assert (session.principal().id, session.principal().account) == ("reader@acme.example", "acme.example")
    assert session.scopes() == [Scope("red", "team"), Scope("blue", "team")]
    assert _read(session, connector) == [{"email": "ana"}, {"email": "bo"}, {"email": "cy"}]
    assert {each.headers["authorization"] for each in server.heard} == {"Bearer s3cret-token"}


def test_the_connector_shown_in_the_documentation_reads_every_page(tmp_path, server, monkeypatch):
    shown = (Path(__file__).parents[2] / "collector/http/README.md").read_text()
    text = next(block for block in shown.split("```toml\n") if block.startswith("[connector]")).partition("```")[0]
    connector = _connector(tmp_path, text)
    assert connector.lint(connector.kinds()["acme.people"]) == []
    session = _session(connector, server, monkeypatch, addresses={"main": f"{server.url}/api"})
    assert _read(session, connector) == [{"email": "ana"}, {"email": "bo"}, {"email": "cy"}]


def test_its_kinds_are_sound_and_say_what_they_need(tmp_path):
    connector = _connector(tmp_path)
    people = connector.kinds()["acme.people"]
    assert connector.lint(people) == []
    assert connector.policy([people]) == [{"grants": ["people:read"]}]
    assert connector.explain(people)["calls"][0]["paging"] == "token: next next, param page"


def test_a_secret_written_out_in_its_settings_is_refused(tmp_path):
    with pytest.raises(ValidationError, match="by reference"):
        _connector(tmp_path).settings.model_validate({"domain": "acme.example", "token": "s3cret-token"})


def test_a_setting_that_does_not_match_its_pattern_is_refused(tmp_path):
    with pytest.raises(ValidationError, match="does not match"):
        _connector(tmp_path).settings.model_validate({"domain": "a/b", "token": "env:X"})


@pytest.mark.parametrize(
    ("wrong", "instead", "said"),
    [
        ('secret = "token"', 'secret = "domain"', "is no secret setting"),
        ('scheme = "bearer"', 'scheme = "basic"', "basic needs user"),
        ("[connector]", "[connectr]", "[connector.name]"),
        ('level = "team"', 'lvel = "team"', "connector.scopes.0"),
    ],
)
def test_what_is_wrong_with_its_declaration_is_said_by_file_and_field(tmp_path, wrong, instead, said):
    with pytest.raises(ConfigError) as caught:
        _connector(tmp_path, ACME.replace(wrong, instead))
    assert said in caught.value.message
    assert "acme" in caught.value.message


def _with_auth(text):
    return ACME.replace('scheme = "bearer"\nsecret = "token"', text)


@pytest.mark.parametrize(
    ("auth", "sent"),
    [
        ('scheme = "bearer"\nsecret = "token"\nprefix = "SSWS"', ("authorization", "SSWS pw")),
        (
            'scheme = "basic"\nuser = "bot@{domain}"\nsecret = "token"',
            ("authorization", "Basic Ym90QGFjbWUuZXhhbXBsZTpwdw=="),
        ),
        ('scheme = "headers"\nheaders = { "X-Key" = "token" }', ("x-key", "pw")),
    ],
)
def test_credentials_are_sent_as_declared(tmp_path, server, monkeypatch, auth, sent):
    connector = _connector(tmp_path, _with_auth(auth))
    session = _session(connector, server, monkeypatch, secret="pw")
    session.principal()
    session.close()
    assert sent in server.heard[0].headers.items()


CLIENT = 'scheme = "client_credentials"\ntoken = "auth:/token"\nclient_id = "me"\nsecret = "token"\nscope = "all"'


def test_a_token_that_ended_is_fetched_again_once(tmp_path, server, monkeypatch):
    def me(heard):
        good = heard.headers["authorization"] == "Bearer t2"
        return {"email": "e"} if good else Reply({"error": "expired"}, 401)

    tokens = [{"access_token": name, "expires_in": 3600} for name in ("t1", "t2")]
    server.in_turn("POST /token", *tokens)
    server.on("GET /api/me", me)
    connector = _connector(tmp_path, _with_auth(CLIENT))
    session = _session(connector, server, monkeypatch)
    assert session.principal().id == "e"
    session.close()
    assert len(server.asked("POST /token")) == 2


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (Reply({"error": "invalid_client"}, 401), Misconfigured),
        (Reply({"error": "invalid_scope"}, 400), Denied),
        (Reply(b"<html>", 502), Unavailable),
        ({"token": "under another name"}, Misconfigured),
    ],
)
def test_a_token_endpoint_that_refuses_says_who_must_act(tmp_path, server, monkeypatch, answer, reason):
    server.on("POST /token", answer)
    connector = _connector(tmp_path, _with_auth(CLIENT))
    session = _session(connector, server, monkeypatch)
    with pytest.raises(reason) as caught:
        session.principal()
    session.close()
    assert "s3cret" not in caught.value.message


def test_a_token_is_fetched_for_a_jwt_signed_with_the_key_of_a_key_file(tmp_path, server, monkeypatch):
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    pem = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    ).decode()
    (tmp_path / "key.json").write_text(json.dumps({"client_email": "svc@acme", "private_key": pem}))
    auth = 'scheme = "jwt_bearer"\ntoken = "auth:/token"\nsecret = "token"\nissuer = "{client_email}"\n'
    auth += 'audience = "https://login.example/token"\nsubject = "admin@{domain}"\nscope = "directory.readonly"'
    server.on("POST /token", {"access_token": "t1", "expires_in": 3600})
    connector = _connector(tmp_path, _with_auth(auth))
    session = _session(connector, server, monkeypatch, token=f"file:{tmp_path}/key.json")
    session.principal()
    session.close()
    head, claims, signature = server.asked("POST /token")[0].form["assertion"].split(".")
    decoded = {name: value for name, value in json.loads(_plain(claims)).items() if name not in ("iat", "exp")}
    assert decoded == {
        "iss": "svc@acme",
        "aud": "https://login.example/token",
        "sub": "admin@acme.example",
        "scope": "directory.readonly",
    }
    key.public_key().verify(_plain(signature), f"{head}.{claims}".encode(), padding.PKCS1v15(), hashes.SHA256())


def _plain(part):
    return base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))

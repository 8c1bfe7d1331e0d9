"""Every way to a token, each played on loopback: a key, workload identity federation, a machine of Google's."""

from __future__ import annotations

import json
import logging
import os
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qsl

import pytest
from pydantic import ValidationError

from collector.errors import ConfigError, Misconfigured, ReadError, Unavailable
from connectors.gcp import connector
from tests.connectors.gcp.organisation import ORG, READER, USERINFO, KeyFile
from tests.fakes.described.trouble import expire
from tests.fakes.listener import Http, Reply

KIND = "gcp.compute.firewalls"
SUBJECT_TOKEN = "subject-token-of-the-workload"


def reply(body, status=200, **headers):
    return Reply(status, {"Content-Type": "application/json", **headers}, json.dumps(body).encode())


@pytest.fixture
def key(organisation, monkeypatch):
    """A key that no test has used yet."""
    organisation.key = KeyFile(organisation.fake)
    monkeypatch.setenv("GCP_KEY", organisation.key.text)
    return organisation.key


def failure(reader, **settings):
    with pytest.raises((ReadError, ConfigError)) as caught:
        reader(**settings).session.principal()
    return caught.value


def test_a_service_account_is_who_google_says_it_is(reader):
    principal = reader().session.principal()
    assert (principal.id, principal.account) == (READER, f"organizations/{ORG}")


def test_one_token_serves_a_whole_reading(reader, key):
    reader().read("gcp.storage.buckets")
    assert key.asked == 1


def test_a_token_is_renewed_when_the_source_says_that_it_is_over(reader, fake, key):
    source = reader()
    before = source.read(KIND)
    fake.expire()
    assert source.read(KIND) == before
    assert key.asked == 2


def test_a_token_is_renewed_before_it_ends(reader, key):
    source = reader()
    source.read(KIND)
    source.clock.sleep(3600 - 60)
    source.read(KIND)
    assert key.asked == 2


def test_a_key_that_was_rotated_is_read_again(organisation, reader, fake, monkeypatch, tmp_path):
    file = tmp_path / "key.json"
    file.write_text(organisation.key.text)
    source = reader(credentials=f"file:{file}")
    before = source.read(KIND)
    organisation.key = KeyFile(fake)
    file.write_text(organisation.key.text)
    fake.expire()
    assert source.read(KIND) == before


def test_the_project_whose_quota_is_used_is_named_in_every_request(reader, fake):
    reader(quota_project="acme-0").read("gcp.resourcemanager.projects")
    assert {ask.headers.get("x-goog-user-project") for ask in fake.asks} == {"acme-0"}


def test_a_refused_key_is_misconfigured_and_its_error_code_alone_is_told(organisation, reader, fake):
    secret = "eyJhbGciOi-assertion-quoted"
    fake.route("POST", "/token", lambda _: reply({"error": "invalid_grant", "error_description": secret}, 400))
    error = failure(reader)
    organisation.key = KeyFile(fake)
    assert type(error) is Misconfigured
    assert "invalid_grant" in error.message
    assert secret not in error.message + error.hint()


def test_a_token_endpoint_that_is_away_is_unavailable(organisation, reader, monkeypatch):
    gone = {**organisation.key.document, "token_uri": "http://127.0.0.1:9/token"}
    monkeypatch.setenv("GCP_KEY", json.dumps(gone))
    assert type(failure(reader)) is Unavailable


@pytest.mark.parametrize(
    "text",
    [
        "not json",
        "[]",
        '{"type": "service_account"}',
        '{"type": "service_account", "private_key": "PEM-of-nobody", "client_email": "a", "token_uri": "b"}',
        '{"type": "external_account"}',
        '{"type": "authorized_user", "refresh_token": "PEM-of-nobody"}',
    ],
)
def test_what_is_no_key_is_misconfigured_and_not_quoted(reader, monkeypatch, text):
    monkeypatch.setenv("GCP_KEY", text)
    error = failure(reader)
    assert type(error) is Misconfigured
    assert "PEM-of-nobody" not in error.message + error.hint()


def test_a_variable_that_is_not_set_is_named(reader):
    assert "env:GCP_NOT_SET" in failure(reader, credentials="env:GCP_NOT_SET").message


@pytest.mark.parametrize(
    "wrong",
    [
        {"credentials": '{"type": "service_account"}'},
        {"credentials": "file:key.json"},
        {"organization": "acme.example"},
    ],
)
def test_settings_that_cannot_be_meant_are_refused(wrong):
    with pytest.raises(ValidationError):
        connector.settings.model_validate({"organization": ORG, **wrong})


# Workload identity federation


@pytest.fixture
def federation(fake, monkeypatch, tmp_path):
    """Write a configuration as gcloud makes it, with or without a service account to impersonate."""
    file = tmp_path / "subject"
    file.write_text(SUBJECT_TOKEN)

    def exchange(http: Http) -> Reply:
        form = dict(parse_qsl(http.body.decode()))
        if form.get("subject_token") != SUBJECT_TOKEN or form.get("audience") != "//iam.googleapis.com/pool":
            return reply({"error": "invalid_grant", "error_description": f"bad {form.get('subject_token')}"}, 400)
        return reply({
            "access_token": fake.token(), "token_type": "Bearer", "expires_in": 3600,
            "issued_token_type": "urn:ietf:params:oauth:token-type:access_token",
        })  # fmt: skip

    def impersonate(http: Http) -> Reply:
        if not fake.tokens.is_good(http.header("Authorization").removeprefix("Bearer ")):
            return reply({"error": {"code": 403, "status": "PERMISSION_DENIED", "message": "no"}}, 403)
        ends = (datetime.now(UTC) + timedelta(hours=1)).strftime("%Y-%m-%dT%H:%M:%SZ")
        return reply({"accessToken": fake.token(), "expireTime": ends})

    fake.route("POST", "/sts/v1/token", exchange)
    path = f"/v1/projects/-/serviceAccounts/{READER}:generateAccessToken"
    fake.route("POST", path, impersonate)

    def write(impersonated=True):
        document = {
            "type": "external_account",
            "audience": "//iam.googleapis.com/pool",
            "subject_token_type": "urn:ietf:params:oauth:token-type:jwt",
            "token_url": f"{fake.url}/sts/v1/token",
            "credential_source": {"file": str(file)},
        }
        if impersonated:
            document["service_account_impersonation_url"] = fake.url + path
        monkeypatch.setenv("GCP_KEY", json.dumps(document))
        return file

    return write


def test_a_federated_workload_reads_as_the_service_account_it_impersonates(organisation, reader, federation):
    federation()
    source = reader()
    assert source.session.principal().id == READER
    assert source.read(KIND) == organisation.held[KIND]


def test_a_subject_token_that_is_refused_is_misconfigured_and_not_quoted(reader, federation):
    federation().write_text("another-token")
    error = failure(reader)
    assert type(error) is Misconfigured
    assert "invalid_grant" in error.message
    assert "another-token" not in error.message


def test_federation_without_a_service_account_is_told_what_lacks(reader, fake, federation):
    """Such a token has no account that userinfo could name."""
    federation(impersonated=False)
    fake.trouble(USERINFO, expire())
    error = failure(reader)
    assert type(error) is Misconfigured
    assert "impersonate a service account" in error.hint()


# A machine of Google's


@pytest.fixture
def machine(organisation, tmp_path):
    """A machine with a metadata server and no other credentials; returns what a command there printed."""
    fake, flavor = organisation.fake, {"Metadata-Flavor": "Google", "Server": "Metadata Server for VM"}
    account = {"email": READER, "scopes": ["https://www.googleapis.com/auth/cloud-platform"], "aliases": ["default"]}
    base = "/computeMetadata/v1/instance/service-accounts"
    token = {"expires_in": 3599, "token_type": "Bearer"}
    fake.route("GET", "/", lambda _: reply({}, **flavor))
    fake.route("GET", f"{base}/default/", lambda _: reply(account, **flavor))
    for name in ("default", READER):
        fake.route("GET", f"{base}/{name}/token", lambda _: reply({**token, "access_token": fake.token()}, **flavor))
    fake.route("GET", "/computeMetadata/v1/project/project-id", lambda _: reply("acme-0", **flavor))
    fake.route("GET", "/computeMetadata/v1/universe/universe-domain", lambda _: reply("googleapis.com", **flavor))
    (tmp_path / "evidenced.toml").write_text(
        f'[sources."gcp:acme"]\norganization = "{ORG}"\nrequests_per_second = {{ "*" = 1000 }}\naddresses = {{ '
        + ", ".join(f'{host} = "{url}"' for host, url in organisation.addresses.items())
        + " }\n"
    )
    host = fake.url.removeprefix("http://")

    def run(*arguments):
        own = {name: value for name, value in os.environ.items() if not name.startswith(("GOOGLE", "GCP", "CLOUDSDK"))}
        done = subprocess.run(
            [sys.executable, "-c", "from collector.cli import main; main()", *arguments, "--json"],
            env={**own, "HOME": str(tmp_path), "GCE_METADATA_HOST": host, "GCE_METADATA_IP": host},
            cwd=tmp_path,
            capture_output=True,
            text=True,
            check=False,
        )
        assert "fake-" not in done.stdout + done.stderr, "a token was printed"
        return done.returncode, json.loads(done.stdout)

    return run


def test_check_tells_of_every_kind_as_the_machines_own_account(machine, fake):
    fake.trouble(USERINFO, expire())
    code, answer = machine("check")
    source = answer["sources"][0]
    assert (source["principal"]["id"], source["trouble"]) == (READER, None)
    troubles = {each["subject"]["kind"]: each["trouble"] for each in source["kinds"] if each["trouble"]}
    assert (code, troubles) == (0, {})


def test_what_a_snapshot_read_is_in_the_store_and_no_token_is(organisation, machine, tmp_path):
    kind = "gcp.resourcemanager.projects"
    code, _ = machine("snapshot", "--source", "gcp:acme", "--kind", kind, "--reason", "before the move")
    assert code == 0
    _, found = machine("runs", "--kind", kind)
    assert [(each["principal"]["id"], each["counts"]["items"]) for each in found["runs"]] == [(READER, 7)]
    assert b"fake-" not in b"".join(file.read_bytes() for file in tmp_path.glob("evidenced.db*") if file.is_file())


# What the store and the log get


def test_no_secret_leaves_a_reading(reader, key, caplog):
    """Neither passwords that Google gives nor our own key and tokens."""
    caplog.set_level(logging.DEBUG)
    observation = reader().collect("gcp.sql.instances")
    kept = b"".join(each.data for each in observation.artifacts) + (observation.volatile or b"")
    text = kept.decode() + repr(observation.run) + caplog.text
    assert "db-0" in text
    for secret in ("hunter2", "jane-", "fake-", "PRIVATE KEY"):
        assert secret not in text
    assert {each.path for each in observation.run.redactions} == {"users[].name"}


def test_no_key_material_is_kept_of_a_service_accounts_keys(reader):
    kept = reader().collect("gcp.iam.service_account_keys").artifacts
    assert kept
    assert not [each for each in kept if b"KeyData" in each.data]

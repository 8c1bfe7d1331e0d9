"""How a source of Azure or Entra signs in, who it is, which scopes it has, and what it must be granted."""

from __future__ import annotations

import stat

import pytest
import trustme
from cryptography.hazmat.primitives import serialization

from collector.errors import ConfigError, Denied, Misconfigured, Unavailable
from connectors import azure, entra
from connectors.azure.settings import AzureSettings
from tests.connectors.microsoft import tenant
from tests.connectors.microsoft.authority import APPLICATION, OBJECT, PERSON, SECRET, TENANT, WORKLOAD
from tests.connectors.microsoft.tenant import guid
from tests.fakes.described import trouble
from tests.http.loopback import Reply

both = pytest.mark.parametrize("name", ["azure", "entra"])
APP = f"application {APPLICATION}, object {OBJECT}"


@pytest.fixture
def application(tmp_path, authority):
    """A file with the application's certificate and key, which the authority knows."""
    made = trustme.CA().issue_cert("application.example", key_type=trustme.KeyType.RSA)
    authority.certificate = made.cert_chain_pems[0].bytes()
    path = tmp_path / "application.pem"
    made.private_key_and_cert_chain_pem.write_to_path(path)
    return path


@both
def test_an_application_signs_in_by_its_secret(reader, name):
    assert reader.session(name).principal().id == APP


@both
def test_an_application_signs_in_by_its_certificate(reader, application, name):
    reader.set(client_id=APPLICATION, certificate=f"file:{application}")
    assert reader.session(name).principal().id == APP


def test_the_key_of_a_certificate_may_have_a_password(reader, application, monkeypatch):
    key = serialization.load_pem_private_key(application.read_bytes(), None)
    locked = serialization.BestAvailableEncryption(b"planted-password")
    form = (serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, locked)
    certificate = application.read_bytes().partition(b"-----BEGIN CERTIFICATE")
    application.write_bytes(key.private_bytes(*form) + b"".join(certificate[1:]))
    monkeypatch.setenv("PASSWORD_OF_KEY", "planted-password")
    own = {"client_id": APPLICATION, "certificate": f"file:{application}"}
    reader.set(**own, certificate_password="env:PASSWORD_OF_KEY")
    assert reader.session("azure").principal().id == APP


@both
def test_a_workload_signs_in_by_the_token_of_its_cluster(reader, monkeypatch, tmp_path, name):
    (tmp_path / "federated").write_text(WORKLOAD)
    monkeypatch.setenv("AZURE_CLIENT_ID", APPLICATION)
    monkeypatch.setenv("AZURE_FEDERATED_TOKEN_FILE", str(tmp_path / "federated"))
    reader.set(identity="workload")
    assert reader.session(name).principal().id == APP


@both
def test_a_machine_signs_in_by_its_managed_identity(reader, authority, name):
    reader.set(identity="managed")
    assert reader.session(name).principal().id == APP
    assert authority.server.heard == []


@both
def test_a_person_is_who_signed_in_at_the_command_line(reader, authority, monkeypatch, tmp_path, name):
    resource = {"azure": "https://management.azure.com", "entra": "https://graph.microsoft.com"}[name]
    token = authority.token(resource, oid=PERSON, scp="user_impersonation")
    az = tmp_path / "az"
    az.write_text(f'#!/bin/sh\necho \'{{"accessToken": "{token}", "expires_on": 4102444800}}\'\n')
    az.chmod(az.stat().st_mode | stat.S_IXUSR)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    reader.set(identity="cli")
    assert reader.session(name).principal().id == f"object {PERSON}"


@both
def test_a_secret_that_is_wrong_is_misconfigured_and_in_no_message(reader, monkeypatch, caplog, name):
    monkeypatch.setenv("APPLICATION_SECRET", "planted~But.wrong")
    with pytest.raises(Misconfigured, match="AADSTS7000215") as caught:
        reader.session(name).principal()
    assert "planted" not in str(caught.value) + caught.value.hint() + caplog.text
    assert caught.value.__suppress_context__


def test_a_secret_that_was_rotated_is_read_anew_when_the_token_ends(reader, authority, arm, monkeypatch):
    session = reader.session("azure", client_secret="env:ROTATED")
    monkeypatch.setenv("ROTATED", SECRET)
    session.principal()
    arm.expire()
    monkeypatch.setenv("ROTATED", "planted~Old")
    with pytest.raises(Misconfigured):
        session.scopes()
    assert authority.refused == ["the secret"]


def test_a_certificate_that_is_none_is_a_mistake_in_the_configuration(reader, tmp_path):
    (tmp_path / "no.pem").write_text("planted key")
    reader.set(client_id=APPLICATION, certificate=f"file:{tmp_path / 'no.pem'}")
    with pytest.raises(ConfigError, match="PEM") as caught:
        reader.session("azure").principal()
    assert "planted" not in str(caught.value)


def test_an_authority_that_cannot_answer_is_unavailable(reader, authority):
    authority.server.on(f"POST /{TENANT}/oauth2/v2.0/token", Reply({"error": "temporarily_unavailable"}, 503))
    with pytest.raises(Unavailable, match="the token authority"):
        reader.session("azure").principal()


def test_an_authority_that_cannot_be_reached_is_unavailable(reader, authority):
    authority.server.close()
    with pytest.raises(Unavailable, match="the token authority"):
        reader.session("azure").principal()


@both
def test_credentials_of_another_tenant_are_misconfigured(reader, authority, name):
    authority.claims = {"tid": guid(99)}
    with pytest.raises(Misconfigured, match=guid(99)):
        reader.session(name).principal()


def test_a_tenant_that_resource_manager_does_not_list_is_misconfigured(reader, arm):
    arm.put(tenant.TENANTS, items=[])
    with pytest.raises(Misconfigured, match=TENANT):
        reader.session("azure").principal()


def scopes(session, level):
    return {each.name: each.excluded for each in session.scopes() if each.level == level}


def test_every_subscription_of_the_tree_is_a_scope_or_excluded_with_why(reader):
    assert scopes(reader.session("azure"), "subscription") == {
        guid(1): "",
        guid(2): "its state is Disabled",
        guid(3): "its state is Warned",
        guid(4): f"it belongs to the tenant {guid(99)}",
        guid(5): "the principal has no role in it",
        guid(6): "",
    }


def test_roles_are_read_of_every_management_group_and_subscription(reader):
    found = scopes(reader.session("azure"), "assignable")
    groups = {f"{tenant.GROUPS}/{name}".strip("/") for name in (TENANT, "platform", "workloads")}
    assert {name for name, why in found.items() if not why} == {
        *groups,
        f"subscriptions/{guid(1)}",
        f"subscriptions/{guid(6)}",
    }
    assert found[f"subscriptions/{guid(5)}"] == "the principal has no role in it"


def test_below_a_management_group_that_is_named_others_are_excluded(reader, arm):
    arm.put(tenant.BELOW, groupId="platform", items=[tenant.child(1)])
    found = scopes(reader.session("azure", management_group="platform"), "subscription")
    assert found[guid(1)] == ""
    assert found[guid(6)] == "it is not below the management group platform"


def test_without_rights_on_management_groups_the_walk_says_what_it_needs(reader, arm):
    arm.trouble(tenant.BELOW, trouble.deny())
    with pytest.raises(Denied, match=r"Microsoft\.Management/managementGroups/descendants/read"):
        reader.session("azure").scopes()


def test_subscriptions_alone_can_be_walked(reader, arm):
    found = scopes(reader.session("azure", walk="subscriptions"), "assignable")
    assert [name for name, why in found.items() if not why] == [f"subscriptions/{guid(n)}" for n in (1, 6)]
    assert arm.calls[tenant.BELOW] == 0


def test_subscriptions_that_the_settings_name_are_excluded(reader):
    found = scopes(reader.session("azure", exclude_subscriptions=["*1"]), "subscription")
    assert found[guid(1)] == "the source's exclude_subscriptions names it"


def test_a_directory_is_one_scope(reader):
    assert [(each.name, each.level) for each in reader.session("entra").scopes()] == [(TENANT, "tenant")]


def test_the_policy_of_azure_is_a_custom_role_of_reads():
    (role,) = azure.connector.policy(list(azure.connector.kinds().values()))
    assert role["Actions"] == [
        "Microsoft.Authorization/roleAssignments/read",
        "Microsoft.Insights/eventtypes/values/read",
        "Microsoft.Management/managementGroups/descendants/read",
        "Microsoft.Network/networkSecurityGroups/read",
        "Microsoft.PolicyInsights/policyStates/summarize/read",
        "Microsoft.Resources/subscriptions/providers/read",
        "Microsoft.Resources/subscriptions/read",
        "Microsoft.Security/pricings/read",
        "Microsoft.Storage/storageAccounts/read",
    ]
    assert role["DataActions"] == []


def test_the_policy_of_entra_is_a_list_of_application_permissions():
    (document,) = entra.connector.policy(list(entra.connector.kinds().values()))
    assert document["applicationPermissions"] == ["AuditLog.Read.All", "Policy.Read.All", "User.Read.All"]


@pytest.mark.parametrize(
    "wrong",
    [
        {"client_id": APPLICATION},
        {"client_id": APPLICATION, "client_secret": "literal"},
        {"client_id": APPLICATION, "client_secret": "env:S", "identity": "cli"},
        {"client_secret": "env:S"},
        {"identity": "cli", "certificate_password": "env:P"},
        {"identity": "cli", "tenant": "acme.onmicrosoft.com"},
    ],
    ids=["no way in", "a literal secret", "two ways in", "no application", "a password of nothing", "a name"],
)
def test_settings_that_are_wrong_are_refused(wrong):
    with pytest.raises(ValueError, match=r"client_|reference|tenant|certificate"):
        AzureSettings.model_validate({"tenant": TENANT, **wrong})

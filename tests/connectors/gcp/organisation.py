"""An organisation as Google's discovery documents describe it: two folders, one in the other, and what is in projects.

Every list has at least `COUNT` things, more than two pages of `PAGE`.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from tests.fakes.described.oauth import assertion, token_endpoint
from tests.fakes.described.server import Fake

ORG = "123456789012"
READER = "reader@acme-0.iam.gserviceaccount.com"
COUNT, PAGE = 7, 3
RM = "cloudresourcemanager.v3"
TEST, FOLDERS, PROJECTS = f"{RM}:organizations.testIamPermissions", f"{RM}:folders.search", f"{RM}:projects.search"
ASSETS = "cloudasset.v1:assets.list"
POLICIES, EFFECTIVE = "orgpolicy.v2:{}.policies.list", "orgpolicy.v2:projects.policies.getEffectivePolicy"
ACCOUNTS, KEYS = "iam.v1:projects.serviceAccounts.list", "iam.v1:projects.serviceAccounts.keys.list"
SINKS = "logging.v2:{}.sinks.list"
FIREWALLS = "compute.v1:firewalls.list"
BUCKETS, BUCKET_IAM = "storage.v1:buckets.list", "storage.v1:buckets.getIamPolicy"
INSTANCES, USERS = "sqladmin.v1:instances.list", "sqladmin.v1:users.list"
USERINFO = "oauth2.v2:userinfo.get"
SERVICES = {
    "resourcemanager": "cloudresourcemanager",
    "asset": "cloudasset",
    "orgpolicy": "orgpolicy",
    "iam": "iam",
    "logging": "logging",
    "compute": "compute",
    "storage": "storage",
    "sql": "sqladmin",
    "oauth2": "oauth2",
}
PROJECT = "acme-0"


@dataclass
class Organisation:
    """The *fake*, and by kind what the connector must yield of it in the scope that `scope` names."""

    fake: Fake
    held: dict[str, list[Any]] = field(default_factory=dict)

    @property
    def addresses(self) -> dict[str, str]:
        """Where each host of the connector is."""
        return {host: f"{self.fake.url}/{service}" for host, service in SERVICES.items()}

    def furnish(self) -> None:
        """Put everything there is."""
        self.tree()
        self.assets()
        for parent in (f"organizations/{ORG}", "folders/1", f"projects/{PROJECT}"):
            self.policies(parent)
            self.sinks(parent)
        self.keys()
        self.firewalls()
        self.buckets()
        self.instances()
        self.fake.put(USERINFO, answer={"id": "1", "email": READER, "verified_email": True})

    def tree(self, *more: dict[str, Any], folders: tuple[dict[str, Any], ...] = (), held: tuple[str, ...] = ()) -> None:
        """Put folders and projects; *more* and *folders* are beside the usual ones. *held* are further permissions."""
        everywhere = held or ("resourcemanager.folders.get", "resourcemanager.projects.get")
        self.fake.put(TEST, answer=lambda ask: {"permissions": [p for p in ask.body["permissions"] if p in everywhere]})
        usual = [folder(n, f"folders/{n - 1}" if n == 2 else f"organizations/{ORG}") for n in range(1, COUNT + 1)]
        self.fake.put(FOLDERS, items=[*usual, *folders])
        parents = [f"organizations/{ORG}", "folders/1", "folders/2"]
        projects = [project(n, parents[n % 3]) for n in range(COUNT)]
        self.fake.put(PROJECTS, items=[*projects, *more])
        above = [parents[:1], ["folders/1", parents[0]], ["folders/2", "folders/1", parents[0]]]
        self.held["gcp.resourcemanager.projects"] = [
            {**each, "ancestors": above[n % 3]} for n, each in enumerate(projects)
        ]

    def assets(self) -> None:
        policy = {
            "version": 1,
            "etag": "BwY=",
            "bindings": [{"role": "roles/viewer", "members": ["group:a@acme.example"]}],
        }
        made = [
            {
                "name": f"//storage.googleapis.com/bucket-{n}",
                "assetType": "storage.googleapis.com/Bucket",
                "iamPolicy": policy,
                "ancestors": ["projects/1000", f"organizations/{ORG}"],
                "updateTime": "2026-01-01T00:00:00Z",
            }
            for n in range(COUNT)
        ]
        self.fake.put(
            ASSETS, parent=f"organizations/{ORG}", contentType="IAM_POLICY", items=made,
            about={"readTime": "2026-03-01T00:00:00Z"},
        )  # fmt: skip
        self.held["gcp.asset.iam_policies"] = made

    def policies(self, parent: str) -> None:
        operation = POLICIES.format(parent.partition("/")[0])
        made = [
            {
                "name": f"{parent}/policies/gcp.constraint{n}",
                "spec": {"etag": "CJ", "updateTime": "2026-01-01T00:00:00Z", "rules": [{"enforce": True}]},
                "etag": "CJ",
            }
            for n in range(COUNT)
        ]
        self.fake.put(operation, parent=parent, items=made)
        if parent.startswith("projects/"):
            for each in made:
                effective = {"name": each["name"], "spec": {"rules": [{"enforce": False}]}}
                self.fake.put(EFFECTIVE, name=each["name"], answer=effective)
            made = [
                {**each, "effectivePolicy": {"name": each["name"], "spec": {"rules": [{"enforce": False}]}}}
                for each in made
            ]
            self.held["gcp.orgpolicy.policies"] = made

    def sinks(self, parent: str) -> None:
        operation = SINKS.format(parent.partition("/")[0])
        made = [
            self.fake.sample(operation, n, name=f"sink-{n}", destination="storage.googleapis.com/logs")
            for n in range(COUNT)
        ]
        self.fake.put(operation, parent=parent, items=made)
        if parent.startswith("projects/"):
            self.held["gcp.logging.sinks"] = made

    def keys(self) -> None:
        """Put seven accounts, each with two keys that somebody holds and two of Google's own."""
        names = [f"robot-{n}@{PROJECT}.iam.gserviceaccount.com" for n in range(COUNT)]
        accounts = [self.fake.sample(ACCOUNTS, name=f"projects/{PROJECT}/serviceAccounts/{name}") for name in names]
        self.fake.put(ACCOUNTS, name=f"projects/{PROJECT}", items=accounts)
        held = []
        for account in accounts:
            types = ["USER_MANAGED", "USER_MANAGED", "SYSTEM_MANAGED", "SYSTEM_MANAGED"]
            made = [
                {"name": f"{account['name']}/keys/{n}", "keyType": each, "publicKeyData": "cHVibGlj"}
                for n, each in enumerate(types)
            ]
            asked = {"keyTypes": lambda item, value: item["keyType"] in value}
            self.fake.put(KEYS, name=account["name"], items=made, where=asked)
            held += [{"name": each["name"], "keyType": each["keyType"]} for each in made[:2]]
        self.held["gcp.iam.service_account_keys"] = held

    def firewalls(self) -> None:
        made = [self.fake.sample(FIREWALLS, n, id=str(n), name=f"rule-{n}") for n in range(COUNT)]
        self.fake.put(FIREWALLS, project=PROJECT, items=made, about={"kind": "compute#firewallList"})
        self.held["gcp.compute.firewalls"] = made

    def buckets(self) -> None:
        """Put seven buckets, each with an IAM policy."""
        made = [self.fake.sample(BUCKETS, n, name=f"bucket-{n}") for n in range(COUNT)]
        shown = {"projection": lambda _, value: value == "full"}
        self.fake.put(BUCKETS, project=PROJECT, items=made, about={"kind": "storage#buckets"}, where=shown)
        held = []
        for each in made:
            bindings = [{"role": "roles/storage.admin", "members": [f"user:{each['name']}@acme.example"]}]
            policy = {"kind": "storage#policy", "version": 3, "etag": "CAE=", "bindings": bindings}
            self.fake.put(BUCKET_IAM, bucket=each["name"], optionsRequestedPolicyVersion="3", answer=policy)
            held.append({**each, "iamPolicy": policy})
        self.held["gcp.storage.buckets"] = held

    def instances(self) -> None:
        """Put seven database instances, the last of them stopped, each other one with two users."""
        made = [instance(n) for n in range(COUNT - 1)]
        stopped = instance(COUNT, activationPolicy="NEVER")
        self.fake.put(INSTANCES, project=PROJECT, items=[*made, stopped], about={"kind": "sql#instancesList"})
        held = []
        for each in made:
            users = [{"name": f"jane-{n}", "host": "%", "type": "BUILT_IN", "password": "hunter2-u"} for n in range(2)]
            about = {"kind": "sql#usersList"}
            self.fake.put(USERS, project=PROJECT, instance=each["name"], items=users, about=about)
            asked = [{"name": user["name"], "host": "%", "type": "BUILT_IN"} for user in users]
            held.append({**each, "users": asked})
        self.held["gcp.sql.instances"] = [*held, stopped]


def instance(number: int, **settings: Any) -> dict[str, Any]:
    """Return a database instance as the API gives it, with passwords where its description has them."""
    replica = {"username": "replica", "password": "hunter2-replica", "clientKey": "hunter2-key"}
    return {
        "kind": "sql#instance",
        "name": f"db-{number}",
        "state": "RUNNABLE",
        "instanceType": "CLOUD_SQL_INSTANCE",
        "settings": {"activationPolicy": "ALWAYS", "settingsVersion": "4", **settings},
        "rootPassword": "hunter2-root",
        "replicaConfiguration": {"mysqlReplicaConfiguration": replica},
    }


def folder(number: int, parent: str, **own: Any) -> dict[str, Any]:
    """Return a folder as the API gives it."""
    return {"name": f"folders/{number}", "parent": parent, "displayName": f"Folder {number}", "state": "ACTIVE", **own}


def project(number: int, parent: str, **own: Any) -> dict[str, Any]:
    """Return a project as the API gives it."""
    return {
        "name": f"projects/{1000 + number}",
        "projectId": f"acme-{number}",
        "parent": parent,
        "displayName": f"Acme {number}",
        "state": "ACTIVE",
        "createTime": "2025-01-01T00:00:00Z",
        "etag": 'W/"1"',
        "labels": {"env": "prod"},
        **own,
    }


class KeyFile:
    """A service account's key, as Google gives it for download, and the token endpoint on *fake* that knows it.

    *asked* is how many tokens were asked for.
    """

    def __init__(self, fake: Fake) -> None:
        key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        private = key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        public = key.public_key().public_bytes(
            serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
        )
        judge = assertion(public.decode(), iss=READER)

        def counted(form: dict[str, str]) -> str:
            self.asked += 1
            return judge(form)

        self.asked = 0
        token_endpoint(fake, "/token", counted)
        self.document = {
            "type": "service_account",
            "project_id": PROJECT,
            "private_key_id": "k1",
            "private_key": private.decode(),
            "client_email": READER,
            "client_id": "1",
            "token_uri": f"{fake.url}/token",
        }

    @property
    def text(self) -> str:
        """The file's text."""
        return json.dumps(self.document)

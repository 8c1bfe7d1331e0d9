"""An organisation of Google Cloud as the world of a trial."""

from __future__ import annotations

from typing import ClassVar

from collector.model import Scope
from tests.connectors.conformance.described_world import DescribedWorld
from tests.connectors.gcp import organisation as acme
from tests.fakes.described.vendors import GCP

AT = f"projects/{acme.PROJECT}"
POLICIES, SINKS = acme.POLICIES.format("projects"), acme.SINKS.format("projects")
SCOPES = {"organization": acme.ORG, "parent": AT, "project": acme.PROJECT}


class GcpWorld(DescribedWorld):
    """An organisation with folders, and a project in which everything is held."""

    vendor = GCP
    calls: ClassVar = {
        "gcp.asset.iam_policies": (acme.ASSETS,),
        "gcp.compute.firewalls": (acme.FIREWALLS,),
        "gcp.iam.service_account_keys": (acme.ACCOUNTS, acme.KEYS),
        "gcp.logging.sinks": (SINKS,),
        "gcp.orgpolicy.policies": (POLICIES, acme.EFFECTIVE),
        "gcp.resourcemanager.projects": (acme.PROJECTS, acme.FOLDERS, acme.TEST),
        "gcp.sql.instances": (acme.INSTANCES, acme.USERS),
        "gcp.storage.buckets": (acme.BUCKETS, acme.BUCKET_IAM),
    }

    def settle(self):
        self.organisation = acme.Organisation(self.fake)
        self.organisation.furnish()
        self.key = acme.KeyFile(self.fake)
        self.secret_file.write_text(self.key.text)

    def own(self):
        addresses = self.organisation.addresses
        return {"organization": acme.ORG, "credentials": f"file:{self.secret_file}", "addresses": addresses}

    def credentials(self):
        return [self.key.document["private_key"]]

    def scope(self, kind):
        return Scope(SCOPES[kind.scope], kind.scope)

    def furnish(self, kind, count, text):
        return getattr(self, f"_{kind.split('.')[1]}")(range(count), text)

    def _asset(self, numbers, text):
        condition = {"title": text, "expression": "request.time < timestamp('2027-01-01T00:00:00Z')"}
        policy = {"bindings": [{"role": "roles/viewer", "members": ["group:a@acme.example"], "condition": condition}]}
        items = [{"name": f"//storage.googleapis.com/bucket-{n}", "iamPolicy": policy} for n in numbers]
        at = {"parent": f"organizations/{acme.ORG}", "contentType": "IAM_POLICY"}
        self.fake.put(acme.ASSETS, items=items, about={"readTime": self.ago(0)}, **at)
        return [item["name"] for item in items]

    def _compute(self, numbers, text):
        items = [self.fake.sample(acme.FIREWALLS, n, id=str(n), name=f"rule-{n}", description=text) for n in numbers]
        self.fake.put(acme.FIREWALLS, project=acme.PROJECT, items=items, about={"kind": "compute#firewallList"})
        return [item["id"] for item in items]

    def _iam(self, numbers, text):
        names = [f"{AT}/serviceAccounts/robot-{n}@{acme.PROJECT}.iam.gserviceaccount.com" for n in numbers]
        accounts = [self.fake.sample(acme.ACCOUNTS, name=name) for name in names]
        self.fake.put(acme.ACCOUNTS, name=AT, items=accounts)
        for name in names:
            key = {"name": f"{name}/keys/1", "keyType": "USER_MANAGED"}
            self.fake.put(acme.KEYS, name=name, items=lambda _, key=key: [key])
        return [f"{name}/keys/1" for name in names]

    def _logging(self, numbers, text):
        own = {"destination": "storage.googleapis.com/logs", "description": text}
        items = [self.fake.sample(SINKS, n, name=f"sink-{n}", **own) for n in numbers]
        self.fake.put(SINKS, parent=AT, items=items)
        return [item["name"] for item in items]

    def _orgpolicy(self, numbers, text):
        rules = {"rules": [{"enforce": True, "condition": {"title": text, "expression": "true"}}]}
        items = [{"name": f"{AT}/policies/gcp.constraint{n}", "spec": rules} for n in numbers]
        self.fake.put(POLICIES, parent=AT, items=items)
        for item in items:
            self.fake.put(acme.EFFECTIVE, name=item["name"], answer=item)
        return [item["name"] for item in items]

    def _resourcemanager(self, numbers, text):
        items = [acme.project(n, f"organizations/{acme.ORG}", displayName=text) for n in numbers]
        self.fake.put(acme.PROJECTS, items=items)
        return [item["name"] for item in items]

    def _sql(self, numbers, text):
        items = [acme.instance(n, userLabels={"note": text}) for n in numbers]
        self.fake.put(acme.INSTANCES, project=acme.PROJECT, items=items, about={"kind": "sql#instancesList"})
        for item in items:
            users, about = [{"name": "jane", "host": "%", "type": "BUILT_IN"}], {"kind": "sql#usersList"}
            self.fake.put(acme.USERS, project=acme.PROJECT, instance=item["name"], items=users, about=about)
        return [item["name"] for item in items]

    def _storage(self, numbers, text):
        items = [self.fake.sample(acme.BUCKETS, n, name=f"bucket-{n}", labels={"note": text}) for n in numbers]
        shown = {"projection": lambda _, value: value == "full"}
        self.fake.put(
            acme.BUCKETS, project=acme.PROJECT, items=items, about={"kind": "storage#buckets"}, where=shown
        )  # fmt: skip
        for item in items:
            policy = {"kind": "storage#policy", "version": 3, "etag": "CAE=", "bindings": []}
            at = {"bucket": item["name"], "optionsRequestedPolicyVersion": "3"}
            self.fake.put(acme.BUCKET_IAM, answer=policy, **at)
        return [item["name"] for item in items]

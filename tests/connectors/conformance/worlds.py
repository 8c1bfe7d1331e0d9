"""One world a vendor. A new vendor is a class here and a line in `WORLDS`."""

from __future__ import annotations

import json
from typing import ClassVar

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from connectors.okta import connector as okta
from tests.connectors.conformance.aws_world import AwsWorld
from tests.connectors.conformance.described_world import DescribedWorld
from tests.connectors.conformance.gcp_world import GcpWorld
from tests.connectors.conformance.github_world import GithubWorld
from tests.connectors.conformance.microsoft_worlds import AzureWorld, EntraWorld
from tests.fakes.described.oauth import assertion, token_endpoint
from tests.fakes.described.vendors import GWORKSPACE, JIRA, OKTA

SEARCH, CHANGELOG = "POST /rest/api/3/search/jql", "GET /rest/api/3/issue/{issueIdOrKey}/changelog"
PEOPLE, PERSON = "admin.directory_v1:users.list", "admin.directory_v1:users.get"


class OktaWorld(DescribedWorld):
    """An organisation with users and a system log."""

    vendor, place = OKTA, ("acme.okta.com", "org")
    calls: ClassVar = {"okta.users": ("GET /api/v1/users",), "okta.system_log": ("GET /api/v1/logs",)}

    def settle(self):
        self.fake.put("GET /.well-known/okta-organization", answer={"id": "00oacme", "pipeline": "idx"})
        who = "GET /api/v1/users/{id}"
        self.fake.put(who, id="me", answer=self.fake.sample(who, id="00ume"))

    def own(self):
        addresses = dict.fromkeys(("main", "logs"), self.fake.url)
        return {"domain": "acme.okta.com", "token": f"file:{self.secret_file}", "addresses": addresses}

    def furnish(self, kind, count, text):
        made = {"okta.users": self._user, "okta.system_log": self._event}[kind]
        items = [made(number, text) for number in range(count)]
        self.fake.put(self.calls[kind][0], items=lambda ask: [] if ask.query.get("filter") else items)
        return [item[okta.kinds()[kind].key] for item in items]

    def _user(self, number, text):
        return self.fake.sample("GET /api/v1/users", number, id=f"00u{number}") | {"profile": {"userType": text}}

    def _event(self, number, text):
        own = {"uuid": f"event-{number}", "published": self.ago(30 - number), "displayMessage": text}
        return self.fake.sample("GET /api/v1/logs", number, **own)


class JiraWorld(DescribedWorld):
    """A site with issues, each with a history of five entries."""

    vendor, place = JIRA, ("acme.atlassian.net", "site")
    calls: ClassVar = {"jira.issues_change": (SEARCH, CHANGELOG)}

    def settle(self):
        who = "GET /rest/api/3/myself"
        self.fake.put(who, answer=self.fake.sample(who, accountId="5b10reader"))

    def own(self):
        return {"site": self.place[0], "user": "collector@example.com", "token": f"file:{self.secret_file}"}

    def furnish(self, kind, count, text):
        self.fake.put(SEARCH, items=[self.issue(number, text) for number in range(count)])
        for number in range(count):
            history = [self.change(number, each, text) for each in range(5)]
            self.fake.put(CHANGELOG, issueIdOrKey=str(10000 + number), items=history)
        return [f"OPS-{number}" for number in range(count)]

    def issue(self, number, text):
        vera = {"accountId": "5b10vera", "displayName": "Vera", "emailAddress": "vera@acme.example"}
        fields = {
            "project": {"key": "OPS", "name": "Operations"},
            "issuetype": {"name": "Change"},
            "status": {"name": "Done", "statusCategory": {"key": "done"}},
            "resolution": {"name": text},
            "resolutiondate": self.ago(5),
            "created": self.ago(60 - number),
            "updated": self.ago(40 - number),
            "priority": {"name": "High"},
            "summary": "Restart the accounts of Vera",
            "description": "vera@acme.example called",
            **dict.fromkeys(("creator", "reporter", "assignee"), vera),
            "fixVersions": [{"name": text}],
        }
        return {"id": str(10000 + number), "key": f"OPS-{number}", "fields": fields}

    def change(self, issue, number, text):
        edited = [
            {"field": "status", "fromString": "Open", "toString": text},
            {"field": "description", "fromString": "Vera", "toString": "vera@acme.example called"},
        ]
        own = {"id": f"{issue}-{number}", "created": self.ago(30 - number), "items": edited}
        return own | {"author": {"accountId": "5b10vera", "displayName": "Vera"}}


class GworkspaceWorld(DescribedWorld):
    """A customer's directory; its tokens are given for assertions that google-auth finds nothing wrong with."""

    vendor, place = GWORKSPACE, ("C0acme", "customer")
    calls: ClassVar = {"gworkspace.users": (PEOPLE,)}
    admin, robot = "auditor@acme.example", "collector@acme.iam.gserviceaccount.com"

    def settle(self):
        me = self.fake.sample(PERSON, primaryEmail=self.admin, customerId="C0acme")
        self.fake.put(PERSON, userKey=self.admin, answer=me)
        key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        form = (serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
        self.credential = key.private_bytes(*form).decode()
        self.secret_file.write_text(json.dumps({"client_email": self.robot, "private_key": self.credential}))
        public = (serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
        claims = {
            "iss": self.robot,
            "sub": self.admin,
            "aud": "https://oauth2.googleapis.com/token",
            "scope": "https://www.googleapis.com/auth/admin.directory.user.readonly",
        }
        token_endpoint(self.fake, "/token", assertion(key.public_key().public_bytes(*public).decode(), **claims))

    def own(self):
        addresses = {"main": f"{self.fake.url}/admin", "auth": self.fake.url}
        return {"admin": self.admin, "key": f"file:{self.secret_file}", "addresses": addresses}

    def furnish(self, kind, count, text):
        def people(ask):
            """Return them as they are at a request: everybody has signed in again."""
            return [self.person(number, text, ask.number) for number in range(count)]

        self.fake.put(PEOPLE, items=people, about={"kind": "admin#directory#users"})
        return [f"10{number}" for number in range(count)]

    def person(self, number, text, seen):
        own = {
            "id": f"10{number}",
            "primaryEmail": f"user{number}@acme.example",
            "isAdmin": number == 0,
            "orgUnitPath": f"/{text}",
            "lastLoginTime": self.ago(60 - seen),
            "name": {"fullName": "Vera"},
            "recoveryPhone": "+15550100",
        }
        return self.fake.sample(PEOPLE, number, **own)


WORLDS = {
    "aws": AwsWorld,
    "azure": AzureWorld,
    "entra": EntraWorld,
    "gcp": GcpWorld,
    "github": GithubWorld,
    "gworkspace": GworkspaceWorld,
    "jira": JiraWorld,
    "okta": OktaWorld,
}

"""A tenant of Microsoft's as the worlds of two connectors: its directory, and what is in a subscription."""

from __future__ import annotations

from datetime import timedelta
from typing import ClassVar

import pytest

from collector.model import Scope
from connectors.azure import connector as azure
from connectors.entra import connector as entra
from tests.connectors.conformance.described_world import DescribedWorld
from tests.connectors.microsoft import tenant
from tests.connectors.microsoft.authority import APPLICATION, SECRET, TENANT, Authority
from tests.fakes.described.vendors import ARM, GRAPH

AT = {"subscriptionId": tenant.SUBSCRIPTION}


class MicrosoftWorld(DescribedWorld):
    """Asked with tokens of *resource*; azure-identity finds the authority that gives them by its own variables."""

    resource: str
    hosts: tuple[str, ...]

    def settle(self):
        self.authority = Authority({self.resource: self.fake})
        self.authority.root(self.folder / "root.pem")
        self.secret_file.write_text(SECRET)
        self.environment = pytest.MonkeyPatch()
        self.environment.setenv("AZURE_AUTHORITY_HOST", self.authority.server.url)
        self.environment.setenv("REQUESTS_CA_BUNDLE", str(self.folder / "root.pem"))

    def __exit__(self, *error):
        self.environment.undo()
        self.authority.close()
        super().__exit__(*error)

    def own(self):
        application = {"client_id": APPLICATION, "client_secret": f"file:{self.secret_file}"}
        addresses = dict.fromkeys(self.hosts, self.fake.url)
        return {"tenant": TENANT, "private_authority": True, "addresses": addresses, **application}

    def credentials(self):
        return [SECRET, *self.authority.issued]


class EntraWorld(MicrosoftWorld):
    """A directory with users, policies and locations."""

    vendor, place = GRAPH, (TENANT, "tenant")
    resource, hosts = "https://graph.microsoft.com", tuple(entra.api.hosts)
    calls: ClassVar = {
        "entra.users": (tenant.USERS,),
        "entra.mfa_registration": (tenant.REGISTRATION,),
        "entra.conditional_access_policies": (tenant.POLICIES, tenant.LOCATIONS),
    }

    def settle(self):
        super().settle()
        tenant.fill_entra(self.fake)

    def furnish(self, kind, count, text):
        numbers = range(count)
        held = {
            tenant.USERS: [tenant.user(self.fake, number) | {"employeeId": text} for number in numbers],
            tenant.REGISTRATION: [tenant.registered(self.fake, number) for number in numbers],
            tenant.POLICIES: [
                self.fake.sample(tenant.POLICIES, number, id=tenant.guid(number), displayName=text)
                for number in numbers
            ],
            tenant.LOCATIONS: [tenant.location(number) for number in numbers],
        }
        for operation in self.calls[kind]:
            self.fake.put(operation, items=held[operation])
        return [item["id"] for operation in self.calls[kind] for item in held[operation]]


class AzureWorld(MicrosoftWorld):
    """A subscription; which level it is read at, the kind says."""

    vendor = ARM
    resource, hosts = "https://management.azure.com", tuple(azure.api.hosts)
    calls: ClassVar = {
        "azure.activitylog.events": (tenant.EVENTS,),
        "azure.authorization.role_assignments": (tenant.ROLES,),
        "azure.defender.pricings": (tenant.PRICINGS, tenant.PROVIDER),
        "azure.network.security_groups": (tenant.NETWORK, tenant.PROVIDER),
        "azure.policy.states": (tenant.STATES, tenant.PROVIDER),
        "azure.storage.accounts": (tenant.STORAGE, tenant.PROVIDER),
    }

    def settle(self):
        super().settle()
        tenant.fill_azure(self.fake)

    def scope(self, kind):
        names = {"assignable": f"subscriptions/{tenant.SUBSCRIPTION}", "subscription": tenant.SUBSCRIPTION}
        return Scope(names[kind.scope], kind.scope)

    def furnish(self, kind, count, text):
        if kind == "azure.policy.states":
            return self._states(count)
        make = {
            "azure.activitylog.events": lambda arm, n: tenant.event(arm, n, tenant.NOW - timedelta(minutes=30 - n)),
            "azure.authorization.role_assignments": tenant.role,
            "azure.defender.pricings": tenant.pricing,
            "azure.network.security_groups": lambda arm, number: _noted(tenant.network(arm, number), text),
            "azure.storage.accounts": lambda arm, number: tenant.account(arm, number) | {"tags": {"note": text}},
        }[kind]
        items = [make(self.fake, number) for number in range(count)]
        self.fake.put(self.calls[kind][0], items=lambda _: items, **AT)
        return [item[azure.kinds()[kind].key] for item in items]

    def _states(self, count):
        answer = tenant.states()
        assignments = answer["value"][0]["policyAssignments"][:count]
        answer["value"][0]["policyAssignments"] = assignments
        self.fake.put(tenant.STATES, answer=answer, policyStatesSummaryResource="latest", **AT)
        return [each["policyAssignmentId"] for each in assignments]


def _noted(group, text):
    for rule in group["properties"]["securityRules"]:
        rule["properties"] = rule["properties"] | {"description": text}
    return group

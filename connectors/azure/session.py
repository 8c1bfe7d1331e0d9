"""One tenant opened for reading: whose token we hold, which management groups and subscriptions there are."""

from __future__ import annotations

from collections.abc import Mapping
from fnmatch import fnmatchcase

from collector.errors import Misconfigured
from collector.http import HttpSession, LibraryToken, Opening
from collector.model import Json, Principal, Scope
from collector.procedure import Call
from connectors.azure.settings import AzureSettings

TENANT = "tenant"
ASSIGNABLE = "assignable"  # where roles can be assigned: management groups and subscriptions, by their ids
SUBSCRIPTION = "subscription"
_GROUPS = "providers/Microsoft.Management/managementGroups/"
# The states in which all that can be read can be read (Subscriptions - List, SubscriptionState).
_IN_USE = ("Enabled", "PastDue")

_TENANTS = Call(op="GET /tenants?api-version=2022-12-01", items="value")
_SUBSCRIPTIONS = Call(
    op="GET /subscriptions?api-version=2022-12-01", items="value", grants=["Microsoft.Resources/subscriptions/read"]
)
_BELOW = Call(
    op=f"GET /{_GROUPS}{{group}}/descendants?api-version=2020-05-01",
    items="value",
    grants=["Microsoft.Management/managementGroups/descendants/read"],
)
WALK_GRANTS = (*_BELOW.grants, *_SUBSCRIPTIONS.grants)


class AzureSession(HttpSession):
    """The tenant is a scope, every management group and every subscription is one."""

    settings: AzureSettings

    def __init__(self, opening: Opening) -> None:
        super().__init__(opening)
        assert isinstance(opening.authorizer, LibraryToken)
        self._token = opening.authorizer

    def identify(self) -> Principal:
        """Return application and object id of the token, which Resource Manager takes for the tenant (`GET /tenants`).

        It has no call that says who asks, so the ids are those in the token that it accepted.
        """
        claims, tenant = self._token.claims(), self.settings.tenant
        known = {str(each["tenantId"]) for each in self.ask_list(_TENANTS)}
        if claims.get("tid") != tenant or tenant not in known:
            raise Misconfigured(
                f"the credentials belong to the tenant {claims.get('tid')}, not to {tenant}",
                hint="Correct `tenant` of the source, or its credentials. Another tenant is another source.",
            )
        who = f"object {claims.get('oid')}"
        return Principal(who if "scp" in claims else f"application {claims.get('appid')}, {who}", tenant)

    def find_scopes(self) -> list[Scope]:
        """Return the tenant, its management groups and its subscriptions, with why one of these is not read.

        `GET /subscriptions` gives those that the principal has a role in and says nothing of others; what hangs below
        the management group names all.
        """
        group = self.settings.management_group or self.settings.tenant
        walked = self.settings.walk == "management_groups"
        below = [str(each["id"]) for each in self.ask_list(_BELOW, group=group)] if walked else []
        names = [each.rpartition("/")[2] for each in below if each.lower().startswith(f"/{_GROUPS}".lower())]
        hanging = {each.rpartition("/")[2] for each in below if each.lower().startswith("/subscriptions/")}
        seen = {str(each["subscriptionId"]): each for each in self.ask_list(_SUBSCRIPTIONS)}
        ours = hanging if self.settings.management_group else {*hanging, *seen}
        scopes = [Scope(self.settings.tenant, TENANT)]
        scopes += [Scope(_GROUPS + name, ASSIGNABLE) for name in ([group, *names] if walked else [])]
        for name in sorted({*hanging, *seen}):
            why = self._excluded(name, seen.get(name), within=name in ours)
            scopes += [Scope(f"subscriptions/{name}", ASSIGNABLE, why), Scope(name, SUBSCRIPTION, why)]
        return scopes

    def values(self, scope: Scope) -> Mapping[str, Json]:
        """Return the `filter` of role assignments: below a management group are subscriptions, scopes of their own."""
        return {"filter": ["atScope()"] if scope.name.startswith(_GROUPS) else []}

    def _excluded(self, name: str, subscription: Json, *, within: bool) -> str:
        if any(fnmatchcase(name, pattern) for pattern in self.settings.exclude_subscriptions):
            return "the source's exclude_subscriptions names it"
        if subscription is None:
            return "the principal has no role in it"
        if subscription.get("tenantId", self.settings.tenant) != self.settings.tenant:
            return f"it belongs to the tenant {subscription['tenantId']}"
        if not within:
            return f"it is not below the management group {self.settings.management_group}"
        state = str(subscription.get("state"))
        return "" if state in _IN_USE else f"its state is {state}"

"""The Entra connector: see `collector.connector.Connector`. The API is Microsoft Graph v1.0."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from collector.clock import Clock
from collector.errors import Misconfigured
from collector.http import Api, Authorizer, Errors, HttpConnector, HttpSession, LibraryToken, Opening
from collector.http.api import MAIN
from collector.model import Json, Principal, Scope
from collector.procedure import Paging
from connectors.entra.settings import EntraSettings
from connectors.microsoft.credentials import library

TENANT = "tenant"
_ADDRESS = "https://graph.microsoft.com/v1.0"
_AUDIENCE = "https://graph.microsoft.com/.default"

# No request asks for ConsistencyLevel: eventual. What it allows ($count) is answered from an index that is minutes
# behind the directory.
API = Api(
    # Reports may be asked for 5 times in 10 seconds, conditional access once a second; users cost less.
    hosts={MAIN: _ADDRESS, "policies": _ADDRESS, "reports": _ADDRESS},
    rates={MAIN: 2.0, "policies": 0.4, "reports": 0.2},
    paging=Paging(style="next_url", next='"@odata.nextLink"'),
    errors=Errors(
        codes=["error.code", "error.innerError.code", "error.details[].code"],
        messages=["error.message"],
        not_enabled=["Authentication_RequestFromNonPremiumTenantOrB2CTenant"],
    ),
    request_id=["request-id", "client-request-id"],
)


class EntraConnector(HttpConnector):
    """Reads one tenant of Entra ID a source."""

    name = "entra"
    settings = EntraSettings
    level_names = (TENANT,)
    folder = Path(__file__).resolve().parent
    placeholders = ("sign_in",)
    api = API

    def authorizer(self, settings: EntraSettings, clock: Clock) -> Authorizer:
        """Return what sends access tokens for Microsoft Graph by azure-identity."""
        return LibraryToken(lambda: library(settings, self.name), _AUDIENCE, clock)

    def session(self, opening: Opening) -> HttpSession:
        """Return a session; who we are is asked at its first use."""
        return EntraSession(opening)

    def documents(self, grants: Sequence[str]) -> list[Json]:
        """Return the application permissions that an administrator consents to."""
        return [{"resource": "Microsoft Graph", "applicationPermissions": list(grants)}]


class EntraSession(HttpSession):
    """One tenant, which is one scope."""

    settings: EntraSettings

    def __init__(self, opening: Opening) -> None:
        super().__init__(opening)
        assert isinstance(opening.authorizer, LibraryToken)
        self._token = opening.authorizer

    def identify(self) -> Principal:
        """Return application and object id as Graph has them: everybody may read himself, without any permission."""
        claims, tenant = self._token.claims(), self.settings.tenant
        if claims.get("tid") != tenant:
            raise Misconfigured(
                f"the credentials belong to the tenant {claims.get('tid')}, not to {tenant}",
                hint="Correct `tenant` of the source, or its credentials. Another tenant is another source.",
            )
        if "scp" in claims:  # of a person, who is signed in at the command line
            return Principal(f"object {self.ask('GET /me?$select=id')['id']}", tenant)
        found = self.ask("GET /servicePrincipals/{oid}?$select=id,appId", oid=claims.get("oid"))
        return Principal(f"application {found['appId']}, object {found['id']}", tenant)

    def find_scopes(self) -> list[Scope]:
        """Return the tenant by its id."""
        return [Scope(self.settings.tenant, TENANT)]

    def values(self, scope: Scope) -> Mapping[str, Json]:  # noqa: ARG002
        """Return what is selected of users beside the rest."""
        return {"sign_in": ",signInActivity" if self.settings.sign_in_activity else ""}

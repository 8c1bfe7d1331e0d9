"""One opened GitHub: as whom, and which organisations are read."""

from __future__ import annotations

from collections.abc import Mapping

from collector.errors import Misconfigured
from collector.http import HttpSession, Opening
from collector.model import Json, Principal, Scope
from collector.procedure import Call
from connectors.github.app import AppCredentials
from connectors.github.settings import GithubSettings

ORG = "org"

_INSTALLATIONS = Call(
    op="GET /app/installations?per_page=100",
    items="[*].{id: id, login: account.login, type: target_type, suspended: suspended_at, of: repository_selection}",
)
_MEMBERSHIPS = Call(
    op="GET /user/memberships/orgs?state=active&per_page=100",
    items="[*].{login: organization.login, role: role}",
)


class AppSession(HttpSession):
    """The organisations in which a GitHub App is installed."""

    settings: GithubSettings

    def __init__(self, opening: Opening, credentials: AppCredentials) -> None:
        super().__init__(opening)
        self._credentials = credentials

    def identify(self) -> Principal:
        """Return the App by its slug and the ids of its installations; a new key or name leaves its account."""
        app = self.ask("GET /app")
        installations = sorted(each["id"] for each in self._installations())
        named = ",".join(map(str, installations))
        return Principal(f"{app['slug']}/{named}", f"app/{app['id']}")

    def find_scopes(self) -> list[Scope]:
        """Return the organisations; one whose repositories are not all the App's to see is excluded, unless `partial`.

        Raises `Misconfigured` when the App is installed in none.
        """
        found = {each["login"]: self._excluded(each) for each in self._installations()}
        return _scopes(found, self.settings, "the App is not installed there")

    def _installations(self) -> list[Json]:
        found = [each for each in self.ask_list(_INSTALLATIONS) if each["type"] == "Organization"]
        self._credentials.installed({each["login"]: each["id"] for each in found})
        return found

    def _excluded(self, installation: Json) -> str:
        if installation["suspended"]:
            return "the App's installation there is suspended"
        if installation["of"] != "all" and not self.settings.partial:
            return "the App may see selected repositories only: install it for all, or set `partial`"
        return ""


class OwnerSession(HttpSession):
    """The organisations to which the owner of a token belongs."""

    settings: GithubSettings

    def identify(self) -> Principal:
        """Return the token's owner by login; a new token of the same person leaves the account."""
        user = self.ask("GET /user")
        return Principal(user["login"], f"user/{user['id']}")

    def find_scopes(self) -> list[Scope]:
        """Return the organisations; one that the token's owner does not own is excluded, unless `partial`.

        To a member some repositories and every second factor are hidden, to a stranger members too, and no answer
        says so. Raises `Misconfigured` when there is none.
        """
        found = {each["login"]: self._excluded(each) for each in self.ask_list(_MEMBERSHIPS)}
        return _scopes(found, self.settings, "the token's owner does not belong to it")

    def _excluded(self, membership: Json) -> str:
        if membership["role"] != "admin" and not self.settings.partial:
            return "the token's owner is not an owner there: use an owner's token, or set `partial`"
        return ""


def _scopes(found: Mapping[str, str], settings: GithubSettings, missing: str) -> list[Scope]:
    """Return the organisations of *found* (login -> why it is not read) that *settings* name, else all of them."""
    named = {org.lower(): org for org in settings.orgs}
    scopes = [Scope(login, ORG, why) for login, why in found.items() if not named or login.lower() in named]
    known = {scope.name.lower() for scope in scopes}
    scopes += [Scope(org, ORG, missing) for key, org in named.items() if key not in known]
    if not scopes:
        raise Misconfigured("there is no organisation to read", hint="Install the App in one, or name it in `orgs`.")
    return sorted(scopes, key=lambda scope: scope.name)

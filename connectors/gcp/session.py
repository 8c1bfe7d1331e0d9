"""One organisation opened for reading."""

from __future__ import annotations

from collections.abc import Iterator
from fnmatch import fnmatchcase
from itertools import islice

from collector.connector import Reading
from collector.errors import Denied, Misconfigured
from collector.http import HttpSession, Opening
from collector.http.prepare import prepare
from collector.model import Json, Principal, Scope
from collector.procedure import Kind
from connectors.gcp.credentials import GoogleCredentials
from connectors.gcp.settings import GcpSettings
from connectors.gcp.tree import Node, Tree, Walker

ORGANIZATION, PARENT, PROJECT = "organization", "parent", "project"
TREE = "gcp.resourcemanager.projects"


class GcpSession(HttpSession):
    """The organisation by its number, its projects by their ids, and each of all three once more as a parent.

    Google's calls take organisations, folders and projects alike as a ``parent`` (``folders/2``); kinds that are read
    so are read per parent, those that exist in projects only per project.
    """

    settings: GcpSettings

    def __init__(self, opening: Opening, tree: Kind) -> None:
        super().__init__(opening)
        assert isinstance(opening.authorizer, GoogleCredentials)
        self._credentials = opening.authorizer
        self._tree = tree

    def identify(self) -> Principal:
        """Return the account by its address, as userinfo says it to the holder of a token; it needs no permission.

        On Google's own machines it is what their metadata server says: tokens there may lack the scope for userinfo.
        """
        address = self._credentials.machine_account()
        if not address:
            try:
                who = self.ask("oauth2:GET /oauth2/v2/userinfo?fields=email,id")
            except (Denied, Misconfigured) as error:
                raise Misconfigured(
                    error.message,
                    hint="Correct the credentials. Federation must impersonate a service account, which then is named.",
                ) from error
            address = str(who.get("email") or who.get("id") or "")
        if not address:
            raise Misconfigured("Google does not say whose the credentials are", hint="Use a service account.")
        return Principal(address, f"organizations/{self.settings.organization}")

    def find_scopes(self) -> list[Scope]:
        """Return the organisation, each folder and each project; those not to be read say why.

        Left out without a word is only what hangs below another organisation, or below none.
        """
        tree = self._walked(self._reading())
        found = [Scope(self.settings.organization, ORGANIZATION), Scope(tree.organization, PARENT)]
        for name, folder in sorted(tree.folders.items()):
            if not tree.is_foreign(folder):
                found.append(Scope(name, PARENT, _excluded(tree, folder)))
        for _, project in sorted(tree.projects.items()):
            if not tree.is_foreign(project):
                named, why = str(project["projectId"]), _excluded(tree, project) or self._left_out(project)
                found += [Scope(named, PROJECT, why), Scope(f"projects/{named}", PARENT, why)]
        return found

    def read(self, kind: Kind, scope: Scope, reading: Reading) -> Iterator[dict[str, Json]]:
        """See `collector.connector.Session.read`. The tree is read with Google's own client."""
        if kind.name != TREE:
            yield from super().read(kind, scope, reading)
            return
        self.principal()
        tree = self._walked(reading, kind)
        ours = (each for each in tree.projects.values() if not tree.is_foreign(each))
        for project in islice(ours, 1 if reading.sample else None):
            yield {**project, "ancestors": tree.ancestors(project)}

    def _walked(self, reading: Reading, kind: Kind | None = None) -> Tree:
        calls = prepare(kind or self._tree, self.api).roots
        return Walker(self._requester, calls, self.settings.organization, reading).tree()

    def _left_out(self, project: Node) -> str:
        named = (each for each in self.settings.exclude_projects if fnmatchcase(str(project["projectId"]), each))
        matching = next(named, "")
        return f"excluded by the configuration: {matching}" if matching else ""


def _excluded(tree: Tree, node: Node) -> str:
    """Return why *node* is not read; empty when it is."""
    state = str(node.get("state", "STATE_UNSPECIFIED"))
    if state != "ACTIVE":
        since = f" since {node['deleteTime']}" if "deleteTime" in node else ""
        return f"it is being deleted{since}" if state == "DELETE_REQUESTED" else f"its state is {state}"
    lost = tree.lost_at(node)
    return f"{lost} above it is not seen by us: whose it is, is unknown" if lost else ""

"""The organisation's folders and projects, walked by google-cloud-resource-manager."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from collector.connector import Reading
from collector.errors import ConfigError, Denied, Invalid, Truncated
from collector.http.prepare import Ready
from collector.http.requester import Requester
from collector.model import Json
from connectors.gcp.carried import Carrier, carried

Node = dict[str, Json]


@dataclass(frozen=True)
class Tree:
    """What hangs below *organization* (``organizations/1``): folders and projects by name, as the API gives them."""

    organization: str
    folders: Mapping[str, Node]
    projects: Mapping[str, Node]

    def ancestors(self, node: Node) -> list[str]:
        """Return the names of what *node* hangs below, nearest first, as far as it can be seen from here."""
        found: list[str] = []
        parent = str(node.get("parent", ""))
        while parent and parent not in found:
            found.append(parent)
            parent = str(self.folders.get(parent, {}).get("parent", ""))
        return found

    def is_foreign(self, node: Node) -> bool:
        """Return whether *node* hangs below another organisation, or below none."""
        return self.organization not in self.ancestors(node) and not self.lost_at(node)

    def lost_at(self, node: Node) -> str:
        """Return the folder above *node* that is not seen from here, so that nobody knows whose it is; else nothing."""
        top = (self.ancestors(node) or [""])[-1]
        return top if top.startswith("folders/") else ""


class Walker:
    """Reads the tree by three declared *calls*: the permissions held at its root, its folders, its projects.

    A search gives what the caller may see and says nothing of the rest: without the permission it is empty, and not
    refused. So the permissions are asked for first (organizations.testIamPermissions, which needs none itself).
    """

    def __init__(self, requester: Requester, calls: tuple[Ready, ...], organization: str, reading: Reading) -> None:
        self._requester = requester
        self._calls = calls
        self._organization = organization
        self._reading = reading

    def tree(self) -> Tree:
        """Return the tree. Raises a `ReadError` when it is not whole: `Denied` names the permission that lacks."""
        try:
            from google.cloud import resourcemanager_v3 as v3
        except ImportError as error:
            raise ConfigError(
                "google-cloud-resource-manager is not installed", hint="Install it: pip install 'evidenced[gcp]'."
            ) from error

        permissions, folders, projects = self._calls
        self._check(permissions, self._client(v3.OrganizationsClient, permissions))
        found_folders = self._found(folders, self._client(v3.FoldersClient, folders).search_folders)
        found_projects = self._found(projects, self._client(v3.ProjectsClient, projects).search_projects)
        return Tree(f"organizations/{self._organization}", found_folders, found_projects)

    def _client(self, client: Any, call: Ready) -> Any:
        address = self._requester.hosts[call.operation.host]
        return carried(client, address, Carrier(self._requester, call, self._organization, self._reading))

    def _check(self, call: Ready, client: Any) -> None:
        needed = call.spec.body["permissions"]
        resource = f"organizations/{self._organization}"
        held = _understood(call, client.test_iam_permissions, {"resource": resource, "permissions": needed}).permissions
        self._reading.calls.listed(call.name, len(held))
        lacking = sorted(set(needed) - set(held))
        if lacking:
            what = " and ".join(lacking)
            raise Denied(
                f"{call.name}: {resource} does not give us {what}",
                hint=f"Grant {what} to {self._requester.principal or 'the principal'} on the organisation itself.",
            )

    def _found(self, call: Ready, search: Any) -> dict[str, Node]:
        found: dict[str, Node] = {}
        for nodes in self._pages(call, search):
            self._reading.calls.listed(call.name, len(nodes))
            for node in nodes:
                if found.setdefault(node["name"], node) is not node:
                    raise self._cut(call, f"gave {node['name']} a second time")
        return found

    def _pages(self, call: Ready, search: Any) -> Iterator[list[Node]]:
        from google.protobuf.json_format import MessageToDict

        field = call.operation.path.rpartition("/")[2].partition(":")[0]
        seen, asked = {""}, {"page_size": call.spec.params["pageSize"]}
        for _ in range(self._requester.api.limits.pages):
            page = _understood(call, search, asked)
            yield [MessageToDict(type(each).pb(each)) for each in getattr(page, field)]
            if not page.next_page_token:
                return
            if page.next_page_token in seen:
                raise self._cut(call, "gave a continuation a second time")
            if self._reading.sample:
                self._reading.calls.undrained(call.name)
                return
            seen.add(page.next_page_token)
            asked = {**asked, "page_token": page.next_page_token}
        raise self._cut(call, f"did not end after {self._requester.api.limits.pages} pages")

    def _cut(self, call: Ready, what: str) -> Truncated:
        self._reading.calls.undrained(call.name)
        return Truncated(f"{call.name} {what}: the list is not complete")


def _understood(call: Ready, ask: Any, request: dict[str, Json]) -> Any:
    """Return one answer of the client, whose own retries and timeouts are switched off: the engine has them."""
    from google.protobuf.json_format import ParseError

    try:
        return ask(request=request, retry=None, timeout=None)
    except ParseError:
        raise Invalid(f"{call.name}: the answer is not what Google describes") from None

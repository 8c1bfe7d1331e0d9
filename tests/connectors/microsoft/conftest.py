"""Azure and Entra of one tenant on loopback, an authority that gives the tokens, and a reader of them."""

from __future__ import annotations

import orjson
import pytest

from connectors.azure.connector import AzureConnector
from connectors.entra.connector import EntraConnector
from tests.connectors.microsoft.authority import APPLICATION, SECRET, TENANT, Authority
from tests.connectors.microsoft.tenant import NOW, SUBSCRIPTION, fill_azure, fill_entra
from tests.connectors.observing import observe
from tests.fakes.clock import PlayedClock
from tests.fakes.described import described
from tests.fakes.described.vendors import ARM, GRAPH

CONNECTORS = {"azure": AzureConnector, "entra": EntraConnector}
LEVELS = {
    "tenant": TENANT,
    "assignable": f"subscriptions/{SUBSCRIPTION}",
    "subscription": SUBSCRIPTION,
}


@pytest.fixture
def arm():
    """Azure Resource Manager, in pages of two."""
    with described(ARM, pages_of=2) as fake:
        fill_azure(fake)
        yield fake


@pytest.fixture
def graph():
    """Microsoft Graph, in pages of two."""
    with described(GRAPH, pages_of=2) as fake:
        fill_entra(fake)
        yield fake


@pytest.fixture
def authority(arm, graph, monkeypatch, tmp_path):
    """Gives tokens for both; azure-identity finds it where its variables say."""
    authority = Authority({"https://management.azure.com": arm, "https://graph.microsoft.com": graph})
    authority.root(tmp_path / "root.pem")
    monkeypatch.setenv("AZURE_AUTHORITY_HOST", authority.server.url)
    monkeypatch.setenv("AZURE_POD_IDENTITY_AUTHORITY_HOST", authority.metadata.url)
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(tmp_path / "root.pem"))
    monkeypatch.setenv("APPLICATION_SECRET", SECRET)
    yield authority
    authority.close()


class Reader:
    """Opens sources and reads kinds as the daemon does. What is *set* is set of every source."""

    def __init__(self, arm, graph):
        self.fakes = {"azure": arm, "entra": graph}
        self.clock = PlayedClock(NOW)
        self.opened = []
        self.own = {"client_id": APPLICATION, "client_secret": "env:APPLICATION_SECRET"}

    def set(self, **own):
        self.own = own

    def session(self, name, **settings):
        connector = CONNECTORS[name]()
        addresses = dict.fromkeys(connector.api.hosts, self.fakes[name].url)
        common = {"tenant": TENANT, "addresses": addresses, "attempts": 2, "private_authority": True}
        chosen = connector.settings.model_validate(common | self.own | settings)
        self.opened.append(connector.open(f"{name}:acme", chosen, self.clock))
        return self.opened[-1]

    def read(self, kind, session=None, scope=None):
        """Return what collecting *kind* came to: an observation."""
        name = kind.partition(".")[0]
        made = CONNECTORS[name]()
        scope = scope or LEVELS[made.kinds()[kind].scope]
        session = session or self.session(name)
        return observe(session, made, f"{name}:acme", kind, scope, clock=self.clock, due=NOW, limit=900)


@pytest.fixture
def reader(arm, graph, authority):
    reader = Reader(arm, graph)
    yield reader
    for session in reader.opened:
        session.close()


def items(found):
    """Return the items of an observation, by key, as they would be stored."""
    data = {each.digest: each.data for each in found.artifacts}
    return {each.key: orjson.loads(data[each.artifact]) for each in found.changes}

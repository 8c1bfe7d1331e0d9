"""The organisation on loopback and the GitHub connector that reads it, as the daemon does."""

from __future__ import annotations

import orjson
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from collector.connector import Reading
from connectors.github.connector import GithubConnector
from tests.connectors.github.organisation import NOW, ORG, PAGE, Organisation
from tests.connectors.observing import observe
from tests.fakes.clock import PlayedClock
from tests.fakes.described import described
from tests.fakes.described.vendors import GITHUB


class Reader:
    """Opens sessions with *fake* and reads kinds as the daemon does. Who waits is at once as much later."""

    def __init__(self, fake, monkeypatch):
        self.fake, self._monkeypatch = fake, monkeypatch
        self.clock = PlayedClock(NOW)
        self.connector = GithubConnector()
        self._opened = []
        self.renew()

    def renew(self):
        """Put a good token where the source finds it."""
        self._monkeypatch.setenv("GITHUB_TOKEN", self.fake.token())

    def session(self, **settings):
        own = {"addresses": {"main": self.fake.url, "graphql": self.fake.url}, "attempts": 2, "detail_concurrency": 4}
        own |= {} if "app_id" in settings else {"token": "env:GITHUB_TOKEN"}
        made = self.connector.settings.model_validate(own | settings)
        self._opened.append(self.connector.open("github:acme", made, self.clock))
        return self._opened[-1]

    def read(self, kind, session=None, head=None, org=ORG):
        """Return what collecting *kind* came to: an observation."""
        session = session or self.session()
        return observe(
            session, self.connector, "github:acme", kind, org, clock=self.clock, due=NOW, limit=7200, head=head
        )

    def reading(self):
        return Reading(self.clock, self.clock.monotonic() + 7200)

    def close(self):
        for session in self._opened:
            session.close()


def items(found):
    """Return the items of an observation, by key, as they would be stored."""
    data = {each.digest: each.data for each in found.artifacts}
    return {each.key: orjson.loads(data[each.artifact]) for each in found.changes}


@pytest.fixture
def github():
    with described(GITHUB, pages_of=PAGE) as fake:
        yield fake


@pytest.fixture
def organisation(github):
    return Organisation(github)


@pytest.fixture
def reader(github, organisation, monkeypatch):
    reader = Reader(github, monkeypatch)
    yield reader
    reader.close()


@pytest.fixture(scope="session")
def private_key():
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


@pytest.fixture(scope="session")
def public_key(private_key):
    form = (serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    return private_key.public_key().public_bytes(*form).decode()


@pytest.fixture
def key_file(private_key, tmp_path):
    """A file with the private key of an App, in the form that GitHub gives it."""
    path = tmp_path / "app.pem"
    form = (serialization.Encoding.PEM, serialization.PrivateFormat.TraditionalOpenSSL, serialization.NoEncryption())
    path.write_bytes(private_key.private_bytes(*form))
    return path

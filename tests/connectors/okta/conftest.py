"""An Okta organisation on loopback, by Okta's own SDK, and a reader of it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from collector.connector import Reading
from collector.model import Scope
from connectors.okta import connector as shipped
from connectors.okta.connector import OktaConnector
from tests.connectors.observing import observe
from tests.fakes.clock import PlayedClock
from tests.fakes.described import described
from tests.fakes.described.vendors import OKTA

DOMAIN = "acme.okta.com"
USERS, LOG = "GET /api/v1/users", "GET /api/v1/logs"
LISTED = {"okta.users": USERS, "okta.system_log": LOG}
EVERY_KIND = sorted(shipped.kinds())


@pytest.fixture
def okta():
    """An organisation of five users, three more that were deprovisioned, and seven events, in pages of two."""
    with described(OKTA, pages_of=2) as fake:
        fake.put("GET /.well-known/okta-organization", answer={"id": "00oacme", "pipeline": "idx"})
        fake.put("GET /api/v1/users/{id}", id="me", answer=fake.sample("GET /api/v1/users/{id}", id="00umeee"))
        fake.put(USERS, items=lambda ask: users(fake, ask))
        fake.put(LOG, items=lambda ask: events(fake, ask))
        # Resets of quotas and ends of tokens are told by the time of this machine.
        fake.now = datetime.now(UTC).replace(microsecond=0)
        yield fake


def users(fake, ask):
    """The users that Okta gives: without the deprovisioned ones, or those alone when they are asked for."""
    gone = ask.query.get("filter") is not None
    status, numbers = ("DEPROVISIONED", range(5, 8)) if gone else ("ACTIVE", range(5))
    return [user(fake, number, status) for number in numbers]


def user(fake, number, status):
    made = fake.sample(USERS, number, id=f"00u{number}", status=status)
    profile = {"login": f"user{number}@acme.example", "firstName": "Vera", "mobilePhone": "+1 555 0100"}
    return made | {"profile": profile, "lastLogin": "2026-03-14T08:00:00.000Z"}


def events(fake, ask):
    """Seven events, a day apart, the last an hour ago; of those, the ones in the window that was asked for."""
    since, until = (datetime.fromisoformat(ask.query[name]) for name in ("since", "until"))
    published = [fake.now - timedelta(days=number, hours=1) for number in reversed(range(7))]
    return [event(fake, number, at) for number, at in enumerate(published) if since <= at < until]


def event(fake, number, at):
    actor = {"id": f"00u{number}", "type": "User", "displayName": "Vera", "alternateId": "vera@acme.example"}
    made = fake.sample(LOG, number, uuid=f"event-{number}", published=at.isoformat().replace("+00:00", "Z"))
    return made | {"actor": actor, "debugContext": {"debugData": {"url": "/callback?token=planted"}}}


@pytest.fixture(scope="session")
def private_key():
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


@pytest.fixture
def app_key(private_key, tmp_path):
    """A file with the private key of a service app."""
    path = tmp_path / "app.pem"
    form = (serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    path.write_bytes(private_key.private_bytes(*form))
    return path


class Reader:
    """Opens sessions with *fake* and reads kinds as the daemon does."""

    def __init__(self, fake, monkeypatch):
        self.fake, self._monkeypatch = fake, monkeypatch
        self.clock = PlayedClock(fake.now)
        self.opened = []
        self.scope = Scope(DOMAIN, "org")
        self.renew()

    def renew(self):
        """Put a good token where the source finds it."""
        self._monkeypatch.setenv("OKTA_TOKEN", self.fake.token())

    def session(self, **settings):
        base = self.fake.url
        own = {"domain": DOMAIN, "addresses": {"main": base, "logs": base}, "attempts": 2}
        own |= {} if "client_id" in settings else {"token": "env:OKTA_TOKEN"}
        connector = OktaConnector()
        session = connector.open("okta:acme", connector.settings.model_validate(own | settings), self.clock)
        self.opened.append(session)
        return session

    def read(self, kind, session=None, head=None):
        """Return what collecting *kind* came to: an observation."""
        session, made = session or self.session(), OktaConnector()
        return observe(
            session, made, "okta:acme", kind, DOMAIN, clock=self.clock, due=self.fake.now, limit=300, head=head
        )

    def reading(self):
        return Reading(self.clock, self.clock.monotonic() + 300)


@pytest.fixture
def reader(okta, monkeypatch):
    reader = Reader(okta, monkeypatch)
    yield reader
    for session in reader.opened:
        session.close()

"""The organisation on loopback and the Google Cloud connector reading it."""

from __future__ import annotations

from datetime import timedelta
from threading import Event

import pytest

from collector.collect import Task, collect
from collector.connector import Reading
from collector.model import Head, Provenance, Scope, Subject, Trigger
from collector.testing import HurriedClock
from connectors.gcp import connector
from tests.connectors.gcp.organisation import COUNT, ORG, PAGE, PROJECT, KeyFile, Organisation
from tests.fakes.described import described
from tests.fakes.described.vendors import GCP

SCOPES = {
    "organization": Scope(ORG, "organization"),
    "parent": Scope(f"projects/{PROJECT}", "parent"),
    "project": Scope(PROJECT, "project"),
}
assert COUNT > 2 * PAGE


class Reader:
    """Reads kinds of *organisation* by the connector, as the daemon does."""

    def __init__(self, organisation, **settings):
        self.clock = HurriedClock()
        fast = {"requests_per_second": {"*": 1e6}, "attempts": 1, "addresses": organisation.addresses}
        named = {"organization": ORG, "credentials": "env:GCP_KEY"}
        made = connector.settings.model_validate({**named, **fast, **settings})
        self.session = connector.open(f"gcp:{id(self)}", made, self.clock)
        self.calls = ()

    def read(self, kind, scope=None, *, limit_s=60.0, sample=False):
        """Return every item; the ledger's operations are kept as `calls`."""
        kind = connector.kinds()[kind] if isinstance(kind, str) else kind
        reading = Reading(self.clock, self.clock.monotonic() + limit_s, sample=sample)
        try:
            return list(self.session.read(kind, scope or SCOPES[kind.scope], reading))
        finally:
            self.calls = {each.operation: each for each in reading.calls.operations()}

    def collect(self, name, scope=None):
        """Return the observation that the daemon would store."""
        kind = connector.kinds()[name]
        scope = scope or SCOPES[kind.scope]
        subject = Subject("gcp:test", name, scope.name)
        task = Task(subject, kind, scope, self.clock.now(), Trigger.SCHEDULE, Provenance("gcp", "0", "0", "", "", 1))
        return collect(
            lambda: (self.session, self.session.principal()),
            task,
            Head(subject),
            clock=self.clock,
            limit=timedelta(seconds=60),
            stage=list,
            stopping=Event(),
        )


@pytest.fixture(scope="module")
def _organisation():
    with described(GCP, pages_of=PAGE) as fake:
        organisation = Organisation(fake)
        organisation.furnish()
        organisation.key = KeyFile(fake)
        yield organisation


@pytest.fixture
def organisation(_organisation, monkeypatch):
    """Seven of everything, three a page."""
    for name in ("GOOGLE_APPLICATION_CREDENTIALS", "GOOGLE_CLOUD_PROJECT"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("GCP_KEY", _organisation.key.text)
    _organisation.fake.calm()
    yield _organisation
    _organisation.fake.calm()
    complaints, _organisation.fake.violations[:] = "\n".join(_organisation.fake.violations), []
    assert not complaints, complaints


@pytest.fixture
def fake(organisation):
    """The vendor that holds the organisation."""
    return organisation.fake


@pytest.fixture
def reader(organisation):
    """Make a `Reader` of the organisation."""
    made = []

    def make(**settings):
        made.append(Reader(organisation, **settings))
        return made[-1]

    yield make
    for each in made:
        each.session.close()

"""An AWS account on loopback, a session of it, and readings that a test can look into."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass, field
from datetime import timedelta

import pytest

from collector.connector import Reading
from collector.model import Scope, Window
from collector.procedure import Kind
from connectors.aws.connector import AwsConnector
from connectors.aws.settings import AwsSettings
from tests.fakes.aws import FakeAws
from tests.fakes.clock import PlayedClock

ACCOUNT = Scope("123456789012", "account")
REGION = Scope("us-east-1", "region")


@pytest.fixture(autouse=True)
def no_other_aws(monkeypatch, tmp_path):
    """Nothing of this machine's AWS configuration is seen; the chain finds one key pair in the environment."""
    import os

    for name in [name for name in os.environ if name.startswith("AWS_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "aws-config"))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "aws-credentials"))
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIAFAKE")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")


@pytest.fixture
def aws():
    """AWS, empty but for who we are; it verifies what it was asked when the test ends."""
    with FakeAws() as server:
        server.play("sts", "GetCallerIdentity", {"Arn": server.principal, "Account": server.account, "UserId": "AIDA"})
        yield server


@dataclass
class Reader:
    """Opens sessions at *url* and reads kinds with them; the last `Reading` is kept."""

    url: str
    clock: PlayedClock = field(default_factory=PlayedClock)
    connector: AwsConnector = field(default_factory=AwsConnector)
    opened: list = field(default_factory=list)
    reading: Reading | None = None

    def session(self, **settings):
        values = {"endpoint_url": self.url, "regions": ["us-east-1"], "attempts": 1, **settings}
        session = self.connector.open("aws:test", AwsSettings(**values), self.clock)
        self.opened.append(session)
        return session

    def kind(self, name_or_toml):
        if "\n" not in name_or_toml:
            return self.connector.kinds()[name_or_toml]
        return Kind.model_validate(
            {"name": "aws.test.kind", "title": "A kind of a test", **tomllib.loads(name_or_toml)}
        )

    def start(self, name_or_toml, *, scope=None, sample=False, **settings):
        kind = self.kind(name_or_toml)
        now = self.clock.now()
        window = Window(now - timedelta(days=1), now) if kind.since else None
        self.reading = Reading(self.clock, self.clock.monotonic() + 900, window=window, sample=sample)
        scope = scope or (ACCOUNT if kind.scope == "account" else REGION)
        session = self.opened[-1] if self.opened and not settings else self.session(**settings)
        return session.read(kind, scope, self.reading)

    def read(self, name_or_toml, **more):
        return list(self.start(name_or_toml, **more))

    def operation(self, name):
        return next(each for each in self.reading.calls.operations() if each.operation == name)

    def close(self):
        for session in self.opened:
            session.close()


@pytest.fixture
def reader(aws):
    """Reads kinds from *aws*."""
    reader = Reader(aws.url)
    yield reader
    reader.close()

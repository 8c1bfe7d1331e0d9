"""The AWS connector: see `collector.connector.Connector`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property
from pathlib import Path

from collector import __version__
from collector.clock import Clock
from collector.connector import Problem, Settings
from collector.model import Json
from collector.procedure import Kind, load_kinds
from collector.procedures.buckets import Buckets
from connectors.aws import explain, lint, policy
from connectors.aws.data import table
from connectors.aws.session import ACCOUNT, REGION, AwsSession
from connectors.aws.settings import AwsSettings


class AwsConnector:
    """Reads AWS accounts with boto3. Sessions of one source share its token buckets."""

    name = "aws"
    version = __version__
    settings: type[Settings] = AwsSettings

    def __init__(self) -> None:
        self._buckets = Buckets(table("rates"))

    @cached_property
    def _kinds(self) -> dict[str, Kind]:
        folder = Path(__file__).resolve().parent
        return {name: kind for path in sorted(folder.glob("*.toml")) for name, kind in load_kinds(path).items()}

    def kinds(self) -> Mapping[str, Kind]:
        """See `collector.connector.Connector.kinds`."""
        return self._kinds

    def levels(self) -> Sequence[str]:
        """Account, then region."""
        return (ACCOUNT, REGION)

    def open(self, source: str, settings: AwsSettings, clock: Clock) -> AwsSession:
        """Return a session; credentials are looked for at its first request."""
        return AwsSession(source, settings, clock, self._buckets, self.version)

    def grants(self, kind: Kind) -> tuple[str, ...]:
        """Return IAM actions."""
        return policy.grants_of(kind)

    def policy(self, kinds: Sequence[Kind]) -> list[Json]:
        """Return IAM policy documents of at most 6,144 characters without white space."""
        return policy.documents(kinds)

    def explain(self, kind: Kind) -> Json:
        """See `connectors.aws.explain.explain`."""
        return explain.explain(kind)

    def lint(self, kind: Kind) -> list[Problem]:
        """See `connectors.aws.lint.lint`."""
        return lint.lint(kind)

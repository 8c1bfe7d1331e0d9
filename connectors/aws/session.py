"""One AWS account opened for reading."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

from collector.clock import Clock
from collector.connector import Reading
from collector.errors import ConfigError, Invalid, Misconfigured
from collector.model import Json, Principal, Scope
from collector.procedure import Kind
from collector.procedures.buckets import Buckets
from collector.procedures.engine import Engine
from connectors.aws.calls import Requester
from connectors.aws.clients import Clients
from connectors.aws.errors import as_read_error
from connectors.aws.model import operation
from connectors.aws.prepare import prepare
from connectors.aws.settings import AwsSettings

ACCOUNT, REGION = "account", "region"
_OPTED_OUT = {
    "not-opted-in": "the account has not opted in to the region",
}
_NO_LIMIT = float("inf")


class AwsSession:
    """See `collector.connector.Session`. Scopes: the account by its id, and each region by its name."""

    def __init__(self, source: str, settings: AwsSettings, clock: Clock, buckets: Buckets, version: str) -> None:
        self._settings = settings
        self._clock = clock
        self._clients = Clients(settings, version)
        self._requester = Requester(source, self._clients, buckets, settings.requests_per_second, clock)
        self._pool = ThreadPoolExecutor(settings.detail_concurrency, thread_name_prefix=f"detail-{source}")
        self._lock = threading.Lock()
        self._principal: Principal | None = None

    def principal(self) -> Principal:
        """Return who STS says we are, asked once. Raises `Misconfigured` when the account is not the configured one."""
        with self._lock:
            if self._principal is None:
                self._principal = self._identify()
            return self._principal

    def scopes(self) -> list[Scope]:
        """Return the account and its regions: those configured, or all of them, with those switched off excluded."""
        account = Scope(self.principal().account, ACCOUNT)
        if isinstance(self._settings.regions, list):
            return [account, *(Scope(name, REGION) for name in self._settings.regions)]
        answer = self._ask("ec2.DescribeRegions", AllRegions=True)
        regions = sorted(answer.get("Regions", []), key=lambda region: str(region["RegionName"]))
        if not regions:
            raise Invalid("ec2.DescribeRegions named no region; every account has some")
        return [account, *(_region(each["RegionName"], each.get("OptInStatus", "")) for each in regions)]

    def read(self, kind: Kind, scope: Scope, reading: Reading) -> Iterator[dict[str, Json]]:
        """See `collector.connector.Session.read`."""
        ready = prepare(kind)
        if kind.scope != scope.level:
            raise ConfigError(f"{kind.name} is read per {kind.scope}, not in {scope.name} ({scope.level})")
        account = self.principal().account
        region = scope.name if scope.level == REGION else self._home()
        start = {"account": account, "region": region}
        width = 2 * self._settings.detail_concurrency
        yield from Engine(self._requester, self._pool, width, ready, start, region, reading).items()

    def close(self) -> None:
        """See `collector.connector.Session.close`."""
        self._pool.shutdown(cancel_futures=True)
        self._clients.close()

    def _identify(self) -> Principal:
        answer = self._ask("sts.GetCallerIdentity")
        principal = Principal(answer["Arn"], answer["Account"])
        wanted = self._settings.account
        if wanted and wanted != principal.account:
            raise Misconfigured(
                f"the credentials belong to account {principal.account} ({principal.id}), not to {wanted}",
                hint="Correct `account`, or `profile` or `role_arn`.",
            )
        return principal

    def _ask(self, name: str, **params: Json) -> dict[str, Json]:
        reading = Reading(self._clock, _NO_LIMIT)
        return self._requester.request(operation(name), params, self._home(), reading)

    def _home(self) -> str:
        try:
            return self._clients.home
        except Exception as error:
            reason = as_read_error(error, "opening the session", "", self._clock)
            if reason is None:
                raise
            raise reason from error


def _region(name: str, opt_in: str) -> Scope:
    return Scope(name, REGION, _OPTED_OUT.get(opt_in, ""))

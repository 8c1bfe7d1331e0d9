"""Credentials and clients: the SDK's own chain, a profile or an assumed role; clients are built when first needed."""

from __future__ import annotations

import threading
from typing import Any

import boto3
from botocore.config import Config
from botocore.credentials import (
    AssumeRoleCredentialFetcher,
    CredentialProvider,
    CredentialResolver,
    DeferredRefreshableCredentials,
)
from botocore.exceptions import EndpointConnectionError, NoCredentialsError
from botocore.session import Session as BotocoreSession

from collector.errors import Misconfigured, NotEnabled
from collector.secrets import resolve_secret
from connectors.aws.model import loader
from connectors.aws.settings import AwsSettings
from connectors.aws.times import fast_timestamp
from connectors.aws.wellformed import check_body

# boto3's stubs know services by literal names only; ours come from the specs.
_Session = Any

_HOME = {"aws": "us-east-1", "aws-cn": "cn-north-1", "aws-us-gov": "us-gov-west-1"}


class Clients:
    """The clients of one opened source, one per service and region; safe to use from many threads.

    Nothing is read, not even the profile, before the first client is asked for.
    """

    def __init__(self, settings: AwsSettings, version: str) -> None:
        self._settings = settings
        self._lock = threading.RLock()
        self._session: _Session = None
        self._clients: dict[tuple[str, str], Any] = {}
        self._config = Config(
            connect_timeout=settings.connect_timeout_s,
            read_timeout=settings.read_timeout_s,
            # Not `max_attempts`, which counts retries only.
            retries={"mode": "standard", "total_max_attempts": settings.attempts},
            max_pool_connections=settings.detail_concurrency + settings.concurrency,
            user_agent_extra=f"evidenced/{version}",
        )

    @property
    def home(self) -> str:
        """The region in which account-level reads are made: where the partition keeps its global services."""
        with self._lock:
            session = self._opened()
            regions = self._settings.regions
            region = regions[0] if isinstance(regions, list) else session.region_name or "us-east-1"
            partition = session.get_partition_for_region(region)
            return _HOME.get(partition) or region

    def client(self, service: str, region: str) -> Any:
        """Return the client for *service* in *region*, building it at first use. Raises botocore's errors."""
        with self._lock:
            key = (service, region)
            if key not in self._clients:
                # Building clients is not thread-safe in botocore; calling them is.
                self._clients[key] = self._build(service, region)
            return self._clients[key]

    def not_offered(self, error: Exception, service: str, region: str) -> NotEnabled | None:
        """Return the reason for *error* when AWS's own endpoint cannot be reached because there is none.

        That is as far as botocore's table knows; it lags behind new regions, so the endpoint is always tried first.
        """
        if not isinstance(error, EndpointConnectionError) or f".{region}." not in str(error):
            return None
        with self._lock:
            session = self._opened()
            known = session.get_available_regions(service, session.get_partition_for_region(region))
        if not known or region in known:
            return None
        return NotEnabled(
            f"AWS does not offer {service} in {region}, as far as botocore knows", hint="Exclude the kind there."
        )

    def close(self) -> None:
        """Close every connection."""
        with self._lock:
            for client in self._clients.values():
                client.close()
            self._clients.clear()

    def _build(self, service: str, region: str) -> Any:
        url = self._settings.endpoint_url or None
        try:
            return self._opened().client(service, region_name=region, endpoint_url=url, config=self._config)
        except ValueError as error:
            # botocore's word for an endpoint or a region that cannot be one.
            raise Misconfigured(
                f"{service} in {region}: {error}", hint="Correct `endpoint_url`, or AWS_ENDPOINT_URL."
            ) from error

    def _opened(self) -> _Session:
        if self._session is None:
            own = self._botocore_session(self._settings.profile)
            self._session = self._assumed(own) if self._settings.role_arn else own
        return self._session

    def _assumed(self, own: _Session) -> _Session:
        return self._botocore_session("", _AssumedRole(self._settings, self._config, own))

    def _botocore_session(self, profile: str, provider: CredentialProvider | None = None) -> _Session:
        core = BotocoreSession(profile=profile or None)
        if provider is not None:
            core.register_component("credential_provider", CredentialResolver([provider]))
        core.get_component("response_parser_factory").set_parser_defaults(timestamp_parser=fast_timestamp)
        core.register("before-parse", lambda **answer: check_body(answer["response_dict"], answer["operation_model"]))
        session = boto3.session.Session(botocore_session=core)
        # After boto3, which adds its own folder to the search path of whatever loader it finds.
        core.register_component("data_loader", loader())
        return session


class _AssumedRole(CredentialProvider):
    """Credentials of the role, taken when first needed and renewed before they end, also in the middle of a run."""

    METHOD = "assume-role"

    def __init__(self, settings: AwsSettings, config: Config, own: _Session) -> None:
        super().__init__()
        self._settings = settings
        self._config = config
        self._own = own

    def load(self) -> DeferredRefreshableCredentials:
        """Return credentials that ask STS at first use."""
        return DeferredRefreshableCredentials(refresh_using=self._fetch, method=self.METHOD)

    def _fetch(self) -> Any:
        settings = self._settings
        credentials = self._own.get_credentials()
        if credentials is None:
            raise NoCredentialsError
        extra = {"RoleSessionName": settings.session_name, "DurationSeconds": settings.session_s}
        if settings.external_id:
            extra["ExternalId"] = resolve_secret(settings.external_id)
        fetcher = AssumeRoleCredentialFetcher(
            client_creator=self._sts, source_credentials=credentials, role_arn=settings.role_arn, extra_args=extra
        )
        return fetcher.fetch_credentials()

    def _sts(self, service: str, **credentials: Any) -> Any:
        region = self._own.region_name or "us-east-1"
        return self._own.client(
            service,
            region_name=region,
            endpoint_url=self._settings.endpoint_url or None,
            config=self._config,
            **credentials,
        )

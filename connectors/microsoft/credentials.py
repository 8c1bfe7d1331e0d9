"""Access tokens by azure-identity, from what the settings name."""

from __future__ import annotations

import logging
import re
from typing import Any

from collector.errors import ConfigError
from collector.http import ApplicationSettings, Library
from collector.secrets import resolve_secret

_CODE = re.compile(r"\bAADSTS\d+")
# OAuth's words, the library's for a status, and what the authority calls timed out and transient.
_BUSY = re.compile(r"temporarily_unavailable|server_error|HTTP Error: (?:429|5\d\d)|AADSTS(?:90012|90033)\b")
_PATIENCE = {"retry_total": 2, "connection_timeout": 10, "read_timeout": 30}


def library(settings: ApplicationSettings, extra: str) -> Library:
    """Return azure-identity's credential for *settings*, secrets read now.

    Raises `ConfigError`; where the library is not installed, it names the *extra* of evidenced that brings it.
    """
    try:
        from azure import identity
        from azure.core.exceptions import AzureError, ServiceRequestError, ServiceResponseError
    except ImportError as error:
        raise ConfigError(
            "azure-identity is not installed", hint=f"Install it: pip install 'evidenced[{extra}]'."
        ) from error

    # It logs the authority's words for every refusal; what may be shown of them is in our own error.
    logging.getLogger("azure.identity").setLevel(logging.CRITICAL)
    try:
        found = _credential(identity, settings)
    except ValueError as error:
        # Only the library's own words for what is missing: those of a parser may quote the key.
        said = "no certificate and private key as PEM" if settings.certificate else str(error).partition("\n")[0]
        raise ConfigError(f"azure-identity cannot sign in as the settings say: {said}") from None
    return Library(found, AzureError, (ServiceRequestError, ServiceResponseError), busy=_BUSY, code=_CODE)


def _credential(identity: Any, settings: ApplicationSettings) -> Any:
    tenant, client = settings.tenant, settings.client_id
    known = {"disable_instance_discovery": settings.private_authority, **_PATIENCE}
    if settings.client_secret:
        return identity.ClientSecretCredential(tenant, client, resolve_secret(settings.client_secret), **known)
    if settings.certificate:
        password = resolve_secret(settings.certificate_password) if settings.certificate_password else None
        pem = resolve_secret(settings.certificate).encode()
        return identity.CertificateCredential(tenant, client, certificate_data=pem, password=password, **known)
    if settings.identity == "workload":
        # The variables that the cluster sets name the rest; the library looks for them only where nothing is given.
        own = {"client_id": client} if client else {}
        return identity.WorkloadIdentityCredential(tenant_id=tenant, **own, **known)
    if settings.identity == "managed":
        return identity.ManagedIdentityCredential(client_id=client or None, **_PATIENCE)
    return identity.AzureCliCredential(tenant_id=tenant)

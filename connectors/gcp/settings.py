"""What a source of the Google Cloud connector may set."""

from __future__ import annotations

from pydantic import Field, field_validator

from collector.errors import ConfigError
from collector.http import HttpSettings
from collector.secrets import check_reference, is_reference


class GcpSettings(HttpSettings):
    """One Google Cloud organisation."""

    organization: str = Field(pattern=r"^\d{1,19}$", description="Number of the organisation, as gcloud lists it.")
    credentials: str = Field(
        default="",
        description="A service account's key, or a configuration of workload identity federation, both JSON: env:NAME "
        "or file:PATH. Without it Application Default Credentials are found as Google's libraries find them.",
    )
    quota_project: str = Field(
        default="",
        pattern=r"^([a-z][a-z0-9-]{4,28}[a-z0-9])?$",
        description="Project whose quota is used and whose APIs must be enabled; else that of the service account.",
    )
    exclude_projects: list[str] = Field(
        default=[], description="Ids of projects to leave out, by pattern ('sys-*'); recorded as excluded."
    )

    @field_validator("credentials")
    @classmethod
    def _by_reference(cls, value: str) -> str:
        if value and not is_reference(value):
            raise ValueError("a secret is given by reference: env:NAME or file:PATH")
        try:
            if value:
                check_reference(value)
        except ConfigError as error:
            raise ValueError(error.message) from error
        return value

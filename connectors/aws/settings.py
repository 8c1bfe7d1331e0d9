"""What a source of the AWS connector may set."""

from __future__ import annotations

import re
from typing import Literal

from pydantic import Field, field_validator, model_validator

from collector.procedures.settings import RequestSettings

_REGION = re.compile(r"[a-z]{2,}(-[a-z]+)+-\d+")


class AwsSettings(RequestSettings):
    """One AWS account. Credentials come from the SDK's own chain, unless *profile* or *role_arn* say otherwise."""

    account: str = Field(
        default="",
        pattern=r"^(\d{12})?$",
        description="Account id the credentials must belong to; else nothing is read.",
    )
    regions: list[str] | Literal["enabled"] = Field(
        default="enabled", description="Regions to read, or 'enabled': every region the account has switched on."
    )
    profile: str = Field(default="", description="Profile of the shared AWS config and credentials files.")
    role_arn: str = Field(default="", description="Role to assume, with the chain's or profile's credentials.")
    external_id: str = Field(default="", description="External id for the role: env:NAME or file:PATH.")
    session_name: str = Field(
        default="evidenced", pattern=r"^[\w+=,.@-]{2,64}$", description="Session name of the role."
    )
    session_s: int = Field(default=3600, ge=900, le=43200, description="Life of the role's credentials, in seconds.")
    endpoint_url: str = Field(default="", description="One endpoint for every service; AWS_ENDPOINT_URL works as well.")

    @field_validator("regions")
    @classmethod
    def _named_regions(cls, value: list[str] | str) -> list[str] | str:
        if isinstance(value, str):
            return value
        wrong = [name for name in value if not _REGION.fullmatch(name)]
        if wrong or not value:
            raise ValueError(
                f"not the name of a region: {wrong[0]!r}" if wrong else "name a region, or write 'enabled'"
            )
        if len(set(value)) < len(value):
            raise ValueError("a region is named twice")
        return value

    @field_validator("external_id")
    @classmethod
    def _by_reference(cls, value: str) -> str:
        if value and not value.startswith(("env:", "file:")):
            raise ValueError("a secret is given by reference: env:NAME or file:PATH")
        return value

    @model_validator(mode="after")
    def _external_id_needs_role(self) -> AwsSettings:
        if self.external_id and not self.role_arn:
            raise ValueError("external_id is of no use without role_arn")
        return self

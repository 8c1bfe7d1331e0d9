"""What a source of the Entra connector may set."""

from __future__ import annotations

from pydantic import Field

from collector.http import ApplicationSettings


class EntraSettings(ApplicationSettings):
    """One tenant of Entra ID."""

    sign_in_activity: bool = Field(
        default=True,
        description="Whether users are read with their last sign-ins; a tenant without Entra ID P1 refuses that.",
    )

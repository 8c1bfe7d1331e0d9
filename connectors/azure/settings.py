"""What a source of the Azure connector may set."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from collector.http import ApplicationSettings


class AzureSettings(ApplicationSettings):
    """One tenant: its management groups and the subscriptions below them."""

    management_group: str = Field(
        default="",
        pattern=r"^[\w.()-]{0,90}$",
        description="Id of the management group to begin at; else the tenant's root group.",
    )
    walk: Literal["management_groups", "subscriptions"] = Field(
        default="management_groups",
        description="'subscriptions' where nothing may be granted on a management group: those that the principal has "
        "a role in are read, and nothing tells of one that it has none in.",
    )
    exclude_subscriptions: list[str] = Field(
        default=[], description="Ids of subscriptions to leave out, by pattern; recorded as excluded."
    )

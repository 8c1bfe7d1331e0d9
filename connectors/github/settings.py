"""What a source of the GitHub connector may set."""

from __future__ import annotations

from typing import Any

from pydantic import Field, model_validator

from collector.http import HttpSettings
from collector.secrets import Reference

_DATA_RESIDENCY = ".ghe.com"


class GithubSettings(HttpSettings):
    """Organisations of one GitHub, read as a GitHub App that is installed there or with an owner's token."""

    orgs: list[str] = Field(
        default=[],
        description="Organisations to read; else each in which the App is installed, or to which the token's owner "
        "belongs.",
    )
    app_id: str = Field(default="", pattern=r"^[A-Za-z0-9.]*$", description="Id or client id of a GitHub App.")
    private_key: Reference = Field(default="", description="Its private key as PEM: env:NAME or file:PATH.")
    token: Reference = Field(
        default="", description="Token of an organisation owner, in the place of an App: env:NAME or file:PATH."
    )
    partial: bool = Field(
        default=False,
        description="Read organisations too of which only a part may be seen: the App is installed for selected "
        "repositories, or the token's owner is a plain member.",
    )
    server: str = Field(
        default="",
        pattern=r"^([a-z0-9][a-z0-9.-]*)?$",
        description="Host of a GitHub Enterprise Server, or of GitHub Enterprise Cloud with data residency "
        "(acme.ghe.com), without https://.",
    )
    # GitHub counts the requests of an hour: at our pace a thousand repositories, two calls each, take about that long.
    run_limit: str = Field(default="2h", description="Longest time one run may take.")

    @model_validator(mode="before")
    @classmethod
    def _at_the_server(cls, values: Any) -> Any:
        server = values.get("server") if isinstance(values, dict) else None
        return {"addresses": addresses_of(server), **values} if isinstance(server, str) and server else values

    @model_validator(mode="after")
    def _one_way_in(self) -> GithubSettings:
        app = (self.app_id, self.private_key)
        if bool(self.token) == any(app) or (any(app) and not all(app)):
            raise ValueError("give either app_id and private_key, or token")
        if len({org.lower() for org in self.orgs}) < len(self.orgs):
            raise ValueError("orgs: an organisation is named twice")
        return self


def addresses_of(server: str) -> dict[str, str]:
    """Return where the REST and the GraphQL API of *server* are (docs: "Getting started with the REST API")."""
    if server.endswith(_DATA_RESIDENCY):
        return {"main": f"https://api.{server}", "graphql": f"https://api.{server}"}
    return {"main": f"https://{server}/api/v3", "graphql": f"https://{server}/api"}

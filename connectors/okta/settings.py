"""What a source of the Okta connector may set."""

from __future__ import annotations

from pydantic import Field, model_validator

from collector.http import HttpSettings
from collector.secrets import Reference


class OktaSettings(HttpSettings):
    """One Okta organisation, read with an API token or as a service app with a private key."""

    domain: str = Field(pattern=r"^[a-z0-9][a-z0-9.-]*\.[a-z]+$", description="acme.okta.com, without https://.")
    token: Reference = Field(default="", description="API token of a read-only administrator: env:NAME or file:PATH.")
    client_id: str = Field(default="", description="Client id of a service app, in the place of a token.")
    private_key: Reference = Field(default="", description="Its private key as PEM: env:NAME or file:PATH.")
    key_id: str = Field(default="", description="The `kid` of that key, as Okta shows it.")

    @model_validator(mode="after")
    def _one_way_in(self) -> OktaSettings:
        app = (self.client_id, self.private_key, self.key_id)
        if bool(self.token) == any(app) or (any(app) and not all(app)):
            raise ValueError("give either token, or client_id, private_key and key_id")
        return self

"""What a source of the Okta connector may set."""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator, Field, model_validator

from collector.errors import ConfigError
from collector.http import HttpSettings
from collector.secrets import check_reference, is_reference


def _reference(value: str) -> str:
    if not value:
        return value
    if not is_reference(value):
        raise ValueError("a secret is given by reference: env:NAME or file:PATH")
    try:
        check_reference(value)
    except ConfigError as error:
        raise ValueError(error.message) from error
    return value


Reference = Annotated[str, AfterValidator(_reference)]


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

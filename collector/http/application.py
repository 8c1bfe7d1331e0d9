"""What says which application of a tenant signs in, and by what: fields that connectors of such vendors share."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, model_validator

from collector.http.api import HttpSettings
from collector.secrets import Reference

_ID = r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}"


class ApplicationSettings(HttpSettings):
    """An application of one tenant. It signs in with a secret, with a certificate, or as what its machine is."""

    tenant: str = Field(pattern=f"^{_ID}$", description="Id of the tenant; the credentials must belong to it.")
    client_id: str = Field(default="", pattern=f"^({_ID})?$", description="Id of the application that signs in.")
    client_secret: Reference = Field(default="", description="Its secret: env:NAME or file:PATH.")
    certificate: Reference = Field(
        default="", description="In the place of a secret: certificate and private key as PEM, env:NAME or file:PATH."
    )
    certificate_password: Reference = Field(default="", description="Of the private key, if it has one.")
    identity: Literal["", "workload", "managed", "cli"] = Field(
        default="",
        description="In the place of both: the federated token of a workload, the identity that the cloud gives this "
        "machine, or who is signed in at the vendor's command line.",
    )
    private_authority: bool = Field(
        default=False, description="True for a token authority that the vendor's public directory does not know."
    )

    @model_validator(mode="after")
    def _one_way_in(self) -> ApplicationSettings:
        if sum(map(bool, (self.client_secret, self.certificate, self.identity))) != 1:
            raise ValueError("give one of client_secret, certificate and identity")
        if not self.identity and not self.client_id:
            raise ValueError("client_secret and certificate need the client_id that they belong to")
        if self.certificate_password and not self.certificate:
            raise ValueError("certificate_password is of no use without certificate")
        return self

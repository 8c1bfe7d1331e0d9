"""What a connector that is one TOML file declares beside its kinds: the table ``[connector]``."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from collector.http.api import Api
from collector.procedure import Paging

TABLE = "connector"  # in a file that otherwise has tables of kinds


class _Declared(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Setting(_Declared):
    """One setting of a source. A *secret* is given by reference (``env:NAME``, ``file:PATH``); no default: required."""

    description: str = Field(min_length=8)
    secret: bool = False
    default: str | None = None
    pattern: str = Field(default="", description="Regular expression that the whole value must match.")


class Auth(_Declared):
    """How requests are authorised. Texts may hold settings as ``{name}``; *secret* and *headers* name secret settings.

    ``bearer``: ``Authorization: <prefix> <secret>``. ``basic``: *user* and *secret*. ``headers``: header -> secret
    setting, as many as the vendor wants. ``client_credentials``: a token from *token* (``host:/path``) for *client_id*,
    *secret* and *scope*. ``jwt_bearer`` (RFC 7523): a token from *token* for a JWT signed with the private key that
    *secret* names: a PEM, or a JSON object with ``private_key``, whose other texts *issuer* may name as well.
    """

    scheme: Literal["none", "bearer", "basic", "headers", "client_credentials", "jwt_bearer"]
    secret: str = ""
    prefix: str = "Bearer"
    user: str = ""
    headers: dict[str, str] = {}
    token: str = Field(default="", pattern=r"^([a-z][a-z0-9_]*:/\S*)?$")
    client_id: str = ""
    in_body: bool = Field(default=False, description="Client id and secret in the form instead of a Basic header.")
    scope: str = ""
    issuer: str = ""
    subject: str = ""
    audience: str = ""

    @model_validator(mode="after")
    def _complete(self) -> Auth:
        needs = {
            "bearer": ("secret",),
            "basic": ("user", "secret"),
            "headers": ("headers",),
            "client_credentials": ("token", "client_id", "secret"),
            "jwt_bearer": ("token", "secret", "issuer", "audience"),
        }
        missing = [name for name in needs.get(self.scheme, ()) if not getattr(self, name)]
        if missing:
            raise ValueError(f"{self.scheme} needs {', '.join(missing)}")
        return self


class Who(_Declared):
    """The call by which the source says who we are: *id* and *account* are expressions over its answer.

    They may also be texts with settings (``{site}``) where the vendor has no word for it. Without *op* both are.
    """

    op: str = ""
    id: str
    account: str


class Scopes(_Declared):
    """The scopes of one *level*: one by its *name* (a text with settings), or those that *op* lists.

    Then *items* finds them, *name* is an expression over each, and *values* (name -> expression) are what placeholders
    may name in it beside ``{scope}``, ``{<level>}`` and ``{account}``.
    """

    level: str = Field(pattern=r"^[a-z][a-z0-9_]*$")
    name: str
    op: str = ""
    items: str = "@"
    paging: Paging | None = None
    values: dict[str, str] = {}


class Declaration(_Declared):
    """A connector without Python: its vendor's *api*, *settings*, *auth*, *principal* and *scopes* (widest first)."""

    name: str = Field(pattern=r"^[a-z][a-z0-9_]*$")
    settings: dict[str, Setting] = {}
    api: Api
    auth: Auth
    principal: Who
    scopes: list[Scopes] = Field(min_length=1)

    @model_validator(mode="after")
    def _secrets(self) -> Declaration:
        for name in filter(None, [self.auth.secret, *self.auth.headers.values()]):
            if name not in self.settings or not self.settings[name].secret:
                raise ValueError(f"auth: {name!r} is no secret setting")
        host = self.auth.token.partition(":")[0]
        if host and host not in self.api.hosts:
            raise ValueError(f"auth: token: there is no host {host!r}")
        return self

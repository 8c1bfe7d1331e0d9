"""Who may do what: roles, the rights of each, and API tokens as recorded. Pure; nothing here reads a request.

- A *principal* is somebody who came in, by a token or through an OIDC provider, and what they may do.
- An auditor sees the engagements they were let into and nothing else; the other roles see the installation.
- A token is ``evd_`` and 256 random bits. What is recorded is its SHA-256, as a document of an act and a leaf.
"""

from __future__ import annotations

import re
import secrets
from base64 import urlsafe_b64encode
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from hashlib import sha256

from collector.act import Act
from collector.clock import parse_instant

TOKEN_PREFIX = "evd_"
_TOKEN = re.compile(r"evd_[A-Za-z0-9_-]{43}")


class Role(StrEnum):
    """What somebody is to the installation, from the least to the most."""

    AUDITOR = "auditor"
    READER = "reader"
    OPERATOR = "operator"
    ADMIN = "admin"


class Right(StrEnum):
    """What a route asks for."""

    READ = "read"
    DRAW = "draw"
    """Freeze populations, draw samples, reconcile, add requests and comments: an examiner's own work."""
    RECORD = "record"
    """Add files and reviews, answer requests, tag: the work of those who are examined."""
    SNAPSHOT = "snapshot"
    ENGAGE = "engage"
    """Create, amend and close engagements."""
    ADMIT = "admit"
    """Issue and revoke tokens."""


_OF_OPERATOR = frozenset({Right.READ, Right.DRAW, Right.RECORD, Right.SNAPSHOT})
RIGHTS = {
    Role.AUDITOR: frozenset({Right.READ, Right.DRAW}),
    Role.READER: frozenset({Right.READ}),
    Role.OPERATOR: _OF_OPERATOR,
    Role.ADMIN: _OF_OPERATOR | {Right.ENGAGE, Right.ADMIT},
}


@dataclass(frozen=True, slots=True)
class Principal:
    """Somebody who came in. *name* is recorded with what they do; *engagements* are the only ones (ids) they may see.

    None as *engagements* means all of them, and what belongs to none. *token* is the act that granted the token they
    came by, None for a sign-in through a provider.
    """

    name: str
    role: Role
    engagements: frozenset[int] | None = None
    token: int | None = None

    def may(self, right: Right) -> bool:
        """Return whether the role has *right*."""
        return right in RIGHTS[self.role]

    def sees(self, engagement: int) -> bool:
        """Return whether *engagement* (an id) is one they may see."""
        return self.engagements is None or engagement in self.engagements


@dataclass(frozen=True, slots=True)
class Grant:
    """A token as recorded: never the token. *engagement* is the only one it opens; None for the whole installation."""

    id: int
    name: str
    role: Role
    engagement: int | None
    digest: bytes
    at: datetime
    by: str
    expires: datetime
    revoked: datetime | None = None

    def holds(self, now: datetime) -> bool:
        """Return whether the token is good at *now*; never, once the name of its holder was erased."""
        return self.name != "" and self.revoked is None and now < self.expires

    def principal(self) -> Principal:
        """Return whom the token lets in."""
        only = None if self.engagement is None else frozenset({self.engagement})
        return Principal(self.name, self.role, only, self.id)


def new_token() -> str:
    """Return a new token: shown once, to whoever asked for it, and kept nowhere."""
    return TOKEN_PREFIX + urlsafe_b64encode(secrets.token_bytes(32)).decode("ascii").rstrip("=")


def token_digest(token: str) -> bytes | None:
    """Return the SHA-256 by which *token* is recorded; None for a text that cannot be a token."""
    return sha256(token.encode("ascii")).digest() if _TOKEN.fullmatch(token) else None


def grants(acts: Iterable[Act]) -> list[Grant]:
    """Return the tokens that *acts* (of the kind `ActKind.TOKEN`, oldest first) record, oldest first."""
    found: dict[int, Grant] = {}
    for act in acts:
        if act.document["did"] == "revoked":
            found[act.about or 0] = replace(found[act.about or 0], revoked=act.at)
            continue
        found[act.id] = Grant(
            act.id,
            act.people[0],
            Role(act.document["role"]),
            None if act.engagement == act.id else act.engagement,
            bytes.fromhex(act.document["digest"]),
            act.at,
            act.actor,
            parse_instant(act.document["expires"]),
        )
    return list(found.values())

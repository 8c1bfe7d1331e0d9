"""What keeps a signing key so that nobody, this process included, gets it: a KMS, an HSM, a card.

A package brings one by an entry point of the group ``evidenced.signers``. It is called with what follows its name and a
colon in `checkpoints.keys`, and returns a `KeptKey`; it raises `ConfigError` for a reference that names nothing, and
`KeeperError` when the keeper does not do its part.
"""

from __future__ import annotations

from typing import Protocol

KEEPERS = "evidenced.signers"


class KeptKey(Protocol):
    """An Ed25519 key that stays where it is. It has no name: it signs under that of the log."""

    @property
    def public(self) -> bytes:
        """The public key (32 bytes, RFC 8032)."""

    def sign(self, text: bytes) -> bytes:
        """Return the Ed25519 signature (64 bytes) over *text* itself, not over a digest of it. Raises `KeeperError`."""

"""Any REST vendor on loopback, played by the vendor's own published description: see tests/fakes/README.md."""

from tests.fakes.described.auth import Auth
from tests.fakes.described.server import Fake, described
from tests.fakes.described.wire import Ask, FixtureError, Refusal

__all__ = ["Ask", "Auth", "Fake", "FixtureError", "Refusal", "described"]

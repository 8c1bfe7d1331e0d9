"""AWS for tests: `FakeAws` plays any service from botocore's models; `moto_account` and `seed` give it a state."""

from tests.fakes.aws.refusal import FixtureError, Refusal
from tests.fakes.aws.server import FakeAws
from tests.fakes.aws.wire import Ask

__all__ = ["Ask", "FakeAws", "FixtureError", "Refusal"]

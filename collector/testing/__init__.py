"""What every connector must pass, for its author's own tests: see ``README.md`` here. Needs no test framework."""

from collector.testing.cases import Case, cases
from collector.testing.clock import HurriedClock
from collector.testing.trial import Trial
from collector.testing.world import Trouble, World

__all__ = ["Case", "HurriedClock", "Trial", "Trouble", "World", "cases"]

"""Every connector keeps every promise of `collector.testing`, in a world that its vendor's description judges."""

from __future__ import annotations

import pytest

from collector.installed import connectors
from collector.testing import Trial, cases
from tests.connectors.conformance.worlds import WORLDS

# Of a vendor: kinds whose source gives one page whatever it holds, kinds without a text that people fill in.
EXCEPTIONS = {}
CASES = [(name, case) for name in WORLDS for case in cases(connectors()[name], **EXCEPTIONS.get(name, {}))]


@pytest.fixture(scope="module")
def trials(tmp_path_factory):
    """Trials by vendor, each opened when it is first asked for: building clients is what takes long."""
    from contextlib import ExitStack

    with ExitStack() as open_ones:
        kept = {}

        def trial(name):
            if name not in kept:
                world = open_ones.enter_context(WORLDS[name](tmp_path_factory.mktemp(name)))
                kept[name] = open_ones.enter_context(Trial(connectors()[name], world, getattr(world, "clock", None)))
            return kept[name]

        yield trial


@pytest.mark.parametrize(("vendor", "case"), CASES, ids=str)
def test_the_connector_keeps_its_promise(trials, vendor, case):
    case(trials(vendor))


def test_every_installed_connector_is_on_trial():
    assert sorted(WORLDS) == sorted(connectors())

"""What the tests of the log share: the modules under test, and a database of each engine."""

import pytest


@pytest.fixture
def tree():
    """The module that the log uses; the mutation test puts its mutants in this place."""
    from collector.log import tree

    return tree

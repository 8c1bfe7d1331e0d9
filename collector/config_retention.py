"""The section [retention]: how long contents of which kinds are kept. Without it nothing is ever deleted."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import timedelta
from fnmatch import fnmatchcase
from typing import Annotated

from pydantic import AfterValidator

from collector.config_checks import duration_within
from collector.config_errors import worded

# Below a month a form could go before the month it belongs to was looked at, and an event before a daemon that was
# down for its holidays has read the window that brings it once more.
_LENGTH = (timedelta(days=30), timedelta(days=36_500))


def _length(text: str) -> str:
    return worded(lambda each: duration_within(each, _LENGTH), text)


Length = Annotated[str, AfterValidator(_length)]


def lengths_of(retention: Mapping[str, str], kinds: Iterable[str]) -> dict[str, str]:
    """Return how long each of *kinds* is kept that a pattern of *retention* matches: the one with most letters rules.

    Kinds that none matches are kept for ever.
    """
    found = {}
    for kind in kinds:
        matching = [pattern for pattern in retention if fnmatchcase(kind, pattern)]
        if matching:
            found[kind] = retention[max(matching, key=lambda each: (len(each), each))]
    return found

"""What a vendor's module says: where the description is, who may ask, how it pages, how it says no."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import Any

from tests.fakes.described.auth import Auth
from tests.fakes.described.operation import Description, Operation
from tests.fakes.described.packed import Packed
from tests.fakes.described.pager import Pager
from tests.fakes.described.wire import Ask, Refusal


@dataclass(frozen=True)
class Vendor:
    """One vendor, as data.

    *error* writes the body of a refusal. *refusals* are its common ones: ``denied``, ``throttled``, ``expired``,
    ``unauthenticated``, ``missing`` and, where there is such a thing, ``disabled`` and ``slow down``. *pagers* are
    tried in order, each for operations of a name or pattern. *headers* come with every answer; ``{id}`` is the
    request's id. *prefix* is the path before every template. *free* are query parameters that do not change which items
    come. *shaped* makes of an item what the request asked of it (Graph's ``$select``). *extras* are fields of answers
    that are no part of any schema (``@odata.context``), as patterns. *rules* are what the vendor's documentation
    demands in prose only: each says of a request what is wrong, or nothing. *packed* are the npm documents to install.
    """

    name: str
    description: Description
    error: Callable[[Refusal, str], Any]
    refusals: Mapping[str, Refusal]
    auth: Auth = field(default_factory=Auth)
    pagers: tuple[tuple[str, Pager], ...] = ()
    headers: Mapping[str, str] = field(default_factory=dict)
    prefix: str = ""
    free: frozenset[str] = frozenset()
    shaped: Callable[[Ask, Any], Any] | None = None
    extras: tuple[str, ...] = ()
    etags: bool = False
    rules: tuple[tuple[str, Callable[[Ask], str]], ...] = ()
    packed: tuple[Packed, ...] = ()

    def refusal(self, name: str) -> Refusal:
        """Return the refusal *name*. Raises ValueError when this vendor has no such thing."""
        if name not in self.refusals:
            raise ValueError(f"{self.name} declares no refusal {name!r}, only {', '.join(self.refusals)}")
        return self.refusals[name]

    def pager(self, operation: Operation) -> Pager | None:
        """Return how *operation* pages: by the first pager whose token it takes, or gives in its answer."""
        fitting = (pager for pattern, pager in self.pagers if fnmatchcase(operation.name, pattern))
        return next((pager for pager in fitting if pager.fits(operation)), None)

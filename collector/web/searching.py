"""Search: kinds, controls, criteria, items, runs and requests of an engagement, by what people type of them."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Annotated

from fastapi import APIRouter, Query, Request
from fastapi.responses import HTMLResponse

from collector.ask.requests import requests
from collector.criteria import criteria
from collector.errors import Unknown
from collector.gate import Engaged, Visit
from collector.web.covering import controls_at
from collector.web.pages import address, page
from collector.web.visiting import Visitor, Within

router = APIRouter(include_in_schema=False)

_MOST = 25
_LONGEST = 500
_RUN = re.compile(r"(?:run:)?(\d{1,18}-\d{1,9})")


@dataclass(frozen=True, slots=True)
class Hit:
    """Something found: what it is called, where it is shown, and a word or two on it."""

    label: str
    href: str
    about: str = ""


@dataclass(frozen=True, slots=True)
class Hits:
    """What was found of one sort, the first of it; *more* says that there is more."""

    sort: str
    hits: Sequence[Hit]
    more: bool


@router.get("/e/{name}/search")
def search(
    request: Request, visit: Visitor, engaged: Within, q: Annotated[str, Query(max_length=_LONGEST)] = ""
) -> HTMLResponse:
    """Show what is called, or begins, as *q* says."""
    asked = q.strip()
    found = [each for each in _found(visit, engaged, asked) if each.hits] if asked else []
    return page(request, visit, "search.html", engagement=engaged.engagement, asked=asked, found=found)


def _found(visit: Visit, engaged: Engaged, asked: str) -> Iterator[Hits]:
    name, store, words = engaged.engagement.name, engaged.store, asked.casefold().split()
    kinds = sorted({each.kind for each in store.subjects()})
    yield _hits("Kinds", (Hit(each, address("e", name, "kinds", each)) for each in kinds if _fits(words, each)))
    controls = controls_at(visit, engaged, visit.now).at(visit.now).values()
    yield _hits(
        "Controls",
        (
            Hit(each.id, address("e", name, "controls", each.id), each.title)
            for each in controls
            if _fits(words, each.id, each.title)
        ),
    )
    yield _hits(
        "Criteria",
        (
            Hit(each.id, address("e", name, "criteria", each.id), each.title)
            for each in criteria().values()
            if _fits(words, each.id, each.title)
        ),
    )
    yield _hits("Runs", _runs(engaged, asked))
    yield _hits("Requests", _requests(engaged, words))
    yield _hits("Items whose key begins so", _items(engaged, asked))


def _hits(sort: str, found: Iterator[Hit]) -> Hits:
    first = [each for each, _ in zip(found, range(_MOST + 1), strict=False)]
    return Hits(sort, first[:_MOST], len(first) > _MOST)


def _fits(words: Sequence[str], *texts: str) -> bool:
    """Return whether every one of *words* is in one of *texts*."""
    whole = "\n".join(texts).casefold()
    return all(word in whole for word in words)


def _runs(engaged: Engaged, asked: str) -> Iterator[Hit]:
    if named := _RUN.fullmatch(asked):
        try:
            run = engaged.store.run(named[1])
        except Unknown:
            return
        about = f"{run.subject.kind}, {run.subject.source} {run.subject.scope}"
        yield Hit(run.id, address("e", engaged.engagement.name, "runs", run.id), about)


def _requests(engaged: Engaged, words: Sequence[str]) -> Iterator[Hit]:
    name = engaged.engagement.name
    for each in requests(engaged.store, name):
        if _fits(words, each.id, each.title):
            yield Hit(each.id, address("e", name, "requests", each.id), each.title)


def _items(engaged: Engaged, asked: str) -> Iterator[Hit]:
    for subject, key in engaged.store.items_named(asked, _MOST + 1):
        where = {"key": key, "source": subject.source, "scope": subject.scope}
        href = address("e", engaged.engagement.name, "kinds", subject.kind, "item", **where)
        yield Hit(key, href, f"{subject.kind}, {subject.source} {subject.scope}")

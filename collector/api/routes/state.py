"""Kinds, populations at an instant, differences, histories, and who stood where under a control."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Annotated, Any

from fastapi import APIRouter, Query

from collector.api.asked import AtParam, ControlName, FromParam, KeyParam, KindName, ScopeParam, SourceParam, ToParam
from collector.api.asked import period_within as period_of
from collector.api.models.state import AsOf, DifferenceForm, History, Kinds, StandingForm
from collector.api.paging import Page, Paged, place_of
from collector.api.route import Route
from collector.api.texts import Maybe
from collector.api.visiting import Reader
from collector.ask.documents import population_document, standing_document
from collector.ask.kinds_recorded import recorded_kinds
from collector.ask.standing import standing
from collector.clock import to_ms
from collector.population import ItemAt, PopulationAt, as_of, difference, life
from collector.words import plain

router = APIRouter(route_class=Route, tags=["state"])

_Only = Annotated[Maybe, Query(alias="key", description="Only this item.")]


@router.get("/kinds", response_model=Kinds)
def read_kinds(desk: Reader, page: Paged) -> Any:
    """The kinds of evidence in scope, with the criteria and controls they serve and where they are read."""
    found = recorded_kinds(desk.store, desk.controls, desk.terms, desk.now)
    part, following = page.of(found, lambda each: each.kind)
    return {"kinds": plain(part), "next": following}


@router.get("/kinds/{kind}/as-of", response_model=AsOf)
def read_as_of(
    desk: Reader,
    kind: KindName,
    at: AtParam,
    page: Paged,
    source: SourceParam = "",
    scope: ScopeParam = "",
    key: _Only = "",
) -> Any:
    """The population of a kind as it was at an instant, with the run that saw it and the next that still did."""
    every = as_of(desk.store, kind, at, now=desk.now, source=source, scope=scope, key=key)
    populations, following = _paged(page, [each for each in every if desk.terms.holds(each.subject)])
    shown = [population_document(desk.store, each) for each in populations]
    return plain({"kind": kind, "at": at, "populations": shown, "next": following})


@router.get("/kinds/{kind}/diff", response_model=DifferenceForm)
def read_difference(
    desk: Reader,
    kind: KindName,
    page: Paged,
    since: FromParam = None,
    until: ToParam = None,
    source: SourceParam = "",
    scope: ScopeParam = "",
) -> Any:
    """What differs between two instants, field by field; by default from the start of the period to its end, or now."""
    period = period_of(desk, since, until)
    end = period.end if until else min(period.end, desk.now)
    found = difference(desk.store, kind, period.start, end, now=desk.now, source=source, scope=scope)
    holds = desk.terms.holds
    items = [each for each in found.items if holds(each.subject)]
    part, following = page.of(items, lambda each: (*place_of(each.subject), each.key))
    subjects = [each for each in found.subjects if holds(each.subject)]
    return plain(replace(found, subjects=tuple(subjects), items=tuple(part))) | {"next": following}


@router.get("/kinds/{kind}/history", response_model=History)
def read_history(
    desk: Reader, kind: KindName, key: KeyParam, page: Paged, source: SourceParam = "", scope: ScopeParam = ""
) -> Any:
    """Every form that an item ever had, and when it was seen so."""
    every = life(desk.store, kind, key, source=source, scope=scope)
    forms = [each for each in every if desk.terms.holds(each.subject)]
    part, following = page.of(forms, lambda each: (*place_of(each.subject), to_ms(each.first_seen)))
    return plain({"kind": kind, "key": key, "forms": part, "next": following})


@router.get("/controls/{control}/access", response_model=StandingForm)
def read_access(desk: Reader, control: ControlName, at: AtParam, page: Paged) -> Any:
    """Who had access: what every kind that serves the control showed at an instant, across kinds and sources."""
    found = standing(desk.store, desk.controls, control, at, now=desk.now, terms=desk.terms)
    ordered = sorted(found.populations, key=lambda each: place_of(each.subject))
    populations, following = _paged(page, ordered)
    return plain(standing_document(desk.store, found, populations) | {"next": following})


def _paged(page: Page, populations: Sequence[PopulationAt]) -> tuple[list[PopulationAt], str | None]:
    """Return the part of *populations* (by subject) with the items of the page, and the next cursor."""
    entries: list[tuple[PopulationAt, ItemAt | None]] = []
    for each in populations:
        # A population without an item takes a place too: that nobody had looked, or nothing was there, is an answer.
        entries += ((each, item) for item in each.items or (None,))
    part, following = page.of(entries, lambda each: (*place_of(each[0].subject), each[1].key if each[1] else ""))
    return list(_joined(part)), following


def _joined(part: Iterable[tuple[PopulationAt, ItemAt | None]]) -> Iterable[PopulationAt]:
    together: dict[int, tuple[PopulationAt, list[ItemAt]]] = {}
    for population, item in part:
        _, items = together.setdefault(id(population), (population, []))
        if item is not None:
            items.append(item)
    return (replace(population, items=tuple(items)) for population, items in together.values())

"""Answers as JSON, the same from ``--json`` and from the API.

What is returned may still hold instants, digests and records: `collector.words.plain` writes those.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

from collector.population import shown_documents
from collector.words import plain

if TYPE_CHECKING:
    from collector.act import Act
    from collector.ask.calendar import Calendar
    from collector.ask.coverage import Coverage
    from collector.ask.samples import Sample
    from collector.ask.slots import Question
    from collector.ask.standing import Standing
    from collector.engagement import Engagement
    from collector.model import Json
    from collector.population import PopulationAt
    from collector.requested import Request
    from collector.store import Store

Document = dict[str, "Json"]


def said_of(act: Act) -> Document:
    """Return the id of *act* under the name of its kind, when, by whom, its leaf, and what its document says."""
    document = {name: value for name, value in act.document.items() if name != "form"}
    return {act.kind.value: act.id, "at": act.at, "by": act.actor, "leaf": act.leaf, **document}


def coverage_document(found: Coverage) -> Document:
    """Return what coverage found, with what was asked."""
    return {
        "period": found.question.period,
        "until": found.until,
        "asked": _asked(found.question),
        "rows": found.rows,
        "total": found.total,
        "gaps": found.gaps,
        "lost": found.lost,
        "pending": found.pending,
        "unserved": found.unserved,
    }


def calendar_document(found: Calendar) -> Document:
    """Return a calendar: each row has a cell for every day on which anything was due."""
    return {
        "period": found.question.period,
        "until": found.until,
        "asked": _asked(found.question),
        "days": [each.isoformat() for each in found.days],
        "rows": [
            {
                "name": row.name,
                "title": row.title,
                "cells": [
                    {"day": day.isoformat(), "worst": cell.worst, **plain(cell)}
                    for day, cell in zip(found.days, row.cells, strict=True)
                    if cell.due
                ],
            }
            for row in found.rows
        ],
    }


def engagement_document(found: Engagement) -> Document:
    """Return an engagement with the terms in force and every terms before."""
    return {
        "id": found.id,
        "name": found.name,
        "closed": found.closed,
        "closed_by": found.closed_by or None,
        "terms": found.terms,
        "history": found.history,
    }


def population_document(store: Store, found: PopulationAt) -> Document:
    """Return a population at an instant, each item with its content, or why that is withheld."""
    volatile = volatile_of(store, found)
    contents = shown_documents(store, (each.artifact for each in found.items))
    return {
        "subject": found.subject,
        "observed": found.run is not None,
        "run": found.run,
        "next": found.next,
        "items": [
            {**plain(each), "document": content, "withheld": withheld, "volatile": volatile.get(each.key)}
            for each, (content, withheld) in zip(found.items, contents, strict=True)
        ],
    }


def standing_document(store: Store, found: Standing, populations: Iterable[PopulationAt]) -> Document:
    """Return who had access by *found*, with these of its *populations*."""
    return {
        "control": found.control.id,
        "title": found.control.title,
        "criteria": found.control.criteria,
        "at": found.at,
        "events": found.events,
        "unseen": found.unseen,
        "populations": [population_document(store, each) for each in populations],
    }


def volatile_of(store: Store, found: PopulationAt) -> dict[str, Json]:
    """Return the volatile fields by key, as last kept when *found* was seen."""
    return (store.volatile(found.subject, found.run.finished) or {}) if found.run else {}


def statement_document(statement: Json, act: Act | None) -> Document:
    """Return the statement of a population over a period, and by which act it is frozen, if it is."""
    return {"population": act.id if act else None, "frozen": act.at if act else None, "statement": statement}


def frozen_document(act: Act, engagement: str) -> Document:
    """Return a frozen population as lists show it."""
    said = {"population": act.id, "engagement": engagement, "kind": act.document["kind"], "at": act.at}
    return said | {"by": act.actor, "rows": act.document["rows"], "leaf": act.leaf}


def sample_document(found: Sample) -> Document:
    """Return a sample with what it drew, the others of its population, and whether drawing again gives the same."""
    return {
        **said_of(found.act),
        "number": found.number,
        "others": [said_of(each) for each in found.others],
        "reproduced": found.reproduced,
        "items": found.items,
        "dates": found.dates,
    }


def request_document(found: Request, engagements: Mapping[int, str]) -> Document:
    """Return a request with everything that was done with it; *engagements* are names by id."""
    due = found.due.isoformat() if found.due else None
    return {**plain(found), "due": due, "engagement": engagements[found.engagement]}


def _asked(question: Question) -> Document:
    names = ("source", "kind", "criterion", "control", "by")
    return {name: getattr(question, name) or None for name in names}

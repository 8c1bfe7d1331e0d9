"""What a question may be narrowed to: the parameters that routes have in common."""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import Depends, Path, Query

from collector.api.texts import Instant, Key, Maybe, Name, Number
from collector.api.visiting import Desk
from collector.ask.slots import Question
from collector.clock import iso
from collector.errors import QueryError
from collector.model import Period

SourceParam = Annotated[Maybe, Query(description="Only this source.", examples=["aws:prod"])]
ScopeParam = Annotated[Maybe, Query(description="Only this scope.")]
KindParam = Annotated[Maybe, Query(description="Only this kind; coverage takes a pattern.")]
CriterionParam = Annotated[Maybe, Query(description="Only what serves it.", examples=["CC6.1"])]
ControlParam = Annotated[Maybe, Query(description="Only what serves this control.")]
FromParam = Annotated[
    Instant | None, Query(alias="from", description="Start, included: a date (midnight UTC) or a time.")
]
ToParam = Annotated[Instant | None, Query(alias="to", description="End, not included.")]
AtParam = Annotated[Instant, Query(description="The instant: a date (midnight UTC) or a time.")]
KeyParam = Annotated[Key, Query(description="The item's key, as the source names it.")]
KindName = Annotated[Name, Path(description="A kind of evidence.", examples=["aws.iam.credential_report"])]
ControlName = Annotated[Name, Path(description="A control's id.", examples=["AC-02"])]
Numbered = Annotated[Number, Path(description="Its number, as the list shows it.")]
By = Literal["criterion", "control", "kind", "source", "scope", "day"]


def period_within(desk: Desk, since: Instant | None, until: Instant | None) -> Period:
    """Return the period as asked for, by default the engagement's. Raises `QueryError` for an empty one."""
    own = desk.terms.period
    period = Period(since or own.start, until or own.end)
    if period.end <= period.start:
        raise QueryError(
            f"the period is empty: {iso(period.start)} is not before {iso(period.end)}",
            hint="A period includes its start, `from`, and not its end, `to`.",
        )
    return period


def _narrowed(
    source: SourceParam = "",
    kind: KindParam = "",
    criterion: CriterionParam = "",
    control: ControlParam = "",
    since: FromParam = None,
    until: ToParam = None,
) -> Narrowed:
    return Narrowed(source, kind, criterion, control, since, until)


class Narrowed:
    """What coverage is narrowed to."""

    def __init__(
        self, source: str, kind: str, criterion: str, control: str, since: Instant | None, until: Instant | None
    ) -> None:
        self._names = (source, kind, criterion, control)
        self._since, self._until = since, until

    def question(self, desk: Desk, by: str) -> Question:
        """Return the question as asked at *desk*, grouped *by*."""
        period = period_within(desk, self._since, self._until)
        return Question(period, *self._names, by=by, terms=desk.terms)


NarrowedBy = Annotated[Narrowed, Depends(_narrowed)]

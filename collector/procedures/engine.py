"""Carries out a prepared kind: loops, poll, roots, batches, details, in that order (see `collector.procedure`)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from concurrent.futures import Executor
from dataclasses import dataclass
from datetime import timedelta
from itertools import chain, groupby, islice
from operator import itemgetter
from typing import Any, Generic

from collector.connector import Reading
from collector.errors import Invalid, NotEnabled, Unavailable
from collector.model import Json, Window
from collector.procedure import Call
from collector.procedures.expressions import Expression
from collector.procedures.inorder import in_order
from collector.procedures.ready import Absent, Asking, Gone, R, Ready, ReadyBatch, ReadyKind, ReadyLoop
from collector.procedures.values import Values, fill, window_values

_SAMPLE_WINDOW = timedelta(hours=1)

Item = dict[str, Json]
Found = tuple[Item, Values]  # an item and the loop values it was found under


@dataclass(frozen=True)
class Engine(Generic[R]):
    """One reading of one kind. Each call is made where its item is (`at`), else at *at*.

    *pool* makes the calls that may run side by side, at most *width* of them waiting at a time. *start* are the values
    that every placeholder may name: of the scope and its source.
    """

    requester: Asking[R]
    pool: Executor
    width: int
    ready: ReadyKind[R]
    start: Values
    at: str
    reading: Reading

    def items(self) -> Iterator[Item]:
        """Yield every item, in the source's order. Raises a `ReadError` when the answer is not whole."""
        found = self._listed()
        for batch in self.ready.batches:
            found = chain.from_iterable(
                self._parallel(lambda group, b=batch: self._batch(b, group), _groups(found, batch))
            )
        if not self.ready.each:
            yield from (item for item, _ in found)
            return
        for item in self._parallel(self._detailed, found):
            if item is not None:
                yield item

    def _parallel(self, work: Any, things: Iterable[Any]) -> Iterator[Any]:
        return in_order(self.pool, work, things, self.width)

    # Where to read: the loops and the window

    def _values(self) -> Iterator[Values]:
        start = dict(self.start)
        since = self.ready.kind.since
        if since is not None:
            now = self.reading.clock.now()
            window = self.reading.window or (Window(now - _SAMPLE_WINDOW, now) if self.reading.sample else None)
            if window is None:
                raise ValueError(f"{self.ready.kind.name} is an event kind: it is read by window")
            start |= window_values(since, window)
        values: Iterator[Values] = iter([start])
        for loop in self.ready.loops:
            values = self._looped(loop, values)
        for each in values:
            if self.ready.poll:
                self._poll(*self.ready.poll, each)
            yield each

    def _looped(self, loop: ReadyLoop[R], outer: Iterator[Values]) -> Iterator[Values]:
        def inner(values: Values) -> list[Values]:
            found = self._root(loop.call, values) if loop.call else loop.spec.values
            taken = islice(found, 1) if self.reading.sample else found
            return [{**values, loop.spec.var: each} for each in taken]

        asked = found = 0
        for several in self._parallel(inner, outer):
            asked += 1
            found += len(several)
            yield from several
        if asked and not found and loop.spec.empty == "not_enabled":
            name = loop.call.name if loop.call else loop.spec.var
            raise NotEnabled(
                f"{name} lists nothing: it is not switched on here",
                hint="Enable it here, or exclude the kind.",
            )

    def _poll(self, call: R, until: Expression, values: Values) -> None:
        poll = self.ready.kind.poll
        assert poll is not None
        clock = self.reading.clock
        limit = clock.monotonic() + poll.limit_s
        while True:
            answer = self.requester.single(call, self.requester.parameters(call, values), self.at, self.reading)
            if until.search(answer):
                return
            if clock.monotonic() >= limit:
                raise Unavailable(
                    f"{call.name} was not done after {poll.limit_s:.0f} s", hint="The next slot tries again."
                )
            clock.sleep(poll.every_s)

    # What there is: the root calls

    def _listed(self) -> Iterator[Found]:
        values = self._values()
        if not self.ready.roots:
            return (({}, each) for each in values)
        first, second = next(values, None), next(values, None)
        if first is None:
            return iter(())
        if second is None:
            # One place to read: its items stream, however many they are.
            return self._at_place(first)
        places = chain((first, second), values)
        return chain.from_iterable(self._parallel(lambda values: list(self._at_place(values)), places))

    def _at_place(self, values: Values) -> Iterator[Found]:
        # One list after the other, as written: a kind may rely on which of them is asked last.
        return ((item, values) for root in self.ready.roots for item in self._taken(root, values))

    def _taken(self, root: R, values: Values) -> Iterator[Item]:
        items = (_item(each, root) for each in self._root(root, values))
        return islice(items, 1) if self.reading.sample else items

    def _root(self, root: R, values: Values) -> Iterator[Json]:
        try:
            params = self.requester.parameters(root, values)
            for item, page in self.requester.items(root, params, self.at, self.reading):
                yield _dressed(item, page, root, values)
        except Absent:
            return

    # What is known of each: batches, then details

    def _batch(self, batch: ReadyBatch[R], group: list[Found]) -> list[Found]:
        call = batch.call
        ids = [batch.id.search(item) for item, _ in group]
        if None in ids:
            raise Invalid(f"{call.name}: an item has no {batch.id.text}")
        values = group[0][1]
        params = self.requester.parameters(call, values, group[0][0], list(dict.fromkeys(ids)))
        answers: dict[Json, list[Json]] = {}
        for answer, page in self.requester.items(call, params, self.at, self.reading):
            answers.setdefault(batch.match.search(answer), []).append(_dressed(answer, page, call, values))
        for (item, _), each in zip(group, ids, strict=True):
            _attach(item, answers.get(each, []), batch)
        return group

    def _detailed(self, found: Found) -> Item | None:
        item, values = found
        for call in self.ready.each:
            if call.when is not None and not call.when.search(item):
                continue
            try:
                value = self._detail(call, item, values)
            except Gone:
                return None
            _merge(item, value, call.spec, call.name)
        return item

    def _detail(self, call: R, item: Item, values: Values) -> Json:
        try:
            return self._answer(call, item, values)
        except Absent:
            return None
        except Gone:
            # One word is not enough to say that an item is gone: sources are eventually consistent. Twice, or not.
            try:
                return self._answer(call, item, values)
            except Absent:
                return None

    def _answer(self, call: R, item: Item, values: Values) -> Json:
        params = self.requester.parameters(call, values, item)
        at = (call.at.search(item) if call.at else None) or self.at
        if call.items is not None:
            found = self.requester.items(call, params, at, self.reading)
            return [_dressed(each, page, call, values) for each, page in found]
        answer = self.requester.single(call, params, at, self.reading)
        if call.put or call.spec.set:
            answer = _dressed(answer, dict(answer) if isinstance(answer, dict) else answer, call, values)
        if call.pick is None:
            return answer
        value = call.pick.search(answer)
        if value is None and call.spec.into is None:
            raise Invalid(f"{call.name} gave no {call.pick.text}")
        return value


def _item(value: Json, root: Ready) -> Item:
    if not isinstance(value, dict):
        raise Invalid(f"{root.name} lists bare values: the kind must name them by `wrap`")
    return value


def _dressed(value: Json, page: Json, call: Ready, values: Values) -> Json:
    spec = call.spec
    if spec.wrap and not isinstance(value, dict):
        value = {spec.wrap: value}
    if isinstance(value, dict) and (spec.set or call.put):
        value.update({name: fill(each, values) for name, each in spec.set.items()})
        value.update({name: expression.search(page) for name, expression in call.put})
    return value


def _merge(item: Item, value: Json, spec: Call, name: str) -> None:
    if spec.into is not None:
        item[spec.into] = value
    elif isinstance(value, dict):
        item.update(value)
    else:
        raise Invalid(f"{name} gave no object to merge: the kind must name a field for it by `into`")


def _attach(item: Item, answers: list[Json], batch: ReadyBatch[R]) -> None:
    spec = batch.spec
    if spec.many:
        _merge(item, answers, spec, batch.call.name)
    elif answers:
        _merge(item, answers[0], spec, batch.call.name)
    elif spec.optional:
        if spec.into is not None:
            item[spec.into] = None
    else:
        raise Invalid(f"{batch.call.name} left out an item it was asked for: what it is, is unknown")


def _groups(found: Iterator[Found], batch: ReadyBatch[R]) -> Iterator[list[Found]]:
    for _, same in groupby(found, key=itemgetter(1)):
        while group := list(islice(same, batch.spec.size)):
            yield group

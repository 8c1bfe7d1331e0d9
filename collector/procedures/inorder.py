"""Bounded concurrency that keeps the order: the detail calls of one run, on a pool that all runs share."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Executor, Future, wait
from typing import TypeVar

Thing = TypeVar("Thing")
Result = TypeVar("Result")


def in_order(pool: Executor, work: Callable[[Thing], Result], things: Iterable[Thing], width: int) -> Iterator[Result]:
    """Yield ``work(thing)`` for each of *things*, in their order, with at most *width* under way or waiting.

    *things* is consumed no further ahead than that, by the caller's thread. *work* must not use *pool* itself.
    The first exception, of *work* or of *things*, is raised in its place; calls not yet begun are dropped, those
    under way are waited for, so that nothing of this run happens after it.
    """
    waiting: deque[Future[Result]] = deque()
    try:
        for thing in things:
            waiting.append(pool.submit(work, thing))
            if len(waiting) >= width:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()
    finally:
        for future in waiting:
            future.cancel()
        wait(waiting)

"""The last good populations in memory, so that an unchanged item costs no database read."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from collector.model import Head, Observation, Outcome, Subject
from collector.store import Store


@dataclass
class Heads:
    """The last good populations, kept in memory while nobody else writes for their source."""

    store: Store
    _heads: dict[Subject, Head] = field(default_factory=dict)
    _written: dict[str, int | None] = field(default_factory=dict)

    def refresh(self, source: str) -> None:
        """Forget what is kept of *source* when another process has recorded a sweep of it since."""
        last = self.store.last_sweep(source)
        if last != self._written.get(source):
            for subject in [each for each in self._heads if each.source == source]:
                del self._heads[subject]
            self._written[source] = last

    def get(self, subject: Subject) -> Head:
        """Return the last good population of *subject*, from the store when it is not in memory."""
        if subject not in self._heads:
            self._heads[subject] = self.store.head(subject)
        return self._heads[subject]

    def recorded(self, source: str, sweep: int, observations: Iterable[Observation]) -> None:
        """Follow what was just recorded as *sweep*."""
        self._written[source] = sweep
        for observation in observations:
            head = self._heads.get(observation.run.subject)
            if head is not None and observation.run.outcome is Outcome.COLLECTED:
                _follow(head, observation)


def _follow(head: Head, observation: Observation) -> None:
    run = observation.run
    for change in observation.changes:
        if change.artifact is None:
            head.contents.pop(change.key_digest, None)
            head.keys.pop(change.key_digest, None)
        else:
            head.contents[change.key_digest] = change.artifact
            head.keys[change.key_digest] = change.key
    head.population = run.population
    head.watermark = run.watermark_after or head.watermark
    if observation.volatile is not None:
        head.volatile_day = run.started.date().isoformat()

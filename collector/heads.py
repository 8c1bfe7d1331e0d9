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
    _written: dict[str, tuple[int | None, int]] = field(default_factory=dict)
    _erasures: int = 0

    def refresh(self, source: str) -> None:
        """Forget what is kept of *source* when another process has recorded a sweep of it since, or erased anything."""
        self._erasures = self.store.sealing.erasures()
        last = self.store.last_sweep(source), self._erasures
        if last != self._written.get(source):
            for subject in [each for each in self._heads if each.source == source]:
                del self._heads[subject]
            self._written[source] = last

    def get(self, subject: Subject, *, sealed: bool = False) -> Head:
        """Return the last good population of *subject*, from the store when it is not in memory.

        For a *sealed* one, raises `ConfigError` when its key is not at hand.
        """
        kept = self._heads.get(subject)
        if kept is None or (kept.sealed is not None) is not sealed:
            kept = self.store.sealing.head(subject) if sealed else self.store.head(subject)
            self._heads[subject] = kept
        return kept

    def recorded(self, source: str, sweep: int, observations: Iterable[Observation]) -> None:
        """Follow what was just recorded as *sweep*."""
        self._written[source] = sweep, self._erasures
        for observation in observations:
            head = self._heads.get(observation.run.subject)
            if head is not None and observation.run.outcome is Outcome.COLLECTED:
                _follow(head, observation)


def _follow(head: Head, observation: Observation) -> None:
    run = observation.run
    for change in observation.sealed.changes if observation.sealed else observation.changes:
        if change.artifact is None:
            head.contents.pop(change.key_digest, None)
            head.keys.pop(change.key_digest, None)
        else:
            head.contents[change.key_digest] = change.artifact
            head.keys[change.key_digest] = change.key
    if observation.sealed:
        head.sealed, head.unknown = dict(observation.sealed.items), {}
    head.population = run.population
    head.watermark = run.watermark_after or head.watermark
    if observation.volatile is not None:
        head.volatile_day = run.started.date().isoformat()

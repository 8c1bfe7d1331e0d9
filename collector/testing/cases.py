"""The promises of a connector, each a function that raises AssertionError when it is broken."""

from __future__ import annotations

import base64
from collections import Counter
from collections.abc import Callable, Collection
from dataclasses import dataclass

from collector.connector import Connector
from collector.model import Detail, Observation, Outcome, Reason
from collector.procedure import Kind
from collector.testing.trial import Trial
from collector.testing.world import Trouble

_ITEMS = 5
_PAGES = 3
# Shaped as a JSON Web Token (RFC 7519): whatever vendor it came from, it must not be kept.
SECRET = ".".join(
    base64.urlsafe_b64encode(part).rstrip(b"=").decode()
    for part in (b'{"alg":"HS256","typ":"JWT"}', b'{"sub":"planted by a test","iat":1516239022}', bytes(range(32)))
)

Check = Callable[[Trial, Kind], None]


@dataclass(frozen=True)
class Case:
    """One promise of one kind; ``str()`` names both. Called with a `Trial`, it raises AssertionError if broken."""

    kind: Kind
    check: Check

    def __str__(self) -> str:
        return f"{self.kind.name}: {self.check.__name__.replace('_', ' ')}"

    def __call__(self, trial: Trial) -> None:
        trial.world.calm()
        self.check(trial, self.kind)


def cases(
    connector: Connector,
    *,
    never_empty: Collection[str] = (),
    unpaged: Collection[str] = (),
    textless: Collection[str] = (),
) -> list[Case]:
    """Return every promise of every kind of *connector*.

    Promises about nothing, about pages and about texts do not concern the kinds *never_empty* (there always is an
    item), *unpaged* (the source gives one page, whatever it holds) and *textless* (no text in them is written by
    people). A kind without `list` is one item. Raises ValueError for a name that is no kind of the connector.
    """
    kinds = connector.kinds()
    strange = sorted({*never_empty, *unpaged, *textless} - set(kinds))
    if strange:
        raise ValueError(f"{connector.name} has no kind {', '.join(strange)}")
    one_item = {name for name, kind in kinds.items() if not kind.list_}
    limited: dict[Check, set[str]] = {
        nothing_held_is_empty_and_not_failed: {*never_empty, *one_item},
        trouble_on_the_last_page_keeps_no_part_of_the_list: {*unpaged, *one_item},
        a_secret_in_a_text_is_not_kept: {*textless},
    }
    checks = (*EVERY, *limited)
    return [Case(kind, check) for name, kind in kinds.items() for check in checks if name not in limited.get(check, ())]


def it_says_what_it_is_and_what_it_needs(trial: Trial, kind: Kind) -> None:
    """A title, criteria, permissions that the policy holds, and nothing that lint finds."""
    connector = trial.connector
    assert kind.title.strip(), "an auditor reads the title"
    assert kind.criteria, "it supports no criterion"
    assert kind.scope in connector.levels(), f"{kind.scope!r} is no level of {connector.name}"
    grants = connector.grants(kind)
    assert grants, "it says of no permission that it needs it"
    problems = connector.lint(kind)
    assert not problems, "; ".join(f"{each.place}: {each.message}" for each in problems)
    policy = str(connector.policy([kind]))
    # Vendors write them in their own forms: {"members": "read"} is members:read.
    missing = [grant for grant in grants if not all(part in policy for part in grant.split(":"))]
    assert not missing, f"the policy does not hold {', '.join(missing)}"


def every_item_is_read_once(trial: Trial, kind: Kind) -> None:
    """The population is what the source holds, and its keys are unique."""
    held = Counter(trial.world.hold(kind, _ITEMS))
    found = _collected(trial.read(kind))
    read = Counter(change.key for change in found.changes)
    assert read == held, f"not read: {sorted((held - read).elements())}, not held: {sorted((read - held).elements())}"
    assert found.run.counts.items == held.total()
    assert found.run.principal.id, "it does not say who read it"
    assert all(each.drained for each in found.run.operations)


def two_readings_of_one_state_have_one_digest(trial: Trial, kind: Kind) -> None:
    """What changes from reading to reading is volatile; the rest is in one order and form."""
    trial.world.hold(kind, _ITEMS)
    first, second = (_collected(trial.read(kind)).run.population for _ in range(2))
    assert first == second, "name what changes by itself in `volatile`, and lists without order in `sets`"


def each_denied_call_fails_the_run(trial: Trial, kind: Kind) -> None:
    """A list that is denied is not empty, an item whose detail is denied is unknown; the permission is named."""
    trial.world.hold(kind, _ITEMS)
    for operation in trial.world.operations(kind):
        trial.world.calm()
        trial.world.trouble(operation, Trouble.DENIED)
        run = _failed(trial.read(kind), Reason.DENIED, operation).run
        said = f"{run.message} {run.hint}"
        assert any(grant in said for grant in trial.connector.grants(kind)), f"{operation}: no permission in: {said}"


def a_throttled_call_is_made_again(trial: Trial, kind: Kind) -> None:
    """Once throttled it is repeated, and counted as a retry."""
    held = trial.world.hold(kind, _ITEMS)
    trial.world.trouble(trial.world.operations(kind)[0], Trouble.THROTTLED, times=1)
    found = _collected(trial.read(kind))
    assert found.run.counts.items == len(held)
    assert sum(each.retries for each in found.run.operations) == 1, "the retry is not counted"


def a_call_that_stays_throttled_fails_the_run(trial: Trial, kind: Kind) -> None:
    """It says so, as the trouble is neither a permission nor an outage."""
    trial.world.hold(kind, _ITEMS)
    operation = trial.world.operations(kind)[0]
    trial.world.trouble(operation, Trouble.THROTTLED)
    _failed(trial.read(kind), Reason.THROTTLED, operation)


def half_an_answer_fails_the_run(trial: Trial, kind: Kind) -> None:
    """Whichever call it is that the connection breaks in."""
    trial.world.hold(kind, _ITEMS)
    for operation in trial.world.operations(kind):
        trial.world.calm()
        trial.world.trouble(operation, Trouble.CUT)
        _failed(trial.read(kind), Reason.TRUNCATED, operation)


def no_credential_is_recorded(trial: Trial, kind: Kind) -> None:
    """Neither of a good run nor of one that was refused."""
    trial.world.hold(kind, _ITEMS)
    credentials = trial.world.credentials()
    assert credentials, "the world names no credential to look for"
    _require_none(credentials, trial, _collected(trial.read(kind)))
    trial.world.trouble(trial.world.operations(kind)[0], Trouble.DENIED)
    _require_none(credentials, trial, _failed(trial.read(kind), Reason.DENIED, kind.name))


def nothing_held_is_empty_and_not_failed(trial: Trial, kind: Kind) -> None:
    """The source said that there is none."""
    assert not trial.world.hold(kind, 0)
    found = _collected(trial.read(kind))
    assert found.run.detail is Detail.EMPTY, f"{found.run.counts.items} items, though none is held"


def trouble_on_the_last_page_keeps_no_part_of_the_list(trial: Trial, kind: Kind) -> None:
    """Denied or cut on the third page of three: what came before is no population."""
    trial.world.hold(kind, _ITEMS)
    operation = trial.world.operations(kind)[0]
    for trouble, reason in ((Trouble.DENIED, Reason.DENIED), (Trouble.CUT, Reason.TRUNCATED)):
        trial.world.calm()
        trial.world.trouble(operation, trouble, nth=_PAGES)
        _failed(trial.read(kind), reason, f"{operation}, request {_PAGES} (two items a page)")


def a_secret_in_a_text_is_not_kept(trial: Trial, kind: Kind) -> None:
    """What people paste where it does not belong is replaced before anything is hashed."""
    trial.world.hold(kind, _ITEMS)
    plain = _collected(trial.read(kind)).run.population
    trial.world.plant(kind, SECRET)
    found = _collected(trial.read(kind))
    assert found.run.population != plain, "nothing was planted where this kind reads: is it one of `textless`?"
    _require_none([SECRET], trial, found)


EVERY: tuple[Check, ...] = (
    it_says_what_it_is_and_what_it_needs,
    every_item_is_read_once,
    two_readings_of_one_state_have_one_digest,
    each_denied_call_fails_the_run,
    a_throttled_call_is_made_again,
    a_call_that_stays_throttled_fails_the_run,
    half_an_answer_fails_the_run,
    no_credential_is_recorded,
)


def _collected(found: Observation) -> Observation:
    run = found.run
    assert run.outcome is Outcome.COLLECTED, f"{run.outcome}: {run.reason}: {run.message} {run.hint}"
    return found


def _failed(found: Observation, reason: Reason, what: str) -> Observation:
    run = found.run
    assert run.outcome is Outcome.FAILED, f"{what}: the run is {run.outcome} with {run.counts.items} items"
    assert run.reason is reason, f"{what}: the reason is {run.reason}, not {reason}: {run.message}"
    assert run.message, f"{what}: it does not say what happened"
    assert not found.changes, f"{what}: a failed run changes nothing"
    return found


def _require_none(secrets: Collection[str], trial: Trial, found: Observation) -> None:
    kept = [each.data for each in (*found.artifacts, *trial.staged)] + [found.volatile or b"", repr(found).encode()]
    for secret in secrets:
        # A key in PEM has lines, and JSON writes their ends otherwise.
        line = max(secret.splitlines(), key=len).encode()
        assert not any(line in each for each in kept), "a secret would be stored"

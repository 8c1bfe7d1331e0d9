"""Writers that are there to be killed: each says on a pipe what it is about to do, and what was acknowledged to it."""

from __future__ import annotations

import random
from dataclasses import replace

import structlog
from sqlalchemy import event

from collector import intake
from collector.clock import SystemClock
from collector.config import load_config
from collector.dispatch import Dispatcher
from collector.errors import StoreError
from collector.model import SnapshotRequest, Subject
from collector.store import open_store
from tests.fakes.paper import Paper
from tests.store.conftest import Hand

SOURCES = ("paper:hq", "paper:annex")
CONFIG = '[store]\nurl = "{url}"\n[plan]\njitter = "0s"\n[sources."paper:hq"]\n[sources."paper:annex"]\n'


def live(config, url, source, way, seed, pipe):  # noqa: PLR0917 - arguments of a process
    """Write sweeps of *source*, in a way of `WAYS`, for as long as this process lives.

    Says ``ready``; ``begun`` and ``committing`` of every transaction that writes, ``sweeping`` in between where it
    holds a sweep; and for each sweep that was acknowledged its id, its runs' populations, and the log's head after it.
    """
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger("critical"))
    store = open_store(url, clock=SystemClock())
    for name, said in (("begin", "begun"), ("commit", "committing")):
        event.listen(store._database.engine, name, lambda conn, said=said: _writes(conn) and pipe.send((said,)))
    event.listen(
        store._database.engine, "before_cursor_execute", lambda *args: _sweeps(args[2]) and pipe.send(("sweeping",))
    )
    pipe.send(("ready",))
    for sweep, populations in WAYS[way](store, config, source, random.Random(seed)):
        head = _tried(store.checkpoints.head)
        pipe.send(("acknowledged", sweep, populations, head.size, head.root))


def _writes(conn):
    return conn.get_execution_options().get("evidenced_begin") is not None


def _sweeps(statement):
    return statement.startswith("INSERT INTO sweep ")


def _tried(action):
    """Return what *action* returns, trying again for as long as the store is away, as the daemon does."""
    while True:
        try:
            return action()
        except StoreError:
            SystemClock().sleep(0.02)


def _appended(store, _config, source, rng):
    hands = [Hand(store, Subject(source, "paper.users", scope)) for scope in ("north", "south")]
    clock = SystemClock()
    while True:
        seen = {f"user{each}": {"number": rng.randrange(3)} for each in range(rng.randrange(30))}
        observations = _tried(lambda seen=seen: [hand.saw(seen, clock.now()) for hand in hands])
        receipt = _tried(lambda observations=observations: hands[0].write(*observations))
        yield receipt.sweep, [each.run.population for each in observations]


def _snapped(store, config, source, rng):
    """The daemon's own way: heads in memory, runs side by side, contents staged ahead of the sweep that names them."""
    intake.STAGE_BYTES = 4096  # so that a small population is staged in several transactions, as a big one is
    paper = Paper({})
    connectors = {"paper": paper}
    dispatcher = Dispatcher(load_config(config, connectors), connectors, store, SystemClock())
    _tried(lambda: dispatcher.start(record=False))
    while True:
        for kind in paper.kinds():
            paper.world[kind] = [{"id": str(n), "text": rng.randbytes(150).hex()} for n in range(rng.randrange(40))]
        request = SnapshotRequest(source, (), "to be killed", "Ana", SystemClock().now())
        request = replace(request, id=_tried(lambda request=request: store.request_snapshot(request)))
        swept = _tried(lambda request=request: dispatcher.snapshot(request))
        # None: an answer to a commit was lost, and the request was found answered when it was taken up again.
        if swept is not None:
            yield swept.sweeps[-1], [run.population for run in swept.runs]


WAYS = {"appends": _appended, "snapshots": _snapped}

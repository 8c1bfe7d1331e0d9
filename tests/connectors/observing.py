"""A kind read as the daemon reads it, for tests that look into what came of it."""

from __future__ import annotations

import threading
from datetime import timedelta

from collector.collect import Task, collect
from collector.model import Head, Provenance, Scope, Subject, Trigger

DIGESTS = ("sha256:" + "a" * 64, "sha256:" + "b" * 64)


def observe(session, connector, source, kind, scope, *, clock, due, limit, head=None):
    """Return the observation of *kind* (a name) in the scope called *scope*, read with *session*, due at *due*."""
    spec = connector.kinds()[kind]
    task = Task(
        Subject(source, kind, scope),
        spec,
        Scope(scope, spec.scope),
        due,
        Trigger.SCHEDULE,
        Provenance(connector.name, "0.1", "0.1", *DIGESTS, 1, ("CC6.1",)),
    )
    return collect(
        lambda: (session, session.principal()),
        task,
        head or Head(task.subject),
        clock=clock,
        limit=timedelta(seconds=limit),
        stage=lambda _: None,
        stopping=threading.Event(),
    )

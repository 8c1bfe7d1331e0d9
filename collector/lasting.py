"""What a process that runs for months asks of Python."""

from __future__ import annotations

import gc

_NEW_OBJECTS = 20_000


def settle() -> None:
    """Let Python's collector of garbage leave alone what is loaded by now, and look at what is new less often.

    For a process whose modules and connectors stay until it ends: walking through them again and again holds up, for
    tens of milliseconds, whoever records or asks meanwhile. What comes later is collected as ever.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(_NEW_OBJECTS, 10, 10)

"""How a log is named in its checkpoints. Each epoch has a name of its own: under one name, a log never shrinks."""

from __future__ import annotations


def log_name(store: str) -> str:
    """Return the name of the log of the store whose id is *store*; its keys have it too."""
    return f"evidenced/{store}"


def origin(log: str, epoch: int) -> str:
    """Return the origin line of checkpoints of *log* in *epoch*, which counts from 1."""
    return log if epoch == 1 else f"{log}/{epoch}"

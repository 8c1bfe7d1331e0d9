"""Errors, named by who must act. Each carries a ``hint()``: what that person can do next."""

from __future__ import annotations

from collector.model import Reason


class EvidencedError(Exception):
    """Root of every error this project raises on purpose; ``str()`` is safe to show and to store."""

    default_hint = ""

    def __init__(self, message: str, *, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self._hint = hint

    def hint(self) -> str:
        """Return one sentence on what to do next; may be empty."""
        return self._hint or self.default_hint


class ConfigError(EvidencedError):
    """The operator must correct a file: the message names the file, the key and the line or path."""

    default_hint = "Correct the place named and try again; `evidenced init` writes a commented example."


class StoreError(EvidencedError):
    """The operator must look at the database; the daemon keeps what it holds and waits rather than lose it."""

    default_hint = "Check that the database is reachable, writable and has free space."


class BusyError(EvidencedError):
    """Another process holds the store, or is already reading the source; wait for it or stop it."""


class IntegrityError(EvidencedError):
    """Security must look: recorded evidence does not match its own digests."""

    default_hint = "Keep the database as it is and compare it with the last checkpoint held elsewhere."


class HistoryError(IntegrityError):
    """The store is behind or beside a checkpoint that was given out: a backup was restored, or history rewritten."""

    default_hint = (
        "Look for the newer store first. If it is lost, `evidenced log new-epoch --reason TEXT` declares that."
    )


class DeliveryError(EvidencedError):
    """An authority or an anchor did not take a checkpoint; it stays queued and is tried again."""


class KeeperError(EvidencedError):
    """Whoever keeps a signing key did not give its public half or a signature; the next try may get it."""


class QueryError(EvidencedError):
    """The person asking must correct the question: an unknown kind, run, control or a malformed time."""


class Unknown(QueryError):
    """There is nothing under the name or number that was asked for."""


class Withheld(QueryError):
    """There is such evidence and it cannot be shown: its key is not at hand, or it was erased."""


class ReadError(EvidencedError):
    """A read did not give a whole answer, so the run failed; the subclass is the reason that is recorded."""

    reason: Reason = Reason.INTERNAL


class Denied(ReadError):
    """The source refused: its administrator must grant the permission named here."""

    reason = Reason.DENIED


class Throttled(ReadError):
    """The source asked us to slow down until retries ran out; nobody need act, the next slot tries again."""

    reason = Reason.THROTTLED


class Unavailable(ReadError):
    """The source could not be reached, failed, or did not finish in time; it may answer at the next slot."""

    reason = Reason.UNAVAILABLE


class Truncated(ReadError):
    """The answer is known to be incomplete: a page cap, a repeated token, a cut body."""

    reason = Reason.TRUNCATED


class Invalid(ReadError):
    """The answer does not have the declared form: no key, two items with one key, not JSON."""

    reason = Reason.INVALID


class NotEnabled(ReadError):
    """The service or feature is switched off at the source, so nobody could have looked."""

    reason = Reason.NOT_ENABLED


class Misconfigured(ReadError):
    """The source's settings or credentials are wrong; the operator must correct them."""

    reason = Reason.MISCONFIGURED

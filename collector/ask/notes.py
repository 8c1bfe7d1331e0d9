"""What people write beside what they record: it must say something, and hold no secret, for it cannot be taken back."""

from __future__ import annotations

from collector.errors import QueryError
from collector.redact import scrub

_LONGEST = 4_000


def note_of(text: str, what: str, option: str) -> str:
    """Return *text*, trimmed. Raises `QueryError` when it is empty, long, or holds what looks like a secret.

    *what* is called so in the message (``an upload needs a reason``), *option* is where it is typed.
    """
    text = text.strip()
    if not text:
        raise QueryError(what, hint=f"Say it: {option} TEXT.")
    if len(text) > _LONGEST:
        raise QueryError(f"{option} is longer than {_LONGEST:,} characters", hint="Upload it as a file.")
    require_no_secret(text, option)
    return text


def require_no_secret(text: str, where: str) -> None:
    """Raise `QueryError` that names *where* when *text* holds what looks like a secret; never shows it."""
    if scrub(text) == text:
        return
    lines = text.split("\n")
    line = next((number for number, each in enumerate(lines, start=1) if scrub(each) != each), 1)
    raise QueryError(
        f"{where}: line {line} holds what looks like a secret, and what is recorded stays",
        hint="Take it out, and change the secret if others saw it; then record the rest.",
    )

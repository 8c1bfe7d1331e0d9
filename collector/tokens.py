"""RFC 3161 tokens: what one says, whether it is over a note, and whether an authority that is trusted signed it.

The same is asked of a token when it comes and of one that has been kept for years. ``rfc3161-client`` reads strictly;
what it refuses is left to ``openssl ts``, which takes what real authorities send.
"""

from __future__ import annotations

import re
import subprocess
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from pathlib import Path

from cryptography import x509
from rfc3161_client import PKIStatus, TimeStampResponse, VerificationError, VerifierBuilder, decode_timestamp_response

from collector.clock import iso
from collector.errors import ConfigError

CLOCKS_APART = timedelta(minutes=5)
"""How far an authority's clock and ours may be apart. A token that is further off is not taken, nor believed later."""

_TIMEOUT_S = 20
_SHA256 = x509.ObjectIdentifier("2.16.840.1.101.3.4.2.1")
_NEVER = datetime.min.replace(tzinfo=UTC)
# What `openssl ts -reply -text` prints.
_SAYS = {
    "status": re.compile(r"^Status: (.+)$", re.MULTILINE),
    "algorithm": re.compile(r"^Hash Algorithm: (\S+)$", re.MULTILINE),
    "data": re.compile(r"^ +[0-9a-f]{4} - ((?:[0-9a-f]{2}[ -])+) ", re.MULTILINE),
    "at": re.compile(r"^Time stamp: (\w{3} +\d+ [\d:]{8})(?:\.\d+)? (\d{4}) GMT$", re.MULTILINE),
    "nonce": re.compile(r"^Nonce: 0x([0-9A-F]+)$", re.MULTILINE),
}


@dataclass(frozen=True, slots=True)
class Roots:
    """The certificates in the PEM file *path* that an authority's tokens are to be signed under."""

    path: Path
    certificates: tuple[x509.Certificate, ...]


@dataclass(frozen=True, slots=True)
class Token:
    """An authority's response as read; nothing in it is to be believed yet.

    *said* is why it was not granted, and empty when it was; *imprint* is empty unless it is a SHA-256; *at* is UTC, by
    the authority's clock. *response* is None when only openssl can read the *data*.
    """

    data: bytes
    said: str
    imprint: bytes = b""
    nonce: int | None = None
    at: datetime = _NEVER
    response: TimeStampResponse | None = None


def read_roots(path: Path, place: str) -> Roots:
    """Return the certificates in the PEM file *path*, which *place* names. Raises `ConfigError`."""
    try:
        return Roots(path, tuple(x509.load_pem_x509_certificates(path.read_bytes())))
    except (OSError, ValueError) as error:
        raise ConfigError(f"{place}: {path} holds no certificates: {error}") from error


def read_token(data: bytes) -> Token | None:
    """Return what the response *data* says, or None when it is no time stamp.

    Raises `ConfigError` when it takes openssl to read it and there is none.
    """
    try:
        response = decode_timestamp_response(data)
        if response.status not in (PKIStatus.GRANTED, PKIStatus.GRANTED_WITH_MODS):
            return Token(data, "; ".join(response.status_string) or f"status {response.status}")
        found = response.tst_info
        imprint = found.message_imprint
    except ValueError:
        # It reads strictly; real authorities send what openssl takes: unordered certificate sets, for one.
        return _read_by_openssl(data)
    digest = imprint.message if imprint.hash_algorithm == _SHA256 else b""
    return Token(data, "", digest, found.nonce, found.gen_time.astimezone(UTC), response)


def token_trouble(token: Token | None, note: bytes, roots: Sequence[Roots]) -> str:
    """Return why *token* is no time stamp over *note*, signed under one of *roots*; empty when it is.

    Without roots nobody vouches for it, and all but the signature is looked at. A certificate needs to have been valid
    when the token was made, not now. Raises `ConfigError` when it takes openssl and there is none.
    """
    if token is None:
        return "it is no time stamp"
    if token.said:
        return f"it is no time stamp but a refusal: {token.said}"
    if token.imprint != sha256(note).digest():
        return "it is over something else"
    if roots and not any(_is_signed(token, each) for each in roots):
        return f"it is not signed under {' or '.join(str(each.path) for each in roots)}"
    return ""


def untimely(token: Token, after: datetime, before: datetime) -> str:
    """Return how the time of *token* is outside of *after* to *before*, our times, by more than `CLOCKS_APART`."""
    if token.at < after - CLOCKS_APART:
        return f"its time is {iso(token.at)}, and what it is over was made at {iso(after)}"
    if token.at > before + CLOCKS_APART:
        return f"its time is {iso(token.at)}, and it was here at {iso(before)} already"
    return ""


def stamped_at(response: bytes) -> datetime | None:
    """Return the time that *response* carries, by the authority's clock, in UTC; None when it is no time stamp."""
    read = read_token(response)
    return read.at if read else None


def _is_signed(token: Token, roots: Roots) -> bool:
    if token.response is not None:
        try:
            return VerifierBuilder(roots=list(roots.certificates)).build().verify(token.response, token.imprint)
        except VerificationError:
            pass  # stricter than openssl in what it takes for a chain
    at = ("-attime", str(int(token.at.timestamp())))
    with tempfile.TemporaryDirectory() as folder:
        reply = _saved(folder, token.data)
        said = _openssl("-verify", "-in", reply, "-digest", token.imprint.hex(), "-CAfile", str(roots.path), *at)
    return "Verification: OK" in said


def _read_by_openssl(data: bytes) -> Token | None:
    with tempfile.TemporaryDirectory() as folder:
        said = _openssl("-reply", "-in", _saved(folder, data), "-text")
    status = _SAYS["status"].search(said)
    if status is None:
        return None
    if not status[1].startswith("Granted"):
        return Token(data, status[1])
    at, nonce, algorithm = (_SAYS[name].search(said) for name in ("at", "nonce", "algorithm"))
    if at is None or algorithm is None:
        return None
    digest = b"".join(bytes.fromhex(line.replace("-", " ")) for line in _SAYS["data"].findall(said))
    when = datetime.strptime(f"{at[1]} {at[2]}", "%b %d %H:%M:%S %Y").replace(tzinfo=UTC)
    number = int(nonce[1], 16) if nonce else None
    return Token(data, "", digest if algorithm[1] == "sha256" else b"", number, when)


def _saved(folder: str, data: bytes) -> str:
    path = Path(folder, "reply")
    path.write_bytes(data)
    return str(path)


def _openssl(*arguments: str) -> str:
    try:
        done = subprocess.run(  # noqa: S603 - no shell, our own arguments
            ["openssl", "ts", *arguments],  # noqa: S607 - the machine's own openssl, wherever it keeps it
            capture_output=True,
            timeout=_TIMEOUT_S,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        # Of a token that was not looked at nothing is said.
        raise ConfigError(
            f"openssl is needed to read a time stamp and cannot be run: {error}", hint="Install openssl."
        ) from error
    return (done.stdout + done.stderr).decode("utf-8", "replace")

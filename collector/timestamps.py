"""RFC 3161: asking an authority to put its time on a checkpoint's note.

The response is kept as it came, so that ``openssl ts -verify`` reads it. It is looked at before it is kept: granted,
over this note, to this request, and signed under the authority's root where the configuration names one.
"""

from __future__ import annotations

import http.client
import re
import subprocess
import tempfile
import urllib.request
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path

from cryptography import x509
from rfc3161_client import (
    HashAlgorithm,
    PKIStatus,
    TimeStampRequest,
    TimestampRequestBuilder,
    TimeStampResponse,
    VerificationError,
    VerifierBuilder,
    decode_timestamp_response,
)

from collector.errors import ConfigError, DeliveryError

_TIMEOUT_S = 20
_MOST_BYTES = 1_000_000
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


class Authority:
    """One time stamp authority at *url*; *roots* is a PEM file to check its answers against, or None."""

    def __init__(self, name: str, url: str, roots: Path | None = None) -> None:
        self._name = name
        self._url = url
        self._roots = roots

    def stamp(self, note: bytes) -> bytes:
        """Return the authority's response over *note*, checked.

        Raises `DeliveryError` when it does not answer or its answer does not hold, `ConfigError` for unusable roots.
        """
        roots = self._certificates()
        request = TimestampRequestBuilder().data(note).hash_algorithm(HashAlgorithm.SHA256).build()
        answer = self._post(request.as_bytes())
        read = _read(answer)
        if read is None:
            raise self._refused("what it answers is no time stamp")
        if not read.granted:
            raise self._refused(f"it does not stamp: {read.said}")
        if read.imprint != sha256(note).digest():
            raise self._refused("the token is over something else")
        if read.nonce != request.nonce:
            raise self._refused("the token answers another request")
        if roots and not self._is_signed(request, read, answer, roots):
            raise self._refused(f"the token is not signed under {self._roots}")
        return answer

    def _post(self, body: bytes) -> bytes:
        headers = {"Content-Type": "application/timestamp-query", "Accept": "application/timestamp-reply"}
        request = urllib.request.Request(self._url, body, headers)  # noqa: S310 - the settings take only http and https
        try:
            with urllib.request.urlopen(request, timeout=_TIMEOUT_S) as answer:  # noqa: S310
                data: bytes = answer.read(_MOST_BYTES)
                return data
        except (OSError, http.client.HTTPException, ValueError) as error:
            raise self._refused(f"{self._url} does not answer: {error}") from error

    def _is_signed(self, request: TimeStampRequest, read: _Read, answer: bytes, roots: list[x509.Certificate]) -> bool:
        if read.response is None:
            return self._is_signed_by_openssl(request.as_bytes(), answer)
        builder = VerifierBuilder.from_request(request)
        for root in roots:
            builder = builder.add_root_certificate(root)
        try:
            return builder.build().verify(read.response, read.imprint)
        except VerificationError:
            # Stricter than openssl in what it takes for a chain; whoever verifies later has openssl.
            return self._is_signed_by_openssl(request.as_bytes(), answer)

    def _is_signed_by_openssl(self, request: bytes, answer: bytes) -> bool:
        with tempfile.TemporaryDirectory() as folder:
            query, reply = Path(folder, "q"), Path(folder, "r")
            query.write_bytes(request)
            reply.write_bytes(answer)
            checked = ("-verify", "-in", str(reply), "-queryfile", str(query), "-CAfile", str(self._roots))
            return "Verification: OK" in _openssl(*checked)

    def _certificates(self) -> list[x509.Certificate]:
        try:
            return x509.load_pem_x509_certificates(self._roots.read_bytes()) if self._roots else []
        except (OSError, ValueError) as error:
            where = f"checkpoints.authorities.{self._name}.roots"
            raise ConfigError(f"{where}: {self._roots} holds no certificates: {error}") from error

    def _refused(self, said: str) -> DeliveryError:
        return DeliveryError(f"the authority {self._name}: {said}")


@dataclass(frozen=True, slots=True)
class _Read:
    """A response as read: *said* is why it was not granted; *response* is None when only openssl can read it."""

    granted: bool
    said: str
    imprint: bytes
    nonce: int | None
    at: datetime
    response: TimeStampResponse | None = None


def stamped_at(response: bytes) -> datetime | None:
    """Return the time that *response* carries, by the authority's clock, in UTC; None when it is no time stamp."""
    read = _read(response)
    return read.at if read else None


def _read(answer: bytes) -> _Read | None:
    try:
        response = decode_timestamp_response(answer)
        if response.status not in (PKIStatus.GRANTED, PKIStatus.GRANTED_WITH_MODS):
            said = "; ".join(response.status_string) or f"status {response.status}"
            return _Read(False, said, b"", None, _NEVER)
        found = response.tst_info
        imprint = found.message_imprint
    except ValueError:
        # It reads strictly; real authorities send what openssl takes: unordered certificate sets, for one.
        return _read_by_openssl(answer)
    digest = imprint.message if imprint.hash_algorithm == _SHA256 else b""
    return _Read(True, "", digest, found.nonce, found.gen_time.astimezone(UTC), response)


def _read_by_openssl(answer: bytes) -> _Read | None:
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, "r").write_bytes(answer)
        said = _openssl("-reply", "-in", str(Path(folder, "r")), "-text")
    status = _SAYS["status"].search(said)
    if status is None:
        return None
    if not status[1].startswith("Granted"):
        return _Read(False, status[1], b"", None, _NEVER)
    at, nonce, algorithm = (_SAYS[name].search(said) for name in ("at", "nonce", "algorithm"))
    if at is None or algorithm is None:
        return None
    digest = b"".join(bytes.fromhex(line.replace("-", " ")) for line in _SAYS["data"].findall(said))
    when = datetime.strptime(f"{at[1]} {at[2]}", "%b %d %H:%M:%S %Y").replace(tzinfo=UTC)
    number = int(nonce[1], 16) if nonce else None
    return _Read(True, "", digest if algorithm[1] == "sha256" else b"", number, when)


def _openssl(*arguments: str) -> str:
    try:
        done = subprocess.run(  # noqa: S603 - no shell, our own arguments
            ["openssl", "ts", *arguments],  # noqa: S607 - the machine's own openssl, wherever it keeps it
            capture_output=True,
            timeout=_TIMEOUT_S,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        return str(error)
    return (done.stdout + done.stderr).decode("utf-8", "replace")

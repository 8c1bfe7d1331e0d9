"""RFC 3161: asking an authority to put its time on a checkpoint's note.

The response is kept as it came, so that ``openssl ts -verify`` reads it. It is looked at before it is kept: granted,
over this note, to this request, and signed under the authority's root where the configuration names one.
"""

from __future__ import annotations

import http.client
import subprocess
import tempfile
import urllib.request
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
_MOST_CERTIFICATES = 20
_SHA256 = x509.ObjectIdentifier("2.16.840.1.101.3.4.2.1")


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
        request = TimestampRequestBuilder().data(note).hash_algorithm(HashAlgorithm.SHA256).build()
        answer = self._post(request.as_bytes())
        try:
            response = decode_timestamp_response(answer)
            self._require_ours(request, response, note)
        except ValueError as error:
            # It reads strictly; real authorities send what openssl takes (unordered certificate sets, for one).
            self._require_by_openssl(request.as_bytes(), answer, str(error))
            return answer
        if self._roots:
            self._require_signed(request, response, answer, note)
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

    def _require_ours(self, request: TimeStampRequest, response: TimeStampResponse, note: bytes) -> None:
        if response.status not in (PKIStatus.GRANTED, PKIStatus.GRANTED_WITH_MODS):
            raise self._refused("; ".join(response.status_string) or f"status {response.status}")
        imprint = response.tst_info.message_imprint
        if imprint.hash_algorithm != _SHA256 or imprint.message != sha256(note).digest():
            raise self._refused("the token is over something else")
        if response.tst_info.nonce != request.nonce:
            raise self._refused("the token answers another request")

    def _require_signed(
        self, request: TimeStampRequest, response: TimeStampResponse, answer: bytes, note: bytes
    ) -> None:
        builder = VerifierBuilder.from_request(request)
        for root in _certificates(self._name, self._roots):
            builder = builder.add_root_certificate(root)
        try:
            builder.build().verify_message(response, note)
        except VerificationError as error:
            self._require_by_openssl(request.as_bytes(), answer, str(error))

    def _require_by_openssl(self, request: bytes, answer: bytes, why: str) -> None:
        """Raise `DeliveryError` unless openssl takes *answer*: with roots verified, without them at least read."""
        with tempfile.TemporaryDirectory() as folder:
            query, reply = Path(folder, "q"), Path(folder, "r")
            query.write_bytes(request)
            reply.write_bytes(answer)
            if self._roots:
                said = _openssl("-verify", "-in", str(reply), "-queryfile", str(query), "-CAfile", str(self._roots))
                holds = "Verification: OK" in said
            else:
                said = _openssl("-reply", "-in", str(reply), "-text")
                holds = "Status: Granted" in said and _field(_openssl("-query", "-in", str(query), "-text"), said)
        if not holds:
            raise self._refused(f"the token does not hold: {why}")

    def _refused(self, said: str) -> DeliveryError:
        return DeliveryError(f"the authority {self._name}: {said}")


def stamped_at(response: bytes) -> datetime | None:
    """Return the time that *response* carries, by the authority's clock; None when only openssl can read it."""
    try:
        return decode_timestamp_response(response).tst_info.gen_time.astimezone(UTC)
    except ValueError:
        return None


def _certificates(name: str, path: Path | None) -> list[x509.Certificate]:
    try:
        return x509.load_pem_x509_certificates(path.read_bytes())[:_MOST_CERTIFICATES] if path else []
    except (OSError, ValueError) as error:
        raise ConfigError(f"checkpoints.authorities.{name}: roots: {path} holds no certificates: {error}") from error


def _field(query: str, reply: str) -> bool:
    """Tell whether *reply* has the message and the nonce of *query*, both as ``openssl ts -text`` shows them."""

    def parts(text: str) -> tuple[str, str]:
        message = text.partition("Message data:")[2].partition("Policy OID")[0].partition("Serial")[0]
        nonce = text.partition("Nonce:")[2].strip().partition("\n")[0]
        return message.strip(), nonce

    return all(parts(query)) and parts(query) == parts(reply)


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

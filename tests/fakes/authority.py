"""A time stamp authority on loopback: real RFC 3161 tokens by ``openssl ts``, under a root of its own.

``openssl ts`` knows no time but the machine's. Where a test plays the clock, what is to be signed is written here and
signed by ``openssl cms``; the result is verified by ``openssl ts -verify`` as any other.
"""

from __future__ import annotations

import subprocess
import threading
from collections.abc import Callable
from datetime import datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import count
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization

_CONFIG = """
[tsa]
default_tsa = one
[one]
serial = {folder}/serial
signer_cert = {folder}/tsa.pem
signer_key = {folder}/tsa.key
{certs}signer_digest = sha256
default_policy = 1.2.3.4.1
digests = sha256, sha384, sha512
accuracy = secs:1
ess_cert_id_chain = no
ess_cert_id_alg = sha256
[req]
distinguished_name = name
prompt = no
[name]
CN = {name}
[root]
basicConstraints = critical,CA:TRUE
keyUsage = critical,keyCertSign
subjectKeyIdentifier = hash
[stamper]
basicConstraints = CA:FALSE
keyUsage = critical,digitalSignature
extendedKeyUsage = critical,timeStamping
"""


def openssl(*arguments: str, given: bytes = b"") -> bytes:
    """Run ``openssl`` and return what it prints; fail with its own words."""
    done = subprocess.run(["openssl", *arguments], input=given, capture_output=True, check=False)
    assert done.returncode == 0, done.stderr.decode()
    return done.stdout


class TimeStampAuthority:
    """Listens at *url* while it is up; *root* is the PEM file that verifies its tokens.

    *instead*, when set, is answered in the place of a token. An *untidy* one sends its certificates in an order that
    DER does not allow and openssl takes, as some real ones do. With *clock* its time is what that returns.
    """

    def __init__(
        self,
        folder: Path,
        name: str = "Paper Time",
        *,
        untidy: bool = False,
        clock: Callable[[], datetime] | None = None,
    ) -> None:
        self.folder, self.untidy, self.clock = folder, untidy, clock
        self._serials = count(1)
        self.root = folder / "root.pem"
        self.asked = 0
        self.instead: bytes | None = None
        certs = f"certs = {folder}/root.pem\n" if untidy else ""
        (folder / "serial").write_text("01\n")
        (folder / "ts.cnf").write_text(_CONFIG.format(folder=folder, name=name, certs=certs))
        self._make_certificates(name)
        self._server: ThreadingHTTPServer | None = None
        self._port = 0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._port}/tsa"

    def _make_certificates(self, name: str) -> None:
        at, config = f"{self.folder}/", ["-config", f"{self.folder}/ts.cnf"]
        new_key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "3650"]
        openssl(
            "req",
            "-x509",
            *new_key,
            "-keyout",
            at + "root.key",
            "-out",
            at + "root.pem",
            "-extensions",
            "root",
            *config,
        )
        request = ["-subj", f"/CN={name} stamper", "-keyout", at + "tsa.key", "-out", at + "tsa.pem"]
        signed = ["-CA", at + "root.pem", "-CAkey", at + "root.key", "-extensions", "stamper"]
        openssl("req", "-x509", *new_key, *request, *signed, *config)

    def certify(self, since: datetime, until: datetime) -> None:
        """Give the stamper another certificate, for the same key, valid from *since* until *until*; so is the root."""
        keys = {
            name: serialization.load_pem_private_key((self.folder / f"{name}.key").read_bytes(), None)
            for name in ("root", "tsa")
        }
        for name, key in keys.items():
            old = x509.load_pem_x509_certificate((self.folder / f"{name}.pem").read_bytes())
            made = x509.CertificateBuilder(old.issuer, old.subject, key.public_key(), x509.random_serial_number())
            made = made.not_valid_before(since).not_valid_after(until)
            for each in old.extensions:
                made = made.add_extension(each.value, each.critical)
            data = made.sign(keys["root"], hashes.SHA256()).public_bytes(serialization.Encoding.PEM)
            (self.folder / f"{name}.pem").write_bytes(data)

    def up(self) -> None:
        authority = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                query = self.rfile.read(int(self.headers["Content-Length"]))
                assert self.headers["Content-Type"] == "application/timestamp-query"
                answer = authority.instead if authority.instead is not None else authority.reply(query)
                self.send_response(200)
                self.send_header("Content-Type", "application/timestamp-reply")
                self.send_header("Content-Length", str(len(answer)))
                self.end_headers()
                self.wfile.write(answer)

            def log_message(self, *_: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", self._port), Handler)
        self._port = self._server.server_port
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def down(self) -> None:
        if self._server is not None:
            self._server.shutdown()
            self._server.server_close()
            self._server = None

    def reply(self, query: bytes) -> bytes:
        """Return the response to the DER *query*."""
        self.asked += 1
        if self.clock is not None:
            return self._reply_at(query, self.clock())
        (self.folder / "query").write_bytes(query)
        made = ["-queryfile", f"{self.folder}/query", "-config", f"{self.folder}/ts.cnf", "-section", "one"]
        return openssl("ts", "-reply", *made)

    def stamp(self, note: bytes) -> bytes:
        """Return the response over *note*, asked as `openssl ts -query` does."""
        (self.folder / "note").write_bytes(note)
        return self.reply(openssl("ts", "-query", "-data", f"{self.folder}/note", "-sha256", "-cert"))

    def _reply_at(self, query: bytes, at: datetime) -> bytes:
        _, imprint, *rest = parts(query)
        nonce = [each for each in rest if each[0] == INTEGER]
        time = _der(0x18, at.strftime("%Y%m%d%H%M%SZ").encode())
        serial = _der(INTEGER, next(self._serials).to_bytes(4, "big").lstrip(b"\0"))
        said = _der(SEQUENCE, b"\x02\x01\x01", bytes.fromhex("06042a030401"), imprint, serial, time, *nonce)
        signer = ["-signer", f"{self.folder}/tsa.pem", "-inkey", f"{self.folder}/tsa.key", "-md", "sha256", "-cades"]
        form = ["-binary", "-nodetach", "-outform", "DER", "-econtent_type", "1.2.840.113549.1.9.16.1.4"]
        return _der(SEQUENCE, bytes.fromhex("3003020100"), openssl("cms", "-sign", *signer, *form, given=said))


INTEGER, SEQUENCE = 0x02, 0x30


def _der(tag: int, *contents: bytes) -> bytes:
    body = b"".join(contents)
    size = len(body).to_bytes(4, "big").lstrip(b"\0")
    return bytes([tag]) + (bytes([len(body)]) if len(body) < 0x80 else bytes([0x80 | len(size)]) + size) + body


def parts(data: bytes) -> list[bytes]:
    """Return the elements, whole, of the DER sequence *data*."""
    found, at = [], _header(data, 0)[0]
    while at < len(data):
        begins, length = _header(data, at)
        found.append(data[at : begins + length])
        at = begins + length
    return found


def _header(data: bytes, at: int) -> tuple[int, int]:
    """Return where the contents of the element at *at* begin, and their length."""
    length = data[at + 1]
    if length < 0x80:
        return at + 2, length
    more = length & 0x7F
    return at + 2 + more, int.from_bytes(data[at + 2 : at + 2 + more], "big")

"""A time stamp authority on loopback: real RFC 3161 tokens by ``openssl ts``, under a root of its own."""

from __future__ import annotations

import subprocess
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

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
    DER does not allow and openssl takes, as some real ones do.
    """

    def __init__(self, folder: Path, name: str = "Paper Time", *, untidy: bool = False) -> None:
        self.folder = folder
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
        (self.folder / "query").write_bytes(query)
        made = ["-queryfile", f"{self.folder}/query", "-config", f"{self.folder}/ts.cnf", "-section", "one"]
        return openssl("ts", "-reply", *made)

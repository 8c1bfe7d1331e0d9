"""TLS is always verified; who re-signs it is trusted only where the environment says so."""

from __future__ import annotations

import ssl
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from collector.errors import Unavailable
from tests.http.loopback import Loopback

LIST = 'list = { op = "GET /orgs/{org}/things", items = "@" }\nkey = "id"'


@pytest.fixture
def certificate(tmp_path):
    """A file with a certificate for 127.0.0.1, signed by nobody else, and its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "loopback")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(minutes=5))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    path = tmp_path / "loopback.pem"
    encoding = serialization.Encoding.PEM
    secret = key.private_bytes(encoding, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    path.write_bytes(made.public_bytes(encoding) + secret)
    return path


@pytest.fixture
def server(certificate):
    """A server on loopback that speaks TLS."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    server = Loopback(context)
    server.on("GET /orgs/acme/things", [{"id": 1}])
    yield server
    server.close()


def test_a_certificate_that_nobody_vouches_for_is_not_accepted(vendor, server):
    vendor.set(addresses={"main": server.url}, attempts=1)
    with pytest.raises(Unavailable, match="certificate was not accepted"):
        vendor.read(LIST)
    assert server.heard == []


def test_an_authority_named_by_the_environment_is_accepted(vendor, server, certificate, monkeypatch):
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(certificate))
    vendor.set(addresses={"main": server.url})
    assert vendor.read(LIST) == [{"id": 1}]

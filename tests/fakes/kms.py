"""AWS KMS for asymmetric keys: on `tests.fakes.aws`, which judges requests and answers by botocore's model.

The keys are real ones, so that what is signed can be verified; nobody gets a private half.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from tests.fakes.aws import FakeAws
from tests.fakes.aws.refusal import Refusal

MAKERS = {
    "ECC_NIST_EDWARDS25519": Ed25519PrivateKey.generate,
    "ECC_NIST_P256": lambda: ec.generate_private_key(ec.SECP256R1()),
}
ALGORITHMS = {"ECC_NIST_EDWARDS25519": ["ED25519_SHA_512", "ED25519_PH_SHA_512"], "ECC_NIST_P256": ["ECDSA_SHA_256"]}


@dataclass
class Key:
    """One key; *state* is what `DescribeKey` would call it."""

    spec: str
    private: Any
    arn: str
    state: str = "Enabled"


@dataclass
class Kms:
    """The keys of one account and region, by alias, id and ARN."""

    aws: FakeAws
    keys: dict[str, Key] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.aws.play("kms", "GetPublicKey", self._public)
        self.aws.play("kms", "Sign", self._sign)

    def create(self, alias: str, spec: str = "ECC_NIST_EDWARDS25519") -> Key:
        """Return a new key that *alias* (``alias/NAME``) points to from now on."""
        number = str(uuid4())
        key = Key(spec, MAKERS[spec](), f"arn:aws:kms:us-east-1:{self.aws.account}:key/{number}")
        self.keys |= {alias: key, number: key, key.arn: key}
        return key

    def _public(self, ask: Any) -> Any:
        key = self._usable(ask)
        if isinstance(key, Refusal):
            return key
        form = serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
        said = {"KeyId": key.arn, "KeySpec": key.spec, "KeyUsage": "SIGN_VERIFY"}
        more = {"SigningAlgorithms": ALGORITHMS[key.spec], "PublicKey": key.private.public_key().public_bytes(*form)}
        return said | more

    def _sign(self, ask: Any) -> Any:
        key, algorithm = self._usable(ask), ask.params["SigningAlgorithm"]
        if isinstance(key, Refusal):
            return key
        if algorithm not in ALGORITHMS[key.spec]:
            return Refusal("InvalidKeyUsageException", f"{key.arn} does not sign with {algorithm}")
        if (algorithm, ask.params.get("MessageType", "RAW")) == ("ED25519_SHA_512", "RAW"):
            signature = key.private.sign(ask.params["Message"])
        elif (algorithm, ask.params.get("MessageType", "RAW")) == ("ECDSA_SHA_256", "RAW"):
            signature = key.private.sign(ask.params["Message"], ec.ECDSA(hashes.SHA256()))
        else:
            return Refusal("ValidationException", f"{algorithm} is not for this message type", 400)
        return {"KeyId": key.arn, "Signature": signature, "SigningAlgorithm": algorithm}

    def _usable(self, ask: Any) -> Key | Refusal:
        name = ask.params["KeyId"]
        key = self.keys.get(name)
        if key is None:
            return Refusal("NotFoundException", f"Key '{name}' does not exist")
        match key.state:
            case "Enabled":
                return key
            case "Disabled":
                return Refusal("DisabledException", f"{key.arn} is disabled.")
        return Refusal("KMSInvalidStateException", f"{key.arn} is pending deletion.")

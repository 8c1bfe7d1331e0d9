"""How KMS is asked, by whoever keeps a key there: references, the SDK's client, what its errors come to."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl

from collector.errors import ConfigError, KeeperError

_OPTIONS = ("region", "profile", "endpoint_url")
# What AWS says (codes that the operations declare, and common ones) -> what happened, what to do; a name in braces is
# the `Advice` for it.
_TROUBLES: tuple[tuple[tuple[str, ...], str, str], ...] = (
    (
        ("AccessDeniedException", "AccessDenied"),
        "was denied",
        "Allow {allow} on this key, in its policy or in that of the role.",
    ),
    (("NotFoundException", "InvalidArnException"), "knows no such key", "See the region too. {make}"),
    (("DisabledException",), "says that the key is disabled", "Enable it, or put another in its place: {replace}."),
    (
        ("KMSInvalidStateException",),
        "says that the key cannot be used in its state",
        "If it is to be deleted: aws kms cancel-key-deletion, then enable it. {deleted}",
    ),
    (("InvalidKeyUsageException", "UnsupportedOperationException"), "says that this key does not {use} so", "{make}"),
    (
        ("ThrottlingException", "Throttling", "LimitExceededException", "TooManyRequestsException"),
        "was asked too often",
        "It is tried again each minute; see what else uses the account's quota of KMS requests.",
    ),
    (
        (
            "ExpiredTokenException",
            "UnrecognizedClientException",
            "InvalidSignatureException",
            "IncompleteSignature",
        ),
        "refused the credentials",
        "Renew or correct the credentials that the SDK finds, or name a profile: kms:KEY?profile=NAME.",
    ),
)


@dataclass(frozen=True)
class Advice:
    """What an operator does about a key of this use: what to *allow*, how to *make* and *replace* one, and so on."""

    use: str
    allow: str
    make: str
    replace: str
    deleted: str
    away: str


class KmsClient:
    """Asks KMS for what it does with one key; every trouble is a `KeeperError` that has *advice*.

    *reference* is ``KEY`` or ``KEY?region=...&profile=...&endpoint_url=...``; KEY is an id, an ARN, or an alias
    (``alias/NAME``). Credentials and what is not said come from the SDK's own chain. Raises `ConfigError` for options
    that are not known, and without the SDK.
    """

    def __init__(self, reference: str, advice: Advice) -> None:
        self._advice = advice
        self.name, _, query = reference.partition("?")
        options = dict(parse_qsl(query, keep_blank_values=True))
        unknown = sorted(options.keys() - set(_OPTIONS))
        if unknown or not self.name:
            known = ", ".join(_OPTIONS)
            what = f"no option {unknown[0]!r}" if unknown else "no key"
            raise ConfigError(f"kms:{reference}: there is {what}", hint=f"kms:KEY?OPTION=...; options: {known}.")
        self._options = options
        self._client: Any = None

    def ask(self, operation: str, method: str, **parameters: Any) -> dict[str, Any]:
        """Return the answer to *operation* (kms:OPERATION), which the SDK calls *method*."""
        with self._translated(operation):
            if self._client is None:
                self._client = _client(self.name, self._options)
            answer: dict[str, Any] = getattr(self._client, method)(**parameters)
        return answer

    @contextmanager
    def _translated(self, operation: str) -> Iterator[None]:
        try:
            from botocore.exceptions import BotoCoreError, ClientError
        except ImportError as error:
            raise ConfigError(f"kms:{self.name} needs the AWS SDK", hint="pip install 'evidenced[aws]'") from error
        try:
            yield
        except ClientError as error:
            what, hint = self._trouble(code_of(error))
            raise KeeperError(f"kms:{self.name}: kms:{operation} {what}: {error}", hint=hint) from error
        except BotoCoreError as error:
            hint = self._advice.away
            raise KeeperError(f"kms:{self.name}: kms:{operation} got no answer: {error}", hint=hint) from error

    def _trouble(self, code: str) -> tuple[str, str]:
        found = next(((what, hint) for codes, what, hint in _TROUBLES if code in codes), ("failed", "{away}"))
        words = vars(self._advice)
        return found[0].format(**words), found[1].format(**words)


def code_of(error: BaseException | None) -> str:
    """Return the code in *error* of the SDK, empty when it has none."""
    response: dict[str, Any] = getattr(error, "response", {})
    return str(response.get("Error", {}).get("Code", ""))


def _client(name: str, options: dict[str, str]) -> Any:
    # At first use: whoever only reads the configuration needs no SDK.
    import boto3
    from botocore.config import Config

    region = options.get("region") or _region_of(name)
    session = boto3.session.Session(profile_name=options.get("profile") or None, region_name=region)
    retries: Any = {"mode": "standard", "total_max_attempts": 3}
    settings = Config(connect_timeout=3, read_timeout=5, retries=retries)
    return session.client("kms", endpoint_url=options.get("endpoint_url") or None, config=settings)


def _region_of(name: str) -> str | None:
    """Return the region in an ARN (``arn:aws:kms:REGION:...``), None when *name* is none: then the SDK's chain says."""
    parts = name.split(":")
    return parts[3] if parts[0] == "arn" and len(parts) > 3 else None  # noqa: PLR2004 - the fourth field of an ARN

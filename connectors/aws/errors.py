"""botocore's and AWS's errors as reasons: who must act, naming the operation, the permission and AWS's own words."""

from __future__ import annotations

import re
from collections.abc import Container, Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from typing import Any

from botocore import exceptions as sdk
from botocore.parsers import ResponseParserError

from collector.clock import Clock
from collector.errors import Denied, Invalid, Misconfigured, NotEnabled, ReadError, Throttled, Unavailable
from collector.redact import scrub

LONGEST_MESSAGE = 600

_DENIED = re.compile(r"AccessDenied(Exception)?|UnauthorizedOperation|Unauthorized(Exception)?|AuthorizationError.*")
_PART = re.compile(r"(?:[Ff]ailed|[Uu]nprocessed)[A-Z]\w*")
_SIGNATURE = re.compile(
    r"RequestTimeTooSkewed|RequestExpired|RequestInTheFuture|InvalidSignatureException|SignatureDoesNotMatch"
)
_NOT_ENABLED = re.compile(
    r"SubscriptionRequired(Exception)?|OptInRequired(Exception)?|AWSOrganizationsNotInUseException"
)
_THROTTLED = re.compile(
    r"Throttl\w*|\w*Throttled(Exception)?|RequestLimitExceeded|TooManyRequests(Exception)?|SlowDown|BandwidthLimitExceeded"
    r"|LimitExceededException|ProvisionedThroughputExceededException|PriorRequestNotComplete"
)
_CREDENTIALS = re.compile(
    r"ExpiredToken(Exception)?|InvalidClientTokenId|UnrecognizedClientException|InvalidAccessKeyId|AuthFailure"
    r"|MissingAuthenticationToken(Exception)?|IncompleteSignature(Exception)?|InvalidToken|TokenRefreshRequired"
)
_FAILED = re.compile(
    r"InternalFailure|InternalError|InternalServer\w*|Internal(Service)?Exception|ServiceUnavailable\w*|ServiceFailure"
    r"|ServiceException|RequestTimeout(Exception)?|DependencyTimeoutException|KMSInternalException"
)

# AWS's codes or statuses -> reason, what happened, what to do. Throttling first: S3 says SlowDown with 503.
_ANSWERED: tuple[tuple[re.Pattern[str], Container[int], type[ReadError], str, str], ...] = (
    (
        _THROTTLED,
        {HTTPStatus.TOO_MANY_REQUESTS},
        Throttled,
        "was throttled",
        "The next slot tries again; lower `requests_per_second` for the service if it happens often.",
    ),
    (_NOT_ENABLED, (), NotEnabled, "says it is not in use", "Enable it for the account, or exclude the kind."),
    (
        _CREDENTIALS,
        (),
        Misconfigured,
        "refused the credentials",
        "Renew or correct the credentials; a region that is not switched on for the account says this as well.",
    ),
    (_FAILED, range(500, 600), Unavailable, "failed at AWS", "The next slot tries again."),
)

_NOT_AWS = "What answered did not speak as AWS does; see what is between here and AWS."
_SEE_CREDENTIALS = "See that the daemon finds credentials: environment, profile or instance role."

# botocore's errors without an answer, the special ones first -> reason, what to do.
_UNANSWERED: tuple[tuple[tuple[type[Exception], ...], type[ReadError], str], ...] = (
    (
        (sdk.ProfileNotFound,),
        Misconfigured,
        "Correct `profile`, or AWS_PROFILE, or the shared config file.",
    ),
    (
        (
            sdk.NoCredentialsError,
            sdk.PartialCredentialsError,
            sdk.CredentialRetrievalError,
            sdk.UnknownCredentialError,
            sdk.RefreshWithMFAUnsupportedError,
            sdk.TokenRetrievalError,
            sdk.MetadataRetrievalError,
            sdk.SSOError,
            sdk.LoginError,
        ),
        Misconfigured,
        _SEE_CREDENTIALS,
    ),
    (
        (
            sdk.ConfigParseError,
            sdk.ConfigNotFound,
            sdk.InvalidConfigError,
            sdk.InvalidRegionError,
            sdk.UnknownRegionError,
            sdk.BaseEndpointResolverError,
            sdk.InvalidEndpointConfigurationError,
            sdk.EndpointProviderError,
            sdk.InvalidIMDSEndpointError,
            sdk.InvalidProxiesConfigError,
            sdk.MissingDependencyException,
        ),
        Misconfigured,
        "Correct the source's settings or the shared AWS config file.",
    ),
    (
        (sdk.SSLError,),
        Unavailable,
        "If a proxy re-signs TLS, set AWS_CA_BUNDLE to its certificate authority.",
    ),
    (
        (sdk.HTTPClientError, sdk.ConnectionError, sdk.IncompleteReadError),
        Unavailable,
        "See that the endpoint can be reached from here; the next slot tries again.",
    ),
    ((ResponseParserError,), Invalid, _NOT_AWS),
)
_SKEW_WORTH_NAMING_S = 60


def code_of(error: sdk.ClientError) -> str:
    """Return AWS's error code: 'AccessDenied'."""
    return str(error.response.get("Error", {}).get("Code", ""))


def matches(error: sdk.ClientError, codes: list[str | int]) -> bool:
    """Return whether *error* is one of the declared *codes*: its code, the query-compatible one, or its HTTP status."""
    answer = error.response
    status = answer.get("ResponseMetadata", {}).get("HTTPStatusCode")
    return bool({code_of(error), answer.get("Error", {}).get("QueryErrorCode"), status} & set(codes))


def date_of(answer: Mapping[str, Any]) -> datetime | None:
    """Return the ``Date`` header of *answer* (UTC), or None when it has none that can be read."""
    text = answer.get("ResponseMetadata", {}).get("HTTPHeaders", {}).get("date", "")
    try:
        return parsedate_to_datetime(text).astimezone(UTC)
    except ValueError:
        return None


def as_read_error(error: Exception, operation: str, action: str, clock: Clock) -> ReadError | None:
    """Return the reason for *error* of a call of *operation*, which *action* permits; None when it is a defect of ours.

    The message names the operation, AWS's code and message, with secrets and encoded blobs taken out.
    """
    if isinstance(error, ReadError):
        return error
    if isinstance(error, sdk.ClientError):
        return _answered(error, operation, action, clock)
    for types, reason, hint in _UNANSWERED:
        if isinstance(error, types):
            return reason(f"{operation}: {clean(str(error))}", hint=hint)
    return None


def refused_part(answer: Mapping[str, Any], operation: str, action: str) -> ReadError | None:
    """Return the reason for what an *answer* with status 200 lists as failed; None when it lists nothing so.

    What AWS could not tell is not in the answer's other lists, and would pass for absent or switched off.
    """
    for name, parts in answer.items():
        if _PART.fullmatch(name) and isinstance(parts, list) and parts:
            text = clean(f"{name}: {parts[0]}")
            if re.search(r"access_?denied|unauthorized|not authorized", text, re.IGNORECASE):
                return _denied(text, operation, action)
            return Unavailable(f"{operation} left out a part: {text}", hint="The next slot tries again.")
    return None


def _answered(error: sdk.ClientError, operation: str, action: str, clock: Clock) -> ReadError | None:
    code = code_of(error)
    status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
    text = f"{code}: {clean(str(error.response.get('Error', {}).get('Message', '')))}"
    if error.operation_name in ("AssumeRole", "AssumeRoleWithWebIdentity"):
        # Taking the role's credentials comes out of whichever call needed them.
        operation, action = f"sts.{error.operation_name}", "sts:AssumeRole"
    if _DENIED.fullmatch(code):
        return _denied(text, operation, action)
    if _SIGNATURE.fullmatch(code):
        return _signature(text, operation, date_of(error.response), clock)
    for pattern, statuses, reason, what, hint in _ANSWERED:
        if pattern.fullmatch(code) or status in statuses:
            return reason(f"{operation} {what}: {text}", hint=hint)
    if code.isdigit():
        # botocore found no code in the body and gave the HTTP status for one: AWS names its errors.
        return Invalid(f"{operation} was refused without a reason that can be read: {text}", hint=_NOT_AWS)
    return None


def _denied(text: str, operation: str, action: str) -> Denied:
    if operation.startswith("sts.Assume"):
        hint = "The role's trust policy must name this principal and, if it asks for one, the external id."
    elif "service control policy" in text or "resource control policy" in text:
        hint = f"A policy of the organisation denies {action}; its administrator must except this role."
    elif "explicit deny" in text:
        hint = (
            f"A policy denies {action} explicitly: except this principal. `evidenced policy aws` lists what is needed."
        )
    else:
        hint = f"Grant {action} to the principal; `evidenced policy aws` prints the policy for what is enabled."
    return Denied(f"{operation} was denied, it needs {action}: {text}", hint=hint)


def _signature(text: str, operation: str, date: datetime | None, clock: Clock) -> Misconfigured:
    off = (clock.now() - date).total_seconds() if date else 0.0
    if abs(off) > _SKEW_WORTH_NAMING_S:
        side = "ahead of" if off > 0 else "behind"
        return Misconfigured(
            f"{operation} refused the signature, and this machine's clock is {abs(off):.0f} s {side} AWS's: {text}",
            hint="Set this machine's clock (NTP).",
        )
    hint = "Renew or correct the credentials; the secret key is wrong, or their time is over."
    return Misconfigured(f"{operation} refused the credentials: {text}", hint=hint)


def clean(text: str) -> str:
    """Return AWS's or botocore's words fit to be shown and stored: one line, bounded, without secrets."""
    text = re.sub(r"Encoded authorization failure message: \S+", "(encoded message left out)", text)
    # AWS quotes the whole signed request in some refusals; it holds nothing that helps and a session token that hurts.
    text = re.split(r"(?:The Canonical String|The canonical string|The String-to-Sign)", text)[0]
    text = scrub(" ".join(text.split()))
    return text if len(text) <= LONGEST_MESSAGE else text[: LONGEST_MESSAGE - 1] + "…"

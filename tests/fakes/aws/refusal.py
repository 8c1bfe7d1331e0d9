"""Errors a service declares, and the forms in which each protocol says the common ones."""

from __future__ import annotations

from typing import Any

from moto.core.model import OperationModel

COMMON = {
    "AccessDenied",
    "AccessDeniedException",
    "AuthFailure",
    "ExpiredToken",
    "ExpiredTokenException",
    "InternalFailure",
    "InvalidClientTokenId",
    "InvalidSignatureException",
    "OptInRequired",
    "RequestExpired",
    "RequestLimitExceeded",
    "ServiceUnavailable",
    "SignatureDoesNotMatch",
    "SlowDown",
    "SubscriptionRequiredException",
    "Throttling",
    "ThrottlingException",
    "UnauthorizedOperation",
    "UnrecognizedClientException",
    "ValidationError",
    "ValidationException",
}
"""Codes that any service may answer though no operation declares them (IAM reference, "Common Errors")."""

S3_ACTIONS = {
    "ListBuckets": "ListAllMyBuckets",
    "GetPublicAccessBlock": "GetBucketPublicAccessBlock",
    "GetBucketEncryption": "GetEncryptionConfiguration",
    "GetBucketLifecycleConfiguration": "GetLifecycleConfiguration",
    "GetBucketReplication": "GetReplicationConfiguration",
    "GetObjectLockConfiguration": "GetBucketObjectLockConfiguration",
}
"""S3 operations whose IAM action has another name (Service Authorization Reference, Amazon S3)."""


class FixtureError(Exception):
    """A fixture that the service's own description does not allow."""


class Refusal(Exception):
    """An error answer: *code* as the wire carries it, and *members* of the error's shape.

    Without HTTP *status* the operation must declare the code, and its model gives the status.
    """

    def __init__(self, code: str, message: str = "", status: int = 0, **members: Any) -> None:
        super().__init__(f"{code}: {message}")
        self.code, self.message, self.status, self.members = code, message, status, members


class NotUnderstood(Refusal):
    """The request is wrong by the service's own description: the test fails, whatever the client makes of it."""


def declared(model: OperationModel, code: str, message: str = "", **members: Any) -> Refusal:
    """Return the error *code* of an operation with the HTTP status its model gives.

    Raises `FixtureError` when the operation does not declare it and it is not common. EC2 and S3 declare almost none,
    so there any code passes, with the status S3 documents for things that are not there.
    """
    shapes: list[Any] = model.error_shapes
    for shape in shapes:
        error = shape.metadata.get("error", {})
        if code in (error.get("code"), shape.name):
            names = {name: shape.members[name].serialization.get("name", name) for name in members}
            said = {names[name]: value for name, value in members.items()}
            return Refusal(code, message or code, error.get("httpStatusCode", 400), **said)
    if model.service_model.service_name == "s3":
        absent = code.startswith("NoSuch") or code.endswith("NotFoundError")
        return Refusal(code, message or code, 404 if absent else 403 if code == "AccessDenied" else 400, **members)
    if code in COMMON or model.service_model.resolved_protocol == "ec2":
        return Refusal(code, message or code, 400, **members)
    known = sorted(shape.metadata.get("error", {}).get("code", shape.name) for shape in shapes)
    raise FixtureError(f"{model.name} declares {', '.join(known)}, not {code}")


def denied(model: OperationModel, principal: str) -> Refusal:
    """Return the refusal for want of a permission, with the message AWS gives: who may not do what."""
    service = model.service_model
    action = S3_ACTIONS.get(model.name, model.name) if service.service_name == "s3" else model.name
    action = f"{service.signing_name}:{action}"
    text = f"User: {principal} is not authorized to perform: {action}"
    why = f"because no identity-based policy allows the {action} action"
    match service.resolved_protocol:
        case "ec2":
            return Refusal(
                "UnauthorizedOperation", f"You are not authorized to perform this operation. {text} {why}", 403
            )
        case "query":
            return Refusal("AccessDenied", f"{text} on resource: * {why}", 403)
        case "rest-xml":
            return Refusal("AccessDenied", f"{text} {why}", 403)
        case "rest-json":
            return Refusal("AccessDeniedException", f"{text} on resource: * {why}", 403)
    return Refusal("AccessDeniedException", f"{text} {why}", 400)


def throttled(model: OperationModel) -> Refusal:
    """Return the refusal for asking too fast, as the service says it."""
    service = model.service_model
    if service.service_name == "s3":
        return Refusal("SlowDown", "Please reduce your request rate.", 503)
    for shape in model.error_shapes:
        error = shape.metadata.get("error", {})
        if error.get("httpStatusCode") == 429 or shape.name in {"TooManyRequestsException", "ThrottlingException"}:
            return Refusal(error.get("code", shape.name), "Rate exceeded", error.get("httpStatusCode", 400))
    match service.resolved_protocol:
        case "ec2":
            return Refusal("RequestLimitExceeded", "Request limit exceeded.", 503)
        case "query":
            return Refusal("Throttling", "Rate exceeded", 400)
        case "rest-json":
            return Refusal("ThrottlingException", "Rate exceeded", 429)
    return Refusal("ThrottlingException", "Rate exceeded", 400)


def expired(model: OperationModel) -> Refusal:
    """Return the refusal of temporary credentials that are over."""
    message = "The security token included in the request is expired"
    match model.service_model.resolved_protocol:
        case "json" | "rest-json":
            return Refusal("ExpiredTokenException", message, 400 if _json(model) else 403)
        case "ec2":
            return Refusal("RequestExpired", "Request has expired.", 400)
        case "rest-xml":
            return Refusal("ExpiredToken", "The provided token has expired.", 400)
    return Refusal("ExpiredToken", message, 403)


def _json(model: OperationModel) -> bool:
    return bool(model.service_model.resolved_protocol == "json")

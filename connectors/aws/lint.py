"""What botocore's models say is wrong with a kind, so that it is found before AWS or an auditor finds it."""

from __future__ import annotations

import re
from collections.abc import Iterator

from botocore.model import OperationModel

from collector import fields
from collector.connector import Problem
from collector.errors import ConfigError
from collector.procedure import Kind
from collector.procedures.expressions import Expression, expression
from connectors.aws.data import table
from connectors.aws.forms import SENSITIVE, Form, NoSuchField, at_path, found_by, sample
from connectors.aws.lint_calls import Finding, check_calls
from connectors.aws.model import operation
from connectors.aws.prepare import ReadyKind, prepare

_ACTION = re.compile(r"[a-z0-9-]+:[A-Z]\w+")
_REDACTED = "(redacted)"
# Where people put secrets though most models do not say so: start scripts, and variables (a map or a list of pairs).
_SCRIPT = re.compile(r"user_?data", re.IGNORECASE)
_VARIABLES = re.compile(r"environment|\w*variables", re.IGNORECASE)


def lint(kind: Kind) -> list[Problem]:
    """Return every problem of *kind*; an empty list is not proof that AWS will agree, but most mistakes are seen."""
    try:
        ready = prepare(kind)
        item, findings = check_calls(ready)
        findings += [
            *_key(ready, item),
            *_since(kind, item),
            *_paths(kind, item),
            *_secrets(kind, item),
            *_grants(ready),
        ]
    except ConfigError as error:
        return [Problem(kind.name, "calls", error.message)]
    return [Problem(kind.name, place, message) for place, message in findings]


def _key(ready: ReadyKind, item: Form) -> Iterator[Finding]:
    kind = ready.kind
    if not kind.list_:
        if kind.key:
            yield "key", "a kind without `list` is one item and has no key"
    elif not kind.key:
        yield "key", "items that are listed need a key"
    else:
        yield from _exists(expression(kind.key), item, "key")


def _since(kind: Kind, item: Form) -> Iterator[Finding]:
    if kind.since is None:
        return
    yield from _exists(expression(kind.since.field), item, "since.field")
    written = str([call.params for call in kind.calls])
    for name in ("{since}", "{until}"):
        if name not in written:
            yield "since", f"no call passes {name}: the window would not reach AWS"


def _exists(text: Expression, item: Form, place: str) -> Iterator[Finding]:
    try:
        found_by(text, item)
    except NoSuchField as missing:
        yield place, f"the item has no {missing}"


def _paths(kind: Kind, item: Form) -> Iterator[Finding]:
    for place in ("volatile", "redact", "never", "sets"):
        for path in getattr(kind, place):
            found = at_path(item, path)
            if not found:
                yield place, f"no item has {path}"
            elif place == "sets" and not any(each.anything or each.element is not None for each in found):
                yield place, f"{path} is no list"


def _secrets(kind: Kind, item: Form) -> Iterator[Finding]:
    document = sample(item)
    fields.remove(document, kind.never)
    fields.mark(document, kind.redact, _REDACTED)
    for path in sorted(set(_marked(document, ""))):
        yield "redact", f"the model calls {path} sensitive: redact it, or never keep it"
    for path in sorted(set(_hiding(document, ""))):
        yield "redact", f"{path} is where secrets are put: redact it, or never keep it"


def _marked(value: object, path: str) -> Iterator[str]:
    if value == SENSITIVE:
        yield path
    elif isinstance(value, dict):
        for name, each in value.items():
            yield from _marked(each, f"{path}.{name}" if path else name)
    elif isinstance(value, list):
        for each in value:
            yield from _marked(each, f"{path}[]")


def _hiding(value: object, path: str) -> Iterator[str]:
    if isinstance(value, dict):
        for name, each in value.items():
            place = f"{path}.{name}" if path else name
            if each in (_REDACTED, SENSITIVE):
                continue
            pairs = isinstance(each, list) or (isinstance(each, dict) and each.keys() == {"key"})
            if _SCRIPT.fullmatch(name) or (pairs and _VARIABLES.fullmatch(name)):
                yield place
            else:
                yield from _hiding(each, place)
    elif isinstance(value, list):
        for each in value:
            yield from _hiding(each, f"{path}[]")


def _grants(ready: ReadyKind) -> Iterator[Finding]:
    known = set(table("actions")["action"].values()) | {call.action for call in ready.calls}
    for call in ready.calls:
        if call.action and not _ACTION.fullmatch(call.action):
            yield "grants", f"{call.action} does not look like an IAM action"
    services = {call.operation.service: call.operation.model for call in ready.calls}
    for grant in ready.kind.grants:
        if grant not in known and not any(_names(service, model, grant) for service, model in services.items()):
            yield "grants", f"{grant} is no action of a service this kind calls"


def _names(service: str, model: OperationModel, grant: str) -> bool:
    name = grant.partition(":")[2]
    if name not in model.service_model.operation_names:
        return False
    return operation(f"{service}.{name}").action == grant

"""Lint of the calls of a kind, in the order of execution: what each is given and what the item then looks like."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime

from botocore.validate import ParamValidator

from collector.model import Json, Window
from collector.procedure import Call, Since
from collector.procedures.expressions import Expression
from collector.procedures.values import fill, placeholders, window_values
from connectors.aws.forms import ANYTHING, SCALAR, Form, NoSuchField, found_by, merged, of_shape, union
from connectors.aws.prepare import Ready, ReadyBatch, ReadyKind

Finding = tuple[str, str]  # place in the spec, what is wrong there

_SOME_TIME = datetime(2026, 1, 1, tzinfo=UTC)


@dataclass
class _Lint:
    ready: ReadyKind
    values: dict[str, Json]
    findings: list[Finding] = field(default_factory=list)
    detailed: dict[str, str] = field(default_factory=dict)

    def note(self, call: Ready, message: str) -> None:
        self.findings.append((call.name, message))

    def find(self, call: Ready, text: Expression, form: Form, of: str) -> Form:
        try:
            return found_by(text, form)
        except NoSuchField as missing:
            self.note(call, f"{text.text!r}: {of} has no {missing}")
            return ANYTHING


def check_calls(ready: ReadyKind) -> tuple[Form, list[Finding]]:
    """Return the form of the items of *ready*, and what is wrong with its calls."""
    lint = _Lint(ready, _values(ready))
    for loop in ready.loops:
        if loop.call:
            _root(lint, loop.call)
        elif not loop.spec.values:
            lint.findings.append(("for", f"{loop.spec.var} has neither values nor a call"))
        lint.values[loop.spec.var] = "value"
    if ready.poll:
        call, until = ready.poll
        _parameters(lint, call, None)
        lint.find(call, until, of_shape(call.operation.model.output_shape), "the answer")
    roots = [_root(lint, root) for root in ready.roots]
    item = union(roots) if roots else Form(fields={})
    for batch in ready.batches:
        item = _batch(lint, batch, item)
    for call in ready.each:
        item = _detail(lint, call, item)
    return item, lint.findings


def _values(ready: ReadyKind) -> dict[str, Json]:
    values: dict[str, Json] = {"account": "123456789012", "region": "us-east-1"}
    since: Since | None = ready.kind.since
    return values | window_values(since, Window(_SOME_TIME, _SOME_TIME)) if since else values


def _root(lint: _Lint, root: Ready) -> Form:
    _parameters(lint, root, None)
    for name in ("pick", "into", "when", "at"):
        if getattr(root.spec, name):
            lint.note(root, f"`{'if' if name == 'when' else name}` is for details")
    if root.spec.gone:
        lint.note(root, "`gone` is for details")
    form = _element(lint, root)
    if form.fields is None and not form.anything and lint.ready.roots and root in lint.ready.roots:
        lint.note(root, "lists bare values: name them by `wrap`")
    return form


def _element(lint: _Lint, call: Ready) -> Form:
    """Return the form of one listed item, dressed as the engine dresses it."""
    assert call.items is not None
    page = of_shape(call.operation.model.output_shape)
    found = lint.find(call, call.items, page, "the answer")
    if call.spec.decode:
        return ANYTHING
    if found.element is None and not found.anything:
        lint.note(call, f"{call.items.text} is no list")
    form = found.element or ANYTHING
    if call.spec.wrap and form.fields is None:
        form = Form(fields={call.spec.wrap: form})
    return _dressed(lint, call, form, page)


def _dressed(lint: _Lint, call: Ready, form: Form, page: Form) -> Form:
    put = {name: lint.find(call, text, page, "the answer") for name, text in call.put}
    added = {**dict.fromkeys(call.spec.set, ANYTHING), **put}
    return merged(form, added) if added and (form.fields is not None or form.anything) else form


def _batch(lint: _Lint, batch: ReadyBatch, item: Form) -> Form:
    call = batch.call
    _parameters(lint, call, item, given=(re.split(r"[.\[]", batch.spec.ids)[0],))
    answer = _element(lint, call)
    lint.find(call, batch.id, item, "the item")
    lint.find(call, batch.match, answer, "an answer")
    if batch.spec.many and not batch.spec.into:
        lint.note(call, "several answers per item need `into`")
    return _merge(lint, call, item, Form(element=answer) if batch.spec.many else answer)


def _detail(lint: _Lint, call: Ready, item: Form) -> Form:
    _parameters(lint, call, item)
    spec = call.spec
    if call.when:
        lint.find(call, call.when, item, "the item")
    if call.at:
        lint.find(call, call.at, item, "the item")
    if lint.ready.roots and not call.bind and not call.inferred:
        lint.note(call, "does not depend on the item: bind a parameter to it")
    if (spec.absent or call.items) and not spec.into:
        lint.note(call, "`absent` codes and listed details need `into`")
    if call.items is not None:
        if spec.pick:
            lint.note(call, "`items` and `pick` exclude each other")
        return _merge(lint, call, item, Form(element=_element(lint, call)))
    page = of_shape(call.operation.model.output_shape)
    value = lint.find(call, call.pick, page, "the answer") if call.pick else _dressed(lint, call, page, page)
    return _merge(lint, call, item, value)


def _merge(lint: _Lint, call: Ready, item: Form, value: Form) -> Form:
    """Return *item* with *value* as the engine adds it; a field that hides another detail's is noted."""
    into = call.spec.into
    if into is None and value.fields is None:
        if not value.anything:
            lint.note(call, "gives no object to merge: name a field for it by `into`")
        return item
    added = {into: value} if into else dict(value.fields or {})
    for name in added:
        other = lint.detailed.setdefault(name, call.name)
        if other != call.name:
            lint.note(call, f"its {name} hides that of {other}: name a field for one by `into`")
    return merged(item, added)


def _parameters(lint: _Lint, call: Ready, item: Form | None, given: tuple[str, ...] = ()) -> None:
    spec, members = call.spec, call.operation.members
    for name in [*spec.params, *spec.bind, *given]:
        if name not in members:
            lint.note(call, f"has no parameter {name}")
    for _, text in call.bind:
        lint.find(call, text, item or SCALAR, "the item")
    for name in call.inferred:
        if item is None or not (item.anything or name in (item.fields or {})):
            lint.note(call, f"parameter {name} is required: give it in `params`, `bind` or `for`")
    for name in placeholders([spec.params, spec.set]):
        if name not in lint.values:
            lint.note(call, f"nothing gives a value to {{{name}}}")
    for message in _type_errors(lint, call):
        lint.note(call, message)
    _codes(lint, call, spec)


def _type_errors(lint: _Lint, call: Ready) -> Iterator[str]:
    shape = call.operation.model.input_shape
    if shape is None:
        return
    params = {name: fill(value, lint.values) for name, value in call.spec.params.items() if name in shape.members}
    report = ParamValidator().validate(params, shape).generate_report()
    # What is bound is not known here, and what is missing is said above.
    yield from (line for line in report.splitlines() if line and not line.startswith("Missing required parameter"))


def _codes(lint: _Lint, call: Ready, spec: Call) -> None:
    declared = call.operation.errors
    if call.operation.paging is None and call.operation.stray_tokens:
        lint.note(call, f"answers with {', '.join(call.operation.stray_tokens)}, and how it pages is not known")
    # EC2 and S3 declare no errors, and no service declares those that all share.
    if not declared:
        return
    for code in [*spec.absent, *spec.gone, *spec.not_enabled]:
        if isinstance(code, str) and code not in declared:
            lint.note(call, f"its model declares no error {code}")

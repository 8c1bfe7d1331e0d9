"""Mutation testing in small: every one-step change of a module's code, run against facts that should notice it.

Not mutated, because they are not behaviour: docstrings, annotations, decorators, and the text of raised errors.
The modules under test have no ``while``, so no mutant runs for ever.
"""

import ast
import importlib.util
import sys
import time
from collections import Counter
from collections.abc import Callable, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType

_SWAPS = {
    ast.Lt: [ast.LtE, ast.Gt],
    ast.LtE: [ast.Lt, ast.GtE],
    ast.Gt: [ast.GtE, ast.Lt],
    ast.GtE: [ast.Gt, ast.LtE],
    ast.Eq: [ast.NotEq],
    ast.NotEq: [ast.Eq],
    ast.In: [ast.NotIn],
    ast.NotIn: [ast.In],
    ast.Is: [ast.IsNot],
    ast.IsNot: [ast.Is],
    ast.Add: [ast.Sub],
    ast.Sub: [ast.Add],
    ast.Mult: [ast.Add],
    ast.LShift: [ast.RShift],
    ast.RShift: [ast.LShift],
    ast.BitAnd: [ast.BitOr],
    ast.BitOr: [ast.BitAnd],
    ast.BitXor: [ast.BitAnd, ast.BitOr],
    ast.And: [ast.Or],
    ast.Or: [ast.And],
}


@dataclass
class Mutant:
    """One changed module: where it was changed and how, and the code."""

    name: str
    tree: ast.Module


def mutants(path: Path) -> list[Mutant]:
    """Return every mutant of the module at *path*, in the order of its source."""
    source = path.read_text(encoding="utf-8")
    original = ast.parse(source)
    assert not any(isinstance(each, ast.While) for each in ast.walk(original)), "a mutant of a while may never end"
    found = []
    for number, (place, node) in enumerate(_behaviour(original)):
        for position, _ in enumerate(_changes(node)):
            changed = ast.parse(source)
            target = _behaviour(changed)[number][1]
            before = ast.unparse(target)
            _changes(target)[position]()
            after = ast.unparse(target)
            found.append(Mutant(f"{place}: {before} => {after}", ast.fix_missing_locations(changed)))
    for name, count in Counter(each.name for each in found).items():
        alike = [each for each in found if each.name == name]
        for number in range(1, count):
            alike[number].name += f" #{number + 1}"
    return found


@contextmanager
def loaded(mutant: Mutant, path: Path):
    """Import the mutant as a module of its own, gone afterwards."""
    spec = importlib.util.spec_from_file_location("mutant", path)
    module = ModuleType("mutant")
    module.__spec__, module.__file__ = spec, str(path)
    sys.modules["mutant"] = module
    try:
        exec(compile(mutant.tree, str(path), "exec"), vars(module))
        yield module
    finally:
        del sys.modules["mutant"]


def facts_in(test_module: ModuleType) -> list[Callable[[ModuleType], None]]:
    """Return the tests of *test_module*: functions whose only argument is the module they are about."""
    return [each for name, each in vars(test_module).items() if name.startswith("test_")]


def survivors(original: ModuleType, facts, equivalent: Mapping[str, str]) -> list[str]:
    """Return the names of the mutants of *original* that every one of *facts* lets pass.

    *equivalent* names mutants that behave as the original does, with the reason; one that does not exist, or dies,
    is returned too: the list must stay true.
    """
    path = Path(original.__file__)
    quickest_first = sorted(facts, key=lambda fact: _seconds(fact, original))
    alive = [mutant.name for mutant in mutants(path) if _survives(mutant, path, quickest_first)]
    wrong = set(equivalent) - set(alive)
    return [name for name in alive if name not in equivalent] + [f"not an equivalent mutant: {name}" for name in wrong]


def _seconds(fact, original: ModuleType) -> float:
    start = time.perf_counter()
    fact(original)
    return time.perf_counter() - start


def _survives(mutant, path, facts) -> bool:
    try:
        with loaded(mutant, path) as module:
            for fact in facts:
                fact(module)
    except BaseException as error:
        # pytest.raises fails with an exception that is not an Exception; any complaint at all is a dead mutant.
        if isinstance(error, KeyboardInterrupt | SystemExit):
            raise
        return False
    return True


def _behaviour(tree: ast.Module) -> list[tuple[str, ast.AST]]:
    """Return (function or class, node) for every node that is behaviour, in a stable order."""
    nodes: list[tuple[str, ast.AST]] = []

    def walk(node: ast.AST, place: str) -> None:
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            place = node.name if place == "module" else f"{place}.{node.name}"
        nodes.append((place, node))
        for field, value in ast.iter_fields(node):
            if field in ("annotation", "returns", "decorator_list", "bases") or (
                isinstance(node, ast.Raise) and field in ("exc", "cause")
            ):
                continue
            for child in value if isinstance(value, list) else [value]:
                if isinstance(child, ast.AST) and not _is_docstring(child):
                    walk(child, place)

    walk(tree, "module")
    return nodes


def _is_docstring(node: ast.AST) -> bool:
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str)


def _changes(node: ast.AST):
    """Return functions that each change *node* in place in one way."""
    changes = []
    if isinstance(node, ast.Compare):
        for index, operator in enumerate(node.ops):
            changes += [lambda i=index, n=new: node.ops.__setitem__(i, n()) for new in _SWAPS[type(operator)]]
    if isinstance(node, ast.BinOp | ast.BoolOp):
        changes += [lambda n=new: setattr(node, "op", n()) for new in _SWAPS.get(type(node.op), [])]
    if isinstance(node, ast.Constant):
        changes += [lambda v=value: setattr(node, "value", v) for value in _other_constants(node.value)]
    if isinstance(node, ast.If | ast.IfExp):
        changes += [lambda v=value: setattr(node, "test", ast.Constant(v)) for value in (True, False)]
    if isinstance(node, ast.comprehension):
        changes += [lambda i=index: node.ifs.pop(i) for index in range(len(node.ifs))]
    for field in ("body", "orelse"):
        for index, statement in enumerate(getattr(node, field, None) or [] if isinstance(node, ast.stmt) else []):
            if isinstance(statement, ast.Raise | ast.Return | ast.Expr | ast.Continue) and not _is_docstring(statement):
                changes.append(lambda f=field, i=index: getattr(node, f).__setitem__(i, ast.Pass()))
    changes += _expression_changes(node)
    return changes


def _expression_changes(node: ast.AST):
    changes = []
    for field, value in ast.iter_fields(node):
        for index, child in enumerate(value if isinstance(value, list) else [value]):
            inner = _simplified(child)
            if inner is not None and isinstance(value, list):
                changes.append(lambda v=value, i=index, new=inner: v.__setitem__(i, new))
            elif inner is not None:
                changes.append(lambda f=field, new=inner: setattr(node, f, new))
    return changes


def _simplified(node: object):
    """What is left of an expression without its ``not``, minus sign or ``reversed``; None when it has none."""
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not | ast.USub):
        return node.operand
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "reversed":
        return ast.Call(ast.Name("list", ast.Load()), node.args, [])
    return None


def _other_constants(value: object) -> list[object]:
    if isinstance(value, bool):
        return [not value]
    if isinstance(value, int):
        return [value + 1, value - 1]
    if isinstance(value, str | bytes):
        return [value[:0], value + value] if value else [type(value)(b"x") if isinstance(value, bytes) else "x"]
    return []

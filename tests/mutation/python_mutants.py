"""Mutants of a Python file: small changes of its syntax tree, each of which a test should notice."""

import ast
import copy
from collections.abc import Callable, Iterator
from dataclasses import dataclass

FACTORS = (1.25, 0.8)
"""Factors of a decimal number; a whole number is changed by one. A test that pins a threshold has inputs on both sides
of it, so near that these factors cross them."""
_COMPARED = {
    ast.Lt: (ast.LtE, ast.GtE),
    ast.LtE: (ast.Lt, ast.Gt),
    ast.Gt: (ast.GtE, ast.LtE),
    ast.GtE: (ast.Gt, ast.Lt),
    ast.Eq: (ast.NotEq,),
    ast.NotEq: (ast.Eq,),
    ast.Is: (ast.IsNot,),
    ast.IsNot: (ast.Is,),
    ast.In: (ast.NotIn,),
    ast.NotIn: (ast.In,),
}
_COMPUTED = {
    ast.Add: ast.Sub,
    ast.Sub: ast.Add,
    ast.Mult: ast.Div,
    ast.Div: ast.Mult,
    ast.FloorDiv: ast.Mult,
    ast.Mod: ast.Mult,
    ast.Pow: ast.Mult,
    ast.BitAnd: ast.BitOr,
    ast.BitOr: ast.BitAnd,
    ast.BitXor: ast.BitAnd,
    ast.LShift: ast.RShift,
    ast.RShift: ast.LShift,
}
_CALLED = {"min": "max", "max": "min", "any": "all", "all": "any", "minimum": "maximum", "maximum": "minimum"}


@dataclass(frozen=True)
class Mutant:
    """One change of a file."""

    line: int
    before: str
    after: str
    place: int
    """Position among all mutants of the file, from which `mutated` makes it again."""


Change = tuple[ast.AST, ast.AST, Callable[[], None], Callable[[], None]]
"""The part that is shown before, the part that is shown after, and functions that make the change and undo it."""


def mutants_of(source: str) -> list[Mutant]:
    """List the mutants of a file."""
    found = []
    for place, (shown, after, do, undo) in enumerate(_changes(ast.parse(source))):
        before = _text(shown)
        do()
        found.append(Mutant(getattr(shown, "lineno", 0), before, _text(after), place))
        undo()
    return found


def mutated(source: str, place: int) -> str:
    """Return a file with one change."""
    tree = ast.parse(source)
    for index, (_, _, do, _) in enumerate(_changes(tree)):
        if index == place:
            do()
            return ast.unparse(ast.fix_missing_locations(tree))
    raise IndexError(f"no mutant {place}")


def _text(node: ast.AST) -> str:
    text = " ".join(ast.unparse(node).split())
    return text if len(text) <= 90 else f"{text[:87]}..."


def _changes(tree: ast.Module) -> Iterator[Change]:
    for node in _walk(tree):
        yield from _changes_of(node)


def _walk(node: ast.AST) -> Iterator[ast.AST]:
    """Yield the parts that run: no annotations, no docstrings, no imports, no texts of errors, no `__all__`."""
    yield node
    for name, value in ast.iter_fields(node):
        if name in ("annotation", "returns", "type_comment", "type_params", "decorator_list"):
            continue
        for child in value if isinstance(value, list) else [value]:
            if isinstance(child, ast.AST) and not _is_left_alone(child):
                yield from _walk(child)


def _is_left_alone(node: ast.AST) -> bool:
    if isinstance(node, ast.Import | ast.ImportFrom | ast.JoinedStr):
        return True
    if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
        return True
    if isinstance(node, ast.Assign | ast.AnnAssign):
        targets = node.targets if isinstance(node, ast.Assign) else [node.target]
        return any(isinstance(target, ast.Name) and target.id == "__all__" for target in targets)
    return False


def _changes_of(node: ast.AST) -> Iterator[Change]:
    if isinstance(node, ast.Constant):
        yield from (_set(node, "value", value) for value in _numbers(node.value))
    elif isinstance(node, ast.Compare):
        for place, operator in enumerate(node.ops):
            for other in _COMPARED[type(operator)]:
                yield _set(node, "ops", [*node.ops[:place], other(), *node.ops[place + 1 :]])
    elif isinstance(node, ast.BinOp | ast.AugAssign) and type(node.op) in _COMPUTED:
        yield _set(node, "op", _COMPUTED[type(node.op)]())
    elif isinstance(node, ast.BoolOp):
        yield _set(node, "op", ast.Or() if isinstance(node.op, ast.And) else ast.And())
    elif isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not | ast.USub | ast.Invert):
        yield _set(node, "operand", ast.UnaryOp(copy.copy(node.op), node.operand))
    elif isinstance(node, ast.If | ast.IfExp | ast.While):
        if isinstance(node.test, ast.Name | ast.Call | ast.Attribute | ast.NamedExpr):
            yield _set(node, "test", ast.UnaryOp(ast.Not(), node.test), shown=node.test)
    elif isinstance(node, ast.Call):
        function = node.func
        name = function.id if isinstance(function, ast.Name) else getattr(function, "attr", "")
        if name in _CALLED:
            yield _set(function, "id" if isinstance(function, ast.Name) else "attr", _CALLED[name], shown=node)
    yield from _without_statements(node)


def _numbers(value: object) -> list[object]:
    if isinstance(value, bool):
        return [not value]
    if isinstance(value, int):
        return [value + 1, value - 1]
    if isinstance(value, float):
        return [value * factor for factor in FACTORS] if value else [1.0]
    return []


def _set(node: ast.AST, field: str, value: object, shown: ast.AST | None = None) -> Change:
    before = getattr(node, field)
    part = shown or node
    after = value if isinstance(value, ast.AST) and shown is not None and field == "test" else part
    return part, after, lambda: setattr(node, field, value), lambda: setattr(node, field, before)


def _without_statements(node: ast.AST) -> Iterator[Change]:
    """Yield changes that leave out one statement of a body: a call, a change of a value, a jump."""
    for name in ("body", "orelse", "finalbody"):
        body = getattr(node, name, None)
        if not isinstance(body, list) or isinstance(node, ast.Module | ast.ClassDef):
            continue
        for place, statement in enumerate(body):
            is_call = isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Call)
            if is_call or isinstance(statement, ast.AugAssign | ast.Continue | ast.Break | ast.Raise):

                def put(what: ast.stmt, body: list[ast.stmt] = body, place: int = place) -> None:
                    body[place] = what

                empty = ast.Pass()
                yield statement, empty, lambda put=put, empty=empty: put(empty), lambda put=put, s=statement: put(s)

"""Small changes to code that good tests notice. Cosmic Ray's operators make them; which ones and where is decided here.

Left out are changes that no test could be asked to notice: in annotations, under ``TYPE_CHECKING`` or
``pragma: no cover``, in what is only logged or printed; and those that are no Python, or the same program.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any

from mltestscore.stats.seeds import generator

OPERATORS = (
    *(f"ReplaceBinaryOperator_{pair}" for pair in ("Add_Sub", "Sub_Add", "Mul_Div", "Div_Mul", "Mod_Mul")),
    *(f"ReplaceBinaryOperator_{pair}" for pair in ("Pow_Mul", "BitAnd_BitOr", "BitOr_BitAnd")),
    *(f"ReplaceComparisonOperator_{pair}" for pair in ("Lt_LtE", "LtE_Lt", "Gt_GtE", "GtE_Gt", "Eq_NotEq")),
    *(f"ReplaceComparisonOperator_{pair}" for pair in ("NotEq_Eq", "Is_IsNot", "IsNot_Is")),
    *(f"ReplaceUnaryOperator_Delete_{name}" for name in ("Not", "USub", "Invert")),
    *("NumberReplacer", "AddNot", "ReplaceAndWithOr", "ReplaceOrWithAnd", "ReplaceTrueWithFalse"),
    *("ReplaceFalseWithTrue", "ReplaceBreakWithContinue", "ReplaceContinueWithBreak", "ZeroIterationForLoop"),
)
"""One change for each kind of slip (a wrong sign, an off-by-one, a lost ``not``). Of the eleven ways to replace ``+``
most raise at once, and would only make tests look good; ``/`` for ``//`` is the same where whole numbers come out."""
LEVELS = ("debug", "info", "warning", "error", "exception", "critical", "log")


@dataclass(frozen=True)
class Place:
    """Where an operator can change a module: the operator, its occurrence, the line, and the function around it."""

    module: str
    operator: str
    occurrence: int
    line: int
    function: str


@dataclass(frozen=True)
class Mutant:
    """A changed module.

    Attributes:
        place: what was changed where.
        text: the whole changed module.
        before: the first line that differs, as it was.
        after: the same line, changed.
    """

    place: Place
    text: str
    before: str
    after: str


def places(module: str, text: str, excluded: frozenset[int]) -> list[Place]:
    """Return every place of a module that can be changed, in an order drawn at random, the same for the same text.

    Raises :class:`SyntaxError` for a module that is no Python.
    """
    from cosmic_ray.ast import ast_nodes, get_ast

    tree = ast.parse(text)
    functions, silent = _functions(tree), _silent(tree)
    nodes = list(ast_nodes(get_ast(text)))
    found = []
    for name in OPERATORS:
        positions = [position for node in nodes for position in _operator(name).mutation_positions(node)]
        for occurrence, ((line, column), _) in enumerate(positions):
            if line not in excluded and not any(start <= (line, column) < end for start, end in silent):
                found.append(Place(module, name, occurrence, line, _around(functions, line)))
    order = generator("mutants", module, text).permutation(len(found))
    return [found[place] for place in order]


def mutant(place: Place, text: str) -> Mutant | None:
    """Return the module changed at a place, or ``None`` where that is no Python or the same program."""
    from cosmic_ray.mutating import mutate_code

    changed = mutate_code(text, _operator(place.operator), place.occurrence)
    try:
        after = ast.parse(changed or "")
    except (SyntaxError, ValueError):
        return None
    before = ast.parse(text)
    if _parameters(before) != _parameters(after) or ast.dump(before) == ast.dump(after):
        return None
    if "BinaryOperator" in place.operator and _operations(before) == _operations(after):
        return None  # ``**`` and ``*`` that unpack
    lines = zip(text.splitlines(), changed.splitlines(), strict=False)
    old, new = next(((old.strip(), new.strip()) for old, new in lines if old != new), ("", ""))
    return Mutant(place, changed, old, new)


def statement_lines(text: str, line: int) -> range:
    """Return the lines of the innermost statement around a line, without the body of a compound one.

    >>> statement_lines("a = [\\n  1,\\n]\\nif a:\\n  b = 2\\n", 2)
    range(1, 4)
    >>> statement_lines("a = [\\n  1,\\n]\\nif a:\\n  b = 2\\n", 4)
    range(4, 5)
    """
    around = [
        node
        for node in ast.walk(ast.parse(text))
        if isinstance(node, ast.stmt) and node.lineno <= line <= (node.end_lineno or node.lineno)
    ]
    if not around:
        return range(line, line + 1)
    innermost = max(around, key=lambda node: (node.lineno, -(node.end_lineno or 0)))
    body = getattr(innermost, "body", None)
    last = body[0].lineno - 1 if body else innermost.end_lineno or line
    return range(innermost.lineno, max(last, line) + 1)


@cache
def _operator(name: str) -> Any:
    from cosmic_ray.plugins import get_operator

    return get_operator(f"core/{name}")()


def _functions(tree: ast.Module) -> list[tuple[int, int, str]]:
    """Return first line, last line and qualified name of every function, outer ones first."""
    found: list[tuple[int, int, str]] = []

    def walk(node: ast.AST, prefix: str) -> None:
        for child in ast.iter_child_nodes(node):
            named = isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef)
            name = f"{prefix}{child.name}" if named else prefix  # type: ignore[attr-defined]
            if named and not isinstance(child, ast.ClassDef):
                found.append((child.lineno, child.end_lineno or child.lineno, name))  # type: ignore[attr-defined]
            walk(child, f"{name}." if named else prefix)

    walk(tree, "")
    return found


def _around(functions: list[tuple[int, int, str]], line: int) -> str:
    return next((name for first, last, name in reversed(functions) if first <= line <= last), "")


def _silent(tree: ast.Module) -> list[tuple[tuple[int, int], tuple[int, int]]]:
    """Return the spans (lines from 1, columns from 0) in which a change does not change what code computes."""
    return [
        ((node.lineno, node.col_offset), (node.end_lineno or node.lineno, node.end_col_offset or 0))
        for node in _silent_nodes(tree)
    ]


def _silent_nodes(tree: ast.Module) -> Iterator[Any]:
    for node in ast.walk(tree):
        if isinstance(node, ast.arg | ast.AnnAssign) and node.annotation is not None:
            yield node.annotation
        elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.returns is not None:
            yield node.returns
        elif isinstance(node, ast.keyword) and node.arg == "strict":
            yield node.value  # a safety net: a sound program never falls into it
        elif _is_silent(node):
            yield node


def _is_silent(node: ast.AST) -> bool:
    if isinstance(node, ast.If):
        return any(word in ast.dump(node.test) for word in ("TYPE_CHECKING", "__main__"))
    return isinstance(node, ast.Raise) or (isinstance(node, ast.Call) and _only_tells(node.func))


def _only_tells(function: ast.expr) -> bool:
    """Say whether a call logs, prints or warns; ``numpy.log`` does none of these."""
    if isinstance(function, ast.Attribute):
        return function.attr == "warn" or (function.attr in LEVELS and "log" in ast.dump(function.value).lower())
    return isinstance(function, ast.Name) and function.id in ("print", "warn")


def _parameters(tree: ast.Module) -> list[list[str]]:
    """The names of all parameters by kind: a bare ``*`` turned into ``/`` is no change of the computation."""
    return [
        [arg.arg for arg in kind] + [str(len(kind))]
        for node in ast.walk(tree)
        if isinstance(node, ast.arguments)
        for kind in (node.posonlyargs, node.args, node.kwonlyargs)
    ]


def _operations(tree: ast.Module) -> list[str]:
    return [type(node.op).__name__ for node in ast.walk(tree) if isinstance(node, ast.BinOp | ast.AugAssign)]

"""Row conditions as small trees, and the trees as filters of a table; :mod:`condition_texts` reads them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from mltestscore.inputs import families
from mltestscore.inputs.families import MismatchError, family

OPERATORS = ("==", "!=", "<", "<=", ">", ">=", "in", "not in")
UNARY = ("missing", "known")


@dataclass(frozen=True)
class Name:
    """A column on the right-hand side of a comparison."""

    name: str


@dataclass(frozen=True)
class Comparison:
    """A column compared with a value, with a tuple of values or with another column; or known or missing."""

    column: str
    operator: str
    value: Any = None

    def __str__(self) -> str:
        return f"{self.column} {self.operator}" + ("" if self.operator in UNARY else f" {self.value!r}")


@dataclass(frozen=True)
class Joined:
    """Conditions joined by ``and`` or ``or``; or the one that ``not`` denies."""

    word: str
    parts: tuple[Comparison | Joined, ...]

    def __str__(self) -> str:
        return f"not ({self.parts[0]})" if self.word == "not" else f" {self.word} ".join(map(str, self.parts))


Tree = Comparison | Joined


@dataclass(frozen=True)
class Condition:
    """Which rows a rule is about.

    Attributes:
        tree: what must hold.
        sql: a comparison with a missing value is unknown, and so is its negation, as Spark has it. Else, as pandas
            has it, a missing value differs from every other.
    """

    tree: Tree
    sql: bool = False

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns that it speaks of."""
        return tuple(dict.fromkeys(_columns(self.tree)))

    @property
    def size(self) -> int:
        """The number of comparisons."""
        return _size(self.tree)

    def mask(self, table: Any) -> Any:
        """Return which rows of an Ibis table it chooses, true or false and never missing.

        Raises :class:`MismatchError` where a column cannot be compared with the value.
        """
        return _mask(self.tree, table, self.sql).fill_null(False)


def _size(tree: Tree) -> int:
    return sum(map(_size, tree.parts)) if isinstance(tree, Joined) else 1


def _columns(tree: Tree) -> list[str]:
    if isinstance(tree, Joined):
        return [name for part in tree.parts for name in _columns(part)]
    return [tree.column, tree.value.name] if isinstance(tree.value, Name) else [tree.column]


def _mask(tree: Tree, table: Any, sql: bool) -> Any:
    import ibis

    if isinstance(tree, Joined):
        parts = [_mask(part, table, sql) for part in tree.parts]
        return ~parts[0] if tree.word == "not" else (ibis.and_ if tree.word == "and" else ibis.or_)(*parts)
    column = table[tree.column]
    if tree.operator in UNARY:
        return column.isnull() if tree.operator == "missing" else column.notnull()
    met = _met(column, tree, table)
    return met if sql else met.fill_null(tree.operator in ("!=", "not in"))


def _met(column: Any, asked: Comparison, table: Any) -> Any:
    import ibis

    if asked.operator in ("in", "not in"):
        inside = families.inside(column, asked.value)
        return inside if asked.operator == "in" else ~inside
    other = table[asked.value.name] if isinstance(asked.value, Name) else asked.value
    alike = families.alike(column, other) if isinstance(asked.value, Name) else families.with_value(column, other)
    if alike is not None:
        return families.compared(*alike, asked.operator)
    if asked.operator in ("==", "!="):
        return ibis.ifelse(column.notnull(), ibis.literal(asked.operator == "!="), ibis.null("boolean"))
    raise MismatchError(f"{asked.column} is {family(column.type())} and cannot be compared with {asked.value!r}")

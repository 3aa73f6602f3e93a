"""Row conditions as Great Expectations takes them: objects, its own short texts, texts for pandas, SQL for Spark.

Comparisons, lists, checks for missing values, and, or and not are read from syntax trees; nothing is evaluated.
What goes beyond is left to Great Expectations.
"""

from __future__ import annotations

import ast
import io
import re
import tokenize
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from mltestscore.inputs.conditions import OPERATORS, Comparison, Condition, Joined, Name, Tree

LONGEST = 2_000
MOST_COMPARISONS = 100  # as many as Great Expectations takes
OWN_GRAMMAR = ("great_expectations", "great_expectations__experimental__")
OWN = re.compile(
    r"""\s*col\("(?P<column>[^"]+)"\)\s*(?:(?P<known>\.notnull\(\))|(?P<operator>==|!=|<=|>=|<|>)\s*"""
    r"""(?:(?P<number>[+-]?\d+(?:\.\d*)?(?:[eE][+-]?\d+)?)|(?P<text>"[^"']+"|'[^"']+')))\s*"""
)
OBJECTS = {"IN": "in", "NOT_IN": "not in"}
PYTHON: dict[type[ast.cmpop], str] = {ast.Eq: "==", ast.NotEq: "!=", ast.Lt: "<", ast.LtE: "<=", ast.Gt: ">"}
PYTHON |= {ast.GtE: ">=", ast.In: "in", ast.NotIn: "not in"}
MISSING = {"isnull": "missing", "isna": "missing", "notnull": "known", "notna": "known"}
SQL = {"EQ": "==", "NEQ": "!=", "LT": "<", "LTE": "<=", "GT": ">", "GTE": ">="}
FLIPPED = {"<": ">", "<=": ">=", ">": "<", ">=": "<=", "==": "==", "!=": "!="}
WORDS = {"&": (tokenize.NAME, "and"), "|": (tokenize.NAME, "or")}
TEXT_OR_NAME = re.compile(r"""'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*"|`([^`]+)`""")
# In DataFrame.query "index" means the rows' labels, and the others are numbers.
NO_COLUMNS = ("index", "nan", "inf")


class BeyondGrammarError(Exception):
    """The condition is none that we read; Great Expectations may understand it."""


def parse(arguments: Mapping[str, Any]) -> Condition | None:
    """Return the row condition among a rule's arguments, or ``None`` where there is none.

    Raises :class:`BeyondGrammarError` for one that is not read here.

    >>> parse({"row_condition": "a > 5 & `b c`.notnull()"}).columns
    ('a', 'b c')
    """
    given = arguments.get("row_condition")
    if not given:
        return None
    try:
        condition = _read(given, arguments.get("condition_parser"))
    except (KeyError, TypeError, ValueError, SyntaxError, RecursionError, MemoryError, tokenize.TokenError) as error:
        raise BeyondGrammarError(f"{type(error).__name__}: {error}") from error
    if condition.size > MOST_COMPARISONS:
        raise BeyondGrammarError(f"{condition.size} comparisons")
    return condition


def words(condition: Mapping[str, Any]) -> str:
    """Return a condition that is an object in a few words."""
    try:
        return str(_of_object(condition))
    except (KeyError, TypeError, ValueError, SyntaxError, RecursionError, tokenize.TokenError, BeyondGrammarError):
        return str(dict(condition))


def _read(given: Any, parser: Any) -> Condition:
    if isinstance(given, Mapping):
        return Condition(_of_object(given))
    if not isinstance(given, str) or len(given) > LONGEST:
        raise BeyondGrammarError(f"a {type(given).__name__} of {len(str(given))} signs")
    if parser in OWN_GRAMMAR:
        return Condition(_of_own_text(given))
    return Condition(_of_sql(given), sql=True) if parser == "spark" else Condition(_of_query(given))


def _plain(value: Any) -> Any:
    for one in value if isinstance(value, tuple) else (value,):
        if not isinstance(one, (str, int, float)):
            raise BeyondGrammarError(f"a value that is a {type(one).__name__}")
    return value


# --- objects and short texts of Great Expectations ---------------------------------------------------------------


def _of_object(given: Mapping[str, Any]) -> Tree:
    kind = given["type"]
    if kind in ("and", "or"):
        parts = tuple(_of_object(part) for part in given["conditions"])
        if not parts:
            raise BeyondGrammarError("no conditions to join")
        return Joined(kind, parts)
    if kind == "pass_through":
        return _of_query(given["pass_through_filter"])
    column = given["column"]["name"]
    if kind == "nullity":
        return Comparison(column, "missing" if given["is_null"] else "known")
    if kind != "comparison":
        raise BeyondGrammarError(f"a condition of type {kind!r}")
    operator, value = OBJECTS.get(given["operator"], given["operator"]), given["parameter"]
    if operator not in OPERATORS or isinstance(value, list) != (operator in ("in", "not in")):
        raise BeyondGrammarError(f"{operator!r} with a {type(value).__name__}")
    return Comparison(column, operator, _plain(tuple(value) if isinstance(value, list) else value))


def _of_own_text(text: str) -> Tree:
    found = OWN.fullmatch(text)
    if not found:
        raise BeyondGrammarError("no condition in the grammar of Great Expectations")
    if found["known"]:
        return Comparison(found["column"], "known")
    number = found["number"]
    value = found["text"][1:-1] if number is None else int(number) if number.lstrip("+-").isdigit() else float(number)
    return Comparison(found["column"], found["operator"], value)


# --- texts for DataFrame.query ------------------------------------------------------------------------------------


def _of_query(text: str) -> Tree:
    names: list[str] = []

    def placeholder(found: re.Match[str]) -> str:
        if found[1] is None:
            return found[0]
        names.append(found[1])
        return f"mltestscore_name_{len(names) - 1}"

    plain = TEXT_OR_NAME.sub(placeholder, text)
    # As in pandas, & and | bind like the words.
    tokens = tokenize.generate_tokens(io.StringIO(plain).readline)
    swapped = tokenize.untokenize(WORDS.get(token.string, (token.type, token.string)) for token in tokens)
    known = {f"mltestscore_name_{place}": name for place, name in enumerate(names)}
    return _of_node(ast.parse(swapped.strip(), mode="eval").body, known)


def _of_node(node: ast.expr, known: Mapping[str, str]) -> Tree:
    if isinstance(node, ast.BoolOp):
        word = "and" if isinstance(node.op, ast.And) else "or"
        return Joined(word, tuple(_of_node(value, known) for value in node.values))
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, (ast.Not, ast.Invert)):
        return Joined("not", (_of_node(node.operand, known),))
    if isinstance(node, ast.Compare):
        operands = [node.left, *node.comparators]
        pairs = zip(operands, node.ops, operands[1:], strict=False)
        parts = tuple(_compared(left, PYTHON[type(sign)], right, known) for left, sign, right in pairs)
        return parts[0] if len(parts) == 1 else Joined("and", parts)
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and not node.keywords:
        column, method = _column(node.func.value, known), node.func.attr
        if method in MISSING and not node.args:
            return Comparison(column, MISSING[method])
        if method == "isin" and len(node.args) == 1:
            return Comparison(column, "in", _values(node.args[0]))
    raise BeyondGrammarError(f"a {type(node).__name__}")


def _compared(left: ast.expr, operator: str, right: ast.expr, known: Mapping[str, str]) -> Comparison:
    if isinstance(right, (ast.List, ast.Tuple)):
        operator = {"==": "in", "!=": "not in"}.get(operator, operator)
    if operator in ("in", "not in"):
        return Comparison(_column(left, known), operator, _values(right))
    if isinstance(left, ast.Name):
        value = Name(_column(right, known)) if isinstance(right, ast.Name) else _value(right)
        return Comparison(_column(left, known), operator, value)
    return Comparison(_column(right, known), FLIPPED[operator], _value(left))


def _column(node: ast.expr, known: Mapping[str, str]) -> str:
    if not isinstance(node, ast.Name) or node.id in NO_COLUMNS:
        raise BeyondGrammarError(f"a {type(node).__name__} in place of a column")
    return known.get(node.id, node.id)


def _values(node: ast.expr) -> tuple[Any, ...]:
    if not isinstance(node, (ast.List, ast.Tuple)):
        raise BeyondGrammarError("no list of values")
    return tuple(_value(value) for value in node.elts)


def _value(node: ast.expr) -> Any:
    value = ast.literal_eval(node)  # constants only; it runs nothing
    return _plain(None if isinstance(value, tuple) else value)


# --- SQL, as Spark takes it ---------------------------------------------------------------------------------------


def _of_sql(text: str) -> Tree:
    import sqlglot

    try:
        return _of_sql_node(sqlglot.parse_one(text, dialect="spark"))
    except sqlglot.errors.SqlglotError as error:
        raise BeyondGrammarError(str(error)) from error


def _of_sql_node(node: Any) -> Tree:
    kind = type(node).__name__
    if kind == "Paren":
        return _of_sql_node(node.this)
    if kind in ("And", "Or"):
        return Joined(kind.lower(), (_of_sql_node(node.this), _of_sql_node(node.expression)))
    if kind == "Not":
        return Joined("not", (_of_sql_node(node.this),))
    if kind == "Is" and type(node.expression).__name__ == "Null":
        return Comparison(_sql_column(node.this), "missing")
    if kind == "In" and node.expressions:
        return Comparison(_sql_column(node.this), "in", tuple(_sql_value(one) for one in node.expressions))
    if kind == "Between":
        column = _sql_column(node.this)
        ends = (">=", node.args["low"]), ("<=", node.args["high"])
        return Joined("and", tuple(Comparison(column, operator, _sql_value(end)) for operator, end in ends))
    if kind not in SQL:
        raise BeyondGrammarError(f"a {kind}")
    left, operator, right = node.this, SQL[kind], node.expression
    if type(left).__name__ != "Column":
        return Comparison(_sql_column(right), FLIPPED[operator], _sql_value(left))
    value = Name(_sql_column(right)) if type(right).__name__ == "Column" else _sql_value(right)
    return Comparison(_sql_column(left), operator, value)


def _sql_column(node: Any) -> str:
    if type(node).__name__ != "Column" or node.args.get("table"):
        raise BeyondGrammarError(f"a {type(node).__name__} in place of a column")
    return str(node.name)


def _sql_value(node: Any) -> Any:
    if type(node).__name__ not in ("Literal", "Neg", "Boolean"):
        raise BeyondGrammarError(f"a {type(node).__name__} in place of a value")
    value = node.to_py()
    return _plain(float(value) if isinstance(value, Decimal) else value)

"""Schemas as fields and types: JSON Schema, OpenAPI, Avro, SQL definitions and texts, without order and comments."""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from importlib import import_module
from typing import Any

from mltestscore.errors import InputError

TREES = (".json", ".avsc", ".yaml", ".yml", ".toml")
DEFINITIONS = (".sql", ".ddl")
TEXTS = (".proto", ".graphql", ".gql", ".thrift", ".xsd", ".wsdl", ".txt")
ANNOTATIONS = frozenset(
    {"title", "description", "summary", "example", "examples", "doc", "$comment", "contact", "license", "externalDocs"}
)
"""What says something about a field to a reader, and promises nothing."""
KEYWORDS = frozenset(
    {"type", "properties", "$ref", "items", "allOf", "anyOf", "oneOf", "enum", "const", "fields", "openapi", "swagger"}
    | {"asyncapi", "paths", "info", "version", "responses", "parameters", "schema", "content", "columns", "$schema"}
)
"""By these a mapping is a schema's, where an annotation is one, rather than a mapping of names to types."""
NAMES_BELOW = frozenset({"properties", "patternProperties", "definitions", "$defs", "schemas", "dependentRequired"})
UNORDERED = frozenset({"required", "enum", "type", "tags", "aliases"})
COMMENT = re.compile(r"/\*.*?\*/|//[^\n]*|^\s*#[^\n]*", re.DOTALL | re.MULTILINE)
COMMENT_IN_XML = re.compile(r"<!--.*?-->", re.DOTALL)
MAX_FIELDS, MAX_DEPTH, MAX_VALUE = 20_000, 60, 200


def knows(name: str) -> bool:
    """Say whether a file of this name is read as a schema."""
    return name.lower().endswith((*TREES, *DEFINITIONS, *TEXTS))


def fields_of(name: str, content: bytes) -> dict[str, str]:
    """Return the fields of a schema; a name without a known ending is taken for JSON, YAML, then text.

    Raises :class:`InputError` for what is not UTF-8, not valid, or endless.
    """
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise InputError(f"{name:.200} is no UTF-8 text: {error}") from None
    small = name.lower()
    if small.endswith(DEFINITIONS):
        return _definitions(text) or _lines(re.sub(r"--[^\n]*", "", text))
    if small.endswith(TEXTS):
        return _lines(text)
    try:
        tree = _tree(small, text)
    except (ValueError, RecursionError, import_module("yaml").YAMLError) as error:
        raise InputError(f"{name:.200} is not valid: {' '.join(str(error).split())[:200]}") from None
    return flat(tree) if isinstance(tree, Mapping | list) else _lines(text)


def _tree(name: str, text: str) -> Any:
    if name.endswith(".toml"):
        return tomllib.loads(text)
    if name.endswith((".json", ".avsc")) or text.lstrip().startswith(("{", "[")):
        return json.loads(text)
    return import_module("yaml").safe_load(text)


def flat(tree: Any) -> dict[str, str]:
    """Return the leaves of a schema by their path, without annotations; named and unordered lists lose their order.

    >>> flat({"type": "object", "properties": {"b": {"type": "number", "doc": "B"}}, "required": ["b", "a"]})
    {'type': 'object', 'properties.b.type': 'number', 'required': "['a', 'b']"}
    """
    found: dict[str, str] = {}
    for path, value in _leaves(tree, (), names=False):
        found[".".join(path) or "schema"] = value
        if len(found) > MAX_FIELDS:
            raise InputError(f"a schema of more than {MAX_FIELDS:,} fields is not compared field by field; give a part")
    return found


def _leaves(tree: Any, path: tuple[str, ...], *, names: bool) -> Iterator[tuple[tuple[str, ...], str]]:
    if len(path) > MAX_DEPTH:
        raise InputError(f"a schema nested deeper than {MAX_DEPTH} levels is not compared")
    if isinstance(tree, Mapping) and tree:
        left_out = ANNOTATIONS if not names and KEYWORDS & {str(key) for key in tree} else frozenset[str]()
        for key, value in tree.items():
            if str(key) not in left_out:
                yield from _leaves(value, (*path, str(key)), names=not names and str(key) in NAMES_BELOW)
    elif isinstance(tree, list | tuple) and any(isinstance(one, Mapping | list | tuple) for one in tree):
        for key, value in _keyed(tree):
            yield from _leaves(value, (*path, key), names=False)
    elif isinstance(tree, list | tuple):
        ordered = sorted(map(str, tree)) if path and path[-1] in UNORDERED else [str(one) for one in tree]
        yield path, _short(str(ordered))
    else:
        yield path, _short(str(tree))


def _keyed(items: Sequence[Any]) -> list[tuple[str, Any]]:
    """Return the parts of a list with their names, where each has one of its own, else with their places."""
    names = [str(one.get("name", "")) if isinstance(one, Mapping) else "" for one in items]
    if not all(names) or len(set(names)) < len(names):
        names = [str(place) for place in range(len(items))]
    return list(zip(names, items, strict=True))


def _short(value: str) -> str:
    if len(value) <= MAX_VALUE:
        return value
    import hashlib

    return f"{value[:MAX_VALUE]}… (sha256 {hashlib.sha256(value.encode('utf-8', 'replace')).hexdigest()[:16]})"


def _definitions(text: str) -> dict[str, str]:
    """Return the columns of all CREATE TABLE statements; nothing where there are none that sqlglot can read."""
    import sqlglot
    from sqlglot import expressions

    try:
        statements = sqlglot.parse(text)
    except sqlglot.errors.SqlglotError:
        return {}
    tables: dict[str, dict[str, str]] = {}
    for statement in statements:
        if isinstance(statement, expressions.Create) and statement.find(expressions.ColumnDef):
            found = tables.setdefault(getattr(statement.find(expressions.Table), "name", ""), {})
            for column in statement.find_all(expressions.ColumnDef):
                rules = sorted(one.sql() for one in column.args.get("constraints") or () if "COMMENT" not in one.sql())
                found[column.name] = " ".join([column.kind.sql() if column.kind else "any", *rules])
    if len(tables) == 1:
        return next(iter(tables.values()))
    return {f"{table}.{name}": kind for table, columns in tables.items() for name, kind in columns.items()}


def _lines(text: str) -> dict[str, str]:
    """Return each line, without comments and odd spaces, and how often it stands there."""
    found: dict[str, int] = {}
    comment = COMMENT_IN_XML if text.lstrip().startswith("<") else COMMENT
    for line in comment.sub("", text).splitlines():
        plain = _short(" ".join(line.split()))
        if plain:
            found[plain] = found.get(plain, 0) + 1
    if len(found) > MAX_FIELDS:
        raise InputError(f"a schema of more than {MAX_FIELDS:,} lines is not compared line by line; give a part")
    return {line: str(count) for line, count in found.items()}

"""A pandera schema as our schema: what translates becomes rules that run where the data is, the rest runs on pandera.

Translated are columns, null values, types (as families: int64 and Int64 are integers), ranges, sets, patterns, lengths,
uniqueness of columns that may not be null, and ``strict``. Not translated, and therefore judged by pandera on a bounded
sample: checks of a team's own, columns that are coerced or named by a pattern, uniqueness among null values, order,
checks on the whole table. Not looked at: the index, which our tables do not have, and checks that only warn.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from mltestscore.borrowed.pandera_checks import translated
from mltestscore.borrowed.pandera_rule import TABLE, VALUES, PanderaRule, quiet
from mltestscore.borrowed.reading import cut
from mltestscore.errors import InputError, near
from mltestscore.inputs.families import type_family
from mltestscore.inputs.functions import import_object
from mltestscore.inputs.rules import Rule
from mltestscore.inputs.schema import Schema

SETTING = "[tool.mltestscore.schema] pandera"
FILES = {".yaml": "from_yaml", ".yml": "from_yaml", ".json": "from_json"}
NAMED = 5


def load_pandera(source: str, *, base: Path, most_rows: int) -> Schema:
    """Return the schema that ``source`` names: ``"module:schema"``, or a file that pandera wrote as YAML or JSON.

    Parts that pandera itself has to judge look at ``most_rows`` rows at most; they are named in the schema's source.
    Raises :class:`InputError` naming the setting when pandera is not there, the source cannot be read, or is no schema
    for pandas.
    """
    try:
        with quiet():
            import pandera.pandas
    except ImportError as error:
        raise InputError(f"{SETTING}: {error}. Install it: pip install 'mltestscore[pandera]'.") from error
    with quiet():
        found = _file(source, base) if Path(source).suffix in FILES else _object(source, base)
        rules = list(_rules(found, pandera.pandas, most_rows))
    if not rules:
        raise InputError(f"{SETTING}: {source!r} says nothing of any column; add at least one for every model input.")
    own = [rule for rule in rules if isinstance(rule, PanderaRule)]
    named = ", ".join(f"{rule.kwargs['check']}" for rule in own[:NAMED]) + (", …" if len(own) > NAMED else "")
    by_itself = f"; judged by pandera on up to {most_rows:,} rows: {named}" if own else ""
    return Schema(f"pandera {source}{by_itself}", rules)


def _file(source: str, base: Path) -> Any:
    from pandera.pandas import DataFrameSchema

    file = base / source
    if not file.is_file():
        beside = [one.name for one in file.parent.iterdir()] if file.parent.is_dir() else []
        raise InputError(f"{SETTING}: there is no file {file.resolve()}.{near(file.name, beside)}")
    try:
        return getattr(DataFrameSchema, FILES[file.suffix])(file)
    except Exception as error:
        raise InputError(
            f"{SETTING}: {file} cannot be read: {type(error).__name__}: {cut(error, 300)}. Write it with "
            "schema.to_yaml(…) or schema.to_json(…) of the installed pandera."
        ) from error


def _object(source: str, base: Path) -> Any:
    from pandera.pandas import DataFrameModel, DataFrameSchema

    found = import_object(source, base=base, setting=SETTING)
    if isinstance(found, type) and issubclass(found, DataFrameModel):
        found = found.to_schema()
    if not isinstance(found, DataFrameSchema):
        kind = found.__name__ if isinstance(found, type) else type(found).__name__
        raise InputError(
            f"{SETTING}: {source!r} is a {kind}; name a DataFrameSchema or DataFrameModel of pandera.pandas."
        )
    return found


def _rules(schema: Any, pa: Any, most_rows: int) -> Iterator[Rule]:
    """Yield what the schema says, each thing once."""
    for name, column in schema.columns.items():
        yield from _column(str(name), column, schema, pa, most_rows)
    yield from _table(schema, pa, most_rows)
    for number, check in enumerate(schema.checks):
        if not check.raise_warning:
            part = pa.DataFrameSchema({}, checks=[check])
            yield _own(f"{_name(check)} on the table", part, most_rows, number=number)


def _column(name: str, column: Any, schema: Any, pa: Any, most_rows: int) -> Iterator[Rule]:
    if column.regex:
        yield _own(f"columns like {name}", pa.DataFrameSchema({name: column}), most_rows)
        return
    optional = not column.required
    if column.coerce or schema.coerce or column.parsers:
        # Its checks speak of values that pandera makes of ours; only pandera knows them.
        whole = pa.DataFrameSchema({name: column}, coerce=schema.coerce)
        yield _own(f"{name}, coerced", whole, most_rows, column=name, optional=optional, row_by_row=True)
        return
    yield Rule("expect_column_to_exist", {"column": name}, optional)
    if not column.nullable:
        yield Rule("expect_column_values_to_not_be_null", {"column": name}, optional)
    yield from _type(name, column, pa, most_rows)
    if column.unique and not column.nullable:
        yield Rule("expect_column_values_to_be_unique", {"column": name}, optional)
    elif column.unique:
        part = pa.DataFrameSchema({name: pa.Column(unique=True, nullable=True, required=False)})
        yield _own(f"{name} unique, null values too", part, most_rows, column=name, optional=optional)
    for number, check in enumerate(column.checks):
        if check.raise_warning:
            continue
        rule = translated(name, check, optional)
        if rule is None:
            part = pa.DataFrameSchema({name: pa.Column(checks=[check], nullable=True, required=False)})
            what, alone = f"{_name(check)} on {name}", bool(check.element_wise)
            rule = _own(what, part, most_rows, column=name, optional=optional, number=number, row_by_row=alone)
        yield rule


def _type(name: str, column: Any, pa: Any, most_rows: int) -> Iterator[Rule]:
    # ``object`` is what pandas calls anything; whether text is object or str depends on its version.
    said = "" if column.dtype is None else str(column.dtype).partition("[")[0]
    if said in ("", "object"):
        return
    if type_family(said):
        yield Rule("expect_column_values_to_be_of_type", {"column": name, "type_": said}, not column.required)
    else:
        part = pa.DataFrameSchema({name: pa.Column(column.dtype, nullable=True, required=False)})
        yield _own(
            f"{name} of type {said}", part, most_rows, column=name, optional=not column.required, row_by_row=True
        )


def _table(schema: Any, pa: Any, most_rows: int) -> Iterator[Rule]:
    columns, names = schema.columns, [str(name) for name in schema.columns]
    if schema.strict is True and all(one.required and not one.regex for one in columns.values()):
        yield Rule("expect_table_columns_to_match_set", {"column_set": names, "exact_match": True})
    elif schema.strict is True or schema.ordered:
        bare = {name: pa.Column(nullable=True, required=one.required, regex=one.regex) for name, one in columns.items()}
        part = pa.DataFrameSchema(bare, strict=schema.strict is True, ordered=schema.ordered)
        yield _own("which columns there are", part, most_rows)
    for together in _keys(schema.unique):
        known = [columns.get(name) for name in together]
        if len(together) > 1 and all(one is not None and one.required and not one.nullable for one in known):
            yield Rule("expect_compound_columns_to_be_unique", {"column_list": together})
        else:
            part = pa.DataFrameSchema({}, unique=together)
            yield _own(f"unique together: {', '.join(together)}", part, most_rows)


def _keys(unique: Any) -> list[list[str]]:
    if not unique:
        return []
    listed = [unique] if isinstance(unique, str) else list(unique)
    return [list(map(str, one)) for one in listed] if isinstance(listed[0], list | tuple) else [list(map(str, listed))]


def _own(
    what: str,
    part: Any,
    most_rows: int,
    *,
    column: str = "",
    optional: bool = False,
    number: int = 0,
    row_by_row: bool = False,
) -> PanderaRule:
    kwargs = {"check": what, "number": number} | ({"column": column} if column else {})
    return PanderaRule(VALUES if column else TABLE, kwargs, optional, part, most_rows, row_by_row)


def _name(check: Any) -> str:
    return str(check.name or "a check")[:80]

"""Rules that no query can answer run on Great Expectations itself: on its Spark engine where the data lie on Spark,
else on pandas. Importing it takes seconds, so not before.
"""

from __future__ import annotations

import sys
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import cache
from typing import TYPE_CHECKING, Any

from mltestscore import telemetry
from mltestscore.errors import InputError
from mltestscore.inputs.expectations import EXAMPLES, Outcome
from mltestscore.inputs.rules import Rule

if TYPE_CHECKING:
    import pandas as pd

    from mltestscore.inputs.dataset import Dataset

MAX_MESSAGE = 200
MOST_CELLS = 20_000_000  # a million rows of twenty columns: about 1 GB with its own copies
# These compare a value with others of its column.
AMONG_OTHERS = ("_be_unique", "_be_increasing", "_be_decreasing", "_not_be_outliers")


def judged(dataset: Dataset, rules: Sequence[Rule], *, most_cells: int = MOST_CELLS) -> list[Outcome]:
    """Return the outcome of every rule on a dataset, in order.

    Up to ``most_cells`` rows times columns are handed over at once. Beyond, a rule that looks at each row alone goes
    through them by and by; for another, and for arguments that Great Expectations refuses, :class:`InputError` is
    raised.
    """
    if dataset.table.get_backend().name == "pyspark":
        return _validated(_asset("spark").get_batch({"dataframe": _on_spark(dataset)}), rules)
    columns = _columns(dataset, rules)
    at_once = max(1, most_cells // max(1, len(columns)))
    if dataset.rows <= at_once:
        return validate(dataset.frame(columns), rules)
    for rule in rules:
        if not _row_by_row(rule):
            found = f"{dataset.name} ({dataset.source}) has {dataset.rows:,} rows, and {rule.type} needs all at once"
            raise InputError(
                f"schema: {found}: Great Expectations itself judges it, in memory, up to {at_once:,} rows of these "
                f"{len(columns)} columns. Use a type that is compiled, or offer fewer rows ({rule.text})."
            )
    # Arrow holds them in a fraction of the memory that pandas and the copies there take.
    arrow = dataset.table.select(*columns).to_pyarrow()
    slices = (arrow.slice(start, at_once) for start in range(0, arrow.num_rows, at_once))
    parts = [validate(one.to_pandas(date_as_object=False), rules) for one in slices]
    return [_together(rule, several) for rule, several in zip(rules, zip(*parts, strict=True), strict=True)]


def validate(frame: pd.DataFrame, rules: Sequence[Rule]) -> list[Outcome]:
    """Return the outcome of every rule, in order; a rule on which Great Expectations fails counts as broken.

    Raises :class:`InputError` when it does not accept a rule's arguments.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # its dependencies' deprecations are not the reader's
        return _validated(_asset("pandas").get_batch({"dataframe": frame}), rules)


def _validated(batch: Any, rules: Sequence[Rule]) -> list[Outcome]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        results = batch.validate(_suite(rules)).results
    outcomes = {result.expectation_config["meta"]["place"]: _outcome(result) for result in results}
    return [outcomes[place] for place in range(len(rules))]


def _columns(dataset: Dataset, rules: Sequence[Rule]) -> list[str]:
    """Return the columns that the rules speak of; all where one speaks of the table."""
    if any(not rule.columns or rule.condition_columns is None for rule in rules):
        return list(dataset.columns)
    named = (column for rule in rules for column in (*rule.columns, *(rule.condition_columns or ())))
    return list(dict.fromkeys(named))


def _row_by_row(rule: Rule) -> bool:
    each = rule.type.startswith(("expect_column_values_to_", "expect_column_value_lengths_to_"))
    return each and not rule.type.endswith(AMONG_OTHERS)


def _together(rule: Rule, parts: Sequence[Outcome]) -> Outcome:
    unexpected, rows = sum(one.unexpected for one in parts), sum(one.rows for one in parts)
    without_number = next((one for one in parts if one.broken and not one.unexpected), None)
    if without_number:
        return without_number
    if not rows or (rows - unexpected) / rows >= rule.mostly:
        return Outcome(False, unexpected, rows)
    examples = tuple(value for one in parts for value in one.examples)[:EXAMPLES]
    return Outcome(True, unexpected, rows, examples, f"{unexpected:,} of {rows:,} rows break it")


def _on_spark(dataset: Dataset) -> Any:
    backend = dataset.table.get_backend()
    return backend._session.sql(backend.compile(dataset.table))


def quiet_context() -> Any:
    """Return a new Great Expectations context that lives in memory, draws no progress bars and phones nobody."""
    telemetry.off()
    with _main_module_with_a_file():
        import great_expectations
        from great_expectations.data_context.types.base import ProgressBarsConfig

    context = great_expectations.get_context(mode="ephemeral")
    context.variables.progress_bars = ProgressBarsConfig(globally=False, metric_calculations=False)
    return context


@cache
def _asset(engine: str) -> Any:
    context = quiet_context()
    add = context.data_sources.add_spark if engine == "spark" else context.data_sources.add_pandas
    return add("memory").add_dataframe_asset("frame").add_batch_definition_whole_dataframe("whole")


@contextmanager
def _main_module_with_a_file() -> Iterator[None]:
    """Give the main module a file for the time of the import.

    Great Expectations imports Spark's client where Spark is there. That takes a main module without a file, such as a
    worker of pytest-xdist has, for a doctest of its own, and ends the process where grpc is missing.
    """
    main = sys.modules["__main__"]
    if hasattr(main, "__file__"):
        yield
        return
    main.__file__ = ""
    try:
        yield
    finally:
        del main.__file__


def _suite(rules: Sequence[Rule]) -> Any:
    import great_expectations

    suite = great_expectations.ExpectationSuite(name="rules")
    for place, rule in enumerate(rules):
        try:
            kinds = great_expectations.ExpectationSuite(
                name="rule", expectations=[{"type": rule.type, "kwargs": dict(rule.kwargs), "meta": {"place": place}}]
            )
        except Exception as error:
            raise InputError(f"schema: Great Expectations refuses {rule.type} ({rule.text}): {_cut(error)}") from error
        suite.expectations.extend(kinds.expectations)
    return suite


def _outcome(result: Any) -> Outcome:
    details = result.result or {}
    unexpected, rows = details.get("unexpected_count") or 0, details.get("element_count") or 0
    rows -= details.get("missing_count") or 0
    if rows <= 0:  # it counted something else
        unexpected = rows = 0
    if bool(result.success):
        return Outcome(False, unexpected, rows)
    raised = _raised(result.exception_info)
    if raised:
        return Outcome(True, 0, rows, message=f"cannot be judged: {_cut(raised)}")
    seen = details.get("observed_value")
    message = f"{unexpected:,} of {rows:,} rows break it" if unexpected else f"found {_cut(seen)}"
    return Outcome(True, unexpected, rows, tuple(details.get("partial_unexpected_list") or ())[:EXAMPLES], message)


def _raised(information: Any) -> str:
    if not isinstance(information, dict):
        return ""
    nested = [value for value in information.values() if isinstance(value, dict)] or [information]
    return next((str(one.get("exception_message")) for one in nested if one.get("raised_exception")), "")


def _cut(thing: object) -> str:
    return " ".join(str(thing).split())[:MAX_MESSAGE]

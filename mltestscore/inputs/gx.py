"""Rules that are not compiled run on Great Expectations itself; importing it takes seconds, so not before."""

from __future__ import annotations

import os
import sys
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import cache
from typing import TYPE_CHECKING, Any

from mltestscore.errors import InputError
from mltestscore.inputs.expectations import EXAMPLES, Outcome
from mltestscore.inputs.rules import Rule

if TYPE_CHECKING:
    import pandas as pd

MAX_MESSAGE = 200


def validate(frame: pd.DataFrame, rules: Sequence[Rule]) -> list[Outcome]:
    """Return the outcome of every rule, in order; a rule on which Great Expectations fails counts as broken.

    Raises :class:`InputError` when it does not accept a rule's arguments.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # its dependencies' deprecations are not the reader's
        suite, batch = _suite(rules), _asset().get_batch({"dataframe": frame})
        results = batch.validate(suite).results
    outcomes = {result.expectation_config["meta"]["place"]: _outcome(result) for result in results}
    return [outcomes[place] for place in range(len(rules))]


@cache
def _asset() -> Any:
    # Older versions phone home unless they are told before the import.
    os.environ.setdefault("GX_ANALYTICS_ENABLED", "false")
    with _main_module_with_a_file():
        import great_expectations
        from great_expectations.data_context.types.base import ProgressBarsConfig

    context = great_expectations.get_context(mode="ephemeral")
    context.variables.progress_bars = ProgressBarsConfig(globally=False, metric_calculations=False)
    asset = context.data_sources.add_pandas("memory").add_dataframe_asset("frame")
    return asset.add_batch_definition_whole_dataframe("whole")


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
    _asset()
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

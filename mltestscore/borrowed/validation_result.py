"""Validation results of Great Expectations as JSON: of a validation, of a checkpoint, or as ``describe()`` prints it.

They are read as data: Great Expectations is not imported. What it writes varies: ``to_json_dict()`` of a validation
result (also in a validation results store) says when it was made and on which asset; the result of a checkpoint holds
several; ``CheckpointResult.describe()`` says neither, so that only the file's name can.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from mltestscore.borrowed.reading import ExistingTest, Reading, TestState, Unreadable, cut, moment
from mltestscore.inputs.rules import Rule

SHOWN = 5
MAX_RESULTS = 100_000


def readings(content: Any) -> list[Reading]:
    """Return what the content of a result file says, one reading a validation.

    Raises :class:`Unreadable` for JSON that is no such result, and for one that leaves out what passed.
    """
    if not isinstance(content, Mapping):
        raise Unreadable(f"is a JSON {type(content).__name__}, not a validation result of Great Expectations")
    if isinstance(runs := content.get("run_results"), Mapping):
        results = [run.get("validation_result", run) if isinstance(run, Mapping) else run for run in runs.values()]
        made = moment(_at(content, "run_id", "run_time"))
        return [_reading(result, made) for result in results]
    if isinstance(described := content.get("validation_results"), list):
        return [_reading(result, None) for result in described]
    return [_reading(content, None)]


def _reading(result: Any, made: datetime | None) -> Reading:
    tests = result.get("results", result.get("expectations")) if isinstance(result, Mapping) else None
    if not isinstance(tests, list) or not isinstance(result.get("success"), bool):
        raise Unreadable('is no validation result of Great Expectations: it needs "success" and a list "results"')
    if len(tests) > MAX_RESULTS:
        raise Unreadable(f"holds {len(tests):,} results; at most {MAX_RESULTS:,} are read")
    existing = tuple(map(_test, tests))
    bad = sum(test.state != "passed" for test in existing)
    if not bad:
        _refuse_left_out(result, existing)
    meta = _mapping(result.get("meta"))
    moments = (_at(meta, "run_id", "run_time"), meta.get("validation_time"), _at(meta, "batch_markers", "ge_load_time"))
    return Reading(
        subject=cut(result.get("suite_name") or meta.get("expectation_suite_name") or "unnamed suite", 80),
        data=_names(meta, tests),
        made=next(filter(None, map(moment, moments)), made),
        rows=_rows(tests),
        tests=existing,
        contradiction=_contradiction(result, bad) if existing else "",
    )


def _test(entry: Any) -> ExistingTest:
    if not isinstance(entry, Mapping) or not isinstance(entry.get("success"), bool | None):
        raise Unreadable('holds a result without "success": true or false')
    config = _mapping(entry.get("expectation_config")) or entry
    kind = config.get("type") or config.get("expectation_type")
    if not isinstance(kind, str):
        raise Unreadable("holds a result that does not say which expectation it is of")
    kwargs = {key: value for key, value in _mapping(config.get("kwargs")).items() if key != "batch_id"}
    rule = Rule(kind, _plain(kwargs))
    raised = _raised(entry.get("exception_info"))
    state: TestState = "passed" if entry["success"] else "failed"
    if raised:
        state = "error"
    elif state == "failed" and config.get("severity") in ("warning", "info"):
        state = "warned"
    return ExistingTest(rule.text, rule.column, state, raised or _found(_mapping(entry.get("result"))))


def _plain(kwargs: Mapping[str, Any]) -> dict[str, Any]:
    """Return the arguments with column names as text, whatever the file holds."""
    plain = {key: str(value) if key in ("column", "column_A", "column_B") else value for key, value in kwargs.items()}
    listed = plain.get("column_list", [])
    return plain | ({"column_list": [str(name) for name in listed] if isinstance(listed, list) else []})


def _contradiction(result: Mapping[str, Any], bad: int) -> str:
    """Return in which way a result says something else of itself than what is in it; empty where it does not."""
    if result["success"] and bad:
        return f'it says "success": true and holds {bad} results that failed'
    if not result["success"] and not bad:
        return 'it says "success": false and holds no result that failed'
    told = _at(result, "statistics", "unsuccessful_expectations")
    return f"its statistics count {told} failures, it holds {bad}" if isinstance(told, int) and told != bad else ""


def _refuse_left_out(result: Mapping[str, Any], tests: Sequence[ExistingTest]) -> None:
    """Raise where results are left out, as ``only_return_failures`` does: nobody can say what passed."""
    told = _at(result, "statistics", "evaluated_expectations")
    if isinstance(told, int) and told > len(tests):
        raise Unreadable(f"holds {len(tests)} of the {told} results that its statistics count; write all of them")


def _names(meta: Mapping[str, Any], tests: Sequence[Any]) -> frozenset[str]:
    """Return what the result calls its data: asset, source and asset, batch, and the digest of a pandas frame."""
    batch = _mapping(meta.get("active_batch_definition"))
    source, asset = batch.get("datasource_name"), batch.get("data_asset_name")
    first = _mapping(tests[0]) if tests else {}
    names = [
        asset,
        f"{source}/{asset}" if source and asset else "",
        _at(meta, "batch_markers", "pandas_data_fingerprint"),
        _at(_mapping(first.get("expectation_config")) or first, "kwargs", "batch_id"),
    ]
    return frozenset(name for name in names if isinstance(name, str) and name)


def _rows(tests: Sequence[Any]) -> int | None:
    counts = [_at(entry, "result", "element_count") for entry in tests]
    return max((count for count in counts if isinstance(count, int)), default=None)


def _found(result: Mapping[str, Any]) -> str:
    unexpected, rows = result.get("unexpected_count"), result.get("element_count")
    if isinstance(unexpected, int) and isinstance(rows, int):
        values = result.get("partial_unexpected_list")
        listed = values[:SHOWN] if unexpected and isinstance(values, list) else []
        examples = ", ".join(cut(value, 40) for value in listed)
        return f"{unexpected:,} of {rows:,} rows break it{f', for example {examples}' if examples else ''}"
    return f"found {cut(result['observed_value'], 200)}" if "observed_value" in result else ""


def _raised(information: Any) -> str:
    """Return the message of an exception; the information is flat, or one entry a metric."""
    for one in _nested(_mapping(information)):
        if one.get("raised_exception"):
            return cut(one.get("exception_message") or "it raised an exception", 200)
    return ""


def _nested(information: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    yield information
    yield from (value for value in information.values() if isinstance(value, Mapping))


def _at(value: Any, *keys: str) -> Any:
    for key in keys:
        value = _mapping(value).get(key)
    return value


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}

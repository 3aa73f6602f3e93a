"""Snapshots of Evidently as JSON: in full (``snapshot.dumps()``), or as ``save_json()``, ``json()`` and ``dict()``.

They are read as data: Evidently, which takes seconds to import, is not. Only the full form says when it was made and,
in its name and metadata, which data it is about; of the other, only the file's name can.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mltestscore.borrowed.reading import ExistingTest, Reading, TestState, Unreadable, cut, moment

STATES: dict[str, TestState] = {
    "SUCCESS": "passed",
    "FAIL": "failed",
    "WARNING": "warned",
    "ERROR": "error",
    "SKIPPED": "skipped",
}
MAX_TESTS = 100_000


def readings(content: Any) -> list[Reading]:
    """Return what the content of a snapshot file says.

    Raises :class:`Unreadable` for JSON that is no snapshot of Evidently 0.6 or later.
    """
    if not isinstance(content, Mapping):
        raise Unreadable(f"is a JSON {type(content).__name__}, not a snapshot of Evidently")
    results, order = content.get("metric_results"), content.get("top_level_metrics")
    if isinstance(results, Mapping) and isinstance(order, list):
        held = [results[name] for name in order if isinstance(name, str) and name in results]
        entries = [test for metric in held if isinstance(metric, Mapping) for test in _list(metric.get("tests"))]
        if len(held) < len(order):
            raise Unreadable(f"names {len(order)} metrics and holds {len(held)} of them; write it again")
    elif isinstance(content.get("tests"), list) and isinstance(content.get("metrics"), list):
        entries = content["tests"]
    else:
        raise Unreadable("is no snapshot of Evidently; write snapshot.dumps() into the file")
    metadata = content.get("metadata")
    values = metadata.values() if isinstance(metadata, Mapping) else ()
    names = [content.get("name"), *values, *_list(content.get("tags"))]
    return [
        Reading(
            subject=cut(content.get("name") or "unnamed snapshot", 80),
            data=frozenset(name for name in names if isinstance(name, str) and name),
            made=moment(content.get("timestamp")),
            rows=None,
            tests=tests_of(entries),
        )
    ]


def tests_of(entries: Any) -> tuple[ExistingTest, ...]:
    """Return the tests of ``snapshot.dict()["tests"]``.

    Raises :class:`Unreadable` for entries of another form.
    """
    if not isinstance(entries, list) or len(entries) > MAX_TESTS:
        raise Unreadable(f"holds no list of at most {MAX_TESTS:,} tests")
    return tuple(map(_test, entries))


def _test(entry: Any) -> ExistingTest:
    # A status is a TestStatus in a live snapshot, and text in a file.
    status = entry.get("status") if isinstance(entry, Mapping) else None
    known = str(getattr(status, "value", status))
    if known not in STATES:
        raise Unreadable(f"holds a test whose status is {known!r:.40}; expected one of {', '.join(STATES)}")
    config = entry.get("metric_config")
    params = config.get("params") if isinstance(config, Mapping) else None
    column = params.get("column") if isinstance(params, Mapping) else None
    return ExistingTest(
        name=str(entry.get("name") or entry.get("id") or "unnamed test"),
        column=column if isinstance(column, str) else "",
        state=STATES[known],
        said=str(entry.get("description") or ""),
    )


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []

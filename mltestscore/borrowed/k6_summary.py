"""Summaries of k6: of ``--summary-export=FILE``, or the data of ``handleSummary`` as JSON, with k6's own thresholds.

In the first, a threshold is ``true`` where it was crossed; in the second it says ``{"ok": true}`` where it held.
Neither says when it was made: only the file's name can.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from mltestscore.borrowed.reading import ExistingTest, Reading, TestState, Unreadable

MAX_THRESHOLDS = 10_000


def readings(content: Any) -> list[Reading]:
    """Return what a summary says, one test a threshold.

    Raises :class:`Unreadable` for JSON that is no summary of k6.
    """
    metrics = content.get("metrics") if isinstance(content, Mapping) else None
    if not isinstance(metrics, Mapping) or not all(isinstance(one, Mapping) for one in metrics.values()):
        raise Unreadable('is no summary of k6: it needs "metrics"; write it with --summary-export')
    tests = tuple(_tests(metrics))
    if len(tests) > MAX_THRESHOLDS:
        raise Unreadable(f"holds {len(tests):,} thresholds; at most {MAX_THRESHOLDS:,} are read")
    return [Reading("k6 thresholds", frozenset(), None, None, tests)]


def _tests(metrics: Mapping[str, Mapping[str, Any]]) -> Iterator[ExistingTest]:
    for name, metric in metrics.items():
        thresholds = metric.get("thresholds") or {}
        if not isinstance(thresholds, Mapping):
            raise Unreadable(f"says of {name!r:.80} no thresholds by name")
        values: Any = metric.get("values")
        values = values if isinstance(values, Mapping) else metric
        numbers = {key: one for key, one in values.items() if isinstance(one, int | float) and key != "thresholds"}
        for rule, told in thresholds.items():
            yield ExistingTest(f"{name}: {rule}", "", _state(name, rule, told, numbers), json.dumps(numbers))


def _state(name: str, rule: str, told: Any, numbers: Mapping[str, float]) -> TestState:
    held = told.get("ok") if isinstance(told, Mapping) else not told if isinstance(told, bool) else None
    if not isinstance(held, bool):
        raise Unreadable(f"says neither yes nor no of the threshold {rule!r:.80} on {name!r:.80}")
    # A tag that no request carried makes a metric without samples, whose zeros are below every limit; a counter of
    # errors may well be 0.
    empty = not any(numbers.values()) and "count" not in numbers
    return "failed" if not held else "skipped" if empty else "passed"

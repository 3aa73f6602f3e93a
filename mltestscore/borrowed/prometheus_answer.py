"""Answers of Prometheus to an instant query (``/api/v1/query``) as JSON, one reading a series, held to a limit.

The value stands as the query made it, a percentile over a week, say: how sure it is was the query's to care for.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from mltestscore.borrowed.reading import ExistingTest, Reading, TestState, Unreadable

LIMITS = ("most", "least")
MAX_SERIES = 10_000


def readings(content: Any, limits: Mapping[str, float]) -> list[Reading]:
    """Return what the answer says of each series; ``limits`` as in ``{"most": 0.2}``, in the query's unit.

    Raises :class:`Unreadable` for JSON that is no successful answer to an instant query.
    """
    data = content.get("data") if isinstance(content, Mapping) and content.get("status") == "success" else None
    if not isinstance(data, Mapping) or data.get("resultType") != "vector" or not isinstance(data.get("result"), list):
        raise Unreadable("is no successful answer of Prometheus to an instant query (a vector)")
    if len(data["result"]) > MAX_SERIES:
        raise Unreadable(f"holds {len(data['result']):,} series; at most {MAX_SERIES:,} are read")
    return [_reading(series, limits) for series in data["result"]]


def _reading(series: Any, limits: Mapping[str, float]) -> Reading:
    try:
        labels = {str(name): str(value) for name, value in dict(series["metric"]).items()}
        made, value = datetime.fromtimestamp(float(series["value"][0]), UTC), float(series["value"][1])
    except (KeyError, IndexError, TypeError, ValueError, OverflowError, OSError) as error:
        raise Unreadable(f"holds a series that Prometheus does not write: {error}") from None
    named = labels.get("__name__", "")
    told = ", ".join(f'{name}="{value}"' for name, value in sorted(labels.items()) if name != "__name__")
    tests = tuple(
        ExistingTest(f"at {kind} {limit:g}", "", _state(kind, value, limit), f"{value:g}")
        for kind, limit in limits.items()
    )
    return Reading(f"{named}{{{told}}}", frozenset(labels.values()), made, None, tests)


def _state(kind: str, value: float, limit: float) -> TestState:
    if math.isnan(value):
        return "skipped"  # a query over nothing
    return "passed" if (value <= limit if kind == "most" else value >= limit) else "failed"

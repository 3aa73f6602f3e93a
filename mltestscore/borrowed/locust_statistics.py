"""Statistics of Locust as JSON (``locust --headless --json``), one reading a route, held to declared limits.

Locust judges nothing by itself, and says of each response time only two digits: ``p95_ms = 200`` passes where no more
than 5 % of all answers can have taken longer, by the exact binomial bound at 95 %, and fails where more did, at 0.05 %.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from mltestscore.borrowed.reading import ExistingTest, Reading, TestState, Unreadable
from mltestscore.stats.interval import CLEAR
from mltestscore.stats.proportion import proportion

ACCUSE = 0.0005
PERCENTILE = re.compile(r"p(\d{1,2}(?:\.\d+)?)_ms")
FAILURES = "failures"
MAX_ROUTES = 10_000


def readings(content: Any, limits: Mapping[str, float]) -> list[Reading]:
    """Return what the statistics say of each route; ``limits`` as in ``{"p95_ms": 200, "failures": 0.01}``.

    Raises :class:`Unreadable` for JSON that is no list of Locust's statistics.
    """
    if not isinstance(content, list) or not all(
        isinstance(one, Mapping) and "response_times" in one for one in content
    ):
        raise Unreadable("is no list of Locust's statistics; write it with --headless --json")
    if len(content) > MAX_ROUTES:
        raise Unreadable(f"holds {len(content):,} routes; at most {MAX_ROUTES:,} are read")
    return [_reading(one, limits) for one in content]


def known(limit: str) -> bool:
    """Say whether there is such a limit."""
    return limit == FAILURES or PERCENTILE.fullmatch(limit) is not None


def _reading(route: Mapping[str, Any], limits: Mapping[str, float]) -> Reading:
    try:
        name, method = str(route["name"]), str(route.get("method") or "")
        requests, failures = int(route["num_requests"]), int(route["num_failures"])
        times = {float(time): int(count) for time, count in dict(route["response_times"]).items()}
        made = datetime.fromtimestamp(float(route["last_request_timestamp"]), UTC)
    except (KeyError, TypeError, ValueError, OverflowError, OSError) as error:
        raise Unreadable(f"holds a route whose statistics are not Locust's: {error}") from None
    tests = tuple(_test(limit, most, requests, failures, times) for limit, most in limits.items())
    return Reading(f"{method} {name}".strip(), frozenset({name}), made, None, tests)


def _test(limit: str, most: float, requests: int, failures: int, times: Mapping[float, int]) -> ExistingTest:
    if limit == FAILURES:
        state = _judged(failures, failures, requests, most)
        return ExistingTest(f"failures at most {most:g}", "", state, f"{failures:,} of {requests:,} requests failed")
    found = PERCENTILE.fullmatch(limit)
    assert found is not None  # the configuration holds no other limit
    allowed = 1 - float(found[1]) / 100
    surely = sum(count for time, count in times.items() if time - _rounded(time) > most)
    perhaps = sum(count for time, count in times.items() if time + _rounded(time) > most)
    state = _judged(surely, perhaps, sum(times.values()), allowed)
    said = f"{surely:,} to {perhaps:,} of {sum(times.values()):,} took longer; {allowed:.3g} of them may"
    return ExistingTest(f"{limit} at most {most:g}", "", state, said)


def _judged(least: int, most: int, n: int, limit: float) -> TestState:
    if n and proportion(least, n, ACCUSE).low > limit:
        return "failed"
    return "passed" if n and proportion(most, n, CLEAR).high <= limit else "skipped"


def _rounded(time: float) -> float:
    """Return by how many milliseconds Locust may have rounded a response time."""
    return 0.5 if time < 100 else 5.0 if time < 1_000 else 50.0 if time < 10_000 else 500.0

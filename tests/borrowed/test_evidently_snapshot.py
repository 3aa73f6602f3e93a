"""What Evidently really writes is read as it means it."""

from __future__ import annotations

import json
import warnings
from datetime import UTC, datetime
from typing import Any

import numpy as np
import pandas as pd
import pytest

from mltestscore.borrowed.evidently_snapshot import readings
from mltestscore.borrowed.reading import Unreadable


@pytest.fixture(scope="module")
def snapshot() -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from evidently import Report
        from evidently.metrics import MissingValueCount, RowCount, ValueDrift
        from evidently.tests import gte, lte

        rng = np.random.default_rng(3)
        past = pd.DataFrame({"temp": rng.normal(size=400), "wind": rng.normal(size=400)})
        now = pd.DataFrame({"temp": rng.normal(3, 1, size=400), "wind": past["wind"]})
        metrics = [
            ValueDrift(column="temp"),
            ValueDrift(column="wind"),
            MissingValueCount(column="temp", tests=[lte(0)]),
            RowCount(tests=[gte(1_000_000, is_critical=False)]),
        ]
        report = Report(metrics, include_tests=True, metadata={"data": "flights"}, tags=["nightly"])
        return report.run(now, past, name="drift", metadata={"digest": "abc123"})


def test_a_full_snapshot_is_read_with_its_date_and_data(snapshot: Any):
    (reading,) = readings(json.loads(snapshot.dumps()))

    found = {(test.column, test.state) for test in reading.tests}
    assert {("temp", "failed"), ("wind", "passed"), ("", "warned")} <= found
    assert (reading.subject, reading.ran, reading.contradiction) == ("drift", len(reading.tests), "")
    assert {"flights", "abc123", "nightly", "drift"} <= reading.data
    assert reading.made is not None
    assert abs((datetime.now(UTC) - reading.made).total_seconds()) < 24 * 3600


def test_the_short_form_holds_the_same_tests_without_date_and_data(snapshot: Any):
    (short,), (full,) = readings(json.loads(snapshot.json())), readings(json.loads(snapshot.dumps()))

    assert [(test.name, test.state) for test in short.tests] == [(test.name, test.state) for test in full.tests]
    assert (short.made, short.data) == (None, frozenset())


def test_a_live_snapshot_reads_as_its_file(snapshot: Any):
    (live,), (file,) = readings(snapshot.dict()), readings(json.loads(snapshot.json()))

    assert live == file


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("text", "is a JSON str, not a snapshot"),
        ({"version": "4"}, r"is no snapshot of Evidently; write snapshot\.dumps\(\)"),
        ({"metrics": [], "tests": [{"status": "GREAT"}]}, "status is 'GREAT'; expected one of SUCCESS"),
        ({"metrics": [], "tests": ["SUCCESS"]}, "status is 'None'"),
        ({"metric_results": {}, "top_level_metrics": ["a", "b"]}, "names 2 metrics and holds 0 of them"),
        ({"metric_results": {"a": {"tests": ["b"]}}, "top_level_metrics": ["a"]}, "status is 'None'"),
    ],
)
def test_what_is_no_snapshot_is_refused_with_the_reason(content: Any, message: str):
    with pytest.raises(Unreadable, match=message):
        readings(content)

"""Late labels meet the served rows by key: delays, clocks, keys that contradict themselves, windows."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import numpy as np
import pandas as pd
import pytest

from mltestscore.errors import InputError, NotOffered
from mltestscore.inputs.dataset import Dataset, Roles, open_dataset
from mltestscore.served_quality import labels
from mltestscore.served_quality.labels import LABEL

START = datetime(2026, 3, 1, tzinfo=UTC)
KNOWN = Roles(label="late", key=("id",), feature_times=(("late", "known"),))


def log(n: int = 240, **columns) -> Dataset:
    """One row an hour for ten days."""
    time = pd.Timestamp(START) + pd.to_timedelta(np.arange(n), unit="h")
    frame = pd.DataFrame({"id": np.arange(n), "time": time, "score": 0.5, **columns})
    return open_dataset("serving", frame, Roles(score="score", key=("id",), time="time"))


def late(n: int = 240, hours: float = 24.0, roles: Roles = KNOWN, **columns) -> Dataset:
    time = pd.Timestamp(START) + pd.to_timedelta(np.arange(n) + hours, unit="h")
    frame = pd.DataFrame({"id": np.arange(n), "late": np.arange(n) % 2, "known": time, **columns})
    return open_dataset("outcomes", frame, roles)


def known(found: labels.Late) -> int:
    return int(found.table.aggregate(n=found.table[LABEL].count()).to_pyarrow()["n"][0].as_py())


def test_labels_from_after_the_clock_are_not_known_yet():
    found = labels.joined(log(), late(), START + timedelta(days=5), None)
    assert (found.delay, known(found)) == (24, 97)
    assert found.young == 240 - 97


def test_the_delay_is_measured_declared_or_read_off_the_newest_label():
    clock = START + timedelta(days=10)
    assert labels.joined(log(), late(), clock, 48.0).delay == 48
    assert labels.joined(log(), late(), clock, 48.0).young == 47
    plain = late(200, roles=Roles(label="late", key=("id",)))
    read = labels.joined(log(), plain, clock, None)
    assert (read.delay, read.young) == (None, 40)
    assert "label_delay_hours" in read.how


def test_a_log_without_times_counts_every_row_as_due():
    timeless = open_dataset("serving", log().frame(["id", "score"]), Roles(score="score", key=("id",)))
    found = labels.joined(timeless, late(), None, None)
    assert (found.until, found.young) == (None, 0)
    assert len(labels.rows(found, ["score"], labels.newest(found, 7, 10), 1000)) == 240


def test_keys_of_other_types_meet_and_rows_without_a_label_stay():
    texts = late(230, id=[str(one) for one in range(230)])
    frame = labels.rows(labels.joined(log(), texts, None, 0.0), ["score"], labels.Span(), 1000)
    assert (len(frame), int(frame[LABEL].isna().sum())) == (240, 10)


def test_a_label_given_twice_alike_counts_once_and_a_contradicted_one_not_at_all():
    rows = late().frame()
    again = pd.concat([rows, rows.head(3), rows.tail(2).assign(late=7)], ignore_index=True)
    found = labels.joined(log(), open_dataset("outcomes", again, KNOWN), None, 0.0)
    assert (found.served, found.twice, known(found)) == (240, 2, 238)


def test_the_newest_window_is_as_long_as_asked_or_longer_to_hold_rows_enough():
    found = labels.joined(log(), late(), START + timedelta(days=20), None)
    short, long = labels.newest(found, 2, 10), labels.newest(found, 2, 150)
    assert (short.older, long.older) == (True, True)
    assert (short.high - short.low, long.high - long.low) == (48 * 3600, 192 * 3600)
    assert labels.newest(found, 30, 10).older is False


def test_many_rows_are_drawn_by_key_always_the_same_ones():
    found = labels.joined(log(), late(), None, 0.0)
    some, again = (labels.rows(found, ["id"], labels.Span(), 60)["id"].tolist() for _ in range(2))
    assert some == again
    assert 30 < len(some) < 100
    assert some == sorted(some)


def test_what_cannot_be_joined_says_why():
    with pytest.raises(NotOffered, match="label = …"):
        labels.joined(log(), late(roles=Roles(key=("id",))), None, None)
    with pytest.raises(InputError, match="serving has '0', outcomes 'f0'"):
        labels.joined(log(), late(id=[f"f{one}" for one in range(240)]), None, None)

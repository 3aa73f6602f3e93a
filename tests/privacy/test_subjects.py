"""Deleted subjects are found by any value in any column, and nobody else is taken for one."""

from __future__ import annotations

from datetime import UTC, datetime

import pandas as pd
import pytest

from mltestscore.inputs.dataset import Roles, open_dataset
from mltestscore.inputs.deletions import Deletion
from mltestscore.privacy import subjects
from mltestscore.privacy.subjects import traces, wanted

ASKED = datetime(2026, 1, 1, tzinfo=UTC)
BACK = datetime(2026, 6, 1, tzinfo=UTC)


def gone(*values: str, returned: datetime | None = None, name: str = "user") -> Deletion:
    return Deletion(values[0], {name: tuple(values)}, ASKED, returned_at=returned)


def found(frame: pd.DataFrame, *deletions: Deletion, columns=None, time: str = "") -> set[tuple[str, str]]:
    data = open_dataset("store", frame, Roles(time=time))
    groups = wanted(deletions)
    return {(one.column, one.subject) for group in groups for one in traces(data, group, columns)}


@pytest.mark.parametrize(
    "text",
    [
        "N344AA",
        "seen N344AA at the gate",
        '{"aircraft":"N344AA","x":1}',
        "/aircraft/N344AA/flights",
        "a=1&tail=N344AA",
        "Überflug: N344AA",
    ],
)
def test_a_value_is_found_alone_and_inside_of_texts(text):
    assert found(pd.DataFrame({"any": ["x", text, None]}), gone("N344AA")) == {("any", "N344AA")}


@pytest.mark.parametrize("text", ["N344AAB", "XN344AA", "n344aa", "N344 AA", "", None])
def test_other_values_are_not_taken_for_it(text):
    assert found(pd.DataFrame({"any": ["x", text]}), gone("N344AA")) == set()


def test_values_inside_of_lists_and_structures_are_found():
    frame = pd.DataFrame({"a": [["x", "N344AA"]], "b": [{"tail": "N344AA"}]})
    assert found(frame, gone("N344AA")) == {("a", "N344AA"), ("b", "N344AA")}


@pytest.mark.parametrize("value", [17, 17.0, "17"])
def test_a_short_value_counts_only_in_a_column_of_its_identifier(value):
    frame = pd.DataFrame({"user": [value], "weekday": [17], "note": ["17"]})
    assert found(frame, gone("17")) == {("user", "17")}


def test_a_column_of_another_name_is_mapped():
    frame = pd.DataFrame({"customer": [17], "weekday": [17]})
    assert found(frame, gone("17"), columns={"customer": "user"}) == {("customer", "17")}


def test_a_subject_is_found_by_any_of_its_values():
    frame = pd.DataFrame({"flight": ["B6-1-JFK-2013", "UA-2-EWR-2013"]})
    assert found(frame, gone("N344AA", "UA-2-EWR-2013")) == {("flight", "N344AA")}


def test_signs_of_patterns_and_quotes_are_searched_as_they_are():
    values = ["anna.kern+x@posteo.de", "o'neil (1)", "50%_off\\d", "a|b|c|d|e|9", 'say "hi" 1', "[x]{2}^$*?1"]
    frame = pd.DataFrame({"any": [*values, "annaXkern+x@posteo.de", "b"]})
    assert {subject for _, subject in found(frame, *map(gone, values))} == set(values)


def test_many_values_are_found_exactly_and_the_latest_inside_of_texts():
    many = [gone(f"user-{number:06d}") for number in range(5000)]
    latest = Deletion("user-late-1", {"user": ("user-late-1",)}, BACK)
    frame = pd.DataFrame({"any": ["user-000001", "user-004999", "by user-late-1 today", "user-005000"]})
    assert {subject for _, subject in found(frame, *many, latest)} == {"user-000001", "user-004999", "user-late-1"}


def test_long_values_are_found_exactly_and_not_all_of_them_inside():
    many = [
        Deletion(f"{number:03d}" + "x" * 490, {"user": (f"{number:03d}" + "x" * 490,)}, ASKED) for number in range(99)
    ]
    frame = pd.DataFrame({"any": [one.subject for one in many]})
    assert len(found(frame, *many)) == 99
    assert len(subjects.embedded(one.subject for one in many)) == 16


def test_a_subject_that_came_back_is_held_to_rows_from_before():
    frame = pd.DataFrame({"user": ["user-0001", "user-0002"], "at": pd.to_datetime(["2026-07-01", "2026-03-01"])})
    back = [gone("user-0001", returned=BACK), gone("user-0002", returned=BACK)]
    assert found(frame, *back, time="at") == {("user", "user-0002")}
    assert found(frame, *back) == set(), "without a time, nothing can be held against the table"


def test_the_search_asks_a_dataset_once(monkeypatch):
    data = open_dataset("store", pd.DataFrame({"any": ["N344AA"]}))
    (group,) = wanted([gone("N344AA")])
    first = traces(data, group)
    monkeypatch.setattr(subjects, "_searched", lambda *_: pytest.fail("asked again"))
    assert traces(data, group) is first


def test_a_trace_shows_no_value():
    (one,) = traces(open_dataset("s", pd.DataFrame({"any": ["N344AA"]})), wanted([gone("N344AA")])[0])
    assert one.masked == "N… (6 characters)"

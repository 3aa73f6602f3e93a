"""The ledger of deletions: files, functions, dates, and errors that name the row."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

from mltestscore.errors import InputError
from mltestscore.inputs.deletions import Deletion, Deletions, read_deletions

NOW = datetime(2026, 6, 1, tzinfo=UTC)


def ledger(folder: Path, *rows: object) -> str:
    lines = (row if isinstance(row, str) else json.dumps(row) for row in rows)
    (folder / "gone.jsonl").write_text("\n".join(lines), encoding="utf-8")
    return "gone.jsonl"


def read(folder: Path, *rows: object, **settings) -> Deletions:
    return read_deletions(ledger(folder, *rows), settings.pop("identifiers", ["user"]), base=folder, **settings)


def test_json_lines_are_read_with_their_dates_in_utc(tmp_path):
    found = read(
        tmp_path,
        {"user": "007", "requested_at": "2026-05-01", "until": "2026-05-20T12:00:00+02:00", "learned": "yes"},
        "",
        {"user": 8, "requested_at": "2026-05-02T10:00:00", "until": None},
        deadline="until",
        learned="learned",
    )
    first, second = found.entries
    assert (first.subject, first.values) == ("007", {"user": ("007",)})
    assert first.deadline == datetime(2026, 5, 20, 10, tzinfo=UTC)
    assert (first.learned, second.learned, second.deadline) == (True, None, None)
    assert second.requested_at == datetime(2026, 5, 2, 10, tzinfo=UTC)
    assert second.subject == "8"
    assert found.digest


def test_csv_keeps_leading_zeros(tmp_path):
    (tmp_path / "gone.csv").write_text("user,mail,requested_at\n007,a@b.de,2026-05-01\n", encoding="utf-8")
    (one,) = read_deletions("gone.csv", ["user", "mail"], base=tmp_path).entries
    assert one.values == {"user": ("007",), "mail": ("a@b.de",)}


def test_rows_and_lists_of_one_subject_are_one_entry(tmp_path):
    found = read(
        tmp_path,
        {"user": "u1", "order": ["o1", "o2"], "requested_at": "2026-05-03"},
        {"user": "u1", "order": "o3", "requested_at": "2026-05-01"},
        identifiers=["user", "order"],
    )
    (one,) = found.entries
    assert one.values == {"user": ("u1",), "order": ("o1", "o2", "o3")}
    assert one.requested_at == datetime(2026, 5, 1, tzinfo=UTC)


def test_a_function_may_give_the_ledger(tmp_path, monkeypatch):
    (tmp_path / "ledger_of_deletions.py").write_text(
        "import pandas\ndef gone():\n    return pandas.DataFrame({'user': [5.0, 6], 'requested_at': "
        "pandas.to_datetime(['2026-05-01', '2026-05-02'])})\ndef wrong():\n    return 5\ndef broken():\n    1 / 0\n",
        encoding="utf-8",
    )
    found = read_deletions("ledger_of_deletions:gone", ["user"], base=tmp_path)
    assert [one.subject for one in found.entries] == ["5", "6"]
    with pytest.raises(InputError, match="returned a int; expected a pandas frame"):
        read_deletions("ledger_of_deletions:wrong", ["user"], base=tmp_path)
    with pytest.raises(InputError, match="raised ZeroDivisionError"):
        read_deletions("ledger_of_deletions:broken", ["user"], base=tmp_path)


def test_an_empty_ledger_is_a_ledger(tmp_path):
    assert read(tmp_path).entries == ()


def test_what_is_due_follows_the_deadline_or_the_days():
    late = Deletion("a", {}, datetime(2026, 5, 20, tzinfo=UTC), deadline=datetime(2026, 5, 30, tzinfo=UTC))
    fresh = Deletion("b", {}, datetime(2026, 5, 20, tzinfo=UTC))
    old = Deletion("c", {}, datetime(2026, 4, 1, tzinfo=UTC))
    found = Deletions("x", ("user",), (late, fresh, old))
    assert [one.subject for one in found.due(NOW, 30)] == ["a", "c"]
    assert [one.subject for one in found.due(NOW, 5)] == ["a", "b", "c"]


@pytest.mark.parametrize(
    ("rows", "settings", "says"),
    [
        (["{"], {}, "line 1 is not valid JSON"),
        (["[" * 100_000], {}, "line 1 is not valid JSON"),
        (["5"], {}, "line 1 holds a int"),
        ([{"usr": 1, "requested_at": "2026-05-01"}], {}, "no column 'user'. Did you mean 'usr'"),
        ([{"user": "a", "asked": "2026-05-01"}], {}, "no column 'requested_at'"),
        ([{"user": "", "requested_at": "2026-05-01"}], {}, "row 1 has no 'user'"),
        ([{"user": "a", "requested_at": "soon"}], {}, "'soon', which is no time; write it as in"),
        ([{"user": "a", "requested_at": None}], {}, "requested_at is missing"),
        ([{"user": "a", "requested_at": "2026-05-01", "l": "perhaps"}], {"learned": "l"}, "expected true or false"),
        ([{"user": "a", "requested_at": "2026-05-01"}], {"deadline": "due"}, "no column 'due'"),
        ([], {"identifiers": []}, "identifiers is empty"),
        ([{"user": "x" * 501, "requested_at": "2026-05-01"}], {}, "identifier of 501 characters; at most 500"),
    ],
)
def test_bad_ledgers_are_clear_errors(tmp_path, rows, settings, says):
    with pytest.raises(InputError, match=says.replace("(", r"\(")):
        read(tmp_path, *rows, **settings)


def test_a_missing_or_binary_file_is_a_clear_error(tmp_path):
    with pytest.raises(InputError, match="there is no file"):
        read_deletions("gone.jsonl", ["user"], base=tmp_path)
    (tmp_path / "gone.jsonl").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(InputError, match="Make it a readable UTF-8 file"):
        read_deletions("gone.jsonl", ["user"], base=tmp_path)

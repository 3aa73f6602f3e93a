"""Files, folders, patterns and links that stages read and write."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from mltestscore.errors import InputError
from mltestscore.integration.places import digests, files_of, is_table, keep_changes, own, signatures, table, wrong_with
from mltestscore.integration.run import Folder


def test_a_place_is_a_file_a_folder_or_a_pattern(tmp_path):
    (tmp_path / "parts").mkdir()
    for number in (1, 2):
        pd.DataFrame({"x": [number]}).to_parquet(tmp_path / "parts" / f"{number}.parquet")
    (tmp_path / "a[1].csv").write_text("x\n1\n")
    assert len(files_of(tmp_path, "parts")) == len(files_of(tmp_path, "parts/*.parquet")) == 2
    assert is_table(tmp_path, "parts")
    assert table(tmp_path, "parts").rows == 2
    assert list(digests(tmp_path, "a[1].csv")) == ["a[1].csv"]
    assert files_of(tmp_path, "absent") == []


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("a.csv", None, "is missing"),
        ("a.csv", b"", "is empty"),
        ("a.parquet", b"PAR1 and no more", "cannot be read"),
        ("a.json", b"{", "cannot be read"),
        ("a.json", b"\xff\xfe{", "cannot be read"),
        ("a.json", b'{"a": NaN}\n{"a": 2}\n', ""),
        ("a.csv", b"x\n1\n", ""),
        ("a.bin", b"\x00", ""),
    ],
)
def test_what_is_wrong_with_an_output_is_said(tmp_path, name, content, said):
    if content is not None:
        (tmp_path / name).write_bytes(content)
    found = wrong_with(tmp_path, name, False)
    assert said in found
    assert bool(found) == bool(said)


def test_a_table_without_rows_is_wrong_unless_it_may_be_empty(tmp_path):
    pd.DataFrame({"x": pd.Series([], dtype="float64")}).to_parquet(tmp_path / "a.parquet")
    assert wrong_with(tmp_path, "a.parquet", False) == "has no rows"
    assert wrong_with(tmp_path, "a.parquet", True) == ""


def test_nothing_is_written_through_a_link(tmp_path):
    outside, copy = tmp_path / "outside", tmp_path / "copy"
    outside.mkdir()
    copy.mkdir()
    (outside / "a.csv").write_text("theirs")
    (copy / "a.csv").symlink_to(outside / "a.csv")
    (copy / "data").symlink_to(outside)
    own(copy, copy / "a.csv").write_text("ours")
    assert (outside / "a.csv").read_text() == "theirs"
    with pytest.raises(InputError, match=r"data/a.csv lies behind a link"):
        own(copy, copy / "data" / "a.csv")


def test_what_changed_is_kept_up_to_a_limit_and_removed_with_its_holder(tmp_path):
    (tmp_path / "old").write_text("1")
    (tmp_path / "gone").write_text("1")
    before = signatures(tmp_path)
    (tmp_path / "gone").unlink()
    (tmp_path / "new").mkdir()
    (tmp_path / "new" / "file").write_text("12345")
    kept = Folder()
    assert keep_changes(tmp_path, before, kept.path / "0", 5) == ({"gone"}, 5)
    assert [file.name for file in (kept.path / "0").rglob("*") if file.is_file()] == ["file"]
    with pytest.raises(InputError, match="fewer rows"):
        keep_changes(tmp_path, before, kept.path / "1", 4)
    path = Path(kept.path)
    del kept
    assert not path.exists()

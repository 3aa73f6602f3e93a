"""Who may read a file, by the modes of the file and of every folder above it."""

from __future__ import annotations

import os
import stat
import struct
from collections.abc import Iterator
from pathlib import Path

import pytest

from mltestscore.inputs import access
from mltestscore.inputs.access import EVERYONE, Access, declared, of_files


@pytest.fixture
def file(tmp_path) -> Iterator[Path]:
    """A file that everybody may read, in folders that everybody may enter while the test lasts."""
    closed = [one for one in (tmp_path, *tmp_path.parents) if not one.stat().st_mode & stat.S_IXOTH]
    modes = {folder: stat.S_IMODE(folder.stat().st_mode) for folder in closed}  # pytest keeps its own to their owner
    for folder in closed:
        folder.chmod(0o755)
    path = tmp_path / "data.csv"
    path.write_text("x\n1\n", encoding="utf-8")
    path.chmod(0o644)
    yield path
    for folder, mode in modes.items():
        folder.chmod(mode)


def test_a_public_file_is_everyones(file):
    assert EVERYONE in of_files([file]).readers


def test_a_private_file_is_nobody_elses(file):
    file.chmod(0o600)
    assert of_files([file]).readers == frozenset()


def test_a_public_file_in_a_closed_folder_is_nobody_elses(file):
    file.parent.chmod(0o700)
    assert of_files([file]).readers == frozenset()


def test_any_public_file_of_several_counts(file):
    other = file.with_name("secret.csv")
    other.write_text("", encoding="utf-8")
    other.chmod(0o600)
    assert EVERYONE in of_files([other, file]).readers


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may give a file to a group that it is not in")
def test_a_group_that_may_hold_others_is_a_reader(file):
    os.chown(file, 0, 54_321)
    file.chmod(0o640)
    assert of_files([file]).readers == {"group 54321"}
    file.parent.chmod(0o750)
    assert of_files([file]).readers == frozenset(), "the group cannot enter the folder"


def test_a_users_private_group_is_nobody_else(file, monkeypatch):
    monkeypatch.setattr(access, "_has_others", lambda group, owner: False)
    file.chmod(0o640)
    assert of_files([file]).readers == frozenset()


def test_an_access_control_list_names_further_readers(file, monkeypatch):
    entries = [(0x01, 6, 0), (0x02, 4, 1234), (0x04, 4, 0), (0x08, 7, 99), (0x10, 4, 0), (0x20, 0, 0)]
    content = struct.pack("<I", 2) + b"".join(struct.pack("<HHI", *entry) for entry in entries)
    monkeypatch.setattr(
        access.os, "getxattr", lambda path, name: content if Path(path) == file else _none(), raising=False
    )
    file.chmod(0o640)
    assert {"user 1234", "group 99"} <= of_files([file]).readers


def _none() -> bytes:
    raise OSError("no such attribute")


@pytest.mark.parametrize(
    ("derived", "raw", "expected"),
    [
        (declared(["etl"]), declared(["etl", "analysts"]), set()),
        (declared(["etl", "ads"]), declared(["etl", "analysts"]), {"ads"}),
        (Access(frozenset({EVERYONE}), "files"), declared(["etl"]), {EVERYONE}),
        (Access(frozenset({"group 5"}), "files"), declared(["etl"]), None),
        (Access(frozenset(), "files"), declared(["etl"]), set()),
        (Access(frozenset({"group 5"}), "files"), Access(frozenset({EVERYONE}), "files"), set()),
        (Access(), declared(["etl"]), None),
        (declared(["etl"]), Access(), None),
    ],
)
def test_what_is_derived_is_compared_with_the_raw_store(derived, raw, expected):
    assert derived.beyond(raw) == expected

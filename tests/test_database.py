"""The database behind the history: what is wrong with it is said once, clearly and without credentials."""

from __future__ import annotations

import shutil
import socket
import sqlite3
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from mltestscore.errors import ConfigError
from mltestscore.history import VERSION, History
from mltestscore.result import Proof


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "new" / "folders" / "history.db"


@pytest.fixture
def history(file: Path) -> Iterator[History]:
    history = History(f"sqlite:///{file}")
    yield history
    history.close()


def test_a_path_may_hold_what_a_url_may_not(tmp_path: Path):
    """A plain path is taken as it is."""
    path = tmp_path / "what? 100% #1.db"
    History(str(path)).close()

    assert path.is_file()


def test_a_transaction_that_writes_holds_the_lock_from_its_start(file: Path, history: History):
    """One that began by reading could not wait for another writer, and would fail."""
    with history._database.transaction("written", write=True):
        other = sqlite3.connect(file, timeout=0)
        with pytest.raises(sqlite3.OperationalError, match="locked"):
            other.execute("BEGIN IMMEDIATE")
        other.close()


def test_a_history_of_a_newer_version_is_refused(file: Path, history: History):
    """The file, both versions and the remedy are named."""
    with sqlite3.connect(file) as connection:
        connection.execute("UPDATE mltestscore_schema SET version = 7")
    connection.close()

    with pytest.raises(ConfigError) as refused:
        History(str(file))

    said = str(refused.value)
    assert f"{file} is a history of version 7, and this mltestscore reads version {VERSION}" in said
    assert "pip install -U mltestscore" in said


def test_a_file_that_is_no_database_is_refused_and_left_alone(tmp_path: Path):
    """The file is named and not overwritten."""
    path = tmp_path / "notes.txt"
    path.write_text("dear diary " * 200, encoding="utf-8")

    with pytest.raises(
        ConfigError, match=r"notes\.txt: the history could not be opened: file is not a database\. .*away"
    ):
        History(str(path))

    assert path.read_text(encoding="utf-8").startswith("dear diary")


def test_a_damaged_history_is_refused(file: Path, history: History):
    """A history whose pages were overwritten is named, with what to do."""
    for number in range(200):
        history.remember(f"key {number}", Proof(control="x" * 500), "r1")
    with sqlite3.connect(file) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    connection.close()
    content = file.read_bytes()
    file.write_bytes(content[:4096] + b"\xee" * (len(content) - 4096))

    with pytest.raises(ConfigError, match=r"history\.db: the history could not be .*malformed.*[Mm]ove it away"):
        History(str(file)).proof("key 150")


def test_a_folder_that_cannot_be_made_is_one_clear_error(tmp_path: Path):
    """A file in the place of the folder is named."""
    (tmp_path / "taken").write_text("", encoding="utf-8")

    with pytest.raises(ConfigError, match=r"folder of the history cannot be made: .*Name another file or URL"):
        History(str(tmp_path / "taken" / "history.db"))


def test_a_read_only_folder_is_one_clear_error(tmp_path: Path):
    """A user who may not write there is told so, and where."""
    folder = Path(tempfile.mkdtemp(prefix="mltestscore-read-only-"))
    folder.chmod(0o555)
    code = (
        "import sys; from mltestscore.errors import ConfigError; from mltestscore.history import History\n"
        "if __import__('os').getuid() == 0: __import__('os').setuid(65534)\n"
        "try: History(sys.argv[1])\n"
        "except ConfigError as error: print(error)"
    )
    path = folder / "history.db"
    try:
        done = subprocess.run(
            [sys.executable, "-c", code, path], capture_output=True, text=True, check=True, timeout=60
        )
    finally:
        folder.chmod(0o755)
        shutil.rmtree(folder)

    assert f"{path}: the history could not be opened: unable to open database file" in done.stdout
    assert "writable" in done.stdout


def test_an_unreachable_server_is_told_without_the_password():
    """Neither the URL nor the driver's words give credentials away."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
        with pytest.raises(ConfigError) as refused:
            History(f"postgresql://ada:s3same@127.0.0.1:{port}/runs?sslpassword=0pen")

    said = str(refused.value)
    assert f"postgresql+psycopg://ada:***@127.0.0.1:{port}/runs" in said
    assert "s3same" not in said
    assert "0pen" not in said
    assert "See that the database runs" in said


def test_a_password_that_the_driver_repeats_is_hidden():
    """Whatever the driver says, the password is taken out of it; here it is the name of the host."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
        with pytest.raises(ConfigError, match=r'server at "\*\*\*"'):
            History(f"postgresql://ada:127.0.0.1@127.0.0.1:{port}/runs")


def test_a_url_that_cannot_be_parsed_is_not_repeated():
    """It may hold a password in the wrong place."""
    with pytest.raises(ConfigError, match="is not a database URL that can be read") as refused:
        History("postgresql://ada:s3same@host:not-a-port/runs")

    assert "s3same" not in str(refused.value)


def test_another_kind_of_database_is_refused():
    """What we do not test we do not pretend to support."""
    with pytest.raises(
        ConfigError, match=r"mysql://ada:\*\*\*@host/runs: a history lies in sqlite:/// or postgresql://"
    ):
        History("mysql://ada:s3same@host/runs")

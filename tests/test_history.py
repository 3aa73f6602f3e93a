"""The history keeps every run, also when several write at once, and says clearly what is wrong with its database."""

from __future__ import annotations

import os
import shutil
import socket
import sqlite3
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import psycopg
import pytest

from mltestscore.errors import ConfigError
from mltestscore.evidence import Statements
from mltestscore.history import VERSION, History
from mltestscore.result import CheckResult, FaultRecord, Proof
from mltestscore.score import assemble, score
from mltestscore.scorecard import Run, Scorecard

PROVEN = Proof(state="proven", faults=[FaultRecord(name="one id in ten is lost", state="caught", by="ids")])
BINARIES = sorted(Path("/usr/lib/postgresql").glob("*/bin/pg_ctl"))


def card(
    id: str, started: str = "2026-11-22T10:00:00Z", system: str = "flights", state: str = "passed", **run: bool
) -> Scorecard:
    """Return a scorecard with one check."""
    checks = [CheckResult(id="data.1", item="data.1", state=state, proof=PROVEN)]
    items = assemble(checks, Statements(), in_ci=False)
    return Scorecard(
        mltestscore="0.1.0",
        system=system,
        run=Run(id=id, started=started, **run),
        score=score(items),
        items=items,
    )


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "new" / "folders" / "history.db"


@pytest.fixture
def sqlite_history(file: Path) -> Iterator[History]:
    history = History(f"sqlite:///{file}")
    yield history
    history.close()


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    """Start a real PostgreSQL server; return the URL of a database on it."""
    if not BINARIES:
        pytest.skip("no PostgreSQL server is installed under /usr/lib/postgresql")
    as_user = ["runuser", "-u", "postgres", "--"] if os.getuid() == 0 else []
    if as_user and subprocess.run([*as_user, "true"], check=False).returncode:
        pytest.skip("PostgreSQL does not run as root, and there is no user postgres")
    folder = Path(tempfile.mkdtemp(prefix="mltestscore-pg-"))
    if as_user:
        shutil.chown(folder, "postgres")
    binaries, data = BINARIES[-1].parent, folder / "data"
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]

    def call(*command: object) -> None:
        subprocess.run([*as_user, *map(str, command)], check=True, stdout=subprocess.DEVNULL, timeout=60, cwd="/")

    try:
        call(binaries / "initdb", "--no-sync", "-A", "trust", "-U", "postgres", "-D", data)
        options = f"-p {port} -h 127.0.0.1 -k {folder} -F"
        call(binaries / "pg_ctl", "-D", data, "-w", "-o", options, "-l", folder / "log", "start")
        yield f"postgresql://postgres:sesame@127.0.0.1:{port}/postgres"
    finally:
        if (data / "postmaster.pid").exists() or as_user:
            subprocess.run(
                [*as_user, str(binaries / "pg_ctl"), "-D", str(data), "-m", "immediate", "stop"],
                check=False,
                stdout=subprocess.DEVNULL,
                timeout=60,
                cwd="/",
            )
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def database(server: str, request: pytest.FixtureRequest) -> str:
    """Return the URL of a new, empty database on the server."""
    name = f"test_{abs(hash(request.node.nodeid))}"
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}")
    return server.removesuffix("postgres") + name


@pytest.fixture(params=["sqlite", "postgresql"])
def history(request: pytest.FixtureRequest, file: Path) -> Iterator[History]:
    """The same behaviour is asked of both databases."""
    history = History(str(file) if request.param == "sqlite" else request.getfixturevalue("database"))
    yield history
    history.close()


def test_a_run_comes_back_as_it_was(history: History):
    """The whole scorecard is stored."""
    history.append(card("r1"))

    assert history.previous("flights") == card("r1")


def test_previous_is_the_newest_complete_run_of_the_system(history: History):
    """Order is by time in UTC and not by arrival; other systems and cut-short runs are passed over."""
    history.append(card("newest", "2026-11-22T10:00:00+00:00"))
    history.append(card("older, later zone", "2026-11-22T11:30:00+02:00"))
    history.append(card("cut short", "2026-11-22T12:00:00Z", incomplete=True))
    history.append(card("other", "2026-11-22T13:00:00Z", system="trains"))

    previous = history.previous("flights")

    assert previous is not None
    assert previous.run.id == "newest"


def test_an_empty_history_has_no_previous_run(history: History):
    """The first run of a system has nothing to compare with."""
    assert history.previous("flights") is None
    assert history.trend("flights") == []


def test_trend_is_the_newest_scores_oldest_first(history: History):
    """Only the newest runs are kept in the line, in reading order."""
    for hour in range(5):
        history.append(card(f"r{hour}", f"2026-11-22T1{hour}:00:00Z"))

    assert [point.run for point in history.trend("flights", limit=3)] == ["r2", "r3", "r4"]
    assert history.trend("flights", limit=1)[0].started == "2026-11-22T14:00:00.000000+00:00"


def test_runs_of_counts_what_came_to_an_observation_since_then(history: History):
    """Errors and missing inputs are no runs of a check; a failure is one."""
    since = datetime(2026, 11, 22, 11, tzinfo=UTC)
    history.append(card("before", "2026-11-22T10:59:59.999999Z"))
    history.append(card("at", "2026-11-22T11:00:00Z"))
    history.append(card("failed", "2026-11-22T12:00:00Z", state="failed"))
    history.append(card("error", "2026-11-22T13:00:00Z", state="error"))
    history.append(card("missing", "2026-11-22T14:00:00Z", state="not_offered"))
    history.append(card("other", "2026-11-22T15:00:00Z", system="trains"))

    assert history.runs_of("data.1", since) == 3
    assert history.runs_of("data.1", since.replace(tzinfo=None), system="flights") == 2
    assert history.runs_of("data.2", since) == 0


def test_the_same_run_twice_is_one_run(history: History):
    """A run that is put on record again replaces itself."""
    history.append(card("r1", incomplete=True))
    history.append(card("r1"))

    assert len(history.trend("flights")) == 1
    assert history.runs_of("data.1", datetime(2026, 1, 1, tzinfo=UTC)) == 1


def test_a_proof_is_remembered_with_the_run_that_made_it(history: History):
    """The newest proof under a key counts."""
    history.remember("key", Proof(), "r0")
    history.remember("key", PROVEN, "r1")

    assert history.proof("key") == ("r1", PROVEN)
    assert history.proof("other key") is None


def test_a_history_outlives_its_process(file: Path):
    """What was written is there when the file is opened again; a plain path is enough."""
    first = History(str(file))
    first.append(card("r1"))
    first.close()

    second = History(str(file))

    assert second.previous("flights") == card("r1")


def test_a_path_may_hold_what_a_url_may_not(tmp_path: Path):
    """A plain path is taken as it is."""
    path = tmp_path / "what? 100% #1.db"
    History(str(path)).append(card("r1"))

    assert path.is_file()


def test_a_history_in_memory_works():
    """Nothing is written to disk where that is asked for."""
    history = History("sqlite://")
    history.append(card("r1"))

    assert history.previous("flights") == card("r1")
    history.close()


WRITER = """
import sys
from mltestscore.history import History
from mltestscore.scorecard import Scorecard
url, writer = sys.argv[1:]
card = Scorecard.model_validate_json(sys.stdin.read())
for number in range(6):
    history = History(url)
    run = card.run.model_copy(update={"id": f"{writer}-{number}"})
    history.append(card.model_copy(update={"run": run}))
    history.remember("shared", card.items[0].checks[0].proof, run.id)
    history.close()
"""


def write_at_once(url: str, writers: int = 3) -> None:
    """Let several processes make and write one history at the same time."""
    command = [sys.executable, "-c", WRITER, url]
    started = [
        subprocess.Popen([*command, str(writer)], stdin=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        for writer in range(writers)
    ]
    text = card("r").model_dump_json()
    for process in started:
        assert process.stdin is not None
        process.stdin.write(text)
        process.stdin.close()
        process.stdin = None
    for process in started:
        _, complaint = process.communicate(timeout=60)
        assert process.returncode == 0, complaint


@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
def test_processes_that_write_at_once_lose_nothing(kind: str, file: Path, request: pytest.FixtureRequest):
    """Three processes make the history and write six runs each; all eighteen are there."""
    url = f"sqlite:///{file}" if kind == "sqlite" else request.getfixturevalue("database")

    write_at_once(url)

    history = History(url)
    assert {point.run for point in history.trend("flights")} == {f"{w}-{n}" for w in range(3) for n in range(6)}
    assert history.runs_of("data.1", datetime(2026, 1, 1, tzinfo=UTC)) == 18
    history.close()


def test_a_transaction_that_writes_holds_the_lock_from_its_start(file: Path, sqlite_history: History):
    """One that began by reading could not wait for another writer, and would fail."""
    with sqlite_history._database.transaction("written", write=True):
        other = sqlite3.connect(file, timeout=0)
        with pytest.raises(sqlite3.OperationalError, match="locked"):
            other.execute("BEGIN IMMEDIATE")
        other.close()


def test_a_history_of_a_newer_version_is_refused(file: Path, sqlite_history: History):
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


def test_a_damaged_history_is_refused(file: Path, sqlite_history: History):
    """A history whose pages were overwritten is named, with what to do."""
    for number in range(20):
        sqlite_history.append(card(f"r{number}"))
    with sqlite3.connect(file) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    connection.close()
    content = file.read_bytes()
    file.write_bytes(content[:4096] + b"\xee" * (len(content) - 4096))

    with pytest.raises(ConfigError, match=r"history\.db: the history could not be .*malformed.*[Mm]ove it away"):
        History(str(file)).previous("flights")


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


def test_a_stored_scorecard_that_cannot_be_read_is_named(file: Path, sqlite_history: History):
    """A row of another version is one clear error and no traceback of the parser."""
    sqlite_history.append(card("r1"))
    with sqlite3.connect(file) as connection:
        connection.execute("UPDATE mltestscore_runs SET scorecard = '{\"schema_version\": 9}'")
    connection.close()

    with pytest.raises(ConfigError, match="the scorecard of the run 'r1' is not one that this version"):
        sqlite_history.previous("flights")


def test_a_proof_of_another_version_is_made_again(file: Path, sqlite_history: History):
    """A proof that cannot be read is as good as none."""
    sqlite_history.remember("key", PROVEN, "r1")
    with sqlite3.connect(file) as connection:
        connection.execute("UPDATE mltestscore_proofs SET proof = '{}x'")
    connection.close()

    assert sqlite_history.proof("key") is None


def test_a_start_that_is_no_time_is_refused(sqlite_history: History):
    """A run without a time cannot be put in order."""
    with pytest.raises(ConfigError, match="start 'yesterday' is not an ISO 8601 time"):
        sqlite_history.append(card("r1", "yesterday"))


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

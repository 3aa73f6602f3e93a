"""The history keeps every run, also when several write at once, and says clearly what is wrong with its database."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import psycopg
import pytest

from mltestscore.errors import ConfigError
from mltestscore.evidence import Statements
from mltestscore.history import History
from mltestscore.result import CheckResult, FaultRecord, Proof
from mltestscore.score import assemble, score
from mltestscore.scorecard import Run, Scorecard

PROVEN = Proof(state="proven", faults=[FaultRecord(name="one id in ten is lost", state="caught", by="ids")])


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


@pytest.fixture
def database(postgresql: str, request: pytest.FixtureRequest) -> str:
    """Return the URL of a new, empty database on the server."""
    name = f"test_{abs(hash(request.node.nodeid))}"
    with psycopg.connect(postgresql, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}")
    return postgresql.removesuffix("postgres") + name


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


def test_results_are_those_of_the_check_in_the_newest_complete_runs_of_the_system(file: Path):
    """A scorecard holds many checks, and a history many systems."""
    history = History(str(file), "flights")
    for day, (system, cut) in enumerate([("flights", False), ("hotels", False), ("flights", True), ("flights", False)]):
        made = card(f"r{day}", f"2026-11-2{day}T10:00:00Z", system, incomplete=cut)
        other = CheckResult(id="data.1/own", item="data.1", state="failed", proof=PROVEN)
        made.items[0].checks.insert(day % 2, other)
        history.append(made)

    found = history.results("data.1", 9)
    own = history.results("data.1/own", 1)
    history.close()

    assert [(run.id, result.id, result.state) for run, result in found] == [
        ("r0", "data.1", "passed"),
        ("r3", "data.1", "passed"),
    ]
    assert [(run.id, result.id, result.state) for run, result in own] == [("r3", "data.1/own", "failed")]


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

"""Growth by degrees over the runs on record warns, with a picture; noise, other machines and short records do not."""

from pathlib import Path

import numpy as np
import pytest

from mltestscore.details import Series
from mltestscore.evidence import Statements
from mltestscore.facts import machine
from mltestscore.finding import Finding
from mltestscore.history import History
from mltestscore.performance.trend import CAPACITY, FIGURES, judge_trend
from mltestscore.result import CheckResult, DetailRecord
from mltestscore.score import assemble, score
from mltestscore.scorecard import Machine, Run, Scorecard

MEMORY = "memory (MiB)"


def record(history: History, number: int, figures: dict[str, float], system: str = "flights", **options) -> None:
    where = options.pop("machine", machine())
    table = DetailRecord(kind="table", title=FIGURES, data={"columns": ["figure", "value"], "rows": [*figures.items()]})
    check = CheckResult(
        id="monitor.6", item="monitor.6", state="passed", details=[table], options={"rate": 0.0} | options
    )
    items = assemble([check], Statements(), in_ci=False)
    started = f"2026-{1 + number // 28:02}-{1 + number % 28:02}T10:00:00Z"
    run = Run(id=f"{system} {number}", started=started, machine=where)
    history.append(Scorecard(mltestscore="0.1.0", system=system, run=run, score=score(items), items=items))


@pytest.fixture
def history(tmp_path: Path):
    opened = History(str(tmp_path / "history.db"), "flights")
    yield opened
    opened.close()


def judged(history: History | None, now: dict[str, float], runs: int = 40, rate: float = 0.0) -> tuple[dict, list]:
    found = list(judge_trend(history, now, rate, 0.1, runs))
    return {one.where: one for one in found if isinstance(one, Finding)}, [
        one for one in found if isinstance(one, Series)
    ]


def line(change: float, seed: int, count: int = 40) -> list[float]:
    """Return values that creep by ``change`` in all, with 5 % of noise."""
    rng = np.random.default_rng(seed)
    return [
        100 * (1 + change) ** (number / (count - 1)) * float(np.exp(rng.normal(0, 0.05))) for number in range(count)
    ]


def test_memory_that_creeps_by_60_percent_over_40_runs_warns_and_never_fails(history):
    *before, now = line(0.6, 1)
    for number, value in enumerate(before):
        record(history, number, {MEMORY: value, CAPACITY: 300.0})
    found, (picture,) = judged(history, {MEMORY: now, CAPACITY: 300.0})
    assert (found[MEMORY].verdict, found[MEMORY].advisory) == ("failed", True)
    assert found[MEMORY].interval.value == pytest.approx(0.6, abs=0.15)
    assert found[CAPACITY].verdict == "passed"
    assert "40 runs since 2026-01-01" in found[MEMORY].note
    assert (len(picture.x), picture.lines[MEMORY][0]) == (40, 1.0)


def test_capacity_is_worse_when_it_falls(history):
    for number, value in enumerate(reversed(line(0.6, 1, 20))):
        record(history, number, {CAPACITY: value})
    assert judged(history, {CAPACITY: 60.0})[0][CAPACITY].verdict == "failed"
    assert judged(history, {CAPACITY: 1e9})[0][CAPACITY].verdict in ("failed", "inconclusive")


@pytest.mark.parametrize("seed", range(10))
def test_noise_does_not_warn(history, seed):
    *before, now = line(0.0, seed, 12)
    for number, value in enumerate(before):
        record(history, number, {MEMORY: value})
    assert judged(history, {MEMORY: now})[0][MEMORY].verdict != "failed"


def test_other_machines_systems_rates_and_old_records_are_not_compared(history):
    for number, value in enumerate(line(5.0, 1, 12)):
        record(history, number, {MEMORY: value}, machine=Machine(system="elsewhere", cpus=96))
        record(history, number, {MEMORY: value}, system="other")
        record(history, 100 + number, {MEMORY: value}, rate=50.0)
        record(history, 200 + number, {})
    assert judged(history, {MEMORY: 1_000.0}) == ({}, [])


def test_few_runs_are_shown_and_not_judged(history):
    for number in range(3):
        record(history, number, {MEMORY: 100.0 + 50 * number})
    found, (picture,) = judged(history, {MEMORY: 300.0})
    assert (found, picture.lines[MEMORY]) == ({}, (1.0, 1.5, 2.0, 3.0))


def test_a_figure_that_is_new_has_no_line_yet(history):
    for number in range(9):
        record(history, number, {MEMORY: 100.0})
    found, (picture,) = judged(history, {MEMORY: 100.0, "training (MiB)": 5.0})
    assert set(found) == set(picture.lines) == {MEMORY}


def test_no_history_or_one_that_cannot_be_read_costs_only_the_trend(history, tmp_path):
    assert judged(None, {MEMORY: 1.0}) == ({}, [])
    (tmp_path / "history.db").write_bytes(b"no database at all" * 100)
    assert judged(history, {MEMORY: 1.0}) == ({}, [])

"""What a training costs: taken from trainings that ran anyway, held to a budget and to what is on record."""

from datetime import UTC, datetime
from pathlib import Path

import pandas as pd
import pytest

from mltestscore.inputs.dataset import Dataset, Roles, open_dataset
from mltestscore.inputs.registry import Lineage, Registry
from mltestscore.inputs.trainer import Trainer
from mltestscore.inputs.training_costs import TrainingCost
from mltestscore.performance.training import GREW, PEAK, TIME, judge_training

TRAINING = """
import subprocess, sys, time


def mean(frame, seed):
    value = frame["y"].mean()
    return lambda rows: [value] * len(rows)


def with_a_child(frame, seed):
    code = "import time; kept = b'x' * 300_000_000; until = time.process_time() + 0.4\\n"
    code += "while time.process_time() < until: pass\\n"
    code += "time.sleep(0.6)"
    subprocess.run([sys.executable, "-c", code], check=True)
    return mean(frame, seed)
"""


@pytest.fixture
def project(tmp_path) -> Path:
    (tmp_path / "costly.py").write_text(TRAINING)
    return tmp_path


@pytest.fixture
def data() -> Dataset:
    frame = pd.DataFrame({"id": range(300), "x": [1.0, 2.0, 3.0] * 100, "y": [0.0, 1.0, 1.0] * 100})
    return open_dataset("training", frame, Roles(key=("id",), label="y"))


def cost(seconds: float, waited: float = 0.0, rows: int = 300, columns: int = 3, mb: float = 100.0) -> TrainingCost:
    return TrainingCost("costly:mean", rows, columns, seconds, waited, seconds, int(mb * 2**20))


def judged(costs: list[TrainingCost], data: Dataset | None, **budget: float) -> dict:
    trainer = Trainer("costly:mean", costs=costs)
    found = judge_training(trainer, data, None, seconds=budget.get("seconds"), mb=budget.get("mb"), tolerance=1.0)
    return {one.name: one for one in found if hasattr(one, "name")}


def registry(before: dict[str, float], now: dict[str, float]) -> Registry:
    old, new = (
        Lineage(f"v{year}", datetime(2000 + year, 1, 1, tzinfo=UTC), costs=costs)
        for year, costs in ((1, before), (2, now))
    )
    return Registry("here", new, (old, new))


def against_previous(before: dict[str, float], now: dict[str, float]) -> dict:
    found = judge_training(None, None, registry(before, now), seconds=None, mb=None, tolerance=1.0)
    return {one.where.split()[0]: one for one in found}


def test_trainings_that_ran_anyway_are_judged_and_none_is_run(data):
    found = judged([cost(3.0), cost(2.0)], data, seconds=2.5, mb=150.0)
    assert (found[TIME].verdict, found[PEAK].verdict) == ("passed", "passed")
    assert (found[TIME].interval.value, found[TIME].interval.n, found[TIME].where) == (2.0, 2, "300 rows")


def test_a_training_over_its_budgets_fails(data):
    found = judged([cost(3.0, mb=151), cost(2.0, mb=152)], data, seconds=1.9, mb=150.0)
    assert (found[TIME].verdict, found[PEAK].verdict) == ("failed", "failed")


def test_a_training_that_waited_for_processors_is_not_called_slow(data):
    assert judged([cost(3.0, waited=1.5)], data, seconds=2.0)[TIME].verdict == "inconclusive"


def test_trainings_on_fewer_rows_or_columns_do_not_stand_for_the_whole(data):
    found = judged([cost(0.1, rows=30), cost(0.1, columns=2), cost(9.0), cost(50.0, rows=600)], data, seconds=5.0)
    assert (found[TIME].interval.value, found[TIME].interval.n) == (9.0, 1)


def test_another_function_does_not_count(data):
    others = [TrainingCost("elsewhere:train", 300, 3, 0.1, 0.0, 0.1, 1)]
    assert judged(others, data) == {}


def test_without_a_trainer_a_budget_is_undecided():
    found = list(judge_training(None, None, None, seconds=1.0, mb=1.0, tolerance=1.0))
    assert [one.verdict for one in found] == ["inconclusive"] * 2
    assert "offer the trainer" in found[0].note


def test_a_training_is_run_only_where_a_budget_is_declared_and_none_ran(project, data):
    trainer = Trainer("costly:mean", project)
    assert list(judge_training(trainer, data, None, seconds=None, mb=None, tolerance=1.0)) == []
    time, peak, table = judge_training(trainer, data, None, seconds=60.0, mb=4_000.0, tolerance=1.0)
    assert (time.verdict, peak.verdict) == ("passed", "passed")
    assert (len(trainer.costs), trainer.costs[0].rows) == (1, 300)
    assert len(table.rows) == 1
    list(judge_training(trainer, data, None, seconds=60.0, mb=None, tolerance=1.0))
    assert len(trainer.costs) == 1


def test_what_child_processes_take_counts(project, data):
    trainer = Trainer("costly:with_a_child", project)
    trainer.train(data, data.frame(), seed=1, hash_seed=1, timeout=60)
    (found,) = trainer.costs
    assert found.cpu_seconds > 0.35
    assert found.peak_bytes > 350e6
    assert found.seconds > 0.9


def test_a_training_with_a_planted_fault_leaves_no_cost(project, data):
    trainer = Trainer("costly:mean", project)
    broken = trainer.wrapped("mltestscore.inputs.training_faults:unseeded")
    broken.train(data, data.frame(), seed=1, hash_seed=1, timeout=60)
    assert trainer.costs == []


def test_costs_on_record_that_more_than_doubled_fail():
    found = against_previous({"cpu_seconds": 10.0, "peak_mb": 400.0}, {"cpu_seconds": 21.0, "peak_mb": 900.0})
    assert {name: one.verdict for name, one in found.items()} == {"cpu_seconds": "failed", "peak_mb": "failed"}
    assert "10 in v1, 21 in v2" in found["cpu_seconds"].note


def test_twice_the_rows_may_take_twice_the_time():
    found = against_previous({"cpu_seconds": 10.0, "rows": 1e6}, {"cpu_seconds": 25.0, "rows": 2e6})
    assert found["cpu_seconds"].verdict == "passed"
    fewer = against_previous({"cpu_seconds": 10.0, "rows": 1e6}, {"cpu_seconds": 15.0, "rows": 5e5})
    assert fewer["cpu_seconds"].verdict == "passed"


def test_wall_time_counts_only_without_processor_time():
    both = against_previous({"cpu_seconds": 10.0, "seconds": 10.0}, {"cpu_seconds": 10.0, "seconds": 90.0})
    assert both["cpu_seconds"].verdict == "passed"
    assert against_previous({"seconds": 10.0}, {"seconds": 90.0})["seconds"].verdict == "failed"


def test_costs_of_one_version_alone_are_not_compared():
    assert against_previous({}, {"cpu_seconds": 10.0}) == {}
    assert {one.name for one in against_previous({"seconds": 1.0}, {"seconds": 1.0}).values()} == {GREW}

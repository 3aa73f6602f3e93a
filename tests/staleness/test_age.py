"""The largest age of a model: where it is declared, and how a run hands on what it measured."""

from __future__ import annotations

import math

import pytest

from mltestscore.config import Config
from mltestscore.errors import ConfigError, NotOffered
from mltestscore.evidence import Statements
from mltestscore.history import History
from mltestscore.inputs import offered_records
from mltestscore.result import CheckResult, FindingRecord
from mltestscore.score import assemble, score
from mltestscore.scorecard import Run, Scorecard
from mltestscore.staleness.age import TOLERABLE, Age, recorded_age


def card(days: float, system: str = "flights") -> Scorecard:
    """Return a scorecard on which model.4 found an age harmless."""
    found = FindingRecord(name=TOLERABLE, value=days, verdict="passed", advisory=True)
    checks = [CheckResult(id="model.4", item="model.4", state="passed", findings=[found])]
    items = assemble(checks, Statements(), in_ci=False)
    run = Run(id="one", started="2026-11-22T10:00:00Z")
    return Scorecard(mltestscore="0.1.0", system=system, run=run, score=score(items), items=items)


def project(tmp_path, **keys) -> Config:
    """Return the configuration of a system in a folder of its own."""
    return Config(file=tmp_path / "pyproject.toml", system="flights", **keys)


@pytest.mark.parametrize("days", [0, -1, math.nan, math.inf, True, "60", None])
def test_an_age_is_a_number_of_days_above_0(days):
    with pytest.raises(ConfigError, match=r"max_age_days is .* expected a number of days above 0"):
        Age(days)


def test_the_age_declared_for_monitor_4_is_the_one_that_model_4_asks_about(tmp_path):
    assert offered_records.max_age(project(tmp_path, checks={"monitor.4": {"max_age_days": 60}})).days == 60
    with pytest.raises(NotOffered, match="max_age_days"):
        offered_records.max_age(project(tmp_path))
    with pytest.raises(ConfigError, match=r"above 0.*monitor\.4"):
        offered_records.max_age(project(tmp_path, checks={"monitor.4": {"max_age_days": -3}}))


def test_what_a_run_measured_is_the_limit_of_the_next_where_none_is_declared(tmp_path):
    config = project(tmp_path)
    with pytest.raises(NotOffered, match=r"run model\.4 once"):
        offered_records.tolerable_age(config)
    history = History(config.history_url())
    history.append(card(45))
    history.close()
    found = offered_records.tolerable_age(config)
    assert (found.days, found.source) == (45, "model.4 of 2026-11-22")
    with pytest.raises(NotOffered, match="declared"):
        offered_records.tolerable_age(project(tmp_path, checks={"monitor.4": {"max_age_days": 60}}))


def test_another_systems_age_and_an_age_of_nothing_are_not_taken_over(tmp_path):
    history = History(project(tmp_path).history_url())
    history.append(card(45, system="trains"))
    history.close()
    with pytest.raises(NotOffered):
        offered_records.tolerable_age(project(tmp_path))
    assert recorded_age(card(0)) is None
    assert recorded_age(None) is None


def test_a_history_that_cannot_be_read_offers_no_age(tmp_path):
    config = project(tmp_path, history="history.db")
    (tmp_path / "history.db").write_text("not a database at all, and long enough to be looked at as one" * 50)
    with pytest.raises(NotOffered, match="let the history be readable"):
        offered_records.tolerable_age(config)

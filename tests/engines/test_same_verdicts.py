"""DuckDB, PostgreSQL and Spark come to the same findings, number by number, on sound and on broken tables."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pytest

from mltestscore.comparison import cells, columns, grid
from mltestscore.inputs.dataset import Dataset, Roles, open_dataset
from mltestscore.inputs.inference import inferred
from mltestscore.inputs.model import as_model
from mltestscore.inputs.schema import Schema
from mltestscore.result import CheckResult
from mltestscore.testing import run_check

FEATURES = ("price", "stock", "colour", "seen")
ROLES = Roles(key=("id",), time="at", cluster="shop", features=FEATURES)
TOLERANCE = 1e-9  # relative: sums of floats in another order


def orders(rows: int, start: str, days: int, seed: int) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    price = rng.lognormal(3, 0.5, rows).round(2)
    price[rng.random(rows) < 0.05] = np.nan
    return pd.DataFrame(
        {
            "id": [f"{start}-{number}" for number in range(rows)],
            "at": pd.Timestamp(start) + pd.to_timedelta(np.sort(rng.uniform(0, days, rows)), unit="D").round("ms"),
            "shop": rng.integers(0, 200, rows),
            "price": price,
            "stock": rng.poisson(20, rows),
            "colour": rng.choice(["red", "green", "blue"], rows, p=[0.5, 0.3, 0.2]),
            "seen": rng.random(rows).round(3),
        }
    )


def system(broken: bool) -> dict[str, pd.DataFrame]:
    """Twenty weeks to learn from; a served week, which where broken has another unit, a default and a new colour."""
    served = orders(4_500, "2024-05-20", 7, 2)
    recomputed = served.copy()
    if broken:
        late = np.arange(len(served)) % 4 == 0
        served["price"] *= 100
        served.loc[late, "seen"] = -999.0
        served.loc[late, "colour"] = "mauve"
    return {"training": orders(9_000, "2024-01-01", 140, 1), "serving": served, "recomputed": recomputed}


def datasets(sources: dict[str, Any]) -> dict[str, Dataset]:
    return {name: open_dataset(name, source, ROLES) for name, source in sources.items()}


def found(item: str, sources: dict[str, Any], names: tuple[str, ...], **more: Any) -> CheckResult:
    opened = datasets(sources)
    return run_check(item, prove=False, **{name: opened[name] for name in names}, **more)


def said(result: CheckResult) -> tuple[Any, ...]:
    """What must agree: the state, and each finding's verdict and value, floats within the tolerance."""
    findings = {
        (one.name, one.where): (one.verdict, pytest.approx(one.value, rel=TOLERANCE, nan_ok=True))
        for one in result.findings
    }
    return result.state, result.reason, findings


@pytest.fixture(scope="module", params=[False, True], ids=["sound", "broken"])
def frames(request: pytest.FixtureRequest) -> dict[str, pd.DataFrame]:
    return system(request.param)


@pytest.fixture(scope="module")
def schema() -> Schema:
    training = open_dataset("training", system(False)["training"], ROLES)
    return inferred(training)


def decided(frames: dict[str, pd.DataFrame]) -> str:
    return "passed" if frames["serving"].equals(frames["recomputed"]) else "failed"


def test_invariants(frames, offered, schema):
    names = ("training", "serving")
    expected = found("monitor.2", frames, names, schema=schema)
    assert expected.state == decided(frames), expected.reason
    assert said(found("monitor.2", offered(frames), names, schema=schema)) == said(expected)


def test_skew(frames, offered):
    names = ("serving", "recomputed")
    expected = found("monitor.3", frames, names)
    assert expected.state == decided(frames), expected.reason
    assert said(found("monitor.3", offered(frames), names)) == said(expected)


def test_skew_without_a_key(frames, offered):
    roles = replace(ROLES, key=())
    broken = decided(frames) == "failed"

    def of(sources: dict[str, Any]) -> CheckResult:
        sides = {name: open_dataset(name, sources[name], roles) for name in ("serving", "recomputed")}
        return run_check("monitor.3", prove=False, **sides)

    expected = of(frames)
    assert (expected.state == "failed") is broken, expected.reason
    assert said(of(offered(frames))) == said(expected)


def test_schema(frames, offered, schema):
    names = ("training", "serving")
    model = as_model(lambda rows: np.zeros(len(rows)), features=FEATURES, task="regression")
    expected = found("data.1", frames, names, schema=schema, model=model)
    assert expected.state == decided(frames), expected.reason
    assert said(found("data.1", offered(frames), names, schema=schema, model=model)) == said(expected)


def test_the_same_rows_are_sampled(frames, offered):
    there, here = datasets(offered(frames))["serving"], datasets(frames)["serving"]
    assert sorted(there.sample(100).frame(["id"])["id"]) == sorted(here.sample(100).frame(["id"])["id"])


def test_the_same_schema_is_inferred(frames, offered):
    there, here = datasets(offered(frames))["training"], datasets(frames)["training"]
    assert [rule.text for rule in inferred(there).rules] == [rule.text for rule in inferred(here).rules]


@pytest.mark.parametrize("large", [False, True], ids=["by value", "by rows alone"])
def test_the_same_rows_lie_in_each_cell(frames, offered, large, monkeypatch):
    if large:  # as if the columns were: without repeats in the first rows, and without a frequent value
        for where, name, value in ((cells, "LARGE", 0), (cells, "REPEATS", 10**6), (grid, "LEAST", 10**9)):
            monkeypatch.setattr(where, name, value)
    names = ("price", "stock", "seen")
    here, there = (datasets(sources)["serving"].table for sources in (frames, offered(frames)))
    expected = cells.laid(here, {name: columns.number(here[name]) for name in names}, rows=1)
    wanted = {name: (columns.number(there[name]), one.grid) for name, one in expected.items()}
    for name, one in cells.counted(there, wanted, rows=1).items():
        assert one.exact is expected[name].exact is not large
        assert (one.place.tolist(), one.count.tolist()) == (
            expected[name].place.tolist(),
            expected[name].count.tolist(),
        )
        assert (one.missing, one.fractions, one.atoms) == (
            expected[name].missing,
            expected[name].fractions,
            expected[name].atoms,
        )


def test_infinities_are_no_missing_values(offered):
    values = pd.DataFrame({"x": [np.inf, -np.inf, -np.inf, 1.0, 2.5, None]})
    table = open_dataset("data", offered({"data": values})["data"]).table
    (found,) = cells.laid(table, {"x": columns.number(table["x"])}).values()
    assert (found.range, found.missing, found.fractions) == ((-np.inf, np.inf), 1, 4)

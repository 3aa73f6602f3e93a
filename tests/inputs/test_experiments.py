"""Tables of experiments: changes or two columns of values, dates, arms, and a real MLflow store."""

from __future__ import annotations

import sys
import warnings
from datetime import date

import numpy as np
import pandas as pd
import pytest

from mltestscore.errors import InputError, NotOffered
from mltestscore.inputs.experiments import MAX_ROWS, read_experiments

COLUMNS = {"offline": "auc", "online": "sales", "date": "ended"}


def table(**changes: object) -> pd.DataFrame:
    held = {
        "name": ["b", "a", "c"],
        "arm": ["variant", "Degraded ", "variant"],
        "auc": [0.02, -0.1, 0.01],
        "sales": [1.5, -4.0, 0.5],
        "ended": ["2026-03-01", "2026-01-01", "2026-05-01T12:00:00+02:00"],
        "metric": ["roc_auc"] * 3,
    }
    return pd.DataFrame(held | changes)


def test_experiments_are_read_in_the_order_of_their_dates():
    found = read_experiments(table(), **COLUMNS, name="name", arm="arm", metric="metric")
    assert found.names == ("a, Degraded ", "b, variant", "c, variant")
    assert found.offline.tolist() == [-0.1, 0.02, 0.01]
    assert found.online.tolist() == [-4.0, 1.5, 0.5]
    assert found.ended[-1] == np.datetime64("2026-05-01T10:00:00")
    assert found.degraded.tolist() == [True, False, False]
    assert (found.metrics, len(found), found.incomplete) == (("roc_auc",) * 3, 3, 0)


def test_two_columns_of_values_give_the_change_and_less_may_be_better(tmp_path):
    rows = "new,old,clicks,complaints,ended\n0.30,0.35,10,3,2026-01-01\n0.40,0.35,9,8,2026-02-01\n"
    (tmp_path / "tests.csv").write_text(rows)
    found = read_experiments(
        "tests.csv",
        offline=["new", "old"],
        online="complaints",
        date="ended",
        lower_is_better=["offline", "online"],
        base=tmp_path,
    )
    np.testing.assert_allclose(found.offline, [0.05, -0.05])
    assert found.online.tolist() == [-3, -8]
    assert (found.degraded, found.metrics, found.names) == (None, (), ("row 1", "row 2"))


def test_rows_that_miss_something_are_left_out_and_counted_repeated_ones_too():
    held = pd.concat([table(), table(), table(auc=[None, 1, 2], ended=["2026-01-01", None, "2026-01-02"])])
    found = read_experiments(held, **COLUMNS)
    assert (len(found), found.incomplete, found.repeated) == (4, 2, 3)


@pytest.mark.parametrize(
    "dates", [pd.to_datetime(["2026-03-01"] * 3), ["2026-03-01 08:00"] * 3, [date(2026, 3, 1), None, date(2026, 3, 2)]]
)
def test_dates_may_be_dates_already(dates):
    assert len(read_experiments(table(ended=dates), **COLUMNS)) == 3 - list(dates).count(None)


@pytest.mark.parametrize(
    ("held", "changes", "says"),
    [
        (table(), {"offline": "acu"}, "Did you mean 'auc'"),
        (table(), {"offline": ["auc", "sales", "ended"]}, "two columns of values"),
        (table(auc=["high", "0.1", "0.2"]), {}, "auc, row 1: 'high' is no finite number"),
        (table(sales=[1, float("inf"), 2]), {}, "sales, row 2: .*inf.* is no finite number"),
        (table(ended=["soon", "2026-01-01", "2026-01-02"]), {}, "row 1: 'soon' is no date"),
        (table(ended=[1, 2, 3]), {}, "ended holds numbers"),
        (table(name=["a", "a", "b"]), {"name": "name"}, "'a' stands in two rows"),
        (table(), {"mlflow": "sqlite:///x.db"}, "one of both"),
        (pd.concat([table()] * (MAX_ROWS // 3 + 1)), {}, "at most 10000 experiments"),
    ],
)
def test_what_is_no_table_of_experiments_is_refused_with_the_remedy(held, changes, says):
    with pytest.raises(InputError, match=says):
        read_experiments(held, **{**COLUMNS, **changes})


def test_neither_table_nor_store_is_refused():
    with pytest.raises(InputError, match="give source or mlflow"):
        read_experiments(**COLUMNS)


def test_hostile_names_are_cut():
    found = read_experiments(table(name=["<b>" * 1000, "x", "y"]), **COLUMNS, name="name")
    assert max(map(len, found.names)) == 80


def test_without_mlflow_it_says_what_to_install(tmp_path, monkeypatch):
    (tmp_path / "mlflow.db").write_bytes(b"")
    monkeypatch.setitem(sys.modules, "mlflow", None)
    with pytest.raises(NotOffered, match=r"mltestscore\[mlflow\]"):
        read_experiments(**COLUMNS, mlflow="sqlite:///mlflow.db", experiment="online tests", base=tmp_path)


def test_a_store_that_is_not_there_is_not_made(tmp_path):
    with pytest.raises(InputError, match="there is no file"):
        read_experiments(**COLUMNS, mlflow="sqlite:///mlflow.db", experiment="online tests", base=tmp_path)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.slow
def test_runs_of_a_real_mlflow_store_are_experiments(tmp_path):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of MLflow's own dependencies
        from mlflow import MlflowClient

        client = MlflowClient(tracking_uri=f"sqlite:///{tmp_path / 'mlflow.db'}")
        number = client.create_experiment("online tests")
        for place, (offline, online) in enumerate([(0.1, 2.0), (-0.4, -5.0), (0.2, 3.0)]):
            run = client.create_run(number, tags={"arm": "degraded" if offline < 0 else "variant"}).info.run_id
            client.log_metric(run, "auc_gain", offline)
            client.log_metric(run, "sales_gain", online)
            client.set_terminated(run, end_time=1_790_000_000_000 + place * 86_400_000)
        client.create_run(number)  # still running: no result yet
    named = {"offline": "metrics.auc_gain", "online": "metrics.sales_gain", "date": "end_time", "arm": "tags.arm"}
    where = {"mlflow": "sqlite:///mlflow.db", "base": tmp_path}

    found = read_experiments(**named, **where, name="run_id", experiment="online tests")

    assert found.offline.tolist() == [0.1, -0.4, 0.2]
    assert found.degraded.tolist() == [False, True, False]
    assert found.ended[0] == np.datetime64("2026-09-21T14:13:20")
    with pytest.raises(InputError, match="Did you mean 'online tests'"):
        read_experiments(**named, **where, experiment="online test")
    with pytest.raises(InputError, match=r"Did you mean 'metrics\.auc_gain'"):
        read_experiments(**{**named, "offline": "metrics.auc_gian"}, **where, experiment="online tests")

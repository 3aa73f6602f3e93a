"""Records of searches: tables, real Optuna storages, a real MLflow store, a fitted search of scikit-learn."""

from __future__ import annotations

import sys
import warnings

import numpy as np
import pandas as pd
import pytest

from mltestscore.errors import ConfigError, InputError, NotOffered
from mltestscore.inputs.search_space import Choices, Numbers
from mltestscore.inputs.trial_records import MAX_TRIALS
from mltestscore.inputs.tuning import read_tuning

COLUMNS = {"parameters": ["rate", "loss"], "metric": "auc"}


def table(**changes: object) -> pd.DataFrame:
    held = {
        "rate": ["0.1", "0.5", "1e-3", ""],
        "loss": ["log", "exp", "log", "log"],
        "auc": [0.7, 0.8, None, 0.6],
        "fold_1": [0.6, 0.7, None, 0.5],
        "fold_2": [0.8, 0.9, None, 0.7],
        "ended": ["2026-03-01", "2026-01-01T10:00:00+02:00", None, "2026-05-01"],
        "rows": ["training"] * 4,
    }
    return pd.DataFrame(held | changes)


def test_a_table_gives_trials_and_those_without_a_metric_failed():
    found = read_tuning(table(), **COLUMNS, date="ended", folds=["fold_1", "fold_2"], data_column="rows")
    assert [one.settings for one in found.trials] == [
        {"rate": 0.1, "loss": "log"},
        {"rate": 0.5, "loss": "exp"},
        {"loss": "log"},
    ]
    assert [one.metric for one in found.trials] == [0.7, 0.8, 0.6]
    assert found.trials[1].ended == np.datetime64("2026-01-01T08:00:00")
    assert found.trials[0].folds == (0.6, 0.8)
    assert (found.failed, found.recorded, found.trials[0].data) == (1, False, "training")
    assert found.space == {"rate": Numbers(0.1, 0.5), "loss": Choices(("log", "exp"))}


def test_less_may_be_better_and_what_was_written_stays():
    found = read_tuning(table(), **COLUMNS, lower_is_better=True, ended="2026-04-01", data="training")
    assert [(one.metric, one.written) for one in found.trials] == [(-0.7, 0.7), (-0.8, 0.8), (-0.6, 0.6)]
    assert {str(one.ended) for one in found.trials} == {"2026-04-01T00:00:00"}


def test_columns_may_have_other_names_and_the_space_may_be_declared(tmp_path):
    table().rename(columns={"rate": "param_rate"}).to_csv(tmp_path / "trials.csv", index=False)
    named = {"parameters": {"learning_rate": "param_rate"}, "metric": "auc"}
    found = read_tuning("trials.csv", **named, space={"learning_rate": {"low": 0.01, "high": 1}}, base=tmp_path)
    assert (found.space, found.recorded) == ({"learning_rate": Numbers(0.01, 1.0)}, True)
    assert found.trials[0].settings == {"learning_rate": 0.1}


def test_the_digest_follows_the_record_and_the_declarations():
    digests = {
        read_tuning(table(), **COLUMNS).digest,
        read_tuning(table(auc=[0.71, 0.8, None, 0.6]), **COLUMNS).digest,
        read_tuning(table(), **COLUMNS, data="training").digest,
        read_tuning(table(), **COLUMNS, left_alone=["seed"]).digest,
    }
    assert len(digests) == 4
    assert read_tuning(table(), **COLUMNS).replace(failed=0).digest == ""


def test_without_trials_there_is_a_space_and_no_record():
    found = read_tuning(space={"rate": [1, 2]}, deployed={"rate": 1})
    assert (found.source, found.trials, found.space) == ("", (), {"rate": Choices((1, 2))})


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"metric": "acu"}, "Did you mean 'auc'"),
        ({"metric": ""}, "name the column that trials were compared by"),
        ({"parameters": []}, "name the columns of the searched settings"),
        ({"parameters": ["rat"]}, "no column 'rat'"),
        ({"metric": "loss"}, "is no finite number"),
        ({"date": "loss"}, "is no date"),
        ({"ended": "soon"}, "is no date"),
        ({"optuna": "sqlite:///o.db", "study": "s"}, "trials come from one of"),
        ({"schedule": 4}, "needs a reason"),
    ],
)
def test_wrong_declarations_are_refused_and_named(changes, says):
    with pytest.raises((ConfigError, InputError)) as error:
        read_tuning(table(), **COLUMNS | changes)
    assert says in str(error.value)


def test_too_many_trials_are_refused():
    many = pd.DataFrame({"rate": np.arange(MAX_TRIALS + 1), "loss": "a", "auc": 0.5})
    with pytest.raises(InputError, match="at most"):
        read_tuning(many, **COLUMNS)


@pytest.mark.parametrize("storage", ["sqlite:///study.db", "study.log"])
def test_a_real_optuna_storage_tells_trials_space_and_direction(tmp_path, storage):
    optuna = pytest.importorskip("optuna")
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    if storage.startswith("sqlite"):
        opened = storage.replace("///", f"///{tmp_path}/")
    else:
        backend = optuna.storages.journal.JournalFileBackend(str(tmp_path / storage))
        opened = optuna.storages.JournalStorage(backend)
    study = optuna.create_study(storage=opened, study_name="delay", sampler=optuna.samplers.RandomSampler(seed=1))

    def objective(trial):
        rate = trial.suggest_float("rate", 0.01, 1, log=True)
        trial.suggest_int("depth", 1, 9)
        trial.suggest_categorical("loss", ["log", "exp"])
        if trial.number == 3:
            trial.report(rate, 0)
            raise optuna.TrialPruned
        if trial.number == 4:
            raise ValueError("diverged")
        trial.set_user_attr("fold_1", rate)
        return rate

    study.optimize(objective, n_trials=6, catch=(ValueError,))
    settings = {"optuna": storage, "study": "delay", "base": tmp_path}
    before = (tmp_path / storage.removeprefix("sqlite:///")).read_bytes()
    found = read_tuning(**settings, folds=["user_attrs_fold_1"])
    assert found.space == {
        "rate": Numbers(0.01, 1, log=True),
        "depth": Numbers(1, 9, integer=True),
        "loss": Choices(("log", "exp")),
    }
    assert [np.isnan(one.metric) for one in found.trials] == [False, False, False, True, False]
    assert found.trials[0].metric == -found.trials[0].settings["rate"] == found.trials[0].folds[0]
    assert not any(np.isnat(one.ended) for one in found.trials)
    assert (tmp_path / storage.removeprefix("sqlite:///")).read_bytes() == before
    with pytest.raises(InputError, match="Did you mean 'delay'"):
        read_tuning(**settings | {"study": "dealy"})
    with pytest.raises(InputError, match="there is no file"):
        read_tuning(**settings | {"optuna": storage + "x"})


def test_without_optuna_the_record_is_not_offered_and_the_extra_named(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "optuna", None)
    with pytest.raises(NotOffered, match=r"mltestscore\[tuning\]"):
        read_tuning(optuna="sqlite:///o.db", study="s", base=tmp_path)


def test_runs_of_a_real_mlflow_store_are_trials(tmp_path):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of MLflow's own dependencies
        client = pytest.importorskip("mlflow").MlflowClient(tracking_uri=f"sqlite:///{tmp_path / 'mlflow.db'}")
        experiment = client.create_experiment("search")
        for place in range(3):
            run = client.create_run(experiment)
            client.log_param(run.info.run_id, "rate", 0.1 * (place + 1))
            client.log_metric(run.info.run_id, "auc", 0.7 + place / 100)
            client.set_terminated(run.info.run_id)
        settings = {"mlflow": "sqlite:///mlflow.db", "experiment": "search", "base": tmp_path}
        found = read_tuning(**settings, metric="metrics.auc", data="training")
    assert sorted(one.metric for one in found.trials) == [0.7, 0.71, 0.72]
    assert sorted(one.settings["rate"] for one in found.trials) == pytest.approx([0.1, 0.2, 0.3])
    assert all(one.ended > np.datetime64("2020-01-01") for one in found.trials)


def test_a_fitted_search_of_scikit_learn_is_read_from_skops_and_from_its_results(tmp_path):
    from sklearn.linear_model import LogisticRegression
    from sklearn.model_selection import GridSearchCV
    from skops import io

    rng = np.random.default_rng(1)
    x = rng.normal(size=(90, 2))
    y = (x[:, 0] + rng.normal(size=90) > 0).astype(int)
    space = {"C": [0.01, 1.0, 100.0], "fit_intercept": [True, False]}
    search = GridSearchCV(LogisticRegression(), space, cv=3, scoring="roc_auc").fit(x, y)
    io.dump(search, tmp_path / "search.skops")
    with pytest.raises(InputError, match=r"\[tool.mltestscore.tuning\]: trusted ="):
        read_tuning(search="search.skops", base=tmp_path)
    trusted = io.get_untrusted_types(file=tmp_path / "search.skops")
    found = read_tuning(search="search.skops", trusted=trusted, ended="2026-01-01", data="training", base=tmp_path)
    assert found.space == {"C": Numbers(0.01, 100, log=True), "fit_intercept": Choices((True, False))}
    assert [len(one.folds) for one in found.trials] == [3] * 6
    assert max(one.metric for one in found.trials) == search.best_score_
    exported = pd.DataFrame(search.cv_results_).drop(columns="params")
    assert [one.settings for one in read_tuning(exported).trials] == [one.settings for one in found.trials]
    io.dump(search.best_estimator_, tmp_path / "model.skops")
    with pytest.raises(InputError, match="without cv_results_"):
        read_tuning(search="model.skops", base=tmp_path)

"""The flights example: two separate feature paths that agree, a build that repeats itself, a log that joins."""

from __future__ import annotations

import hashlib
import json
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

HOME = Path(__file__).parents[2] / "examples" / "flights"
LEFT_OUT = (".build-*", "__pycache__", ".mltestscore")
DAY = ("2013-11-12", "2013-11-13")


@pytest.fixture(scope="module")
def flights(tmp_path_factory) -> SimpleNamespace:
    """The example's own modules, its source data, and a small build of one served day."""
    sys.path.insert(0, str(HOME))
    try:
        from flights import raw, registry, replay, spec
        from flights.features_batch import features
        from flights.features_online import OnlineFeatures
        from flights.parts import Parts
        from flights.scorer import scoring
        from flights.train import train
    finally:
        sys.path.remove(str(HOME))
    parts = Parts(tmp_path_factory.mktemp("build"))
    parts.store()
    asked = raw.between(parts.flights, DAY)
    return SimpleNamespace(
        parts=parts,
        asked=asked,
        batch=features(asked, parts.flights, parts.weather),
        training=parts._labelled(("2013-09-01", "2013-09-15")),
        online=OnlineFeatures(parts.folder / "store.sqlite"),
        raw=raw,
        registry=registry,
        replay=replay,
        scoring=scoring,
        spec=spec,
        train=train,
    )


@pytest.fixture(scope="module")
def served(flights) -> pd.DataFrame:
    """The log of one day that went through the server, with a model of two weeks."""
    model = flights.train(flights.training, 1)
    flights.registry.publish(flights.parts.folder / "registry", model, {"version": "v2"})
    return flights.replay.serve_week(flights.parts.folder, flights.asked)


def test_the_server_scores_as_the_pipeline_does_unknown_and_missing_values_too(flights):
    pipeline = flights.train(flights.training, 1)
    rows = flights.batch.head(500).copy()
    rows.loc[rows.index[:5], "dest"] = "XXX"
    rows.loc[rows.index[5:9], "wind_speed"] = np.nan
    columns = {
        name: rows[name].to_numpy(dtype=object if name in flights.spec.CATEGORICAL else float)
        for name in flights.spec.FEATURES
    }

    scores = flights.scoring(pipeline)(columns)

    assert scores == pipeline.predict_proba(rows[list(flights.spec.FEATURES)])[:, 1].tolist()


def test_online_and_batch_features_agree_on_every_flight_of_a_day(flights):
    requests = flights.asked.assign(scheduled_local=flights.asked["scheduled_local"].dt.strftime("%Y-%m-%dT%H:%M"))
    online = pd.DataFrame([flights.online.features(row) for row in requests.to_dict("records")])
    assert len(online) == len(flights.batch) > 800
    for name in flights.spec.CATEGORICAL:
        assert list(online[name]) == list(flights.batch[name])
    numbers = list(flights.spec.NUMERIC)
    np.testing.assert_allclose(online[numbers].astype(float), flights.batch[numbers], rtol=1e-9, atol=1e-9)


def test_missing_values_agree_too_so_that_the_comparison_above_sees_some(flights):
    assert flights.batch["pressure"].isna().any() or flights.batch["carrier_delay_last_3_hours"].isna().any()


def test_every_served_flight_is_in_the_recomputed_table_once(flights, served):
    joined = served.merge(flights.batch, on=flights.spec.KEY, how="outer", validate="one_to_one", indicator=True)
    assert (joined["_merge"] == "both").all()


def test_the_served_score_is_the_models_score_of_the_logged_features(flights, served):
    model = flights.registry.load(flights.parts.folder / "registry", "v2")
    expected = model.predict_proba(served[list(flights.spec.FEATURES)])[:, 1]
    np.testing.assert_allclose(served["score"], expected, rtol=1e-12)


def test_features_do_not_change_when_the_future_does(flights):
    """What happens from the scheduled hour on must not reach a feature."""
    from flights.features_batch import features

    noon = pd.Timestamp("2013-11-12T17:00Z")
    early = flights.asked[flights.asked[flights.spec.TIME] < noon]
    gone = flights.parts.flights[flights.spec.TIME] + pd.to_timedelta(flights.parts.flights["dep_delay"], unit="min")
    changed = flights.parts.flights.copy()
    changed.loc[gone >= noon, ["dep_delay", "arr_delay"]] += 500
    weather = flights.parts.weather.copy()
    weather.loc[weather["hour"] >= noon, "temp"] = 200.0
    before = features(early, flights.parts.flights, flights.parts.weather)
    pd.testing.assert_frame_equal(features(early, changed, weather), before)


def test_the_same_seed_gives_the_same_file_and_another_seed_another(flights):
    from skops.io import dumps

    files = [flights.registry.stable(dumps(flights.train(flights.training, seed))) for seed in (1, 1, 2)]
    assert files[0] == files[1] != files[2]


def test_forgotten_aircraft_are_in_no_table(flights):
    asked_out = [json.loads(line)["tailnum"] for line in (HOME / "deletions.jsonl").read_text().splitlines()]
    assert asked_out
    assert not flights.parts.flights["tailnum"].isin(asked_out).any()


def test_the_catalogue_and_the_suite_describe_exactly_the_models_inputs(flights):
    catalogue = tomllib.loads((HOME / "catalogue.toml").read_text(encoding="utf-8"))
    suite = json.loads((HOME / "expectations.json").read_text(encoding="utf-8"))
    ruled = {rule["kwargs"]["column"] for rule in suite["expectations"]} - {flights.spec.KEY}
    assert set(catalogue["features"]) == ruled == set(flights.spec.FEATURES)


def test_an_unknown_switch_is_refused_with_the_known_ones(flights, monkeypatch):
    from flights import switches

    monkeypatch.setenv(switches.VARIABLE, "monitor.33")
    with pytest.raises(SystemExit, match=r"'monitor\.33' is not a switch.*monitor\.3"):
        switches.chosen()


@pytest.mark.parametrize(
    ("body", "says"),
    [
        ({}, "at least one row"),
        ({"rows": []}, "at least one row"),
        ({"rows": [{"carrier": "B6"}]}, "missing: ['flight_id'"),
        (
            {"rows": [{"flight_id": "x", "scheduled_local": "soon", "carrier": "B6", "origin": "JFK", "dest": "BUF"}]},
            "8601",
        ),
    ],
)
def test_the_server_answers_a_bad_request_with_what_is_wrong(flights, served, body, says):
    from flights.app import create_app

    answer = (
        create_app(flights.parts.folder, "v2", flights.parts.folder / "bad.jsonl")
        .test_client()
        .post("/predict", json=body)
    )
    assert answer.status_code == 400
    assert says in answer.get_json()["error"]


@pytest.mark.slow
def test_a_build_makes_the_same_bytes_twice_in_fresh_folders(tmp_path):
    assert _built(tmp_path / "one") == _built(tmp_path / "two")


@pytest.mark.slow
@pytest.mark.parametrize("item", ["monitor.2", "monitor.3"])
def test_a_switch_breaks_the_served_log_and_only_there(tmp_path, item):
    """With the failed feed both paths are wrong alike; with the wrong unit only the online path is."""
    copy = tmp_path / "flights"
    shutil.copytree(HOME, copy, ignore=shutil.ignore_patterns("broken-*", *LEFT_OUT))  # with its build, if it has one
    _run(copy, item)
    sound, broken = copy / "build", copy / "build" / f"broken-{item}"
    assert (sound / "training.parquet").read_bytes() == (broken / "training.parquet").read_bytes()
    served, again = (pd.read_parquet(broken / name) for name in ("serving.parquet", "recomputed.parquet"))
    column = {"monitor.2": "dewp", "monitor.3": "origin_delay_last_hour"}[item]
    agree = np.isclose(served[column], again[column], equal_nan=True)
    assert agree.all() if item == "monitor.2" else agree.mean() < 0.1
    assert not served[column].equals(pd.read_parquet(sound / "serving.parquet")[column])


def _built(copy: Path) -> dict[str, str]:
    """Build a copy of the example; return the digest of every file but logs with latencies and git's index of times.

    Lineage counts without what its training cost, which is measured.
    """
    shutil.copytree(HOME, copy, ignore=shutil.ignore_patterns("build", *LEFT_OUT))
    _run(copy)
    files = sorted(
        path
        for path in (copy / "build").rglob("*")
        if path.is_file() and path.parent.name != "logs" and path.name != "index"
    )
    return {str(path.relative_to(copy)): hashlib.sha256(_lasting(path)).hexdigest() for path in files}


def _lasting(file: Path) -> bytes:
    if file.name != "lineage.json":
        return file.read_bytes()
    lineage = json.loads(file.read_bytes())
    lineage.pop("costs", None)
    return json.dumps(lineage).encode()


def _run(copy: Path, item: str = "") -> None:
    import os

    environment = {**os.environ, "FLIGHTS_BREAK": item}
    subprocess.run([sys.executable, "-m", "flights.build"], cwd=copy, env=environment, check=True, timeout=300)

"""Feast's two stores as the two feature paths: what is refused, and a real repository in an environment of its own."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from mltestscore.config import Config
from mltestscore.errors import ConfigError, InputError
from mltestscore.inputs import offered
from mltestscore.inputs.dataset import Roles, open_dataset
from mltestscore.inputs.feast_store import FeastStore
from mltestscore.result import CheckResult
from mltestscore.testing import run_check

FEAST = "feast==0.67.0"
DRIVERS, HOURS = 3_200, 40
FEATURES = ["stats:rate", "stats:trips", "stats:city"]

SETTINGS = """
project: proof
registry: registry.db
provider: local
online_store: {type: sqlite, path: online.db}
offline_store: {type: file}
entity_key_serialization_version: 3
"""
DEFINED = """
from datetime import datetime, timedelta, timezone
from feast import Entity, FeatureService, FeatureStore, FeatureView, Field, FileSource, ValueType
from feast.types import Float64, Int64, String

driver = Entity(name="driver", join_keys=["driver_id"], value_type=ValueType.INT64)
fields = [Field(name="rate", dtype=Float64), Field(name="trips", dtype=Int64), Field(name="city", dtype=String)]
source = FileSource(path="stats.parquet", timestamp_field="event_timestamp")
stats = FeatureView(name="stats", entities=[driver], ttl=timedelta(days=30), schema=fields, source=source)
store = FeatureStore(repo_path=".")
store.apply([driver, stats, FeatureService(name="ranking", features=[stats])])
store.materialize(datetime(2024, 1, 1, tzinfo=timezone.utc), datetime(2024, 1, 2, tzinfo=timezone.utc))
"""


def folder(place: Path) -> Path:
    (place / "feature_store.yaml").write_text(SETTINGS)
    return place


def rows(**columns: Any) -> Any:
    frame = pd.DataFrame({"driver_id": [1], "at": pd.to_datetime(["2024-01-02"])} | columns)
    return open_dataset("rows", frame, Roles(time="at"))


def test_a_folder_that_is_no_repository_and_features_of_another_form_are_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"no feature_store\.yaml; name the folder of a Feast repository"):
        FeastStore(tmp_path, ("stats:rate",))
    with pytest.raises(ConfigError, match="asked for no feature"):
        FeastStore(folder(tmp_path))
    with pytest.raises(ConfigError, match="'rate'; write \"view:feature\""):
        FeastStore(folder(tmp_path), ("rate",))


def test_without_feast_the_message_says_where_it_was_sought_and_what_to_name(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"(?s)Feast cannot be imported by .*python = "):
        FeastStore(folder(tmp_path), ("stats:rate",)).values(rows(), "historical")


def test_a_python_that_is_not_there_and_one_that_does_not_end_are_told(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="'/nowhere/python' cannot be started"):
        FeastStore(folder(tmp_path), ("stats:rate",), python="/nowhere/python").values(rows(), "online")
    slow = tmp_path / "python"
    slow.write_text("#!/bin/sh\nsleep 60\n")
    slow.chmod(0o755)
    with pytest.raises(InputError, match=r"more than 0\.5 s"):
        FeastStore(folder(tmp_path), ("stats:rate",), python=str(slow), timeout=0.5).values(rows(), "online")


def test_history_needs_the_time_of_the_rows(tmp_path: Path) -> None:
    undated = open_dataset("rows", pd.DataFrame({"driver_id": [1]}))
    with pytest.raises(ConfigError, match="has no time to ask Feast's history for"):
        FeastStore(folder(tmp_path), ("stats:rate",)).values(undated, "historical")


@pytest.mark.parametrize(
    ("config", "name", "said"),
    [
        ({"data": {"recomputed": {"source": "feast"}}}, "recomputed", "needs repository and features"),
        ({"data": {"training": {"source": "feast"}}}, "training", "offers serving"),
        (
            {"data": {"recomputed": {"source": "feast"}}, "feast": {"repository": ".", "features": ["a:b"]}},
            "recomputed",
            "write rows =",
        ),
    ],
)
def test_what_the_configuration_lacks_is_said(config: dict[str, Any], name: str, said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        offered.dataset(name, Config.model_validate(config))


@pytest.fixture(scope="session")
def python() -> str:
    """An environment with Feast, made once for all runs of the tests; Feast's pandas is older than ours may be."""
    version = f"{sys.version_info[0]}.{sys.version_info[1]}"
    cache = Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache")) / "mltestscore"
    place = cache / f"{FEAST.replace('==', '-')}-python{version}"
    if not (place / "complete").is_file():
        shutil.rmtree(place, ignore_errors=True)
        subprocess.run([sys.executable, "-m", "venv", place], check=True, timeout=120)
        install = [place / "bin" / "python", "-m", "pip", "install", "--quiet", FEAST]
        subprocess.run(install, check=True, timeout=900)
        (place / "complete").write_text(FEAST)
    return str(place / "bin" / "python")


def history() -> pd.DataFrame:
    rng, hours = np.random.default_rng(1), pd.date_range("2024-01-01", periods=HOURS, freq="h", tz="UTC")
    count = DRIVERS * HOURS
    return pd.DataFrame(
        {
            "driver_id": np.repeat(np.arange(DRIVERS), HOURS),
            "event_timestamp": np.tile(hours, DRIVERS),
            "rate": rng.random(count),
            "trips": rng.integers(0, 1000, count),
            "city": rng.choice(["Łódź", "Oslo"], count),
        }
    )


@pytest.fixture(scope="session")
def materialized(python: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A repository whose online store was filled up to the second of January."""
    place = folder(tmp_path_factory.mktemp("feast"))
    history().to_parquet(place / "stats.parquet", index=False)
    subprocess.run([python, "-c", DEFINED], cwd=place, check=True, timeout=300, capture_output=True)
    return place


@pytest.fixture
def store(materialized: Path, tmp_path: Path) -> Path:
    return shutil.copytree(materialized, tmp_path / "store")


Score = Callable[..., CheckResult]


@pytest.fixture
def score(store: Path, python: str) -> Score:
    """Return a function that runs monitor.3 on the configured stores and, where there is one, a log."""

    def run(log: pd.DataFrame | None = None, **feast: Any) -> CheckResult:
        entities = pd.DataFrame({"driver_id": np.arange(DRIVERS)})
        (entities if log is None else log).to_parquet(store / "rows.parquet", index=False)
        key = ["driver_id"] if log is None else ["request"]
        of_log = {"key": key, "features": ["rate", "trips", "city"]} | ({} if log is None else {"time": "at"})
        served = {"source": "feast" if log is None else "rows.parquet"}
        settings = {"repository": ".", "features": FEATURES, "python": python, "rows": "rows.parquet"} | feast
        data = {"serving": of_log | served, "recomputed": of_log | {"source": "feast"}}
        config = Config.model_validate({"file": store / "pyproject.toml", "data": data, "feast": settings})
        sides = {name: offered.dataset(name, config) for name in ("serving", "recomputed")}
        return run_check("monitor.3", prove=log is None, **sides)

    return run


@pytest.mark.slow
def test_two_stores_that_agree_pass_though_newer_values_wait_offline(score: Score) -> None:
    """Sixteen hours of history come after the last materialisation: late, they are no skew."""
    result = score()
    assert result.state == "passed", result.reason
    assert result.proof.state == "proven", result.proof


@pytest.mark.slow
def test_an_online_store_with_another_unit_fails_and_the_unit_is_named(score: Score, store: Path) -> None:
    changed = history().assign(trips=lambda frame: frame["trips"] * 1000)
    changed.to_parquet(store / "stats.parquet", index=False)
    result = score(features=[], service="ranking")
    assert [one.where for one in result.findings if one.verdict == "failed"] == ["trips"]
    assert "thousandth" in result.reason


def logged() -> pd.DataFrame:
    """Four thousand requests, each with the values of the last full hour."""
    picked = history().sample(4_000, random_state=2, ignore_index=True)
    at = picked.pop("event_timestamp") + pd.Timedelta(minutes=20)
    return picked.assign(at=at, request=np.arange(len(picked)))


@pytest.mark.slow
def test_a_log_is_held_to_what_was_known_at_its_times(score: Score) -> None:
    result = score(logged())
    assert result.state == "passed", result.reason


@pytest.mark.slow
def test_a_log_of_stale_values_fails(score: Score) -> None:
    stale = logged().assign(at=lambda frame: frame["at"] + pd.Timedelta(hours=1))
    result = score(stale[stale["at"] < "2024-01-02 16:00+00:00"])
    assert {one.where for one in result.findings if one.verdict == "failed"} == {"rate", "trips", "city"}


@pytest.mark.slow
def test_a_view_that_feast_does_not_know_is_named(score: Score) -> None:
    with pytest.raises(InputError, match=r"no feature view 'nowhere'; it has 'stats'"):
        score(features=["nowhere:rate"])


@pytest.mark.slow
def test_rows_without_the_key_of_an_entity_are_refused(store: Path, python: str) -> None:
    misnamed = open_dataset("rows", pd.DataFrame({"driver": [1]}))
    with pytest.raises(InputError, match=r"no column 'driver_id', which Feast asks for; they have 'driver'"):
        FeastStore(store, tuple(FEATURES), python=python).values(misnamed, "online")

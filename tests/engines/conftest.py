"""The same tables on each database: what a test asks of one must come out the same on all."""

from __future__ import annotations

import os
import sys
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

Offer = Callable[[dict[str, pd.DataFrame]], dict[str, Any]]


@pytest.fixture(scope="session")
def spark(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """Start a real Spark on two cores; return Ibis' connection to it."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of Spark and its libraries
        import ibis
        from pyspark.sql import SparkSession

        settings = {
            "spark.ui.enabled": "false",
            "spark.sql.shuffle.partitions": "2",
            "spark.sql.session.timeZone": "UTC",
            "spark.sql.warehouse.dir": str(tmp_path_factory.mktemp("spark")),
            "spark.driver.host": "127.0.0.1",
            "spark.driver.bindAddress": "127.0.0.1",
        }
        # Else the first python3 of the path runs what Great Expectations asks of rows, without its libraries.
        os.environ["PYSPARK_PYTHON"] = sys.executable
        builder = SparkSession.builder.master("local[2]")
        for key, value in settings.items():
            builder = builder.config(key, value)
        session = builder.getOrCreate()
        session.sparkContext.setLogLevel("OFF")
        yield ibis.pyspark.connect(session)
        session.stop()


def on_duckdb(frames: dict[str, pd.DataFrame], folder: Path, _: pytest.FixtureRequest) -> dict[str, Any]:
    """Write Parquet files."""
    for name, frame in frames.items():
        # Microseconds: Spark reads no others.
        frame.to_parquet(folder / f"{name}.parquet", index=False, coerce_timestamps="us")
    return {name: str(folder / f"{name}.parquet") for name in frames}


def on_postgresql(frames: dict[str, pd.DataFrame], folder: Path, request: pytest.FixtureRequest) -> dict[str, Any]:
    """Fill tables and name them by URL, as a configuration does."""
    import sqlalchemy

    url, schema = request.getfixturevalue("postgresql"), folder.name.replace("-", "_")
    engine = sqlalchemy.create_engine(url.replace("postgresql://", "postgresql+psycopg://"))
    with engine.begin() as connection:
        connection.exec_driver_sql(f'CREATE SCHEMA "{schema}"')
        for name, frame in frames.items():
            frame.to_sql(name, connection, schema=schema, index=False, method="multi", chunksize=2_000)
    engine.dispose()
    return {name: f"{url}#{schema}.{name}" for name in frames}


def on_spark(frames: dict[str, pd.DataFrame], folder: Path, request: pytest.FixtureRequest) -> dict[str, Any]:
    """Let Spark read the Parquet files."""
    connection = request.getfixturevalue("spark")
    return {name: connection.read_parquet(path) for name, path in on_duckdb(frames, folder, request).items()}


# Spark's own code warns of pandas 3, and pandas 3 of Spark's own code; neither is ours to mend.
NEW_PANDAS = pytest.mark.filterwarnings("ignore")


@pytest.fixture(params=["duckdb", "postgresql", pytest.param("spark", marks=[pytest.mark.slow, NEW_PANDAS])])
def offered(request: pytest.FixtureRequest, tmp_path: Path) -> Offer:
    """Return a function from frames to sources on one database."""
    put = {"duckdb": on_duckdb, "postgresql": on_postgresql, "spark": on_spark}[request.param]
    return lambda frames: put(frames, tmp_path, request)

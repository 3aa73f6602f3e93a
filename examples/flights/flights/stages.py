"""The release pipeline, a stage a command, on a sample: ``python -m flights.stages extract --rows 6000``.

Each stage reads files of those before under ``pipeline/`` and fails where it cannot go on with them; the last one
serves. They are made of the parts that build the example at full size, and run as these were committed: any other
switch of the demonstration stands for what went wrong after that.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import shutil
from pathlib import Path

import pandas as pd

from flights import spec
from flights.raw import text
from flights.switches import broken, switched

OUT = spec.HOME / "pipeline"
DEPARTURES, WEATHER, FEATURES = OUT / "departures.parquet", OUT / "weather.parquet", OUT / "features.parquet"
REGISTRY, PACKAGE, ASKED = OUT / "registry", OUT / "package", OUT / "asked.parquet"
MANIFEST = PACKAGE / "manifest.json"
SAMPLED = ("2013-06-01", "2013-07-11")  # ends with days of thunderstorms: a small model can learn such delays
ASKED_ROWS = 60
LEAST_AREA = 0.6  # under the ROC curve, on the last day of the sample; a guess has 0.5


def extract(rows: int) -> None:
    """Write the last so many departures of some weeks, and their weather."""
    from flights import raw

    flights = raw.between(raw.departures(), SAMPLED).tail(rows)
    weather = raw.weather()
    OUT.mkdir(exist_ok=True)
    flights.to_parquet(DEPARTURES, index=False)
    since = flights[spec.TIME].min() - pd.Timedelta(days=1)
    weather[weather["hour"].between(since, flights[spec.TIME].max())].to_parquet(WEATHER, index=False)


def features() -> None:
    """Write features and label, a row a departure; those that never arrived have no label."""
    from flights.features_batch import features, labels

    flights, weather = pd.read_parquet(DEPARTURES), pd.read_parquet(WEATHER)
    table = features(flights, flights, weather)
    if broken("infra.3"):
        table = table.head(len(table) * 3 // 5)
    known = labels(flights)[[spec.KEY, spec.LABEL]]
    table.merge(known, how="left", on=spec.KEY).to_parquet(FEATURES, index=False)


def train() -> None:
    """Train on all days but the last, and register the model."""
    table = _labelled(last_day=False)  # before what loads scikit-learn: a table that is not there is told at once
    from flights import registry
    from flights.train import train

    registry.publish(REGISTRY, train(table, spec.SEED), {"version": spec.CURRENT, "rows": len(table)})


def validate() -> None:
    """Fail where the registered model tells late from punctual no better than a guess on the last day."""
    day = _labelled(last_day=True)
    from sklearn.metrics import roc_auc_score

    from flights import registry

    scores = registry.load(REGISTRY, spec.CURRENT).predict_proba(day[list(spec.FEATURES)])[:, 1]
    area = roc_auc_score(day[spec.LABEL], scores)
    if not area >= LEAST_AREA:
        raise SystemExit(
            f"the area under the curve is {area:.3f} on {len(day)} flights; at least {LEAST_AREA} is asked"
        )
    (OUT / "validated.json").write_text(json.dumps({"roc_auc": area, "rows": len(day)}), encoding="utf-8")


def package() -> None:
    """Put model and feature store where the server takes them from, and choose flights to ask for."""
    from flights.store import build_store

    flights, weather, table = pd.read_parquet(DEPARTURES), pd.read_parquet(WEATHER), pd.read_parquet(FEATURES)
    if json.loads((OUT / "validated.json").read_text(encoding="utf-8"))["roc_auc"] < LEAST_AREA:
        raise SystemExit("the model was not validated")
    shutil.rmtree(PACKAGE, ignore_errors=True)
    shutil.copytree(REGISTRY, PACKAGE / "registry")
    build_store(PACKAGE / "store.sqlite", flights, weather)
    MANIFEST.write_text(json.dumps(_held()), encoding="utf-8")
    asked = flights.tail(ASKED_ROWS)[[spec.KEY, "scheduled_local"]]
    local = asked["scheduled_local"].dt.strftime("%Y-%m-%dT%H:%M")
    asked.assign(scheduled_local=local).merge(table, on=spec.KEY).to_parquet(ASKED, index=False)


def serve(port: int, triton: Path | None = None) -> None:
    """Serve the package until stopped, by Triton of the environment ``triton`` where that is given.

    One whose parts are not those that were packed together is refused.
    """
    if json.loads(MANIFEST.read_text(encoding="utf-8")) != _held():
        raise SystemExit("the files of the package are not those of its manifest")
    if triton is not None:
        from flights.triton.serve import serve as serve_by_triton

        serve_by_triton(PACKAGE / "registry", spec.CURRENT, port, triton)
    from waitress import serve

    from flights.app import create_app

    serve(create_app(PACKAGE, spec.CURRENT, OUT / "served.jsonl"), host="127.0.0.1", port=port, threads=4)


def _held() -> dict[str, str]:
    """Return the digest of each file of the package."""
    files = sorted(file for file in PACKAGE.rglob("*") if file.is_file() and file != MANIFEST)
    return {file.relative_to(PACKAGE).as_posix(): hashlib.sha256(file.read_bytes()).hexdigest() for file in files}


def _labelled(*, last_day: bool) -> pd.DataFrame:
    """Return the labelled rows of the last local day of the sample, or those before."""
    table = pd.read_parquet(FEATURES, columns=[spec.KEY, spec.TIME, *spec.FEATURES, spec.LABEL]).dropna(
        subset=spec.LABEL
    )
    day = text(table[spec.TIME].dt.tz_convert("America/New_York"), "%F")
    return table[(day == day.max()) == last_day].astype({spec.LABEL: "int64"})


STAGES = {"features": features, "train": train, "validate": validate, "package": package}


def main() -> None:
    """Run one stage."""
    parser = argparse.ArgumentParser(description="Run a stage of the release pipeline on a sample.")
    parser.add_argument("stage", choices=["extract", *STAGES, "serve"])
    parser.add_argument("--rows", type=int, default=6_000, help="departures in the sample; only for extract")
    parser.add_argument("--port", type=int, default=8080, help="only for serve")
    parser.add_argument("--triton", type=Path, help="only for serve: the environment of flights.triton.install")
    options = parser.parse_args()
    with switched("infra.3" if broken("infra.3") else ""):
        if options.stage == "extract":
            extract(options.rows)
        elif options.stage == "serve":
            serve(options.port, options.triton)
        else:
            STAGES[options.stage]()


if __name__ == "__main__":
    main()

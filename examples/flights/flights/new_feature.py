"""The rehearsal of adding a feature: ``python -m flights.new_feature --feature day_of_year`` in a copy of the example.

It edits the code as a developer would, in the three places where a feature is defined; a fresh process then trains on a
fortnight and serves an hour through the real server. Without a feature it trains and serves with what there is.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from contextlib import closing
from pathlib import Path

from flights import spec

OUT = spec.HOME / "rehearsal"
LEARNED, SERVED = ("2013-09-02", "2013-09-12"), ("2013-09-13", "2013-09-14")
REQUESTS = 60
EDITS = {
    "spec.py": ('"origin_late_rate_prev_day")\n', '"origin_late_rate_prev_day", "{name}")\n'),
    "features_batch.py": (
        '        weekday=flights["scheduled_local"].dt.weekday,\n',
        '        weekday=flights["scheduled_local"].dt.weekday,\n'
        '        {name}=flights["scheduled_local"].dt.dayofyear,\n',
    ),
    "features_online.py": (
        '            "weekday": local.weekday(),\n',
        '            "weekday": local.weekday(),\n            "{name}": local.timetuple().tm_yday,\n',
    ),
}


def add(name: str) -> None:
    """Define the feature ``name``, the day of the year, wherever features are defined."""
    for file, (before, after) in EDITS.items():
        path = spec.HOME / "flights" / file
        text = path.read_text(encoding="utf-8")
        if text.count(before) != 1:
            raise SystemExit(f"{file} no longer says {before.strip()!r} once; change EDITS with it")
        path.write_text(text.replace(before, after.format(name=name)), encoding="utf-8")


def rehearse() -> None:
    """Train and serve with the code as it is now; write ``training.parquet``, ``served.parquet`` and the registry."""
    import pandas as pd

    from flights import raw, registry
    from flights.app import LOG, create_app
    from flights.features_batch import features, labels
    from flights.store import build_store
    from flights.train import train

    flights = raw.between(raw.departures(), (LEARNED[0], SERVED[1]))
    weather = raw.weather()
    learned = raw.between(flights, LEARNED)
    table = features(learned, flights, weather).merge(labels(learned)[[spec.KEY, spec.LABEL]], on=spec.KEY)
    OUT.mkdir()
    table.to_parquet(OUT / "training.parquet", index=False)
    registry.publish(OUT / "registry", train(table, spec.SEED), {"version": spec.CURRENT})
    build_store(OUT / "store.sqlite", flights, weather[weather["hour"] >= pd.Timestamp(LEARNED[0], tz="UTC")])
    asked = raw.between(flights, SERVED).tail(REQUESTS)[[spec.KEY, "scheduled_local", *spec.CATEGORICAL]]
    rows = asked.assign(scheduled_local=asked["scheduled_local"].dt.strftime("%Y-%m-%dT%H:%M")).to_dict("records")
    app = create_app(OUT, spec.CURRENT, OUT / "served.jsonl")
    with closing(app.extensions[LOG]):
        answer = app.test_client().post("/predict", json={"rows": rows})
    if answer.status_code != 200:
        raise SystemExit(f"the server refused: {answer.get_data(as_text=True)}")
    lines = (OUT / "served.jsonl").read_text(encoding="utf-8").splitlines()
    served = pd.DataFrame([json.loads(line) for line in lines])
    served.drop(columns="latency_ms").to_parquet(OUT / "served.parquet", index=False)


def main() -> None:
    """Add the feature, if one is named, and rehearse in a process that reads the code anew."""
    parser = argparse.ArgumentParser(description="Rehearse adding a feature, in a copy of the example.")
    parser.add_argument("--feature", default="", help="its name; without one, nothing is added")
    parser.add_argument("--run", action="store_true", help="only train and serve, with the code as it is")
    options = parser.parse_args()
    if options.run:
        rehearse()
        return
    if options.feature:
        add(options.feature)
    done = subprocess.run([sys.executable, "-m", "flights.new_feature", "--run"], cwd=Path.cwd(), check=False)
    sys.exit(done.returncode)


if __name__ == "__main__":
    main()

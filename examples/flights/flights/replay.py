"""A week of real requests: every departure of the served week is asked for at the server, which logs what it used."""

from __future__ import annotations

import json
from contextlib import closing
from pathlib import Path

import pandas as pd
from threadpoolctl import threadpool_limits

from flights import spec
from flights.app import LOG, create_app
from flights.raw import text


def serve_week(build: Path, flights: pd.DataFrame) -> pd.DataFrame:
    """Send ``flights`` through the server in the order of their departure, and return its log as a table.

    A client asks once for all departures of an airport and hour. The log itself, with latencies, stays in
    ``logs/week.jsonl``; the table has what is the same each time: key, time, cluster, version, score and features.

    Raises :class:`RuntimeError` when the server refuses a request.
    """
    log = build / "logs" / "week.jsonl"
    log.unlink(missing_ok=True)
    app = create_app(build, spec.CURRENT, log)
    requests = flights[[spec.KEY, "carrier", "origin", "dest"]].assign(
        scheduled_local=flights["scheduled_local"].dt.strftime("%Y-%m-%dT%H:%M"),
        departure_hour=flights["origin"] + " " + text(flights[spec.TIME], "%Y-%m-%dT%H"),
    )
    with closing(app.extensions[LOG]), threadpool_limits(limits=1):  # one thread, as the server itself runs
        for _, asked in requests.groupby("departure_hour", sort=False):
            rows = asked.drop(columns="departure_hour").to_dict("records")
            answer = app.test_client().post("/predict", json={"rows": rows})
            if answer.status_code != 200:
                raise RuntimeError(f"the server refused {asked[spec.KEY].iloc[0]}: {answer.get_data(as_text=True)}")
    served = pd.DataFrame(json.loads(line) for line in log.read_text(encoding="utf-8").splitlines())
    table = served.merge(flights[[spec.KEY, spec.TIME]], on=spec.KEY).merge(requests[[spec.KEY, spec.CLUSTER]])
    columns = [spec.KEY, spec.TIME, spec.CLUSTER, "version", "score", *spec.FEATURES]
    ordered = table.sort_values([spec.TIME, spec.KEY], ignore_index=True)[columns]
    return ordered.astype(dict.fromkeys(spec.NUMERIC, "float64"))

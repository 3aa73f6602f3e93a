"""How a version gets its traffic: a share a week, drawn by flight, beside the old one, and a rule that may stop it.

The weeks are replayed: v1 and v2 answer the flights of October as they would have, each flight by one of them.
"""

from __future__ import annotations

import zlib
from contextlib import closing
from pathlib import Path
from tempfile import TemporaryDirectory

import pandas as pd
from threadpoolctl import threadpool_limits

from flights import spec
from flights.switches import broken

STEPS = (("2013-10-08", 0.05), ("2013-10-15", 0.25), ("2013-10-22", 0.5), ("2013-10-29", 1.0))
AT_ONCE = (("2013-10-08", 1.0),)  # only under FLIGHTS_BREAK=infra.6

TOGETHER = 200  # flights of a request

MOST_ERRORS = 0.02  # of the requests, beyond what the served version fails
MOST_MUTE = 0.01  # of the scores that are no number, likewise
LEAST_AGREEMENT = 0.7  # rank correlation of scores; versions of half a year apart reach 0.8


def goes_on(rows: pd.DataFrame) -> bool:
    """Say whether a version may get more traffic: ``rows`` hold its answers beside the served version's."""
    errors = rows["candidate_failed"].mean() - rows["served_failed"].mean()
    mute = rows["candidate_score"].isna().mean() - rows["served_score"].isna().mean() - max(0.0, errors)
    agreement = rows["candidate_score"].rank().corr(rows["served_score"].rank())
    return bool(errors <= MOST_ERRORS and mute <= MOST_MUTE and agreement >= LEAST_AGREEMENT)


def ramp(build: Path, flights: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Replay how ``v2`` took over from ``v1``, on flights with their features.

    Return the log, a row a version and step, and the requests with the version that answered. Where the rule says no,
    the log ends with a share of 0.
    """
    log = [{"time": spec.RELEASES[0].published_at.isoformat(), "version": spec.PREVIOUS, "share": 1.0}]
    requests = []
    steps = AT_ONCE if broken("infra.6") else STEPS
    ends = [day for day, _ in steps[1:]] + [spec.HOLDOUT[1]]
    for (day, share), end in zip(steps, ends, strict=True):
        times = flights[spec.TIME].dt.strftime("%Y-%m-%d")
        asked = flights[(times >= day) & (times < end)]
        own = asked[spec.KEY].map(lambda name: zlib.crc32(name.encode()) % 10_000) < share * 10_000
        answers = {name: pd.Series(_scores(build, name, asked), asked.index) for name in (spec.PREVIOUS, spec.CURRENT)}
        for version, arm, part in ((spec.CURRENT, own, share), (spec.PREVIOUS, ~own, 1 - share)):
            counts = {"requests": int(arm.sum()), "errors": int(answers[version][arm].isna().sum())}
            log.append({"time": f"{day}T14:00:00Z", "version": version, "share": round(part, 4), **counts})
            requests.append(asked.loc[arm, [spec.KEY, spec.TIME, "origin", "carrier"]].assign(version=version))
        if not goes_on(_beside(answers[spec.PREVIOUS][own], answers[spec.CURRENT][own])):
            log.append({"time": f"{end}T14:00:00Z", "version": spec.CURRENT, "share": 0.0, "requests": 0, "errors": 0})
            break
    return pd.DataFrame(log), pd.concat(requests).sort_values(spec.KEY, ignore_index=True)


def _beside(served: pd.Series, candidate: pd.Series) -> pd.DataFrame:
    columns = {"served_score": served, "candidate_score": candidate}
    return pd.DataFrame(columns | {"served_failed": served.isna(), "candidate_failed": candidate.isna()})


def _scores(build: Path, version: str, asked: pd.DataFrame) -> list[float]:
    """Ask the server for the scores of some flights at a time; a refused request has none."""
    from flights.app import LOG, create_app  # the rule needs no server

    scores: list[float] = []
    with TemporaryDirectory() as folder:
        app = create_app(build, version, Path(folder) / "ramp.jsonl")
        with closing(app.extensions[LOG]), threadpool_limits(limits=1):
            for start in range(0, len(asked), TOGETHER):
                rows = asked[list(spec.FEATURES)].iloc[start : start + TOGETHER].astype(object)
                sent = rows.where(rows.notna(), None).to_dict("records")
                answer = app.test_client().post("/predict", json={"rows": sent})
                scores += answer.get_json()["scores"] if answer.status_code == 200 else [float("nan")] * len(rows)
    return scores

"""The release gate: ``python -m flights.gate --candidate FILE --baseline FILE`` accepts a model or refuses it.

A generous limit against a fixed set, the first days after training, for slow decay; a tight one against the version
before, on the same flights, for sudden drops, over all and for each airline. What it says is kept beside the file's
digest, and :mod:`flights.deploy` deploys nothing else.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from flights import spec
from flights.switches import broken

if TYPE_CHECKING:
    import pandas as pd
    from sklearn.base import BaseEstimator

LEAST_AREA = 0.55  # under the curve, of any model
MOST_LOST = 0.02  # of what a constant loses, on average
MOST_LOST_BY_AIRLINE = 0.08
LEAST_FLIGHTS = 100  # of an airline that is judged by itself
VERDICTS = spec.HOME / "verdicts"


def package(frame: pd.DataFrame, seed: int, folder: Path) -> tuple[Path, BaseEstimator]:
    """Train as a release does, and package the model in ``folder``."""
    from flights import registry
    from flights.train import train

    model = train(frame, seed)
    registry.publish(folder, model, {"version": "candidate"})
    return folder / "candidate" / registry.MODEL, model


def verdict(candidate: Path, baseline: Path) -> str:
    """Return why the candidate must not replace the baseline, or nothing if it may."""
    if digest(candidate) == digest(baseline):
        return "candidate and baseline are one file: nothing would be compared"
    import pandas as pd
    from sklearn.metrics import roc_auc_score

    flights = pd.read_parquet(spec.HOME / os.environ.get("FLIGHTS_BUILD", "build") / "validation.parquet")
    late = flights[spec.LABEL].astype(float)
    try:
        ours, theirs = (_scores(file, flights) for file in (candidate, baseline))
    except Exception as error:
        return f"a model cannot be loaded or asked: {type(error).__name__}: {error}"
    if (area := roc_auc_score(late, ours)) < LEAST_AREA:
        return f"an area under the curve of {area:.3f} is below {LEAST_AREA}"
    worse = ((ours - late) ** 2 - (theirs - late) ** 2) / late.var()
    if (lost := _at_least(worse)) > MOST_LOST:
        return f"at least {lost:.3f} are lost against the baseline"
    for airline, part in worse.groupby(flights["carrier"]):
        if len(part) >= LEAST_FLIGHTS and (lost := _at_least(part)) > MOST_LOST_BY_AIRLINE:
            return f"at least {lost:.3f} are lost for {airline} against the baseline"
    return ""


def digest(file: Path) -> str:
    """Return the digest by which verdicts are kept."""
    return hashlib.sha256(file.read_bytes()).hexdigest()


def _scores(file: Path, flights: pd.DataFrame) -> pd.Series:
    from skops import io as skops

    from flights import registry

    model = skops.load(file, trusted=registry.TRUSTED)
    return model.predict_proba(flights[list(spec.FEATURES)])[:, 1]


def _at_least(worse: pd.Series) -> float:
    """Return the loss that is shown: the mean less two standard errors."""
    return float(worse.mean() - 2 * worse.std() / len(worse) ** 0.5)


def main() -> None:
    """Judge, keep the verdict, and say it by the exit status."""
    parser = argparse.ArgumentParser(description="Accept or refuse a model before it is deployed.")
    for name in ("candidate", "baseline"):
        parser.add_argument(f"--{name}", type=Path, required=True, help="a packaged model")
    options = parser.parse_args()
    refused = verdict(options.candidate, options.baseline)
    VERDICTS.mkdir(exist_ok=True)
    text = json.dumps({"accepted": not refused, "why": refused})
    (VERDICTS / f"{digest(options.candidate)}.json").write_text(text + "\n", encoding="utf-8")
    print(f"refused: {refused}" if refused else "accepted")
    sys.exit(1 if refused and not broken("infra.4") else 0)


if __name__ == "__main__":
    main()

"""One training in its own process: ``python -m mltestscore.inputs.training_process WORK OUT [backwards]``.

Reads the request and both frames from ``WORK``, writes digests, figures and predictions to ``OUT``. The estimator
itself never leaves this process: nothing that it holds is loaded by the one that judges it.
"""

from __future__ import annotations

import json
import resource
import sys
import traceback
from collections.abc import Callable, Sequence
from pathlib import Path
from time import perf_counter
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from mltestscore.errors import MltestscoreError, near
from mltestscore.inputs.answers import by_label
from mltestscore.inputs.fingerprint import artefact_digest, parameters_digest
from mltestscore.inputs.functions import import_function
from mltestscore.inputs.listings import order_listings
from mltestscore.inputs.model import own_features
from mltestscore.inputs.trainer import BACKWARDS
from mltestscore.inputs.training_costs import cpu_seconds, waited_seconds
from mltestscore.reproduction.imported import used_since

_PLACES = 4


def main(work: Path, out: Path) -> None:
    """Train as ``work/request.json`` says and write ``result.json`` and ``predictions.npy`` to ``out``."""
    request = json.loads((work / "request.json").read_text(encoding="utf-8"))
    frame = pd.read_parquet(work / "frame.parquet")
    ours = frozenset(sys.modules)
    train = training_function(request)
    started, waited, spent = perf_counter(), waited_seconds(), cpu_seconds()
    estimator = train(frame, request["seed"])
    took = {
        "seconds": perf_counter() - started,
        "waited": waited_seconds() - waited,
        "cpu_seconds": cpu_seconds() - spent,
    }
    result = {
        # Before predicting: some estimators keep what they computed last.
        "artefact_digest": artefact_digest(estimator),
        "parameters_digest": parameters_digest(estimator),
        **took,
    }
    predictions = predict(estimator, pd.read_parquet(work / "probe.parquet"), request["features"], request["source"])
    np.save(out / "predictions.npy", predictions, allow_pickle=False)
    if request.get("environment") and out.name == "0":  # the first says it for all
        result["environment"] = used_since(ours, Path())
    (out / "result.json").write_text(json.dumps({**result, "peak_bytes": _peak_bytes()}), encoding="utf-8")


def predict(
    estimator: Any, probe: pd.DataFrame, features: Sequence[str], source: str, *, labels: bool = False
) -> npt.NDArray[Any]:
    """Return probabilities where the estimator gives them (one column for two classes), else predicted values.

    With ``labels``, of a row with several of them, one column a label.

    Raises :class:`MltestscoreError` when ``source`` returned no estimator, or one that asks for other columns.
    """
    scorer = next((getattr(estimator, name) for name in ("predict_proba", "predict") if hasattr(estimator, name)), None)
    scorer = scorer or (estimator if callable(estimator) else None)
    if scorer is None:
        raise MltestscoreError(f"{source} returned {type(estimator).__name__}; it must return the fitted estimator.")
    own = own_features(estimator)
    names = list(own) or [name for name in features if name in probe.columns]
    missing = [name for name in names if name not in probe.columns]
    if missing:
        raise MltestscoreError(
            f"the estimator that {source} returned asks for {missing[0]!r}, which is no feature of the training data."
            f"{near(missing[0], probe.columns)} Return a pipeline that makes it."
        )
    raw = scorer(probe[names])
    if labels:
        return np.asarray(by_label(raw))
    scores = np.asarray(raw)
    if scores.dtype.hasobject:
        scores = scores.astype(str)
    return scores[:, 1] if scores.ndim == 2 and scores.shape[1] == 2 else scores


def told(error: BaseException) -> str:
    """Return an exception of the training function in a few lines: what it says, and the last places it passed."""
    frames = [frame for frame in traceback.extract_tb(error.__traceback__) if frame.filename != __file__]
    places = [f"at {frame.filename}, line {frame.lineno}, in {frame.name}" for frame in reversed(frames[-_PLACES:])]
    return "\n".join([f"{type(error).__name__}: {error}", *places])


def training_function(request: dict[str, Any]) -> Callable[..., object]:
    """Return the function that the request names, in its wrappers.

    Raises :class:`MltestscoreError` that names the setting when it cannot be imported.
    """
    here = Path()
    train = import_function(request["source"], base=here, setting=request["setting"])
    for wrapper in request["wrappers"]:
        train = import_function(wrapper, base=here, setting="wrapper")(train)
    return train


def _peak_bytes() -> int:
    """Return this process's largest resident size.

    On Linux from VmHWM: ``ru_maxrss`` begins with the size that the parent had when it started us.
    """
    status = Path("/proc/self/status")
    if status.is_file():
        lines = (line.split() for line in status.read_text().splitlines() if line.startswith("VmHWM:"))
        return next((int(line[1]) * 1024 for line in lines), 0)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024


def as_process(work_in: Callable[[Path, Path], None]) -> None:
    """Call ``work_in`` with the two folders of the command line; exit with one message where it fails.

    Python lists folders by name meanwhile, or backwards where the command line says so.
    """
    order_listings(backwards=sys.argv[3:] == [BACKWARDS])
    try:
        work_in(Path(sys.argv[1]), Path(sys.argv[2]))
    except MltestscoreError as error:
        sys.exit(f"{error}")
    except Exception as error:
        sys.exit(told(error))


if __name__ == "__main__":
    as_process(main)

"""Scores frames by a model in the Python that the model needs: ``python SCRIPT DESCRIPTOR``, a pipe's open file.

It runs alone, in an environment that may not have ours, so it imports nothing of ours. Frames come as Parquet, arrays
and scores in NumPy's format, texts as JSON.
"""

from __future__ import annotations

import importlib
import io
import json
import sys
from collections.abc import Callable
from functools import partial
from multiprocessing.connection import Connection
from typing import Any

SCORES, REFUSED = b"s", b"e"
LONGEST = 1_000  # characters of a message


def main(talk: Connection) -> None:
    """Make the model as the first message says, describe it, and score until the pipe is closed."""
    request = json.loads(talk.recv_bytes())
    model = answered(talk, lambda: described(made(request)))
    while model is not None:
        try:
            sent = talk.recv_bytes()
        except EOFError:
            return
        answered(talk, partial(scored, model, sent))


def answered(talk: Connection, work: Callable[[], tuple[Any, bytes]]) -> Any:
    """Send what ``work`` returns second, or what it raised; return what it returns first."""
    try:
        model, said = work()
    except (Exception, SystemExit) as error:
        talk.send_bytes(REFUSED + f"{type(error).__name__}: {error}"[:LONGEST].encode("utf-8", "replace"))
        return None
    talk.send_bytes(SCORES + said)
    return model


def made(request: dict[str, str]) -> Any:
    """Call the loader, with the path if there is one."""
    module, _, name = request["loader"].partition(":")
    thing: Any = importlib.import_module(module)
    for part in name.split("."):
        thing = getattr(thing, part)
    return thing(request["path"]) if request["path"] else thing()


def described(model: Any) -> tuple[Any, bytes]:
    """Return the model and what it tells of itself."""
    names = next((getattr(model, one) for one in ("feature_names_in_", "feature_names_") if hasattr(model, one)), None)
    classes = getattr(model, "classes_", None)
    several = bool(getattr(model, "multilabel_", False)) or any(hasattr(one, "tolist") for one in _listed(classes))
    kind = getattr(model, "_estimator_type", "")
    if not kind and hasattr(model, "__sklearn_tags__"):
        kind = model.__sklearn_tags__().estimator_type or ""
    told = {
        "features": None if names is None else [str(name) for name in names],
        "count": getattr(model, "n_features_in_", None),
        "classes": None if classes is None or several else getattr(classes, "tolist", lambda: list(classes))(),
        "several": several,
        "ranks": kind == "ranker" or type(model).__name__ == "LGBMRanker",
        "regression": kind == "regressor",
        "scores": hasattr(model, "predict_proba") or hasattr(model, "predict") or callable(model),
    }
    return model, json.dumps(told).encode()


def _listed(classes: Any) -> list[Any]:
    """Return the classes of each output where a model has several outputs; an array of them is of one."""
    return classes if isinstance(classes, list) and not all(isinstance(one, str) for one in classes) else []


def received(sent: bytes) -> Any:
    """Return a frame sent as Parquet, an array in NumPy's format, or texts as JSON."""
    import numpy as np
    import pandas as pd

    if sent.startswith(b"["):
        return json.loads(sent)
    if sent.startswith(b"\x93NUMPY"):
        return np.load(io.BytesIO(sent), allow_pickle=False)
    return pd.read_parquet(io.BytesIO(sent))


def scored(model: Any, sent: bytes) -> tuple[Any, bytes]:
    """Return the model and the scores of the rows: probabilities where the model gives them."""
    import numpy as np

    rows = received(sent)
    score = next((getattr(model, one) for one in ("predict_proba", "predict") if hasattr(model, one)), model)
    out = io.BytesIO()
    np.save(out, np.asarray(score(rows), dtype=np.float64), allow_pickle=False)
    return model, out.getvalue()


if __name__ == "__main__":
    main(Connection(int(sys.argv[1])))

"""mltestscore: the suite (data.1), the invariants (monitor.2), the same-window battery without a key (monitor.3)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy
from exchange import tell, told

from mltestscore.inputs.dataset import Roles, open_dataset
from mltestscore.inputs.model import as_model
from mltestscore.inputs.schema import load_schema
from mltestscore.testing import run_check

if TYPE_CHECKING:
    import pandas as pd


def zeros(rows: pd.DataFrame) -> numpy.ndarray:
    """Predict nothing: data.1 asks a model only for its features."""
    return numpy.zeros(len(rows))


def main() -> None:
    """Run the three checks on the same opened files, as one pytest run would, without their planted faults."""
    work = told()
    roles = Roles(time=work.time, features=work.features)
    training = open_dataset("training", str(work.file("training")), roles)
    serving = open_dataset("serving", str(work.file("serving")), roles)
    schema = load_schema(work.suite)
    model = as_model(zeros, features=work.features, task="regression")
    results = [
        run_check("data.1", prove=False, schema=schema, model=model, training=training, serving=serving),
        run_check("monitor.2", prove=False, schema=schema, training=training, serving=serving),
        run_check("monitor.3", prove=False, serving=serving, recomputed=training),
    ]
    for result in results:
        if result.state in ("error", "not_offered"):
            raise SystemExit(f"{result.id} {result.state}: {result.reason}")
    found = ", ".join(f"{result.id} {result.state}" for result in results)
    tell(found, ("mltestscore", "ibis-framework", "duckdb"))


if __name__ == "__main__":
    main()

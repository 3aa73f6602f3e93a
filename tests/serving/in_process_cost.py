"""``python -m tests.serving.in_process_cost``: what a call costs more in a process of its own than the function itself.

One request after the other, so that none waits for another; medians of 2,000, beside the CPU time that a request takes
of the application's process.
"""

from __future__ import annotations

import tempfile
import time
from pathlib import Path

import numpy as np
import pandas as pd

from mltestscore.inputs.endpoint import open_endpoint

CALLS, RATE = 2_000, 200.0
FEATURES = pd.DataFrame({f"x{number}": [number / 2] for number in range(20)})
MODULE = """
def objects(rows): return [row["x3"] for row in rows]
def array(rows): return rows[:, 3]
def frame(rows): return rows["x3"]
"""


def main() -> None:
    """Print a line for each way in which a function takes rows."""
    with tempfile.TemporaryDirectory() as name:
        (Path(name) / "costed.py").write_text(MODULE)
        for rows in ("objects", "array", "frame"):
            print(f"{rows:8} {told(Path(name), rows)}")


def told(folder: Path, rows: str) -> str:
    """Return the medians of one way, as text."""
    endpoint = open_endpoint(url=f"python:costed:{rows}", settings={"rows": rows}, cwd=folder, probe=FEATURES)
    try:
        kept = endpoint._generator._sender._pool
        body = endpoint._client.body({column: FEATURES[column].tolist() for column in FEATURES})
        spent = []
        for _ in range(CALLS):
            began = time.perf_counter()
            kept.exchange(body)
            spent.append(time.perf_counter() - began)
        before = endpoint._server.processes()[1].cpu_times()
        endpoint.load(FEATURES, rate=RATE, seconds=CALLS / RATE, seed=1, arrivals="fixed")
        after = endpoint._server.processes()[1].cpu_times()
        processor = (after.user + after.system - before.user - before.system) / CALLS
    finally:
        endpoint.close()
    median, most = np.quantile(spent, (0.5, 0.95)) * 1000
    return f"median {median:.2f} ms, 95th percentile {most:.2f} ms, processor {processor * 1000:.2f} ms a request"


if __name__ == "__main__":
    main()

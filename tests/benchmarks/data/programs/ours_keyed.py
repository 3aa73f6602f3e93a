"""mltestscore's monitor.3 with a key: the served rows joined to the recomputed ones and compared value by value."""

from __future__ import annotations

from exchange import tell, told

from mltestscore.inputs.dataset import Roles, open_dataset
from mltestscore.testing import run_check


def main() -> None:
    """Compare a sound pair: the same values in another order."""
    work = told()
    roles = Roles(key=(work.key,), time=work.time, features=work.features)
    serving = open_dataset("serving", str(work.file("serving")), roles)
    recomputed = open_dataset("recomputed", str(work.file("recomputed")), roles)
    result = run_check("monitor.3", prove=False, serving=serving, recomputed=recomputed)
    if result.state != "passed":
        raise SystemExit(f"monitor.3 {result.state} on equal values: {result.reason}")
    tell(f"{result.id} {result.state}", ("mltestscore", "ibis-framework", "duckdb", "pandas"))


if __name__ == "__main__":
    main()

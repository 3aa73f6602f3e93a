"""What ``ours`` costs before it reads a row: what it imports sooner or later, and DuckDB opened through Ibis."""

from __future__ import annotations

import ibis
import ours  # noqa: F401
import scipy.special  # noqa: F401
from exchange import tell, told


def main() -> None:
    """Import and ask DuckDB for a row."""
    told()
    answer = ibis.duckdb.connect().raw_sql("SELECT 1").fetchall()
    tell(f"{len(answer)} row", ("mltestscore",))


if __name__ == "__main__":
    main()

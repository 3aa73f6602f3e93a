"""Write ``recomputed``: the serving file's rows in another order, as a training path would give the same keys."""

from __future__ import annotations

import duckdb
from exchange import tell, told

MEMORY = "4GB"


def main() -> None:
    """Order by a hash of the key, which no reader can make use of; spill beside the files."""
    work = told()
    with duckdb.connect() as connection:
        connection.execute(f"SET memory_limit = '{MEMORY}'")
        connection.execute(f"SET temp_directory = '{work.folder / 'spilled'}'")
        connection.execute("SET enable_progress_bar = false")
        rows = f"SELECT * FROM '{work.file('serving')}' ORDER BY hash({work.key})"
        connection.execute(f"COPY ({rows}) TO '{work.file('half')}' (FORMAT parquet)")
    work.file("half").rename(work.file("recomputed"))  # it is there only when it is whole
    tell("shuffled", ("duckdb",))


if __name__ == "__main__":
    main()

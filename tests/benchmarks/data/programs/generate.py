"""Write the two Parquet files of the work: the same laws in both, other draws; seeds and one thread, so always alike.

Numbers are sums of three uniform draws in four scales (1 to 1,000) with 2 % missing values; strings have 3 to 2,000
values, the first ones far more often than the last; the time runs through the same 116 days whatever the rows.
"""

from __future__ import annotations

import duckdb
from exchange import DISTINCT, SCALES, Told, tell, told

SEEDS = {"training": 0.1, "serving": 0.7}
SPAN_S = 10_000_000


def expressions(work: Told) -> str:
    """Return the select list of one file, in the order of key, time, numbers, strings."""
    step = SPAN_S / work.rows
    columns = [f"i AS {work.key}", f"TIMESTAMP '2024-01-01' + to_seconds(i * {step!r}) AS {work.time}"]
    for place, name in enumerate(work.numbers):
        drawn = f"(random() + random() + random() - 1.5) * {SCALES[place % len(SCALES)]}"
        columns.append(f"CASE WHEN random() < 0.02 THEN NULL ELSE {drawn} END AS {name}")
    for place, name in enumerate(work.texts):
        distinct = DISTINCT[place % len(DISTINCT)]
        columns.append(f"'v' || CAST(floor(random() * random() * {distinct}) AS INTEGER) AS {name}")
    return ", ".join(columns)


def main() -> None:
    """Write both files into the folder."""
    work = told()
    for name, seed in SEEDS.items():
        with duckdb.connect() as connection:
            connection.execute("SET threads = 1")  # random() is repeatable only within one thread
            connection.execute("SET enable_progress_bar = false")
            connection.execute(f"SELECT setseed({seed})").fetchall()
            rows = f"SELECT {expressions(work)} FROM range({work.rows}) AS rows(i)"
            connection.execute(f"COPY ({rows}) TO '{work.file(name)}' (FORMAT parquet)")
    tell(f"{work.rows} rows", ("duckdb",))


if __name__ == "__main__":
    main()

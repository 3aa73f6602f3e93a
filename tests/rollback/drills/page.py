"""The drills as a page: what each one took, what was lost, and when."""

from __future__ import annotations

from pathlib import Path

from tests.kept import Kept, Rows

BARS = "·▁▂▃▄▅▆▇█"
HEAD = """# Roll-backs on real servers

Made by `python -m tests.rollback.drills`, which installs each server with pinned packages in an environment of its
own, starts it, and runs the check `infra.7` on it as a team's table says: back to the previous version and forth again,
with 40 requests a second. *back*, *forth*: seconds until the previous, and again the current version answers. *slow*:
later than 500 ms after a request was due.

| server | package | date | back | forth | requests | failed | of these timed out | slow | verdict | result |
|---|---|---|---|---|---|---|---|---|---|---|
"""


SHOWN = (
    *("title", "version", "date", "back_s", "restored_s", "requests", "failed", "timed_out", "slow", "state", "result"),
)


def page(rows: Rows) -> str:
    """Return the page in Markdown."""
    table = "\n".join(" | ".join(["", *(_shown(row[key]) for key in SHOWN), ""]).strip() for row in rows.values())
    return f"{HEAD}{table}\n\n## Second by second\n\n{chr(10).join(_pictures(rows))}\n"


def _shown(value: object) -> str:
    return "not" if value is None else str(value).replace("|", "/")


def _pictures(rows: Rows) -> list[str]:
    """Return a bar a second for each line of each drill; the highest is the line's largest number, a dot is none."""
    said = []
    for row in rows.values():
        said += [f"{row['title']}:", "", "```text"]
        width = max(map(len, row["by_second"]), default=0)
        for name, counts in row["by_second"].items():
            most = max(counts, default=0)
            bars = "".join(BARS[0 if not count else max(1, round(8 * count / most))] for count in counts)
            said.append(f"{name:{width}}  {bars}  at most {most:g} a second")
        said += ["```", ""]
    return said[:-1]


KEPT = Kept(Path(__file__).parents[1] / "drills.json", page)

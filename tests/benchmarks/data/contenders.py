"""Who takes part: our own programs, the physical limit, and the peers with their environments."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from .costs import PROGRAMS

OURS, IMPORT, KEYED, PASS = "mltestscore", "mltestscore, imports alone", "mltestscore, joined by key", "one DuckDB pass"
EVIDENTLY, DEEPCHECKS, TFDV = "Evidently", "Deepchecks", "TFDV"
MOST_ROWS_OF_PEERS = 1_000_000
MOST_ROWS_KEYED = 10_000_000
USUAL_COLUMNS = 20


@dataclass(frozen=True)
class Contender:
    """A program that does the work, or a part of it.

    Attributes:
        name: how the table calls it.
        program: its file in ``programs/``.
        does: what it does, in a few words, so that nobody compares apples with pears.
        peer: the pinned list of its environment; empty for ours.
        main: the package whose version the table shows.
        shuffled: whether it reads the third file too.
    """

    name: str
    program: str
    does: str
    main: str
    peer: str = ""
    shuffled: bool = False

    def takes_part(self, rows: int, columns: int) -> bool:
        """Whether it runs at this size when nobody says which do: peers would take hours on the largest."""
        if self.peer:
            return rows <= MOST_ROWS_OF_PEERS and columns == USUAL_COLUMNS
        return not self.shuffled or (rows <= MOST_ROWS_KEYED and columns == USUAL_COLUMNS)

    @property
    def file(self) -> Path:
        """Where its program lies."""
        return PROGRAMS / f"{self.program}.py"


CONTENDERS = (
    Contender(PASS, "one_pass", "min, max, mean and count of each column: the physical limit", "duckdb"),
    Contender(
        EVIDENTLY, "peer_evidently", "drift preset at its defaults, every column, all rows", "evidently", "evidently"
    ),
    Contender(DEEPCHECKS, "peer_deepchecks", "feature drift of every column, all rows", "deepchecks", "deepchecks"),
    Contender(
        "Deepchecks, sample",
        "peer_deepchecks_sample",
        "the same at its defaults, on 100,000 rows of each",
        "deepchecks",
        "deepchecks",
    ),
    Contender(
        TFDV,
        "peer_tfdv",
        "statistics, inferred schema, anomalies, skew of every column, all rows",
        "tensorflow-data-validation",
        "tfdv",
    ),
    Contender(
        "Great Expectations",
        "peer_great_expectations",
        "the same 40 expectations on both frames, nothing else",
        "great-expectations",
        "great_expectations",
    ),
    Contender("whylogs", "peer_whylogs", "profiles and drift scores of every column, all rows", "whylogs", "whylogs"),
    Contender(IMPORT, "ours_import", "no row read: what starting costs", "mltestscore"),
    Contender(
        OURS, "ours", "40 expectations, invariants and same-window battery, every column, all rows", "mltestscore"
    ),
    Contender(
        KEYED,
        "ours_keyed",
        "value by value, of serving and the same rows in another order",
        "mltestscore",
        shuffled=True,
    ),
)


def chosen(only: list[str], rows: int, columns: int) -> list[Contender]:
    """Return the contenders of a size: those that ``--only`` names, else those that take part in it."""
    if not only:
        return [one for one in CONTENDERS if one.takes_part(rows, columns)]
    known = {one.program: one for one in CONTENDERS}
    for name in only:
        if name not in known:
            raise SystemExit(f"there is no program {name!r}; choose from {', '.join(known)}")
    return [one for one in CONTENDERS if one.program in only]

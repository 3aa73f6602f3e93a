"""A part of a pandera schema that no rule of ours says: pandera itself judges it, on a bounded sample."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from mltestscore.borrowed.reading import cut
from mltestscore.inputs.rules import Rule

if TYPE_CHECKING:
    from mltestscore.inputs.dataset import Dataset
    from mltestscore.inputs.expectations import Outcome

VALUES = "expect_column_values_to_pass_pandera"
TABLE = "expect_table_to_pass_pandera"
SHOWN = 3
MAX_MESSAGE = 200


@dataclass(frozen=True)
class PanderaRule(Rule):
    """A rule that carries the part of the schema which decides it.

    Attributes:
        part: a ``pandera.DataFrameSchema`` with that part and nothing else.
        most_rows: how many rows it is asked of at most.
        row_by_row: whether it surely looks at each row alone; else it may be about a number of all rows, such as a
            mean, and is asked of the training data only, as other rules on figures are.
    """

    part: Any = field(default=None, compare=False)
    most_rows: int = field(default=20_000, compare=False)
    row_by_row: bool = field(default=False, compare=False)

    __hash__ = Rule.__hash__

    @property
    def on_figure(self) -> bool:
        """Whether a part of the table may break it though the whole does not."""
        return not self.row_by_row

    @property
    def text(self) -> str:
        """The rule in words."""
        return f"pandera: {self.kwargs['check']}"

    def judged(self, dataset: Dataset) -> Outcome:
        """Return what pandera says of a sample; a check that raises is broken, with what it raised."""
        from mltestscore.inputs.expectations import Outcome

        frame = dataset.sample(self.most_rows).frame()
        with quiet():
            from pandera.errors import SchemaErrors

            try:
                self.part.validate(frame, lazy=True)
            except SchemaErrors as errors:
                return _broken(errors.failure_cases, len(frame))
            except Exception as error:  # a team's own check may raise anything
                return Outcome(True, 0, len(frame), message=f"cannot be judged: {cut(error, MAX_MESSAGE)}")
        return Outcome(False, 0, len(frame))


def _broken(cases: Any, rows: int) -> Outcome:
    """Return the outcome of failure cases: rows by their index, or none where the check is about all of them."""
    from mltestscore.inputs.expectations import Outcome

    hit = cases[cases["index"].notna()]
    examples = tuple(hit["failure_case"].drop_duplicates().head(SHOWN))
    unexpected = int(hit["index"].astype("object").map(str).nunique())
    if not unexpected:
        found = ", ".join(
            f"{case} ({check})" for case, check in zip(cases["failure_case"], cases["check"], strict=True)
        )
        return Outcome(True, 0, rows, message=f"pandera found {cut(found, MAX_MESSAGE)}")
    return Outcome(True, unexpected, rows, examples, f"{unexpected:,} of {rows:,} sampled rows break it")


@contextmanager
def quiet() -> Iterator[None]:
    """Keep the warnings of pandera's optional dependencies, and its own on checks that only warn, from the reader."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield

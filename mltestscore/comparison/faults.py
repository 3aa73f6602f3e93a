"""What a planted fault of monitor.2 breaks."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mltestscore.comparison.profile import common_features
from mltestscore.errors import NotOffered
from mltestscore.unstructured import as_texts

if TYPE_CHECKING:
    import pandas as pd

    from mltestscore.inputs.dataset import Dataset


def usable(training: Dataset, serving: Dataset) -> tuple[pd.DataFrame, str]:
    """Return the served rows and the feature to break: of those with fewest gaps in training, the most varied.

    Raises :class:`NotOffered` where both sides share no number and no text.
    """
    import pandas as pd

    frame, past = serving.frame(), training.frame()
    names = list(common_features(training, serving))

    def fitness(name: str) -> tuple[bool, float, int]:
        number = pd.api.types.is_numeric_dtype(frame[name]) and not pd.api.types.is_bool_dtype(frame[name])
        values = as_texts(past[name]) if past[name].dtype == object else past[name]  # lists cannot be counted
        varied = 2 <= values.nunique() <= 0.5 * len(values) if number else 2 <= values.nunique() <= 100
        return varied, -float(values.isna().mean()), values.nunique()

    if not names:
        raise NotOffered("a number or text in training and serving", "name the columns alike")
    return frame, max(names, key=fitness)

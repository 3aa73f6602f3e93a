"""What the unit tests of the model share: the code as it was committed, and flights that rain makes late."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pandas as pd
import pytest
from flights import spec, switches

ROWS = 800


@pytest.fixture(autouse=True)
def as_committed() -> Iterator[None]:
    """Test the code as it was committed: a switch of the demonstration stands for what went wrong after that."""
    with switches.switched(""):
        yield


@pytest.fixture
def frame() -> pd.DataFrame:
    """Return rows of all features; flights are late when it rains, and from JFK."""
    rng = np.random.default_rng(7)
    table = pd.DataFrame(rng.normal(size=(ROWS, len(spec.NUMERIC))), columns=list(spec.NUMERIC))
    for name, codes in zip(spec.CATEGORICAL, (["B6", "UA"], ["JFK", "LGA"], ["BUF", "LAX", "MIA"]), strict=True):
        table[name] = rng.choice(codes, ROWS)
    return table.assign(**{spec.LABEL: ((table["precip"] > 1) | (table["origin"] == "JFK")).astype(int)})

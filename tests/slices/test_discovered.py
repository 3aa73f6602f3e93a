"""Slices that a search finds: the worst of those that the other half can tell something of."""

from __future__ import annotations

import numpy as np
import pandas as pd

from mltestscore.slices.declared import Mask
from mltestscore.slices.discovered import discovered

N = 4_000
RNG = np.random.default_rng(0)
FRAME = pd.DataFrame({"city": RNG.choice(["Ulm", "Bonn", "Trier", "Kiel"], N)})
LOSSES = FRAME["city"].map({"Ulm": 3.0, "Bonn": 1.0, "Trier": -1.0, "Kiel": -1.0}).to_numpy() + RNG.normal(size=N)
SEARCHED = np.arange(N) % 2 == 0
ULM = (FRAME["city"] == "Ulm").to_numpy()


def test_the_worst_comes_first_and_holds_rows_of_the_other_half():
    first, second = discovered(FRAME, ["city"], LOSSES, SEARCHED, most=2, least=100)
    assert (first.name, second.name) == ("city among Ulm", "city among Bonn")
    assert set(FRAME["city"][second.rows]) == {"Bonn"}
    assert (first.rows == (ULM & ~SEARCHED)).all()
    assert first.note == ""


def test_what_cannot_be_told_is_passed_over_and_named():
    asked: list[Mask] = []

    def telling(rows: Mask) -> bool:
        asked.append(rows)
        return not bool((rows & ULM).any())

    first = discovered(FRAME, ["city"], LOSSES, SEARCHED, most=5, least=100, telling=telling)[0]
    assert first.note == "Too few rows to tell of city among Ulm"
    assert not (first.rows & ULM).any()
    assert all((rows <= SEARCHED).all() for rows in asked), "only searched rows may decide"


def test_where_nothing_can_be_told_the_worst_is_judged():
    found = discovered(FRAME, ["city"], LOSSES, SEARCHED, most=1, least=100, telling=lambda _: False)
    assert [(one.name, one.note) for one in found] == [("city among Ulm", "")]

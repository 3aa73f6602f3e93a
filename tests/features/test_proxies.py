"""How well one input tells a group: certain copies, chance, clusters learned by heart, and odd columns."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

from mltestscore.features.proxies import associations, sides
from mltestscore.inputs.dataset import Dataset, Roles, open_dataset

LIMIT = 0.9


def data(frame: pd.DataFrame, cluster: str = "") -> Dataset:
    return open_dataset("training", frame.assign(id=np.arange(len(frame))), Roles(key=("id",), cluster=cluster))


def told(frame: pd.DataFrame, *features: str, cluster: str = "", least: int = 50, **kwargs: Any) -> dict[str, Any]:
    split = sides(data(frame, cluster), features, "group", 20_000, least)
    return {one.feature: one for one in associations(split, features, 0.0005, LIMIT)} if split.groups else {}


def people(n: int = 6000, seed: int = 0) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    group = rng.choice(["a", "b", "c"], n, p=[0.6, 0.3, 0.1])
    place = pd.Series(group).map({"a": 0, "b": 300, "c": 600}).to_numpy() + rng.integers(0, 300, n)
    return pd.DataFrame(
        {"group": group, "place": place, "noise": rng.normal(size=n), "number": rng.integers(0, 900, n)}
    )


def test_a_copy_is_certain_and_noise_is_chance():
    found = told(people().assign(copy=lambda frame: frame["group"]), "copy", "noise", "number")
    assert found["copy"].area.low > 0.95
    assert all(0.4 < found[name].area.value < 0.6 and found[name].area.high < 0.65 for name in ("noise", "number"))
    assert next(iter(found)) == "copy"


def test_a_code_without_order_is_seen_through():
    assert told(people(), "place")["place"].area.low > LIMIT


def test_an_ordinary_input_stays_below_the_limit():
    frame = people()
    rng = np.random.default_rng(1)
    frame["weak"] = (frame["group"] == "c") * 0.4 + rng.normal(size=len(frame))
    assert 0.5 < told(frame, "weak")["weak"].area.high < LIMIT


def test_the_group_that_is_told_best_decides():
    frame = people()
    frame["only_c"] = (frame["group"] == "c").astype(float)
    found = told(frame, "only_c")["only_c"]
    assert (found.group, found.area.low > LIMIT) == ("c", True)


def test_numbers_are_cut_into_quarters():
    rng = np.random.default_rng(0)
    frame = pd.DataFrame({"group": rng.normal(40, 10, 4000), "noise": rng.normal(size=4000)})
    frame["birth"] = 2020 - frame["group"] + rng.normal(size=4000)
    found = told(frame, "birth", "noise")
    assert found["birth"].area.low > LIMIT
    assert found["birth"].group.startswith(("up to", "above"))
    assert found["noise"].area.high < 0.65


def test_odd_columns_do_not_stop_it():
    frame = people(4000)
    frame.loc[::7, "group"] = None
    frame["gone"] = np.nan
    frame["mixed"] = [[1], "x", None, 3.5] * 1000
    frame["when"] = pd.Timestamp("2026-01-01") + pd.to_timedelta(frame["place"], unit="h")
    frame.loc[::5, "when"] = pd.NaT
    frame["far"] = frame["noise"].where(frame.index % 9 > 0, np.inf)
    frame["flag"] = frame["place"] > 300
    frame["kind"] = frame["number"].astype("category")
    found = told(frame, "gone", "mixed", "when", "far", "flag", "kind")
    assert found["gone"].area.value == 0.5
    assert found["when"].area.low > 0.8
    assert all(found[name].area.high < LIMIT for name in ("gone", "mixed", "far", "kind"))


def test_a_rare_group_is_not_judged():
    frame = pd.DataFrame({"group": ["a"] * 3000 + ["b"] * 60, "copy": [0] * 3000 + [1] * 60})
    assert told(frame, "copy") == {}
    assert told(frame, "copy", least=3)["copy"].area.value == 1.0


def test_no_rows_with_the_attribute_judge_nothing():
    assert told(pd.DataFrame({"group": [None] * 500, "x": range(500)}), "x") == {}


def clustered(seed: int, clusters: int, rows: int) -> pd.DataFrame:
    """Group and input are drawn once a cluster, independently: within this sample they look related."""
    rng = np.random.default_rng(seed)
    frame = pd.DataFrame(
        {"user": np.arange(clusters), "group": rng.random(clusters) < 0.4, "age": rng.normal(size=clusters)}
    )
    return frame.loc[frame.index.repeat(rows)].reset_index(drop=True)


@pytest.mark.parametrize(("clusters", "rows"), [(120, 100), (400, 20)])
def test_clusters_that_are_learned_by_heart_are_no_proxy(clusters, rows):
    areas = [
        one.area
        for seed in range(25)
        for one in told(clustered(seed, clusters, rows), "age", "user", cluster="user").values()
    ]
    assert len(areas) >= 30  # with fewer than ten clusters on a side nothing is judged
    assert not any(area.low > 0.8 for area in areas)


def test_a_handful_of_clusters_is_not_judged():
    assert told(clustered(0, 20, 300), "age", cluster="user") == {}


def test_a_real_proxy_is_seen_among_clusters():
    frame = clustered(0, 400, 20)
    assert told(frame.assign(code=frame["group"] * 1.0), "code", cluster="user")["code"].area.low > LIMIT


def test_the_same_data_give_the_same_answer():
    assert told(people(), "noise", "number") == told(people(), "noise", "number")

"""model.7 for rankings and several labels: unequal treatment fails by name; other merit, length or rarity does not."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from mltestscore.inputs.dataset import Roles, open_dataset
from mltestscore.inputs.model import as_model
from mltestscore.testing import run_check

PAIRWISE, TPR, CALIBRATION = "gap in pairwise accuracy", "gap in true positive rate", "gap in calibration"
SWAPPED = "mean move of the score with another group's attribute"


def queries(n: int = 400, seed: int = 3) -> pd.DataFrame:
    """Queries of two languages, in short and long lists with many and few relevant rows, of unequal sellers."""
    rng = np.random.default_rng(seed)
    language = rng.choice(["en", "fr"], n)
    sizes = np.where(language == "en", 20, 8)
    frame = pd.DataFrame({"query": np.repeat(np.arange(n), sizes), "language": np.repeat(language, sizes)})
    frame["seller"] = rng.choice(["small", "large"], len(frame))
    worth = rng.normal(size=len(frame)) + 0.8 * (frame["seller"] == "large") - 0.7 * (frame["language"] == "en")
    frame["grade"] = np.digitize(worth, [0.5, 1.5, 2.5])
    frame["sign"] = frame["grade"] + rng.normal(size=len(frame))
    frame["small"] = (frame["seller"] == "small").astype(float)
    frame["french"] = (frame["language"] == "fr").astype(float)
    return frame


def ranked(predict, frame: pd.DataFrame | None = None, protected=("language", "seller"), reads=("sign",)) -> dict:
    frame = queries() if frame is None else frame
    roles = Roles(label="grade", cluster="query", protected=protected)
    model = as_model(predict, task="ranking", features=list(reads))
    return {"model": model, "holdout": open_dataset("holdout", frame, roles)}


def run(prove: bool = False, options: dict | None = None, **inputs):
    return run_check("model.7", prove=prove, options=options or {}, **inputs)


def failed(result) -> set[tuple[str, str]]:
    return {(one.name, one.where) for one in result.findings if one.verdict == "failed" and not one.advisory}


def find(result, name: str, where: str):
    return next(one for one in result.findings if (one.name, one.where) == (name, where))


@pytest.mark.parametrize("protected", [("language", "seller"), ("seller",), ("language",)])
def test_an_equal_ranker_passes_whatever_groups_are_worth_and_lists_are_long(protected):
    """NDCG differs by more than the limit between the languages, and exposure between sellers: by no fault of it."""
    result = run(prove=True, **ranked(lambda frame: frame["sign"].to_numpy(), protected=protected))
    assert result.state == "passed", result.reason
    assert result.proof.state == "proven", result.proof
    assert len(result.proof.faults) == 3  # scores of a ranking stand for no outcome that one group could exceed
    if "language" in protected:
        shown = find(result, "gap in ndcg", f"language = {rarer(queries()['language'])}")
        assert shown.value > 0.05
        assert shown.advisory


def test_sellers_that_are_ranked_below_their_worth_are_named():
    result = run(**ranked(lambda frame: frame["sign"] - frame["small"], reads=("sign", "small")))
    assert failed(result) == {(PAIRWISE, f"seller = {rarer(queries()['seller'])}")}


def rarer(groups: pd.Series) -> str:
    """Of two groups, the one that stands for the gap between them."""
    return str(groups.value_counts().index[-1])


def test_a_language_whose_queries_are_ordered_by_chance_is_named():
    def predict(frame: pd.DataFrame) -> np.ndarray:
        chance = np.random.default_rng(0).normal(size=len(frame))
        return np.where(frame["french"], chance, frame["sign"])

    result = run(**ranked(predict, reads=("sign", "french")))
    assert failed(result) == {(PAIRWISE, f"language = {rarer(queries()['language'])}")}


def test_the_same_for_all_rows_of_a_query_moves_no_order():
    """A ranker may read the language and add something for it: nobody is ranked otherwise."""
    frame = queries().assign(language=lambda rows: rows["french"])
    added = ranked(lambda rows: rows["sign"] + 9 * rows["language"], frame, reads=("sign", "language"))
    result = run(**added)
    assert result.state == "passed", result.reason
    assert find(result, SWAPPED, "language").value == 0


def test_a_seller_who_moves_places_with_another_name_fails():
    frame = queries().assign(seller=lambda rows: rows["small"])
    result = run(**ranked(lambda rows: rows["sign"] - 0.5 * rows["seller"], frame, reads=("sign", "seller")))
    assert (SWAPPED, "seller") in failed(result)


def test_what_differs_within_a_query_cannot_stand_for_what_it_shares():
    inputs = ranked(lambda rows: rows["sign"].to_numpy(), protected=("language",))
    result = run(options={"proxies": {"language": ["sign"]}}, **inputs)
    assert result.state == "inconclusive"
    assert "differs within them" in result.reason


def test_ndcg_is_judged_on_demand_and_never_of_rows_that_share_queries():
    inputs = ranked(lambda rows: rows["sign"].to_numpy())
    result = run(options={"measures": ("ndcg",), "max_gap": 0.2}, **inputs)
    assert find(result, "gap in ndcg", f"language = {rarer(queries()['language'])}").verdict == "passed"
    assert result.state == "inconclusive"
    assert "seller" in result.reason
    assert "measures names none" in result.reason


def test_a_ranking_without_queries_asks_for_them():
    inputs = ranked(lambda rows: rows["sign"].to_numpy())
    roles = Roles(label="grade", protected=("seller",))
    result = run(model=inputs["model"], holdout=open_dataset("holdout", queries(), roles))
    assert result.state == "not_offered"
    assert "cluster = " in result.reason


def labelled(n: int = 6000, many: int = 3, seed: int = 5) -> tuple[pd.DataFrame, np.ndarray]:
    rng = np.random.default_rng(seed)
    frame = pd.DataFrame({"sex": rng.choice(["f", "m"], n)})
    chances = 1 / (1 + np.exp(-2 * rng.normal(size=(n, many)) + np.minimum(0.3 * np.arange(many), 1.5)))
    names = [f"chance {place}" for place in range(many)]
    frame[names] = chances
    frame["female"] = (frame["sex"] == "f").astype(float)
    frame["labels"] = (rng.random((n, many)) < chances).astype(int).tolist()
    return frame, chances


def tagged(change=None, n: int = 6000, many: int = 3) -> dict:
    frame, _ = labelled(n, many)
    names = [f"chance {place}" for place in range(many)]
    reads = [*names, "female"] if change else names

    def predict(rows: pd.DataFrame) -> np.ndarray:
        scores = rows[names].to_numpy().copy()
        return change(scores, rows["female"].to_numpy() == 1) if change else scores

    holdout = open_dataset("holdout", frame, Roles(label="labels", protected=("sex",)))
    return {"model": as_model(predict, task="multilabel", features=reads), "holdout": holdout}


def test_equal_labels_pass_and_every_fault_is_caught():
    result = run(prove=True, **tagged())
    assert result.state == "passed", result.reason
    assert result.proof.state == "proven", result.proof
    assert len(result.proof.faults) == 4


def test_one_label_that_is_missed_for_one_group_is_named():
    def change(scores: np.ndarray, female: np.ndarray) -> np.ndarray:
        scores[:, 1] = np.where(female, 0.6 * scores[:, 1], scores[:, 1])
        return scores

    found = failed(run(**tagged(change)))
    assert found >= {(name, f"sex = {rarer(labelled()[0]['sex'])}, label 1") for name in (TPR, CALIBRATION)}
    assert all("label 1" in where for _, where in found)


def test_a_label_that_reads_the_attribute_is_named_among_others():
    frame, _ = labelled()
    frame["sex"] = frame["female"]
    model = as_model(
        lambda rows: np.column_stack([rows["chance 0"], np.clip(rows["chance 1"] + 0.2 * rows["sex"], 0, 1)]),
        task="multilabel",
        features=["chance 0", "chance 1", "sex"],
    )
    frame["labels"] = [one[:2] for one in frame["labels"]]
    holdout = open_dataset("holdout", frame, Roles(label="labels", protected=("sex",)))
    moved = {where for name, where in failed(run(model=model, holdout=holdout)) if name == SWAPPED}
    assert moved == {"sex, label 1"}


def test_of_many_labels_the_rare_ones_are_judged_together():
    result = run(options={"max_gap": 0.2}, **tagged(many=22))
    assert result.state == "passed", result.reason
    names = {one.where.partition(", ")[2] for one in result.findings if one.name == TPR}
    assert len(names) == 21
    assert "2 rarer labels together" in names
    (table,) = [one.data for one in result.details if "fairlearn" in one.title]
    assert len(table["rows"]) == 44


def test_a_label_too_rare_in_a_group_keeps_the_item_open_until_it_is_accepted():
    frame, _ = labelled()
    rare = np.random.default_rng(1).random(len(frame)) < 0.005
    frame["labels"] = [[*one[:2], int(hit)] for one, hit in zip(frame["labels"], rare, strict=True)]
    frame["chance 2"] = 0.005
    inputs = tagged()
    inputs["holdout"] = open_dataset("holdout", frame, Roles(label="labels", protected=("sex",)))
    group = str(frame["sex"].value_counts().index[-1])
    result = run(**inputs)
    assert result.state == "inconclusive"
    assert "label 2" in result.reason
    accepted = run(options={"small_groups": (f"sex = {group}, label 2",)}, **inputs)
    assert accepted.state == "passed", accepted.reason

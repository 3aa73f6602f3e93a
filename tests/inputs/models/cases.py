"""Rows with what the libraries' models are trained on, and the checks that must judge such models rightly."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from mltestscore.errors import InputError
from mltestscore.inputs.dataset import Dataset, Roles, open_dataset
from mltestscore.inputs.model import Model, load_model
from mltestscore.inputs.rules import Rule
from mltestscore.inputs.schema import Schema
from mltestscore.numerics.parameters import parameters as parameters
from mltestscore.result import CheckResult
from mltestscore.testing import run_check

FEATURES = ["heat", "wear", "load"]
LABELS = {"binary": "late", "multiclass": "grade", "regression": "cost"}
PARAMETERS = "model parameters that are not finite"


def rows(n: int = 3000, seed: int = 1) -> pd.DataFrame:
    """A label that hangs on the product of two features: no simple model finds it."""
    rng = np.random.default_rng(seed)
    heat, wear, load = rng.uniform(-2, 2, size=(3, n))
    frame = pd.DataFrame({"heat": heat, "wear": 10 * wear, "load": 100 * load})
    frame["cost"] = heat * load + 0.5 * wear + rng.normal(scale=0.3, size=n)
    frame["late"] = (frame["cost"] > 0).astype(int)
    frame["grade"] = np.digitize(frame["cost"], [-0.8, 0.8])
    frame["id"] = np.arange(n)
    frame.loc[::25, "wear"] = np.nan
    return frame


TRAINING, HOLDOUT = rows(), rows(2000, seed=2)


def dataset(name: str, frame: pd.DataFrame, task: str) -> Dataset:
    return open_dataset(name, frame, Roles(label=LABELS[task], key=("id",), features=tuple(FEATURES)))


def schema(nullable: bool = True) -> Schema:
    """Rules for each column; ``wear`` may be missing in a tenth of the rows unless told otherwise."""
    rules = []
    for name, end in zip(FEATURES, (2, 20, 200), strict=True):
        missing = {"mostly": 0.9} if nullable and name == "wear" else {}
        rules += [
            Rule("expect_column_values_to_be_between", {"column": name, "min_value": -end, "max_value": end}),
            Rule("expect_column_max_to_be_between", {"column": name, "min_value": end / 2}),
            Rule("expect_column_unique_value_count_to_be_between", {"column": name, "min_value": 2}),
            Rule("expect_column_values_to_be_of_type", {"column": name, "type_": "float64"}),
            Rule("expect_column_values_to_not_be_null", {"column": name, **missing}),
        ]
    return Schema("suite", rules)


def judged(item: str, model: Model, nullable: bool = True, prove: bool = False) -> CheckResult:
    """Run a check on these rows."""
    given = {
        "model": model,
        "training": dataset("training", TRAINING if nullable else TRAINING.dropna(), model.task),
        "holdout": dataset("holdout", HOLDOUT if nullable else HOLDOUT.dropna(), model.task),
        "schema": schema(nullable),
    }
    wanted = {"data.1": ("schema", "model", "training"), "model.5": ("model", "training", "holdout")}
    names = wanted.get(item, ("model", "schema", "training"))
    return run_check(item, prove=prove, **{name: given[name] for name in names})


def assert_sound(model: Model, nullable: bool = True) -> None:
    """The model passes rules for its features, its numbers and its contest with simple ones.

    Whether every planted fault is caught is tried with one task of each library.
    """
    prove = model.task == "binary"
    for item in ("data.1", "monitor.5", "model.5") if prove else ("monitor.5", "model.5"):
        result = judged(item, model, nullable, prove=prove)
        assert result.state == "passed", (item, result)
        assert not prove or result.proof.state == "proven", (item, result)


def assert_unsound(model: Model, name: str, nullable: bool = True) -> None:
    """The numerical check fails, and names the parameter."""
    result = judged("monitor.5", model, nullable)
    causes = [one.cause for one in result.findings if one.name == PARAMETERS and one.verdict == "failed"]
    assert result.state == "failed", result
    assert causes, result.findings
    assert name in causes[0]


def assert_order_kept(model: Model, frame: pd.DataFrame = HOLDOUT) -> None:
    """Scores belong to their rows, whatever the order of rows and columns."""
    scores = model.predict(frame)
    order = np.random.default_rng(0).permutation(len(frame))
    np.testing.assert_allclose(model.predict(frame.iloc[order, ::-1]), scores[order], rtol=1e-5, atol=1e-6)
    assert len(np.unique(scores)) > 10


def assert_numbers_only(model: Model) -> None:
    """A text where the model takes numbers is named."""
    with pytest.raises(InputError, match="takes numbers only, but 'heat' holds"):
        model.predict(HOLDOUT.assign(heat="warm"))


def assert_broken_files_are_named(good: Path, form: str, **how) -> None:
    """A truncated and an empty file of this format, and one of another, are one clear error each."""
    whole = good.read_bytes()
    for part in (0.1, 0.3, 0.5, 0.7, 0.9, 0.97, 0.995):
        short = good.with_name(f"short{good.suffix}")
        short.write_bytes(whole[: int(part * len(whole))])
        with pytest.raises(InputError, match=rf"short\{good.suffix} .*{form}"):
            load_model(short, **how)
    foreign = good.with_name(f"foreign{good.suffix}")
    foreign.write_bytes(b"this is no model at all, but a letter to nobody\n" * 40)
    with pytest.raises(InputError, match=rf"foreign\{good.suffix} .*{form}"):
        load_model(foreign, **how)
    empty = good.with_name(f"empty{good.suffix}")
    empty.write_bytes(b"")
    with pytest.raises(InputError, match="is empty"):
        load_model(empty, **how)


def assert_columns_matter(model: Model) -> None:
    """A renamed column is named, with the near one; a missing one too."""
    with pytest.raises(InputError, match=r"'load' ?.*Did you mean 'laod'"):
        model.predict(HOLDOUT.rename(columns={"load": "laod"}))
    with pytest.raises(InputError, match="asks for 1 feature"):
        model.predict(HOLDOUT.drop(columns="heat"))

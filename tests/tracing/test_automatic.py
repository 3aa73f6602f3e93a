"""Models of every family followed without help: each trace ends in the model's own score and shows every input."""

from __future__ import annotations

from typing import Any

import lightgbm
import numpy as np
import onnx
import pandas as pd
import pytest
import xgboost
from skl2onnx import to_onnx
from sklearn.base import clone
from sklearn.calibration import CalibratedClassifierCV
from sklearn.compose import ColumnTransformer, TransformedTargetRegressor
from sklearn.ensemble import (
    AdaBoostClassifier,
    BaggingRegressor,
    GradientBoostingClassifier,
    GradientBoostingRegressor,
    HistGradientBoostingClassifier,
    HistGradientBoostingRegressor,
    RandomForestClassifier,
    RandomForestRegressor,
    StackingClassifier,
    VotingClassifier,
)
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.gaussian_process import GaussianProcessClassifier
from sklearn.linear_model import LinearRegression, LogisticRegression, PoissonRegressor, SGDClassifier
from sklearn.model_selection import GridSearchCV
from sklearn.naive_bayes import BernoulliNB, GaussianNB
from sklearn.neighbors import KNeighborsClassifier
from sklearn.neural_network import MLPClassifier, MLPRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, PolynomialFeatures, StandardScaler
from sklearn.svm import SVC
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor

from mltestscore.inputs.model import Model, as_model, load_model
from mltestscore.tracing.automatic import can_follow, follow
from mltestscore.tracing.trace import Trace

FEATURES = ["heat", "wear", "load"]
RNG = np.random.default_rng(0)
ROWS = pd.DataFrame({"heat": RNG.normal(size=200), "wear": RNG.integers(0, 5, 200) * 1.0, "load": RNG.random(200) * 9})
HOLES = ROWS.mask(RNG.random(ROWS.shape) < 0.2)
KINDS = ROWS.assign(kind=pd.Categorical(RNG.choice(list("xyz"), 200)), town=RNG.choice(["Ulm", "Bern"], 200))
TWO = (ROWS["heat"] + ROWS["load"] / 5 + RNG.normal(size=200) > 1).astype(int)
THREE = TWO + (ROWS["wear"] > 2)
AMOUNT = np.exp(ROWS["heat"] / 2 + ROWS["load"] / 10)
PAIR = [("line", LogisticRegression()), ("tree", DecisionTreeClassifier(max_depth=3))]
FEW: dict[str, Any] = {"n_estimators": 5}
QUIET: dict[str, Any] = {"n_estimators": 5, "verbose": -1}


def followed(model: Model, rows: pd.DataFrame) -> list[Trace]:
    assert can_follow(model)
    traces = follow(model, rows.head(8), 1e-5)
    assert [one.error for one in traces] == [""] * 8
    assert all(len(one.steps) >= 3 for one in traces)
    assert [one.name for one in traces[0].steps[0].values] == list(model.features)
    scores = model.predict(rows.head(8))
    for trace, score in zip(traces, scores, strict=True):
        assert np.allclose(trace.last, score, atol=1e-5)
    return traces


def named(value: object) -> str:
    return type(value).__name__


CLASSIFIERS = [
    *(LogisticRegression(), SGDClassifier(loss="log_loss"), SGDClassifier(loss="modified_huber"), GaussianNB()),
    *(BernoulliNB(), MLPClassifier(max_iter=5), DecisionTreeClassifier(max_depth=3), RandomForestClassifier(**FEW)),
    *(GradientBoostingClassifier(**FEW), HistGradientBoostingClassifier(max_iter=3), AdaBoostClassifier(**FEW)),
    *(
        VotingClassifier(PAIR, voting="soft"),
        StackingClassifier(PAIR, cv=2),
        CalibratedClassifierCV(GaussianNB(), cv=2),
    ),
    *(GridSearchCV(LogisticRegression(), {"C": [1, 2]}, cv=2), KNeighborsClassifier(), SVC(probability=True)),
    *(xgboost.XGBClassifier(**FEW), lightgbm.LGBMClassifier(**QUIET)),
]
REGRESSORS = [
    *(LinearRegression(), PoissonRegressor(), MLPRegressor(max_iter=5), DecisionTreeRegressor(max_depth=3)),
    *(RandomForestRegressor(**FEW), GradientBoostingRegressor(**FEW), BaggingRegressor(max_features=2, **FEW)),
    *(HistGradientBoostingRegressor(max_iter=3), HistGradientBoostingRegressor(loss="poisson", max_iter=3)),
    TransformedTargetRegressor(LinearRegression(), func=np.log, inverse_func=np.exp),
    *(xgboost.XGBRegressor(**FEW), xgboost.XGBRegressor(objective="count:poisson", **FEW)),
    *(lightgbm.LGBMRegressor(**QUIET), lightgbm.LGBMRegressor(linear_tree=True, **QUIET)),
]


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("label", [TWO, THREE], ids=["two", "three"])
@pytest.mark.parametrize("estimator", CLASSIFIERS, ids=named)
def test_a_classifier_is_followed_to_its_probabilities(estimator, label):
    followed(as_model(clone(estimator).fit(ROWS, label)), ROWS)


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("estimator", REGRESSORS, ids=named)
def test_a_regressor_is_followed_to_its_number(estimator):
    followed(as_model(clone(estimator).fit(ROWS, AMOUNT)), ROWS)


def test_missing_values_take_the_branches_of_the_model():
    for estimator in (RandomForestClassifier(**FEW), HistGradientBoostingClassifier(max_iter=5)):
        followed(as_model(clone(estimator).fit(HOLES, THREE)), HOLES)


def test_categories_are_followed_however_the_model_holds_them():
    coded = KINDS.drop(columns="town")
    trees = HistGradientBoostingClassifier(max_iter=10, categorical_features="from_dtype").fit(coded, THREE)
    followed(as_model(trees), coded)
    numbers = HistGradientBoostingClassifier(max_iter=10, categorical_features=["wear"]).fit(ROWS, TWO)
    followed(as_model(numbers), ROWS.assign(wear=ROWS["wear"] + 3 * (ROWS.index % 2)))  # some were never seen
    followed(as_model(xgboost.XGBClassifier(enable_categorical=True, **FEW).fit(coded, TWO)), coded)
    followed(as_model(lightgbm.LGBMClassifier(**QUIET).fit(coded, TWO)), coded)


def test_boosters_are_followed_as_their_estimators_are():
    followed(as_model(xgboost.XGBClassifier(**FEW).fit(ROWS, TWO).get_booster()), ROWS)
    followed(as_model(lightgbm.LGBMClassifier(**QUIET).fit(ROWS, TWO).booster_), ROWS)


def test_a_pipeline_shows_what_each_step_gives_under_its_names():
    encode = ColumnTransformer([("town", OneHotEncoder(), ["town"]), ("numbers", StandardScaler(), FEATURES)])
    model = as_model(make_pipeline(encode, LogisticRegression()).fit(KINDS, TWO))
    given, encoded, added, *_ = followed(model, KINDS)[0].steps
    assert "town" in [one.name for one in given.values]
    assert [one.name for one in encoded.values][:3] == ["town__town_Bern", "town__town_Ulm", "numbers__heat"]
    assert added.values[2].how.count(" × ") == 1
    widened = make_pipeline(StandardScaler(), "passthrough", PolynomialFeatures(), GaussianProcessClassifier())
    followed(as_model(widened.fit(ROWS, TWO)), ROWS)


def test_texts_are_followed_by_their_words():
    texts = pd.DataFrame({"note": ["late and lost", "fine", "late", "all fine", "lost", "fine and well"] * 10})
    made = make_pipeline(TfidfVectorizer(), LogisticRegression()).fit(texts["note"], [1, 0, 1, 0, 1, 0] * 10)
    model = as_model(made, features=["note"], rows_as="text")
    _, words, *_ = followed(model, texts)[0].steps
    assert sorted(one.name for one in words.values) == ["and", "late", "lost"]


def test_the_leaves_of_a_tree_show_the_way_to_them():
    model = as_model(HistGradientBoostingClassifier(max_iter=3).fit(ROWS, TWO))
    trees = next(step for step in followed(model, ROWS)[0].steps if step.name == "trees")
    assert len(trees.values) == 3
    assert any(word in trees.values[0].how for word in ("heat ≤", "heat >", "load ≤", "load >"))


@pytest.mark.parametrize("label", [TWO, THREE], ids=["two", "three"])
def test_a_graph_of_onnx_gives_the_output_of_every_node(tmp_path, label):
    fitted = make_pipeline(StandardScaler(), LogisticRegression()).fit(ROWS.to_numpy(np.float32), label)
    graph = to_onnx(fitted, ROWS.to_numpy(np.float32)[:1], options={"zipmap": False})
    onnx.save(graph, tmp_path / "m.onnx")
    model = load_model(tmp_path / "m.onnx", features=FEATURES)
    names = [step.name.split()[0] for step in followed(model, ROWS)[0].steps]
    assert names[:3] == ["input", "Scaler", "LinearClassifier"]


def test_a_module_of_torch_gives_the_output_of_every_layer():
    torch = pytest.importorskip("torch", reason="PyTorch is not installed: pip install 'mltestscore[models-heavy]'")
    layers = [torch.nn.Linear(3, 4), torch.nn.ReLU(), torch.nn.Linear(4, 1), torch.nn.Sigmoid()]
    module = torch.nn.Sequential(*layers).eval()
    model = as_model(module, task="binary", features=FEATURES)
    names = [step.name for step in followed(model, ROWS)[0].steps]
    assert names == ["input", "0 (Linear)", "1 (ReLU)", "2 (Linear)", "3 (Sigmoid)", "score"]
    assert not any(layer._forward_hooks for layer in module.modules())
    assert not can_follow(as_model(torch.nn.Linear(3, 1).eval(), task="regression", features=FEATURES))


def test_what_does_not_show_how_it_computes_is_not_followed():
    assert not can_follow(as_model(GaussianProcessClassifier().fit(ROWS, TWO)))
    assert not can_follow(as_model(lambda frame: frame["heat"], task="regression", features=FEATURES))


def test_a_model_that_does_more_than_its_parts_is_told():
    inner = as_model(LinearRegression().fit(ROWS, AMOUNT))
    (trace, *_) = follow(inner.replace(lambda frame: inner.predict(frame) + 1), ROWS.head(2), 1e-5)
    assert "it does more than its parts show" in trace.error
    assert trace.automatic

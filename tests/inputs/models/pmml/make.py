"""``python make.py``: makes the documents beside it, and keeps what JPMML answers for their rows.

It runs in an environment of its own: ``pip install sklearn2pmml nyoka jpmml_evaluator scikit-learn==1.9.0``, and Java;
JPMML's evaluator is under AGPL and so no part of ours. sklearn2pmml writes rows into a document that scikit-learn
itself has scored (``ModelVerification``); nyoka writes none.
"""

from __future__ import annotations

import json
import re
from pathlib import Path

import numpy as np
import pandas as pd
from jpmml_evaluator import make_evaluator
from nyoka import skl_to_pmml
from sklearn.ensemble import GradientBoostingRegressor, RandomForestClassifier
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.pipeline import Pipeline
from sklearn.tree import DecisionTreeClassifier
from sklearn2pmml import sklearn2pmml
from sklearn2pmml.pipeline import PMMLPipeline

HERE = Path(__file__).parent
ROWS = 200


def main() -> None:
    """Make every document anew."""
    rng = np.random.default_rng(0)
    rows = pd.DataFrame(rng.normal(size=(ROWS, 3)).round(4), columns=["heat", "load", "wear"])
    drift = rows["heat"] + rows["load"] * rows["wear"] + rng.normal(size=ROWS)
    goals = {"cost": 3 * rows["heat"] + rows["load"] ** 2, "late": (drift > 0).astype(int)}
    goals["kind"] = pd.Series(np.array(["low", "middle", "high"])[np.digitize(drift, [-1, 1])])
    made = {
        "linear": (LinearRegression(), "cost"),
        "logistic": (LogisticRegression(), "late"),
        "multinomial": (LogisticRegression(), "kind"),
        "tree": (DecisionTreeClassifier(max_depth=3, random_state=0), "late"),
        "forest": (RandomForestClassifier(3, max_depth=3, random_state=0), "kind"),
        "boosted": (GradientBoostingRegressor(n_estimators=4, max_depth=2, random_state=0), "cost"),
    }
    asked = rows.head(40)
    answers = {}
    for name, (model, goal) in made.items():
        pipeline = PMMLPipeline([("model", model)]).fit(rows, goals[goal].rename(goal))
        pipeline.verify(rows.tail(5))
        sklearn2pmml(pipeline, str(HERE / f"{name}.pmml"))
        skl_to_pmml(Pipeline([("model", model)]), list(rows), goal, str(HERE / f"{name}.nyoka.pmml"))
        for file in (f"{name}.pmml", f"{name}.nyoka.pmml"):
            told = make_evaluator(str(HERE / file)).evaluateAll(asked)
            wanted = [one for one in told if one.startswith("probability")] or [goal]
            answers[file] = {re.sub(r"^probability_|^probability\(|\)$", "", one): told[one].tolist() for one in wanted}
    record = {"rows": asked.to_dict("list"), "answers": answers}
    (HERE / "answers.json").write_text(json.dumps(record) + "\n")


if __name__ == "__main__":
    main()

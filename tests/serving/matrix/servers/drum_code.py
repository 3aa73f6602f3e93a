"""DRUM's folder of code: the model as a pickle, which DRUM's own scikit-learn predictor finds."""

import pickle

import pandas as pd
from model import NAMES, folder_and_port, keep
from sklearn.datasets import load_iris
from sklearn.linear_model import LogisticRegression

folder, _ = folder_and_port()
rows, species = load_iris(return_X_y=True)
frame = pd.DataFrame(rows, columns=NAMES)
model = LogisticRegression(max_iter=1000).fit(frame, species)
keep(folder, NAMES, rows[::13], model.predict_proba(frame[::13]))
(folder / "code").mkdir(exist_ok=True)
(folder / "code" / "model.pkl").write_bytes(pickle.dumps(model))

"""The model that every server serves, trained in the server's own environment, with its own answers kept beside it."""

import json
import sys
from pathlib import Path

NAMES = ["sepal_length", "sepal_width", "petal_length", "petal_width"]


def trained(folder: Path):
    """Return a classifier of three species; ``expected.json`` holds twelve rows and its probabilities for them."""
    from sklearn.datasets import load_iris
    from sklearn.linear_model import LogisticRegression

    rows, species = load_iris(return_X_y=True)
    model = LogisticRegression(max_iter=1000).fit(rows, species)
    keep(folder, NAMES, rows[::13], model.predict_proba(rows[::13]))
    return model


def keep(folder: Path, names, rows, scores) -> None:
    """Write what the model itself says for some rows."""
    columns = {name: [plain(row[index]) for row in rows] for index, name in enumerate(names)}
    expected = {"columns": columns, "scores": [list(map(float, row)) for row in scores]}
    (folder / "expected.json").write_text(json.dumps(expected), encoding="utf-8")


def plain(value) -> int | float:
    """Return whole numbers of Python as they are, all others as floats."""
    return value if isinstance(value, int) else float(value)


def folder_and_port() -> tuple[Path, int]:
    """Return the arguments of a server's script: its folder, and the port to listen on (0: only prepare)."""
    return Path(sys.argv[1]).resolve(), int(sys.argv[2])

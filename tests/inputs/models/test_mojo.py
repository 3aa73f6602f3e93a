"""MOJO archives that a real H2O wrote, scored by its own scorer as its server scores them."""

from __future__ import annotations

import gc
import shutil
import struct
import warnings
from zipfile import ZipFile

import numpy as np
import pandas as pd
import pytest

from mltestscore.errors import InputError
from mltestscore.inputs.model import load_model
from mltestscore.inputs.models import mojo
from mltestscore.numerics.parameters import not_finite
from tests.inputs.models import cases
from tests.inputs.models.cases import FEATURES, HOLDOUT, LABELS, TRAINING

h2o = pytest.importorskip("h2o", reason="H2O is not installed: pip install 'mltestscore[models-h2o]'")
pytestmark = pytest.mark.skipif(shutil.which("java") is None, reason="a MOJO is scored by Java, and there is none")

TASKS = ["binary", "multiclass", "regression"]
CLASSES = {"binary": (0, 1), "multiclass": (0, 1, 2), "regression": ()}
FAMILIES = {"binary": "binomial", "multiclass": "multinomial", "regression": "gaussian"}
MIXED = ["heat", "line", "cell", "wear"]
LINES = ["north", "Süd, 'alt'", "back\\slash"]


def mixed(n=1500, seed=3):
    """Texts with marks of CSV, 40 whole numbers as categories, and missing values of each kind; all of them matter."""
    rng = np.random.default_rng(seed)
    frame = pd.DataFrame({"heat": rng.normal(size=n), "wear": rng.normal(size=n) * 1e3})
    frame["line"] = rng.choice(np.array(LINES, dtype=object), n)
    frame["cell"] = rng.integers(-3, 37, n).astype(float)
    cost = frame["heat"] + 2 * (frame["line"] == LINES[1]) + np.sin(7 * frame["cell"]) + frame["wear"] / 1e3
    frame["cost"] = cost + rng.normal(scale=0.2, size=n)
    frame["late"] = (frame["cost"] > 1).astype(int)
    frame["grade"] = np.digitize(frame["cost"], [0.0, 1.5])
    frame["word"] = np.array(['no, "not yet"', "yes"], dtype=object)[frame["late"]]
    for place, name in enumerate(MIXED):
        frame.loc[frame.index % 30 == place, name] = np.nan
    return frame


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    """A real server on two threads; it is stopped, whatever the tests do."""
    from h2o.backend import H2OLocalServer

    folder = str(tmp_path_factory.mktemp("h2o"))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ResourceWarning)  # it leaves the files of the server's output open
        started = H2OLocalServer.start(
            nthreads=2, max_mem_size=2**30, ice_root=folder, log_dir=folder, port="54500+", bind_to_localhost=True,
            verbose=False, name=folder.replace("/", "_"), jvm_custom_args=["-XX:TieredStopAtLevel=1"],
        )  # fmt: skip
        gc.collect()
    try:
        h2o.connect(server=started, verbose=False)
        h2o.no_progress()
        yield h2o
    finally:
        gc.collect()  # what is left of frames asks the server to drop theirs: now, and not during another test
        h2o.connection().close()
        started.shutdown()
        mojo.end()


def uploaded(frame, factors=("late", "grade", "cell")):
    """Upload; whole numbers that stand for classes and categories become factors."""
    texts = {name: "enum" for name in ("line", "word") if name in frame}
    held = h2o.H2OFrame(frame, column_types=texts)
    for name in factors:
        if name in frame:
            held[name] = held[name].asfactor()
    return held


def told(model, frame):
    """Return what the server predicts, in our shape."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message=".*has levels not trained on", category=UserWarning)
        rows = np.array(model.predict(frame).as_data_frame(use_pandas=False, header=False), dtype=object)
    numbers = rows[:, 1:] if rows.shape[1] > 1 else rows
    numbers = numbers.astype(np.float64)
    return numbers[:, -1] if numbers.shape[1] < 3 else numbers


def archived(model, folder, name="m.zip"):
    model.save_mojo(str(folder), filename=name)
    return folder / name


@pytest.fixture(scope="module")
def training(server):
    return uploaded(TRAINING)


@pytest.fixture(scope="module")
def boosted(training):
    from h2o.estimators import H2OGradientBoostingEstimator

    made = {}
    for task in TASKS:
        made[task] = H2OGradientBoostingEstimator(ntrees=60, max_depth=5, learn_rate=0.2, seed=1)
        made[task].train(x=FEATURES, y=LABELS[task], training_frame=training)
    return made


@pytest.fixture
def file(boosted, tmp_path):
    return archived(boosted["binary"], tmp_path, "m.mojo")


@pytest.mark.parametrize("task", TASKS)
def test_a_sound_archive_scores_as_the_server_does_and_passes_the_checks(boosted, tmp_path, task):
    model = load_model(archived(boosted[task], tmp_path))
    np.testing.assert_allclose(model.predict(HOLDOUT), told(boosted[task], uploaded(HOLDOUT)), rtol=1e-12)
    assert (model.task, model.features, model.classes) == (task, tuple(FEATURES), CLASSES[task])
    assert int(model.version)
    cases.assert_sound(model)


@pytest.fixture(scope="module")
def mixed_training(server):
    return uploaded(mixed())


@pytest.mark.parametrize("task", TASKS)
@pytest.mark.parametrize("kind", ["linear", "boosted"])
def test_texts_categories_and_missing_values_score_as_in_the_server(mixed_training, tmp_path, kind, task):
    from h2o.estimators import H2OGeneralizedLinearEstimator, H2OGradientBoostingEstimator

    made = H2OGeneralizedLinearEstimator(family=FAMILIES[task], lambda_=0, seed=1)
    if kind == "boosted":
        made = H2OGradientBoostingEstimator(ntrees=10, seed=1)
    made.train(x=MIXED, y=LABELS[task], training_frame=mixed_training)
    fresh = mixed(500, seed=4)
    fresh.loc[::9, "line"] = "a line that was not there"
    model = load_model(archived(made, tmp_path))
    expected = told(made, uploaded(fresh))
    for form in (object, "category", "str"):
        np.testing.assert_allclose(model.predict(fresh.astype({"line": form})), expected, rtol=1e-12)
    np.testing.assert_allclose(model.predict(fresh.astype({"cell": "Int64"})), expected, rtol=1e-12)
    assert set(model.features) == set(MIXED)
    assert (model.task, model.classes) == (task, CLASSES[task])
    assert not np.allclose(model.predict(fresh.assign(cell=5.0)), expected)


def test_each_leaf_is_read_as_the_library_reads_it(mixed_training, tmp_path):
    """Also behind splits by sets of more than 32 categories, and of missing values from all else."""
    from h2o.estimators import H2ORandomForestEstimator
    from py4j.java_gateway import get_field

    made = H2ORandomForestEstimator(ntrees=5, max_depth=12, seed=1)
    made.train(x=MIXED, y="cost", training_frame=mixed_training)
    model = load_model(archived(made, tmp_path))
    graph = model.estimator.native._computeGraph(-1)
    nodes = [node for tree in get_field(graph, "subgraphArray") for node in get_field(tree, "nodesArray")]
    leaves = sorted(node.getPredValue() for node in nodes if node.isLeaf())
    found = [values for name, values in model.estimator.numbers() if name.startswith("leaf values")]
    assert len(found) == 5
    assert len(leaves) > 500
    np.testing.assert_allclose(sorted(np.concatenate(found)), leaves, rtol=1e-7)


def test_infinite_inputs_are_numbers_beyond_each_threshold(boosted, tmp_path):
    model = load_model(archived(boosted["regression"], tmp_path))
    for infinite, large in ((np.inf, 1e30), (-np.inf, -1e30)):
        expected = model.predict(HOLDOUT.assign(heat=large))
        np.testing.assert_array_equal(model.predict(HOLDOUT.assign(heat=infinite)), expected)


def test_weights_of_a_network_are_found(training, tmp_path):
    from h2o.estimators import H2ODeepLearningEstimator

    made = H2ODeepLearningEstimator(hidden=[4], epochs=0.1, seed=1, reproducible=True)
    made.train(x=FEATURES, y="cost", training_frame=training)
    model = load_model(archived(made, tmp_path))
    found = dict(model.estimator.numbers())
    assert found["weight_layer0"].size + found["weight_layer1"].size + found["bias_layer0"].size == 4 * 3 + 4 + 4
    np.testing.assert_allclose(model.predict(HOLDOUT), told(made, uploaded(HOLDOUT)), rtol=1e-6)


def test_missing_texts_of_a_file_and_a_level_that_reads_as_missing(server, tmp_path):
    """A file leaves a missing text empty, where H2O's client calls it nan, as the mixed frame above has it."""
    from h2o.estimators import H2OGradientBoostingEstimator

    frame = mixed()[["line", "cost"]].replace({"line": {"north": "NA"}})
    frame.loc[frame["line"].isna(), "cost"] += 5
    frame.to_csv(tmp_path / "rows.csv", index=False)
    held = h2o.import_file(str(tmp_path / "rows.csv"), col_types={"line": "enum"}, na_strings=[[""], []])
    assert held["line"].levels() == [["NA", "Süd, 'alt'", "back\\slash"]]
    made = H2OGradientBoostingEstimator(ntrees=10, seed=1)
    made.train(x=["line"], y="cost", training_frame=held)
    model = load_model(archived(made, tmp_path))
    sayable = (frame["line"] != "NA").to_numpy()
    np.testing.assert_allclose(model.predict(frame[sayable]), told(made, held)[sayable], rtol=1e-12)
    with pytest.raises(InputError, match=r"'line' holds 'NA', which is a level of the model, but .*as missing"):
        model.predict(frame)


def test_labels_that_are_texts_are_kept(mixed_training, tmp_path):
    from h2o.estimators import H2OGradientBoostingEstimator

    made = H2OGradientBoostingEstimator(ntrees=3, seed=1)
    made.train(x=MIXED, y="word", training_frame=mixed_training)
    model = load_model(archived(made, tmp_path))
    assert model.classes[1] == "yes"
    np.testing.assert_allclose(model.predict(mixed()), told(made, mixed_training), rtol=1e-12)


def test_categories_that_the_library_encodes_keep_their_names(mixed_training, tmp_path):
    from h2o.estimators import H2OGradientBoostingEstimator

    made = H2OGradientBoostingEstimator(ntrees=10, seed=1, categorical_encoding="one_hot_explicit")
    made.train(x=MIXED, y="cost", training_frame=mixed_training)
    model = load_model(archived(made, tmp_path))
    assert set(model.features) == set(MIXED)
    np.testing.assert_allclose(model.predict(mixed()), told(made, mixed_training), rtol=1e-12)


def test_numbers_that_were_read_as_texts_keep_their_fraction(server, tmp_path):
    from h2o.estimators import H2OGradientBoostingEstimator

    frame = mixed()[["cell", "cost"]]
    held = h2o.H2OFrame(frame, column_types={"cell": "enum"})
    assert "5.0" in held["cell"].levels()[0]
    made = H2OGradientBoostingEstimator(ntrees=10, seed=1)
    made.train(x=["cell"], y="cost", training_frame=held)
    model = load_model(archived(made, tmp_path))
    np.testing.assert_allclose(model.predict(frame), told(made, held), rtol=1e-12)


def test_order_columns_and_texts(file):
    model = load_model(file)
    cases.assert_order_kept(model)
    cases.assert_columns_matter(model)
    cases.assert_numbers_only(model)


def test_broken_files(file):
    cases.assert_broken_files_are_named(file, "H2O MOJO")


def rewritten(file, name, change):
    """Change one member of the archive."""
    with ZipFile(file) as old:
        held = {member: old.read(member) for member in old.namelist()}
    held[name] = change(held[name])
    with ZipFile(file, "w") as new:
        for member, content in held.items():
            new.writestr(member, content)


@pytest.mark.parametrize("broken", [np.nan, np.inf])
def test_a_leaf_that_is_not_finite_fails_the_numerical_check(file, broken):
    name = "trees/t00_007.bin"
    found = dict(load_model(file).estimator.numbers())[f"leaf values of {name}"]
    leaf = struct.pack("<f", found[3])
    rewritten(file, name, lambda tree: tree.replace(leaf, struct.pack("<f", broken), 1))
    cases.assert_unsound(load_model(file), f"leaf values of {name}")


def test_a_tree_that_is_cut_off_is_named(file):
    rewritten(file, "trees/t00_007.bin", lambda tree: tree[:-3])
    with pytest.raises(InputError, match=r"m\.mojo: trees/t00_007\.bin is no tree"):
        not_finite(load_model(file).estimator)


def test_an_archive_that_is_too_large_is_refused(file, monkeypatch):
    monkeypatch.setattr(mojo, "LARGEST", 1000)
    with pytest.raises(InputError, match=r"unpacks to \d+ members of \d{4,} bytes; at most .* 1000 bytes"):
        load_model(file)


def test_a_cluster_model_and_an_offset_are_refused(training, tmp_path):
    from h2o.estimators import H2OGeneralizedLinearEstimator, H2OKMeansEstimator

    groups = H2OKMeansEstimator(k=2, seed=1, max_iterations=2)
    groups.train(x=FEATURES, training_frame=training)
    with pytest.raises(InputError, match=r"of the category 'Clustering'; the checks judge .*name a loader"):
        load_model(archived(groups, tmp_path))
    line = H2OGeneralizedLinearEstimator(offset_column="load", lambda_=0)
    line.train(x=["heat", "wear"], y="cost", training_frame=training)
    with pytest.raises(InputError, match="asks for an offset"):
        load_model(archived(line, tmp_path, "offset.zip"))


def test_a_process_that_is_gone_is_named_and_the_next_model_gets_a_new_one(file):
    model = load_model(file)
    expected = model.predict(HOLDOUT)
    process = mojo._process()[1]
    process.kill()
    process.wait()
    with pytest.raises(InputError, match="Java process of H2O's scorer is gone"):
        model.predict(HOLDOUT)
    again = load_model(file)
    np.testing.assert_array_equal(again.predict(HOLDOUT), expected)
    with pytest.raises(InputError, match="Java process of H2O's scorer is gone"):
        model.predict(HOLDOUT)


def test_without_java_it_says_so(file, monkeypatch):
    mojo.end()
    monkeypatch.setenv("PATH", "/nowhere")
    monkeypatch.delenv("JAVA_HOME", raising=False)
    with pytest.raises(InputError, match="no java is in JAVA_HOME or on the PATH; name a loader"):
        load_model(file)

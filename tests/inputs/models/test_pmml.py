"""PMML documents, scored by the real library in its Java process."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import LinearRegression, LogisticRegression

from mltestscore.errors import InputError
from mltestscore.inputs.model import load_model
from mltestscore.numerics.parameters import not_finite
from tests.inputs.models import cases
from tests.inputs.models.cases import FEATURES, HOLDOUT, LABELS, TRAINING

pytestmark = pytest.mark.skipif(shutil.which("java") is None, reason="PMML is scored by Java, and there is none")

REAL = Path(__file__).parent / "pmml"
MADE = ("linear", "logistic", "multinomial", "tree", "forest", "boosted")
PMML = """<?xml version="1.0" encoding="UTF-8"?>
<PMML version="4.4" xmlns="http://www.dmg.org/PMML-4_4"><Header modelVersion="7"/>
<DataDictionary>{fields}</DataDictionary>
<{element} functionName="{function}" {more}><MiningSchema>{schema}</MiningSchema>{output}{body}</{element}></PMML>
"""
OUTPUT = '<Output><OutputField name="double" feature="predictedValue" dataType="string" optype="categorical"/></Output>'


def document(body, classes=(), features=FEATURES, kind="string", element="RegressionModel", more="", texts=()):
    """Return a document; missing ``wear`` is zero."""
    types = {name: ("categorical", "string") if name in texts else ("continuous", "double") for name in features}
    fields = [f'<DataField name="{name}" optype="{a}" dataType="{b}"/>' for name, (a, b) in types.items()]
    values = "".join(f'<Value value="{value}"/>' for value in classes)
    target = ("categorical", kind) if classes else ("continuous", "double")
    fields.append(f'<DataField name="goal" optype="{target[0]}" dataType="{target[1]}">{values}</DataField>')
    filled = {"wear": ' missingValueReplacement="0"'}
    schema = [f'<MiningField name="{name}"{filled.get(name, "")}/>' for name in features]
    schema.append('<MiningField name="goal" usageType="target"/>')
    function = "classification" if classes else "regression"
    return PMML.format(
        fields="".join(fields), element=element, function=function, schema="".join(schema),
        body=body, more=more, output=OUTPUT if classes else "",
    )  # fmt: skip


def table(intercept, coefficients, label=None):
    """Return one equation of the columns and of the product of the first and the last."""
    single = "".join(
        f'<NumericPredictor name="{name}" coefficient="{float(value)!r}"/>'
        for name, value in zip(FEATURES, coefficients, strict=False)
    )
    fields = '<FieldRef field="heat"/><FieldRef field="load"/>'
    both = f'<PredictorTerm coefficient="{float(coefficients[3])!r}">{fields}</PredictorTerm>'
    category = "" if label is None else f' targetCategory="{label}"'
    return f'<RegressionTable intercept="{float(intercept)!r}"{category}>{single}{both}</RegressionTable>'


def inputs(frame):
    filled = frame[FEATURES].fillna({"wear": 0})
    return np.column_stack([filled, filled["heat"] * filled["load"]])


def fitted(task):
    """Return an estimator and the document that says the same."""
    x, y = inputs(TRAINING), TRAINING[LABELS[task]]
    if task == "regression":
        made = LinearRegression().fit(x, y)
        return made, document(table(made.intercept_, made.coef_))
    made = LogisticRegression(max_iter=2000).fit(x, y)
    if task == "binary":
        body = table(made.intercept_[0], made.coef_[0], 1) + '<RegressionTable intercept="0" targetCategory="0"/>'
        return made, document(body, (0, 1), kind="integer", more='normalizationMethod="logit"')
    body = "".join(table(made.intercept_[k], made.coef_[k], k) for k in range(3))
    return made, document(body, (0, 1, 2), kind="integer", more='normalizationMethod="softmax"')


@pytest.fixture
def file(tmp_path):
    (tmp_path / "m.pmml").write_text(fitted("binary")[1])
    return tmp_path / "m.pmml"


@pytest.mark.parametrize("task", list(LABELS))
def test_a_sound_document_scores_as_it_says_and_passes_the_checks(tmp_path, task):
    made, text = fitted(task)
    (tmp_path / "m.xml").write_text(text)
    model = load_model(tmp_path / "m.xml")
    x = inputs(HOLDOUT)
    expected = made.predict(x) if task == "regression" else made.predict_proba(x)
    np.testing.assert_allclose(model.predict(HOLDOUT), expected[:, 1] if task == "binary" else expected, atol=1e-9)
    classes = {"binary": (0, 1), "multiclass": (0, 1, 2), "regression": ()}
    assert (model.task, model.features, model.classes) == (task, tuple(FEATURES), classes[task])
    assert model.version == "7"
    cases.assert_sound(model)


def test_order_columns_and_texts(file):
    model = load_model(file)
    cases.assert_order_kept(model)
    cases.assert_columns_matter(model)
    cases.assert_numbers_only(model)


def test_broken_files(file):
    cases.assert_broken_files_are_named(file, "PMML")


def with_coefficient(file, value):
    text = file.read_text()
    start = text.index('coefficient="') + len('coefficient="')
    file.write_text(text[:start] + value + text[text.index('"', start) :])
    return file


def test_a_coefficient_beyond_all_numbers_fails_the_numerical_check(file):
    cases.assert_unsound(load_model(with_coefficient(file, "1e999")), "NumericPredictor.coefficient")


@pytest.mark.parametrize("broken", ["NaN", "INF"])
def test_what_the_library_does_not_read_as_a_number_is_named(file, broken):
    with pytest.raises(InputError, match=r"m\.pmml: NumericPredictor\.coefficient holds NaN or INF"):
        load_model(with_coefficient(file, broken))


@pytest.mark.parametrize("name", [f"{name}{by}.pmml" for name in MADE for by in ("", ".nyoka")])
def test_documents_of_sklearn2pmml_and_nyoka_score_as_jpmml_does(name):
    record = json.loads((REAL / "answers.json").read_text())
    model, answers = load_model(REAL / name), record["answers"][name]
    columns = [answers[str(label)] for label in model.classes] or list(answers.values())
    expected = np.column_stack(columns)[:, -1 if model.task != "multiclass" else slice(None)]
    np.testing.assert_allclose(model.predict(pd.DataFrame(record["rows"])), expected, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("name", ["linear", "multinomial", "tree", "boosted"])
def test_rows_of_the_document_that_score_otherwise_are_an_error_that_names_them(tmp_path, name):
    text = (REAL / f"{name}.pmml").read_text()
    start = text.rindex("<row>")  # the last of five; the last cell of it is a score
    cell = re.search(r">([-\d.E]+)</data:\S+>\s*</row>", text[start:])
    said = float(cell[1])
    changed = text[: start + cell.start(1)] + repr(said + 1e-3) + text[start + cell.end(1) :]
    (tmp_path / "m.pmml").write_text(changed)
    with pytest.raises(InputError, match=r"disagree about row 5 of its Model.*heat = .*: field '.*' is .*"):
        load_model(tmp_path / "m.pmml")
    nearly = text[: start + cell.start(1)] + repr(said + 1e-8) + text[start + cell.end(1) :]
    (tmp_path / "m.pmml").write_text(nearly)  # 32 bits or another order of adding up
    load_model(tmp_path / "m.pmml")


def test_a_coefficient_that_was_changed_later_disagrees_with_the_documents_rows(tmp_path):
    text = (REAL / "logistic.pmml").read_text()
    changed = re.sub(r'(<NumericPredictor name="load" coefficient=")[^"]+', r"\g<1>0.9", text)
    (tmp_path / "m.pmml").write_text(changed)
    with pytest.raises(InputError, match=r"row 1 of its .*field 'probability\(0\)' is 0\.\d+ there, and 0"):
        load_model(tmp_path / "m.pmml")


def test_a_verification_that_holds_no_number_is_named(tmp_path):
    text = (REAL / "linear.pmml").read_text()
    (tmp_path / "m.pmml").write_text(re.sub(r"<data:cost>[^<]+", "<data:cost>dear", text))
    with pytest.raises(InputError, match="its ModelVerification has 'dear' in 'cost', where a score belongs"):
        load_model(tmp_path / "m.pmml")


def test_leaves_of_trees_and_texts_of_fields(tmp_path):
    leaf = '<Node score="{}"><SimplePredicate field="line" operator="{}" value="north"/></Node>'
    body = f"<Node><True/>{leaf.format(0.25, 'equal')}{leaf.format(4.5, 'notEqual')}</Node>"
    text = document(body, features=["line", "heat"], element="TreeModel", texts=["line"])
    (tmp_path / "m.pmml").write_text(text)
    model = load_model(tmp_path / "m.pmml")
    frame = pd.DataFrame({"line": ["north", "south"], "heat": [1.0, 2.0]})
    for kind in (object, "category", "str"):
        assert model.predict(frame.astype({"line": kind})).tolist() == [0.25, 4.5]
    assert not_finite(model.estimator) == ([], 2)
    with pytest.raises(InputError, match="takes texts in 'line', but the data hold float64"):
        model.predict(frame.assign(line=1.5))


def test_a_declaration_that_can_read_files_is_refused(file, tmp_path):
    (tmp_path / "secret").write_text("42")
    declared = f'<!DOCTYPE PMML [<!ENTITY s SYSTEM "file://{tmp_path}/secret">]>\n<PMML '
    file.write_text(file.read_text().replace("<PMML ", declared, 1))
    with pytest.raises(InputError, match=r"declares a type .*can read files"):
        load_model(file)


def test_a_cluster_model_is_refused(file):
    file.write_text(file.read_text().replace('functionName="classification"', 'functionName="clustering"'))
    with pytest.raises(InputError, match=r"a model for 'clustering'; the checks judge .*name a loader"):
        load_model(file)


def test_without_java_it_says_so(file, monkeypatch):
    from pypmml.base import PMMLContext

    PMMLContext.shutdown()
    monkeypatch.setenv("PATH", "/nowhere")
    monkeypatch.delenv("JAVA_HOME", raising=False)
    with pytest.raises(InputError, match="no java is in JAVA_HOME or on the PATH; name a loader"):
        load_model(file)

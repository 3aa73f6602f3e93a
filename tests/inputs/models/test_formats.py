"""Files are told apart by their content; what no library here reads names the way out."""

from __future__ import annotations

import json
import subprocess
import sys
from zipfile import ZipFile

import joblib
import pytest
from sklearn.linear_model import LogisticRegression

from mltestscore.errors import InputError
from mltestscore.inputs.model import load_model
from mltestscore.inputs.models.formats import FORMATS, recognised
from tests.inputs.models.cases import FEATURES, TRAINING

SCORING = {"name": "sum", "input": {"type": "array", "items": "double"}, "output": "double", "action": [{"+": [1, 2]}]}


def test_pfa_is_recognised_and_a_loader_is_named(tmp_path):
    (tmp_path / "m.json").write_text(json.dumps(SCORING, indent=1))
    with pytest.raises(InputError, match=r"m\.json is a PFA file, which is not read here \(.*titus2.*; name a"):
        load_model(tmp_path / "m.json")


@pytest.mark.parametrize("start", [b"<!>", b"<!---->", b"<?x?>", b" <", b'{"input":', b"{"])
def test_no_content_keeps_the_search_busy(tmp_path, start):
    """Were a pattern's repetitions inside of others, this would not end while there are tests."""
    (tmp_path / "m.bin").write_bytes(start * 2000)
    assert recognised(tmp_path / "m.bin") is None


def test_a_mojo_is_recognised_by_its_member(tmp_path):
    with ZipFile(tmp_path / "m.zip", "w") as archive:
        archive.writestr("model.ini", "[info]\nalgorithm = Gradient Boosting Machine\n")
    assert recognised(tmp_path / "m.zip").name == "H2O MOJO"


@pytest.mark.parametrize("compress", [0, 3, ("gzip", 3), ("xz", 3)])
def test_a_joblib_file_is_none_of_them(tmp_path, compress):
    fitted = LogisticRegression().fit(TRAINING[FEATURES].fillna(0), TRAINING["late"])
    joblib.dump(fitted, tmp_path / "m.model", compress=compress)
    assert recognised(tmp_path / "m.model") is None
    assert load_model(tmp_path / "m.model", allow_pickle=True).task == "binary"


@pytest.mark.parametrize("form", [form for form in FORMATS if form.package], ids=lambda form: form.extra)
def test_a_library_that_is_not_installed_is_named_with_its_extra(tmp_path, monkeypatch, form):
    monkeypatch.setitem(sys.modules, form.package, None)
    file = tmp_path / f"m{form.suffixes[0] if form.suffixes else '.pt'}"
    file.write_bytes(b"whatever it is")
    with pytest.raises(InputError, match=rf"{form.package} cannot be imported .*install mltestscore\[{form.extra}\]"):
        load_model(file)


def test_a_model_of_scikit_learn_loads_none_of_the_libraries(tmp_path):
    """In joblib, since skops itself imports PyTorch where it is installed."""
    joblib.dump(LogisticRegression().fit(TRAINING[FEATURES].fillna(0), TRAINING["late"]), tmp_path / "m.joblib")
    program = (
        "import sys; from mltestscore.inputs.model import load_model\n"
        "from mltestscore.numerics.parameters import not_finite\n"
        f"model = load_model({str(tmp_path / 'm.joblib')!r}, allow_pickle=True)\n"
        "assert not_finite(model.estimator)[1] == 4\n"
        "libraries = {'onnx', 'onnxruntime', 'xgboost', 'lightgbm', 'catboost', 'torch', 'pypmml', 'h2o'}\n"
        "print(sorted(libraries & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=120, check=False)
    assert done.stdout == "[]\n", done.stderr

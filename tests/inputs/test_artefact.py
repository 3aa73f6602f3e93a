"""Texts are found in artefacts of every make, nothing is executed, and bombs go off nowhere."""

from __future__ import annotations

import gzip
import io
import json
import pickle
import re
import zipfile
from types import SimpleNamespace

import joblib
import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OrdinalEncoder, StandardScaler
from skops import io as skops

from mltestscore.inputs import artefact
from mltestscore.inputs.artefact import texts_of_file, texts_of_object

VALUE = "N344AA"
NAMES = pd.DataFrame({"tail": [VALUE, "N1", "N355NB"] * 4})


class Bomb:
    def __reduce__(self):
        return (exec, (f"raise SystemExit('executed')  # {VALUE}",))


def array_file(values: object) -> bytes:
    stream = io.BytesIO()
    np.save(stream, values)
    return stream.getvalue()


def feathered(frame: pd.DataFrame) -> bytes:
    stream = io.BytesIO()
    frame.to_feather(stream)
    return stream.getvalue()


def zipped(**members: bytes) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return stream.getvalue()


ENCODER = OrdinalEncoder().fit(NAMES)
FIXED = OrdinalEncoder().fit(NAMES.to_numpy().astype("U6"))  # six characters each, without a gap between them


@pytest.mark.parametrize(
    "content",
    [
        skops.dumps(ENCODER),
        skops.dumps(FIXED),
        pickle.dumps(ENCODER, protocol=5),
        pickle.dumps(ENCODER, protocol=2),
        pickle.dumps({VALUE: 1}, protocol=0),
        pickle.dumps(pd.Series([1.0], index=[VALUE])),
        pickle.dumps(pd.Series([1.0, 2.0, 3.0], index=pd.Index(["N355NB", VALUE, "N1"], dtype="string[pyarrow]"))),
        pickle.dumps(pa.table({"tail": ["N355NB", VALUE, None, "", "N1"]}), protocol=5),
        feathered(pd.DataFrame({"x": [1], "tail": [VALUE]})),
        feathered(pd.DataFrame({"tail": pd.Categorical([VALUE])})),
        pickle.dumps(Bomb()),
        gzip.compress(pickle.dumps([VALUE])),
        array_file(np.array(["N355NB", VALUE, "N355NC"])),
        array_file(np.array([VALUE.encode(), b"x"])),
        zipped(inner=zipped(deepest=json.dumps({"a": [{"b": VALUE}]}).encode())),
        json.dumps({"a": {VALUE: None}}).encode(),
        b"\x00\x01\x02" + VALUE.encode() + b"\x00\xff\xfe",
        b"\x00\x01" + VALUE.encode("utf-16-le") + b"\xff",
        f"tail: {VALUE}\n".encode(),
    ],
    ids=[
        "skops",
        "skops of fixed width",
        "pickle 5",
        "pickle 2",
        "pickle 0",
        "index of rows",
        "pickle of an Arrow index",
        "pickle of an Arrow table",
        "Feather",
        "Feather of categories",
        "pickle that executes",
        "gzip",
        "array of text",
        "array of bytes",
        "archives in archives",
        "JSON",
        "binary",
        "UTF-16",
        "text",
    ],
)
def test_a_value_is_found_in_an_artefact(tmp_path, content):
    file = tmp_path / "model.bin"
    file.write_bytes(content)
    found = texts_of_file(file)
    assert any(re.search(rf"(?<![0-9A-Za-z]){VALUE}(?![0-9A-Za-z])", text) for text in found.texts)
    assert found.complete


def test_a_value_in_a_joblib_file_is_found(tmp_path):
    for compress in (0, 3):
        joblib.dump(ENCODER, tmp_path / "model.joblib", compress=compress)
        assert any(VALUE in text for text in texts_of_file(tmp_path / "model.joblib").texts)


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04broken", b"\x80\x05", b"{", b"\x1f\x8b", b"\x93NUMPY", b"x\x9c"])
def test_broken_files_hold_what_they_hold(tmp_path, content):
    (tmp_path / "model.bin").write_bytes(content)
    assert texts_of_file(tmp_path / "model.bin").complete


@pytest.mark.parametrize("content", [gzip.compress(b"\0" * (1 << 22)), zipped(a=b"\0" * (1 << 22)), b"\0" * (1 << 22)])
def test_a_bomb_is_not_unpacked_and_not_called_complete(tmp_path, monkeypatch, content):
    monkeypatch.setattr(artefact, "MAX_BYTES", 1 << 20)
    (tmp_path / "model.bin").write_bytes(content)
    assert not texts_of_file(tmp_path / "model.bin").complete


def test_deep_json_is_searched_as_text(tmp_path):
    (tmp_path / "deep.json").write_text("[" * 100_000 + f'"{VALUE}"', encoding="utf-8")
    assert any(VALUE in text for text in texts_of_file(tmp_path / "deep.json").texts)


def test_a_long_text_is_cut_without_losing_what_lies_on_the_cut(tmp_path):
    text = "x" * (artefact.MAX_LENGTH - 3) + VALUE + "y" * 9000
    (tmp_path / "a.txt").write_text(text, encoding="utf-8")
    found = texts_of_file(tmp_path / "a.txt").texts
    assert any(VALUE in part for part in found)
    assert max(map(len, found)) <= artefact.MAX_LENGTH


@pytest.mark.parametrize(
    "thing",
    [
        ENCODER,
        FIXED,
        make_pipeline(OrdinalEncoder(), StandardScaler()).fit(NAMES),
        SimpleNamespace(index=pd.Index([VALUE]), other=pd.DataFrame({"x": [1]})),
        {"a": [{"b": (VALUE.encode(),)}]},
        SimpleNamespace(frame=NAMES),
    ],
)
def test_a_value_is_found_among_the_attributes_of_a_model(thing):
    assert VALUE in texts_of_object(thing).texts


def test_a_model_that_holds_itself_or_too_much_is_walked_to_an_end(monkeypatch):
    circle = SimpleNamespace(name=VALUE)
    circle.itself = circle
    assert texts_of_object(circle) == artefact.Texts((VALUE,), complete=True)
    monkeypatch.setattr(artefact, "MAX_NODES", 50)
    assert not texts_of_object([[number] for number in range(100)]).complete


def test_modules_functions_and_classes_are_not_walked():
    assert texts_of_object(SimpleNamespace(a=json, b=json.loads, c=zipfile.ZipFile)).texts == ()

"""PMML documents, scored by PMML4S in a Java process of its own; nothing that a document names is read or run.

Rows that a document brings along for verification must get the scores that stand beside them.
"""

from __future__ import annotations

import atexit
import json
from collections import defaultdict
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any
from xml.etree.ElementTree import Element, TreeBuilder, XMLParser, tostring

import numpy as np
import numpy.typing as npt
import pandas as pd

from mltestscore.errors import InputError
from mltestscore.inputs.models.java import java
from mltestscore.inputs.models.native import A_LOADER, Loading, NativeModel, Numbers, column, flat, in_shape
from mltestscore.inputs.models.pmml_verification import require_agreement

TASKS = ("classification", "regression")
WEIGHTS = ("coefficient", "intercept", "weight", "bias", "beta", "partialScore")
ANSWER = 300.0  # seconds for one answer of the Java process
MOST = 5_000  # rows in one question


def read(file: Path, loading: Loading) -> NativeModel:
    """Read a document.

    Raises :class:`InputError` for one that defines entities, which could read files; without Java; for models that
    neither classify nor predict a number; and where it scores its own rows otherwise than it says.
    """
    root = _document(file)
    model = next((one for one in root if one.get("functionName")), None)
    kind = "" if model is None else model.get("functionName", "")
    if model is None or kind not in TASKS:
        raise InputError(
            f"{file} is PMML with {f'a model for {kind!r:.40}' if kind else 'no model'}; the checks judge models for "
            f"{' and '.join(TASKS)}: {A_LOADER}."
        )
    outputs = list(model.iterfind("Output/OutputField"))
    for output in model.findall("Output"):
        model.remove(output)  # what it makes of scores differs; without it every class gets its probability
    numbers = list(_numbers(root))
    native = _scorer_of(tostring(root, encoding="unicode"), file, numbers)
    given = [(field.name, str(field.value)) for field in native.outputFields if field.feature == "probability"]
    probabilities = {value: name for name, value in given if value != "None"}
    values = tuple(probabilities) if kind == "classification" else ()
    kinds = {field.get("name"): field.get("dataType", "") for field in root.iter("DataField")}
    header = root.find("Header")
    score = partial(_score, native, kinds, list(probabilities.values()) if values else native.outputNames[:1])
    places = {value: place for place, value in enumerate(values)} if values else {str(native.targetName): 0}
    require_agreement(model, outputs, kinds, places, partial(score, task="multiclass"), file)
    return NativeModel(
        native=native,
        score=score,
        numbers=partial(iter, numbers),
        task="regression" if not values else "binary" if len(values) == 2 else "multiclass",
        feature_names_in_=tuple(native.inputNames),
        n_features_in_=len(native.inputNames),
        classes_=tuple(map(int, values) if kinds.get(native.targetName) == "integer" else values) or None,
        version="" if header is None else header.get("modelVersion", ""),
    )


def _scorer_of(text: str, file: Path, numbers: Sequence[tuple[str, npt.NDArray[np.float64]]]) -> Any:
    reader = _reader()
    try:
        return reader.fromString(text)
    except Exception:
        for name, values in numbers:
            if not np.isfinite(values).all():
                raise InputError(f"{file}: {name} holds NaN or INF, and PMML4S reads no such number.") from None
        raise


class _NoEntities(TreeBuilder):
    def doctype(self, name: str, public: str, system: str) -> None:
        raise InputError(
            f"the PMML document declares a type ({name!r:.40}); entities of such a declaration can read files: remove "
            "it, PMML needs none."
        )


def _document(file: Path) -> Element:
    """Parse, and drop the names' prefixes: PMML4S knows the plain names."""
    parser = XMLParser(target=_NoEntities())
    parser.feed(file.read_bytes())
    root: Element = parser.close()
    space, _, name = root.tag.rpartition("}")
    if name != "PMML":
        raise InputError(f"{file} is XML of {name!r:.40}, not PMML.")
    for one in root.iter():
        one.tag = one.tag.rpartition("}")[2]
    if space:
        root.set("xmlns", space[1:])
    return root


def _reader() -> Any:
    """Start the Java process once; it ends with this process. Only who holds its token can talk to it."""
    from py4j.java_gateway import GatewayParameters, JavaGateway, launch_gateway
    from pypmml import Model
    from pypmml.base import PMMLContext
    from pypmml.jvm import Py4jGateway

    if PMMLContext.gateway() is None:
        program = java("PMML")
        gateway = Py4jGateway()
        port, token = launch_gateway(
            classpath=gateway.classpath,
            javaopts=gateway.java_opts,
            java_path=program,
            die_on_exit=True,
            enable_auth=True,
        )
        how = GatewayParameters(port=port, auth_token=token, auto_convert=True, read_timeout=ANSWER)
        Py4jGateway._gateway = JavaGateway(gateway_parameters=how)
        Py4jGateway._jvm = Py4jGateway._gateway.jvm
        PMMLContext(gateway_instance=gateway)
        atexit.register(PMMLContext.shutdown)
    return Model


def _score(
    native: Any, kinds: dict[str | None, str], wanted: Sequence[str], frame: pd.DataFrame, task: str
) -> npt.NDArray[np.float64]:
    cells = [_cells(frame[name], kinds.get(name, "")) for name in frame.columns]
    rows = list(zip(*cells, strict=True))
    scores: list[list[float | None]] = []
    for start in range(0, len(rows), MOST):
        asked = {"columns": list(frame.columns), "data": rows[start : start + MOST]}
        answer = json.loads(native.predict(json.dumps(asked, allow_nan=False)))
        places = [answer["columns"].index(name) for name in wanted]
        scores += [[row[place] for place in places] for row in answer["data"]]
    return in_shape(np.array(scores, dtype=np.float64).reshape(len(frame), len(wanted)), task)


def _cells(values: pd.Series[Any], kind: str) -> list[Any]:
    missing = values.isna()
    if kind == "string":
        if pd.api.types.is_float_dtype(values.dtype):
            raise InputError(f"the document takes texts in {values.name!r}, but the data hold {values.dtype} values.")
        found: list[Any] = [str(value) for value in values]
    else:
        found = column(values, np.float64).tolist()
    return [None if gone else cell for cell, gone in zip(found, missing, strict=True)]


def _numbers(root: Element) -> Numbers:
    """Yield coefficients and the leaf values of regression trees by the name of their element."""
    found: dict[str, list[str]] = defaultdict(list)
    for one in root.iter():
        for name in WEIGHTS:
            if name in one.attrib:
                found[f"{one.tag}.{name}"].append(one.attrib[name])
        if one.tag == "TreeModel" and one.get("functionName") == "regression":
            found["Node.score"] += [node.attrib["score"] for node in one.iter("Node") if "score" in node.attrib]
    for name, values in found.items():
        yield name, flat(values)

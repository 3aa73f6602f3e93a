"""The Open Inference Protocol (V2) of Triton, KServe and MLServer: ``POST /v2/models/{model}[/versions/{v}]/infer``.

Requests may nest their data, answers come flat with a shape. Bodies of the readiness route differ (``{}``, empty,
``{"ready": true}``), so only its HTTP status counts. Numbers go out as FP64 and INT64, text as BYTES.
Source: kserve/open-inference-protocol ``specification/protocol/inference_rest.md``.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import prod

import numpy as np

from mltestscore.serving.protocols.answers import Columns, Prediction, at, plain, row_count, scores


@dataclass(frozen=True)
class OpenInference:
    """Settings of the Open Inference Protocol.

    Attributes:
        model: the model's name in the URL.
        model_version: pin a version; empty: the server's default.
        tensor: the name of one FP64 input of shape (rows, features); empty: one input of shape (rows, 1) per feature.
        output: the output to ask for and read (MLServer needs ``"predict_proba"`` for probabilities); empty: the first.
        column: which of a row's class scores is the score; ``None``: all of them.
    """

    model: str = "model"
    model_version: str = ""
    tensor: str = ""
    output: str = ""
    column: int | None = None

    @property
    def _model_path(self) -> str:
        return f"/v2/models/{self.model}" + (f"/versions/{self.model_version}" if self.model_version else "")

    @property
    def predict_path(self) -> str:
        """Where rows are posted."""
        return f"{self._model_path}/infer"

    @property
    def status_path(self) -> str:
        """The model's own readiness route, not the server's: a ready server may still be loading the model."""
        return f"{self._model_path}/ready"

    def encode(self, columns: Columns) -> object:
        """Return the features as one tensor each, or as one for all of them."""
        rows = row_count(columns)
        data = {name: [plain(value) for value in values] for name, values in columns.items()}
        if self.tensor:
            flat = [value for row in zip(*data.values(), strict=True) for value in row]
            inputs = [{"name": self.tensor, "shape": [rows, len(data)], "datatype": "FP64", "data": flat}]
        else:
            inputs = [
                {"name": name, "shape": [rows, 1], "datatype": _datatype(values), "data": values}
                for name, values in data.items()
            ]
        return {"inputs": inputs, **({"outputs": [{"name": self.output}]} if self.output else {})}

    def decode(self, body: object, rows: int) -> Prediction:
        """Read the output tensor, reshape it, and read ``model_version``."""
        tensor = self._tensor(at(body, "outputs"))
        shape, data = [int(size) for size in at(tensor, "shape")], np.asarray(at(tensor, "data"), dtype=object).ravel()
        if prod(shape) != data.size:
            raise ValueError(f"expected {prod(shape)} values for the output's shape {shape}, found {data.size}")
        return Prediction(scores(data.reshape(shape).tolist(), rows, self.column), self.version(body))

    def _tensor(self, outputs: object) -> object:
        named = [tensor for tensor in outputs if isinstance(tensor, Mapping)] if isinstance(outputs, list) else []
        chosen = [tensor for tensor in named if self.output in ("", tensor.get("name"))]
        if not chosen:
            found = [str(tensor.get("name")) for tensor in named]
            raise ValueError(f"expected {f'the output {self.output!r}' if self.output else 'an output'}, found {found}")
        return chosen[0]

    def ready(self, body: object) -> bool:
        """HTTP status 200 is the sign, unless the body denies it."""
        return not (isinstance(body, Mapping) and body.get("ready") is False)

    def version(self, body: object) -> str:
        """Return ``model_version``, which the answer to a prediction carries and the readiness route does not."""
        return str(body.get("model_version") or "") if isinstance(body, Mapping) else ""


def _datatype(values: Sequence[object]) -> str:
    known = [value for value in values if value is not None]
    if any(isinstance(value, str) for value in known):
        return "BYTES"
    if known and all(isinstance(value, bool) for value in known):
        return "BOOL"
    whole = len(known) == len(values) > 0 and all(isinstance(value, int) for value in known)
    return "INT64" if whole else "FP64"

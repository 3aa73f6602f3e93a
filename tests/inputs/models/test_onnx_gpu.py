"""ONNX graphs by CUDA and TensorRT: for real where a machine has them, and refused where the runtime would use the CPU.

``MLTESTSCORE_ONNX_GPU`` names an interpreter with onnxruntime-gpu, which cannot be installed beside onnxruntime, with
onnx and with what mltestscore requires; without it, this one is asked. The graph is loaded by our own reader there.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import numpy as np
import onnx
import pandas as pd
import pytest
from onnx import TensorProto, helper, numpy_helper

from mltestscore.errors import InputError
from mltestscore.inputs.endpoint import Endpoint, open_endpoint

ROOT = Path(__file__).parents[3]
PYTHON = os.environ.get("MLTESTSCORE_ONNX_GPU", sys.executable)
CPU, PROVIDERS = "CPUExecutionProvider", ["CUDAExecutionProvider", "TensorrtExecutionProvider"]
FEATURES = ["heat", "load", "wear"]
ROWS = pd.DataFrame(np.random.default_rng(0).normal(size=(50, 3)), columns=FEATURES)
ALONE = """
import json, sys, onnxruntime
file, name = sys.argv[1:]
held = name in onnxruntime.get_available_providers()
print(json.dumps(onnxruntime.InferenceSession(file, providers=[name]).get_providers() if held else None))
"""


@pytest.fixture(scope="module")
def graph(tmp_path_factory) -> Path:
    """A logistic regression of operators that every provider has."""
    held = [numpy_helper.from_array(np.array([[0.5], [-1.0], [2.0]], dtype=np.float32), "weights")]
    nodes = [helper.make_node("MatMul", ["rows", "weights"], ["sum"]), helper.make_node("Sigmoid", ["sum"], ["score"])]
    given, made = (
        [helper.make_tensor_value_info(name, TensorProto.FLOAT, [None, width])]
        for name, width in (("rows", 3), ("score", 1))
    )
    whole = helper.make_graph(nodes, "g", given, made, held)
    file = tmp_path_factory.mktemp("gpu") / "m.onnx"
    onnx.save(helper.make_model(whole, opset_imports=[helper.make_opsetid("", 17)], ir_version=9), file)
    return file


@pytest.fixture(scope="module", params=PROVIDERS)
def asked(graph, request) -> tuple[str, bool]:
    """A provider, and whether the runtime alone starts with it."""
    words = [PYTHON, "-c", ALONE, str(graph), request.param]
    done = subprocess.run(words, capture_output=True, text=True, timeout=120, check=True)
    in_use = json.loads(done.stdout.splitlines()[-1])
    if in_use is None:
        pytest.skip(f"the onnxruntime of {PYTHON} is built without {request.param}; MLTESTSCORE_ONNX_GPU names another")
    return request.param, request.param in in_use


def opened(graph: Path, provider: str) -> Endpoint:
    """Load the graph in the interpreter with the GPU; what it builds for that takes its time."""
    return open_endpoint(
        url=f"file:{graph}",
        command=[PYTHON],
        env={"PYTHONPATH": str(ROOT)},
        model_loading={"providers": [provider], "features": FEATURES, "task": "regression"},
        ready_timeout=200,
        request_timeout=100,
        probe=ROWS,
    )


@pytest.mark.slow
def test_a_provider_of_the_gpu_scores_as_the_cpu(graph, asked):
    provider, starts = asked
    if not starts:
        pytest.skip(f"{provider} does not start on this machine: it has no GPU, or lacks libraries for it")
    with closing(opened(graph, provider)) as gpu, closing(opened(graph, CPU)) as cpu:
        np.testing.assert_allclose(gpu.predict(ROWS).scores, cpu.predict(ROWS).scores, rtol=1e-3)


@pytest.mark.slow
def test_a_provider_that_the_runtime_gives_up_in_silence_is_refused(graph, asked):
    provider, starts = asked
    if starts:
        pytest.skip(f"{provider} starts on this machine")
    with pytest.raises(InputError, match=f"{provider} did not start on this machine"):
        opened(graph, provider).close()

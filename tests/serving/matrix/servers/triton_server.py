"""NVIDIA Triton's own binary with its Python backend, two versions of one model; no GPU, no pytriton around it."""

import os
import shutil
import sys
import sysconfig
from pathlib import Path

import pytriton
from model import folder_and_port, keep

MODEL = """
import sys
import time
sys.path.insert(0, {packages!r})
import numpy
import triton_python_backend_utils as utils


class TritonPythonModel:
    def initialize(self, args):
        time.sleep({load_s})

    def execute(self, requests):
        answers = []
        for request in requests:
            x = utils.get_input_tensor_by_name(request, "x").as_numpy()
            y = {expression}
            answers.append(utils.InferenceResponse([utils.Tensor("y", y)]))
        return answers
"""
CONFIG = """
backend: "python"
max_batch_size: 0
input [{ name: "x" data_type: TYPE_FP64 dims: [-1, 2] }]
output [{ name: "y" data_type: TYPE_FP64 dims: [-1] }]
version_policy: { POLICY }
"""

folder, port = folder_and_port()
packages = sysconfig.get_paths()["purelib"]
for version, expression in {"1": "x.sum(axis=1)", "2": "x[:, 0] - 2 * x[:, 1]"}.items():
    place = folder / "repository" / "iris" / version
    place.mkdir(parents=True, exist_ok=True)
    (place / "model.py").write_text(
        MODEL.format(packages=packages, expression=expression, load_s=float(os.environ.get("LOAD_S", "0")))
    )
policy = os.environ.get("POLICY", "all { }")
(folder / "repository" / "iris" / "config.pbtxt").write_text(CONFIG.replace("POLICY", policy))
rows = [[0.5, 0.25], [1.0, 3.0], [2.5, 0.125]]
keep(folder, ["a", "b"], rows, [[a - 2 * b] for a, b in rows])
if port:
    root = Path(pytriton.__file__).parent / "tritonserver"
    backends = folder / "backends" / "python"
    shutil.copytree(root / "backends" / "python", backends, dirs_exist_ok=True)
    shutil.copy(root / "python_backend_stubs" / "3.11" / "triton_python_backend_stub", backends)
    libraries = f"{packages}/nvidia_pytriton.libs"
    program = str(root / "bin" / "tritonserver")
    address = ["--http-address", "127.0.0.1", "--grpc-address", "127.0.0.1", "--metrics-address", "127.0.0.1"]
    ports = ["--http-port", str(port), "--grpc-port", sys.argv[3], "--metrics-port", sys.argv[4]]
    repository = ["--model-repository", str(folder / "repository"), "--backend-directory", str(folder / "backends")]
    explicit = ["--model-control-mode=explicit", "--load-model=iris"]
    environment = {**os.environ, "LD_LIBRARY_PATH": libraries}
    os.execve(program, [program, *repository, *address, *ports, *explicit], environment)

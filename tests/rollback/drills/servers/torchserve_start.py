"""TorchServe with archives of two versions of a model in its store, of which some are registered at the start.

Arguments: folder, port, management port, another port, the versions to register, the first of them as default. With
port 0 it only writes what version 2.0 answers to some rows, into ``expected.json``.
"""

import json
import os
import socket
import subprocess
import sys
from pathlib import Path

import torch

SLOPES = {"1.0": (1.0, 1.0), "2.0": (1.0, -2.0)}

folder, port, management, metrics = Path(sys.argv[1]).resolve(), *map(int, sys.argv[2:5])
registered = sys.argv[5].split(",")
here, programs = Path(__file__).parent, Path(sys.executable).parent
os.environ["PATH"] = f"{programs}:{os.environ['PATH']}"


class Line(torch.nn.Module):
    def __init__(self, slopes):
        super().__init__()
        self.slopes = torch.nn.Parameter(torch.tensor(slopes, dtype=torch.float64))

    def forward(self, rows):
        return rows @ self.slopes


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


if not port:
    rows = {"a": [0.5, 1.0, 2.5, -4.0], "b": [0.25, 3.0, 0.125, 1.0]}
    with torch.no_grad():
        scores = Line(SLOPES["2.0"])(torch.tensor(list(zip(*rows.values(), strict=True)), dtype=torch.float64))
    (folder / "expected.json").write_text(json.dumps({"columns": rows, "scores": [[one] for one in scores.tolist()]}))
    sys.exit()
store = folder / "store"
store.mkdir(exist_ok=True)
for version, slopes in SLOPES.items():
    torch.jit.script(Line(slopes)).save(folder / "model.pt")
    archiver = [str(programs / "torch-model-archiver"), "--model-name", f"line-{version}", "--version", version]
    archiver += ["--serialized-file", str(folder / "model.pt"), "--handler", str(here / "torchserve_handler.py")]
    subprocess.run([*archiver, "--export-path", str(store), "-f"], check=True, timeout=60)
config = [f"inference_address=http://127.0.0.1:{port}", f"management_address=http://127.0.0.1:{management}"]
config += [f"metrics_address=http://127.0.0.1:{metrics}", "disable_token_authorization=true"]
config += [f"grpc_inference_port={free_port()}", f"grpc_management_port={free_port()}"]
config += ["grpc_inference_address=127.0.0.1", "grpc_management_address=127.0.0.1", "default_workers_per_model=1"]
config += ["enable_model_api=true", "enable_envvars_config=false", "install_py_dep_per_model=false"]
(folder / "config.properties").write_text("\n".join(config) + "\n")
os.environ |= {"LOG_LOCATION": str(folder), "METRICS_LOCATION": str(folder), "TEMP": str(folder), "TMPDIR": str(folder)}
words = [str(programs / "torchserve"), "--start", "--foreground", "--ncs", "--model-store", str(store)]
words += ["--ts-config", str(folder / "config.properties")]
os.execv(words[0], [*words, "--models", *(f"line=line-{version}.mar" for version in registered)])

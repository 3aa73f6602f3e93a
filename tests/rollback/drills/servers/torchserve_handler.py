"""A handler of TorchServe: rows as JSON in, one score a row out, by a scripted module of PyTorch."""

import json
import os
import time
from pathlib import Path

import torch

model = None


def handle(data, context):
    global model  # noqa: PLW0603 - what the server calls is a function
    if model is None:
        time.sleep(float(os.environ.get("LOAD_S", "0")))  # as long as large weights take
        model = torch.jit.load(Path(context.system_properties["model_dir"]) / "model.pt")
    if not data:
        return None
    bodies = [entry.get("body") or entry.get("data") for entry in data]
    rows = [json.loads(body) if isinstance(body, str | bytes | bytearray) else body for body in bodies]
    return [model(torch.tensor([[row["a"], row["b"]] for row in each], dtype=torch.float64)).tolist() for each in rows]

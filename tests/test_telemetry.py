"""Nothing reports to its makers, from the first import on."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from mltestscore import telemetry
from tests.inputs.models.cases import FEATURES, TRAINING

READS = f"""
import sys
from pathlib import Path

from mltestscore.inputs.model import load_model

load_model(Path(sys.argv[1]), features={FEATURES})
"""


def test_what_the_team_set_is_kept(monkeypatch):
    for name in telemetry.SWITCHES:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("DO_NOT_TRACK", "0")
    telemetry.off()
    kept = {name: os.environ[name] for name in telemetry.SWITCHES}
    assert kept == {**telemetry.SWITCHES, "DO_NOT_TRACK": "0"}


def test_onnx_runtime_leaves_no_device_identifier(tmp_path):
    to_onnx = pytest.importorskip("skl2onnx", reason="skl2onnx is not installed").to_onnx
    import numpy as np
    from sklearn.linear_model import LogisticRegression

    numbers = TRAINING[FEATURES].fillna(0.0).to_numpy(dtype=np.float32)
    graph = to_onnx(LogisticRegression().fit(numbers, TRAINING["late"]), numbers[:1], options={"zipmap": False})
    (tmp_path / "m.onnx").write_bytes(graph.SerializeToString())
    home = tmp_path / "home"
    home.mkdir()
    plain = {name: value for name, value in os.environ.items() if name not in telemetry.SWITCHES}
    command = [sys.executable, "-c", READS, str(tmp_path / "m.onnx")]
    subprocess.run(command, env=plain | {"HOME": str(home)}, cwd=Path.cwd(), check=True, timeout=120)
    assert not [one for one in home.rglob("*") if "onnxruntime" in one.name]

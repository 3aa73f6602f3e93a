"""NVIDIA Triton: the Open Inference Protocol, with ``NaN`` for a missing number, since Triton takes no ``null``."""

from mltestscore.settings_serving import Protocol

PROTOCOL = Protocol(
    title="NVIDIA Triton",
    source="triton-inference-server/server docs/protocol, run for real (tests/serving/matrix, examples/flights)",
    base="open_inference",
    settings={"missing": "NaN"},
)

"""The systems that are run for real, and those that are not, with the reason."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class System:
    """One server: what installs it, prepares its model, starts it, and how it is asked.

    Words of commands may hold ``{python}`` and ``{bin}`` of its environment, ``{servers}``, ``{folder}`` (its own,
    where ``expected.json`` says what the model answers), ``{port}``, ``{port2}``, ``{port3}``.

    Attributes:
        version: of the model, as the server must name it with its answers.
        tolerance: relative; what the server's own rounding needs.
        refuses: it must not answer rows of another shape.
        low_ports: it takes none above 32,766.
    """

    name: str
    title: str
    package: str
    protocol: str
    prepare: tuple[str, ...]
    command: tuple[str, ...]
    requirements: str = ""
    settings: Mapping[str, Any] = field(default_factory=dict)
    environment: Mapping[str, str] = field(default_factory=dict)
    version: str = ""
    tolerance: float = 1e-12
    refuses: bool = True
    low_ports: bool = False


def _script(name: str, port: str, *more: str) -> tuple[str, ...]:
    return ("{python}", f"{{servers}}/{name}", "{folder}", port, *more)


def _both(name: str, *more: str) -> dict[str, tuple[str, ...]]:
    return {"prepare": _script(name, "0", *more), "command": _script(name, "{port}", *more)}


MLFLOW = ("models", "serve", "-m", "{folder}/model", "--env-manager", "local", "-h", "127.0.0.1", "-p", "{port}")
FACTORY = "google.cloud.aiplatform.prediction.model_server:CprModelServer"
AIP = {
    "HANDLER_MODULE": "google.cloud.aiplatform.prediction.handler",
    "HANDLER_CLASS": "PredictionHandler",
    "PREDICTOR_MODULE": "vertex_predictor",
    "PREDICTOR_CLASS": "Iris",
    "AIP_HTTP_PORT": "{port2}",
    "AIP_HEALTH_ROUTE": "/health",
    "AIP_PREDICT_ROUTE": "/predict",
    "AIP_STORAGE_URI": "{folder}",
    "PYTHONPATH": "{folder}",
}
DRUM = ("server", "-cd", "{folder}/code", "--target-type", "multiclass", "--class-labels", "0", "1", "2")
TORCHSERVE = "{servers}/../../../rollback/drills/servers/torchserve_start.py"
TRITON = {"model": "iris", "tensor": "x", "output": "y"}

SYSTEMS = (
    System(
        "mlflow",
        "MLflow scoring server",
        "mlflow",
        "mlflow",
        prepare=_script("mlflow_model.py", "0"),
        command=("{bin}/mlflow", *MLFLOW, "--workers", "1"),
        environment={"MLFLOW_TRACKING_URI": "sqlite:///{folder}/mlflow.db", "MLFLOW_DISABLE_TELEMETRY": "true"},
    ),
    System(
        "mlserver",
        "MLServer, two versions",
        "mlserver",
        "mlserver",
        **_both("mlserver_models.py", "{port2}", "{port3}"),
        settings={"model": "iris", "model_version": "v2", "tensor": "x", "output": "predict_proba"},
        version="v2",
    ),
    System(
        "bentoml",
        "BentoML",
        "bentoml",
        "bentoml",
        prepare=_script("saved.py", "0", "bentoml_service.py"),
        command=("{bin}/bentoml", "serve", "bentoml_service:Iris", "--host", "127.0.0.1", "-p", "{port}"),
        environment={"BENTOML_HOME": "{folder}/bentoml", "BENTOML_DO_NOT_TRACK": "true"},
    ),
    System("litserve", "LitServe", "litserve", "litserve", **_both("litserve_api.py"), version="7"),
    System(
        "azureml",
        "AzureML inference server",
        "azureml-inference-server-http",
        "azureml",
        prepare=_script("saved.py", "0", "azureml_score.py"),
        command=("{bin}/azmlinfsrv", "--entry_script", "azureml_score.py", "--port", "{port}", "--model_dir", "."),
    ),
    System(
        "kserve_v1",
        "KServe, V1",
        "kserve",
        "kserve_v1",
        **_both("kserve_server.py"),
        requirements="kserve",
        settings={"model": "iris", "named": False},
    ),
    System(
        "kserve_v2",
        "KServe, V2",
        "kserve",
        "kserve_v2",
        **_both("kserve_server.py"),
        requirements="kserve",
        settings={"model": "iris", "tensor": "x"},
    ),
    System(
        "triton",
        "NVIDIA Triton, two versions",
        "nvidia-pytriton",
        "triton",
        **_both("triton_server.py", "{port2}", "{port3}"),
        settings={**TRITON, "model_version": "2"},
        version="2",
    ),
    System(
        "mlserver_grpc",
        "MLServer over gRPC, two versions",
        "mlserver",
        "mlserver_grpc",
        prepare=_script("mlserver_models.py", "0", "{port2}", "{port3}"),
        command=_script("mlserver_models.py", "{port2}", "{port}", "{port3}"),
        requirements="mlserver",
        settings={"model": "iris", "model_version": "v2", "tensor": "x", "output": "predict_proba"},
        version="v2",
    ),
    System(
        "triton_grpc",
        "NVIDIA Triton over gRPC, two versions",
        "nvidia-pytriton",
        "triton_grpc",
        prepare=_script("triton_server.py", "0", "{port2}", "{port3}"),
        command=_script("triton_server.py", "{port2}", "{port}", "{port3}"),
        requirements="triton",
        settings={**TRITON, "model_version": "2"},
        version="2",
    ),
    System(
        "pythie",
        "pythie-serving (TensorFlow Serving's gRPC)",
        "pythie-serving",
        "tensorflow_grpc",
        **_both("pythie_model.py"),
        settings={"model": "iris", "flat": False, "output": "predictions"},
        tolerance=1e-6,  # it answers in 32 bits
    ),
    System(
        "mms",
        "Multi Model Server",
        "multi-model-server",
        "mms",
        **_both("mms_start.py", "mms", "{port2}"),
        requirements="mms",
        settings={"model": "iris", "management_port": "{port2}"},
        low_ports=True,
    ),
    System(
        "torchserve",
        "TorchServe, two versions",
        "torchserve",
        "torchserve",
        prepare=("{python}", TORCHSERVE, "{folder}", "0", "0", "0", ""),
        command=("{python}", TORCHSERVE, "{folder}", "{port}", "{port2}", "{port3}", "2.0,1.0"),
        settings={"model": "line", "model_version": "2.0", "named": True, "management_port": "{port2}"},
        version="2.0",
    ),
    System(
        "sagemaker",
        "SageMaker container",
        "sagemaker-inference",
        "sagemaker",
        **_both("mms_start.py", "sagemaker", "{port2}"),
        requirements="mms",
        low_ports=True,
    ),
    System("seldon", "Seldon Core v1 wrapper", "seldon-core", "seldon", **_both("seldon_server.py")),
    System(
        "vertex",
        "Vertex AI container",
        "google-cloud-aiplatform",
        "vertex",
        prepare=_script("saved.py", "0", "vertex_predictor.py"),
        command=("{bin}/uvicorn", FACTORY, "--factory", "--host", "127.0.0.1", "--port", "{port}"),
        environment=AIP,
    ),
    System(
        "drum",
        "DataRobot DRUM",
        "datarobot-drum",
        "drum",
        prepare=_script("drum_code.py", "0"),
        command=("{bin}/drum", *DRUM, "--address", "127.0.0.1:{port}"),
        tolerance=1e-6,
    ),
    System(
        "feast",
        "Feast feature server",
        "feast",
        "feast",
        prepare=_script("feast_store.py", "0"),
        command=("{bin}/feast", "serve", "-h", "127.0.0.1", "-p", "{port}"),
        settings={"feature": "stats:rate", "output": "rate"},
    ),
    System(
        "ray",
        "Ray Serve",
        "ray",
        "ray_serve",
        **_both("ray_app.py"),
        settings={"scores_field": "scores", "version_field": "version"},
        environment={"RAY_USAGE_STATS_ENABLED": "0"},
        version="v3",
    ),
)

ELSEWHERE = {
    "Flask": "real, behind waitress, in the ordinary suite: `tests/inputs/test_endpoint.py`",
    "H2O-3": "no route scores rows: its MOJO is a model here, with the real jar: `tests/inputs/models/test_mojo.py`",
    "TensorFlow Serving": "no package on PyPI or in Debian carries the server; its gRPC is run by pythie-serving, "
    "generated from the official files",
    "Redis": "real, in the ordinary suite, for passwords, errors and time-outs: `tests/serving/test_resp.py`",
    "Clipper, PredictionIO, DeepDetect, MLeap, Openscoring": "Docker, Maven or an index of their own",
    "DataRobot, Watson, Databricks, control planes of SageMaker, Vertex, AzureML": "cloud services",
    "SKIL, Y-Hat": "no longer to be had",
    "Redis-ML, RedisAI": "no module on any registry: published exchanges, by a server that takes no other command",
}

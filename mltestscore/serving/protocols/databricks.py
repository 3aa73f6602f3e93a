"""Databricks model serving: MLflow's body at another path, and a state that names the versions served."""

from mltestscore.settings_serving import Protocol, Route

PROTOCOL = Protocol(
    title="Databricks model serving",
    source="Databricks REST API, serving-endpoints",
    base="mlflow",
    settings={"model": "model"},
    predict="POST /serving-endpoints/{model}/invocations",
    ready=None,
    model_ready=Route(
        ask="GET /api/2.0/serving-endpoints/{model}",
        where=["state.ready"],
        values=["READY"],
        version="config.served_entities[*].entity_version",
    ),
)

"""MLflow's scoring server: loads what an alias names when it starts, and keeps it: a roll-back is a restart."""

from mltestscore.settings_servers import Operations

OPERATIONS = Operations(
    title="MLflow scoring server",
    source="mlflow 3.17.2, mlflow models serve",
    protocol="mlflow",
    registry="mlflow",
    command=[
        *("{python}", "-m", "mlflow", "models", "serve", "-m", "models:/{name}@{alias}"),
        *("--env-manager", "local", "-h", "127.0.0.1", "-p", "{port}", "--workers", "1"),
    ],
    environment={"MLFLOW_TRACKING_URI": "{uri}", "MLFLOW_DISABLE_TELEMETRY": "true"},
    restart=True,
)

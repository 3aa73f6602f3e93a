"""MLflow's scoring server: ``POST /invocations`` with exactly one of four keys.

``dataframe_split`` is the one that schemas with named columns take. The model lives as long as the process: no version
is named, and ``GET /version`` tells MLflow's own. ``output``: the column, where the model returns a table.
"""

from mltestscore.settings_serving import Protocol, Route

PROTOCOL = Protocol(
    title="MLflow scoring server",
    source="MLflow 3, mlflow.pyfunc.scoring_server",
    settings={"output": ""},
    predict="POST /invocations",
    body={"dataframe_split": {"columns": "$names", "data": "$lists"}},
    scores=["predictions"],
    score=["{output}"],
    ready=Route(ask="GET /ping"),
)

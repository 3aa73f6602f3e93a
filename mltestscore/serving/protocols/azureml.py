"""AzureML managed endpoints, and the inference server inside their containers.

The body is whatever the scoring script's ``run`` takes, by convention ``{"data": [[…]]}``; the answer is what it
returns, often a bare list, or a text that holds JSON. Whether ``run`` failed stands in a header. Where the host that
answers reaches the control plane, too, ``resource`` is the deployment's path in it
(``/subscriptions/…/onlineEndpoints/NAME/deployments/NAME``): it tells the state, and the model with its version.
"""

from mltestscore.settings_serving import Failure, Protocol, Route

PROTOCOL = Protocol(
    title="AzureML",
    source="azureml-inference-server-http 1.5.1; Azure Machine Learning, online endpoints",
    settings={
        "path": "/score",
        "health": "/",
        "field": "data",
        "named": False,
        "scores_field": "",
        "deployment": "",
        "resource": "",
        "api_version": "2024-10-01",
    },
    predict="POST {path}",
    body={"{field}": "$rows"},
    headers={"azureml-model-deployment": "{deployment}"},
    scores=["{scores_field}"],
    ready=Route(ask="GET {health}"),
    model_ready=Route(
        ask="GET {resource}?api-version={api_version}",
        where=["properties.provisioningState"],
        values=["Succeeded", "Updating", "Scaling"],
        version="properties.model",
    ),
    metadata=Route(ask="GET /swagger.json"),
    failures=[Failure(where="header:x-ms-run-function-failed", values=["true"])],
)

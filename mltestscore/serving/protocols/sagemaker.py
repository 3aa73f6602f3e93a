"""The contract of a SageMaker container, ``POST /invocations`` and ``GET /ping``, and of the runtime in front of it.

Content types in and out are independent and the model's own affair: here CSV without header in, JSON out; override
``format``, ``body`` and ``answer`` for others. Which variant answered stands in a header alone. For the runtime,
``path`` is ``/endpoints/NAME/invocations`` of a proxy that signs requests: signatures (SigV4) are not made here. Where
that proxy reaches the control plane, too, ``describe`` is the path at which it does, and ``endpoint`` the name that is
asked for; an endpoint that is being updated or rolled back still serves.
"""

from mltestscore.settings_serving import Protocol, Route

PROTOCOL = Protocol(
    title="SageMaker",
    source="sagemaker-inference 1.10.1; SageMaker API reference: InvokeEndpoint, DescribeEndpoint",
    settings={
        "path": "/invocations",
        "health": "/ping",
        "describe": "",
        "endpoint": "",
        "variant": "",
        "target_model": "",
        "output": "",
    },
    predict="POST {path}",
    format="csv",
    header=False,
    headers={
        "x-amzn-sagemaker-target-variant": "{variant}",
        "x-amzn-sagemaker-target-model": "{target_model}",
    },
    scores=["predictions", ""],
    score=["{output}"],
    version=["header:x-amzn-invoked-production-variant"],
    ready=Route(ask="GET {health}"),
    model_ready=Route(
        ask="POST {describe}",
        body={"EndpointName": "{endpoint}"},
        headers={"x-amz-target": "SageMaker.DescribeEndpoint", "content-type": "application/x-amz-json-1.1"},
        where=["EndpointStatus"],
        values=["InService", "Updating", "SystemUpdating", "RollingBack"],
    ),
)

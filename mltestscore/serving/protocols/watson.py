"""IBM Watson Machine Learning: fields and values both ways; the date in the query is mandatory.

``model`` is the deployment. The service before this one reported errors as HTTP status 200 with ``"flag": false``.
"""

from mltestscore.settings_serving import Failure, Protocol, Route

PROTOCOL = Protocol(
    title="IBM Watson Machine Learning",
    source="ibm-watsonx-ai, deployments.score; Watson Machine Learning API v4",
    settings={"model": "", "api_date": "2020-09-01", "output": "probability"},
    predict="POST /ml/v4/deployments/{model}/predictions?version={api_date}",
    body={"input_data": [{"fields": "$names", "values": "$lists"}]},
    scores=["predictions[0].values"],
    names="predictions[0].fields",
    score=["{output}"],
    metadata=Route(ask="GET /ml/v4/deployments/{model}?version={api_date}"),
    failures=[Failure(where="body:flag", values=["false"], message="message")],
)

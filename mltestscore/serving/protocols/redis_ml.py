"""Redis-ML's regressions over RESP: ``ML.LINREG.PREDICT model 1 1 1``, one row a command, features in their order.

The URL is ``redis://host:6379`` (``rediss://`` under TLS; ``/1`` after the port: another database);
``token_variable`` names the password's variable, or one that holds user and password with a space between them.
``command``: ``ML.LOGREG.PREDICT`` for a logistic regression. ``model`` is the key; versions are keys too.
"""

from mltestscore.settings_serving import Protocol, Route

PROTOCOL = Protocol(
    title="Redis-ML, regressions",
    source="RedisLabsModules/redisml docs/commands.md",
    settings={"model": "model", "command": "ML.LINREG.PREDICT"},
    predict="RUN {command}",
    body=["{model}", "$list"],
    batch=1,
    live=Route(ask="RUN PING", values=["PONG"], where=[""]),
    model_ready=Route(ask="RUN EXISTS", body=["{model}"], values=["1"], where=[""]),
)
"""Redis would take an unknown key for a wrong type: whether the model is there is asked of Redis itself."""

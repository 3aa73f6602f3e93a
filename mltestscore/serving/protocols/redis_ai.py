"""RedisAI over RESP: one ``AI.DAGEXECUTE_RO`` sets the tensor, runs the model and gets its output, and keeps nothing.

All features go out in one tensor of shape (rows, features); ``datatype``: ``FLOAT`` or ``DOUBLE``.
"""

from mltestscore.settings_serving import Failure, Protocol

PROTOCOL = Protocol(
    title="RedisAI",
    source="RedisAI docs/commands.md; redisai 1.3.0",
    base="redis_ml",
    settings={"command": "AI.DAGEXECUTE_RO", "datatype": "FLOAT"},
    body=[
        ["ROUTING", "{model}", "|>", "AI.TENSORSET", "in", "{datatype}", "$shape", "VALUES", "$flat"],
        ["|>", "AI.MODELEXECUTE", "{model}", "INPUTS", 1, "in", "OUTPUTS", 1, "out"],
        ["|>", "AI.TENSORGET", "out", "META", "VALUES"],
    ],
    batch=0,
    scores=["[-1]"],
    reading="tensor",
    failures=[Failure(where="body:[*].error")],
)

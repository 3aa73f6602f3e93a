"""Redis-ML's forests over RESP: ``ML.FOREST.RUN model age:25,sex:male REGRESSION``, one row a command.

``kind``: ``CLASSIFICATION`` answers with the class in place of the mean. A feature without a value is not named.
"""

from mltestscore.settings_serving import Protocol

PROTOCOL = Protocol(
    title="Redis-ML, forests",
    source="RedisLabsModules/redisml docs/commands.md",
    base="redis_ml",
    settings={"command": "ML.FOREST.RUN", "kind": "REGRESSION"},
    body=["{model}", "$pairs", "{kind}"],
)

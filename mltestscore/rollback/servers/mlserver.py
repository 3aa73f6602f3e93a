"""MLServer: loads what lies in its folder now, the new before the old is let go.

The registry is a folder of versions outside the server's; ``pointer`` is a link in the server's that leads to one of
them, such as ``"../models/iris"``.
"""

from mltestscore.settings_servers import Operations

OPERATIONS = Operations(
    title="MLServer",
    source="mlserver 1.7.1, model repository extension",
    protocol="mlserver",
    registry="folder",
    redeploy="POST /v2/repository/models/{model}/load",
)

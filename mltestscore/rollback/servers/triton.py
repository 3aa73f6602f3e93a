"""NVIDIA Triton: loads a model anew with another version policy, the version that it names before the rest is let go.

The server must run with ``--model-control-mode=explicit``. It lists the versions that are loaded alone, so ``previous``
must be written where policy lets one be loaded at a time. Nothing changes on disk: the configuration that the server
had goes along with each request, with the one version in place of its policy, and is put back as it was.
"""

from mltestscore.settings_servers import Asked, Operations, Step

READY = Asked(ask="POST /v2/repository/index", body={"ready": True}, where=["[name={model}].version"])
LOAD = "POST /v2/repository/models/{model}/load"

OPERATIONS = Operations(
    title="NVIDIA Triton",
    source="Triton 2.51 (nvidia-pytriton 0.7.0), docs/protocol/extension_model_repository.md",
    protocol="triton",
    current=READY,
    versions=READY,
    kept=Asked(ask="GET /v2/models/{model}/config"),
    promote=[
        Step(
            ask=LOAD,
            body={
                "parameters": {
                    "config": {"$text": {"$kept": {"version_policy": {"specific": {"versions": ["{version}"]}}}}}
                }
            },
        )
    ],
    put_back=[Step(ask=LOAD, body={"parameters": {"config": {"$text": {"$kept": {}}}}})],
    waits="Triton loads a version on one of the threads that answer requests, and a connection that comes to it waits",
    hints={"503": "start Triton with --model-control-mode=explicit, which lets versions be loaded"},
)

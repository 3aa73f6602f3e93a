"""The Open Inference Protocol (V2) over gRPC: ``inference.GRPCInferenceService`` of Triton, KServe and MLServer.

Settings are those of ``open_inference``; the URL is ``grpc://host:port`` (8001 at Triton, 8081 at MLServer and
KServe), ``grpcs://`` under TLS. Numbers go out as FP64 and INT64 unless ``datatype`` says otherwise, 16-bit ones in
raw contents; answers come typed (MLServer) or raw (Triton). A missing number is NaN; ``missing_text``: what stands for
a missing text, for which a tensor has nothing.
"""

from mltestscore.settings_serving import Protocol, Route

NAMED = {"name": "{model}", "version": "{model_version}"}

PROTOCOL = Protocol(
    title="Open Inference Protocol V2, gRPC",
    source="kserve/open-inference-protocol specification/protocol/open_inference_grpc.proto",
    base="open_inference",
    settings={"missing_text": ""},
    messages="open_inference",
    predict="CALL /inference.GRPCInferenceService/ModelInfer",
    body={
        "model_name": "{model}",
        "model_version": "{model_version}",
        "inputs": "$tensors",
        "outputs": [{"name": "{output}"}],
    },
    live=Route(ask="CALL /inference.GRPCInferenceService/ServerLive", where=["live"], values=["true"]),
    ready=Route(ask="CALL /inference.GRPCInferenceService/ServerReady", where=["ready"], values=["true"]),
    model_ready=Route(
        ask="CALL /inference.GRPCInferenceService/ModelReady", body=NAMED, where=["ready"], values=["true"]
    ),
    metadata=Route(ask="CALL /inference.GRPCInferenceService/ModelMetadata", body=NAMED),
    admin={},
)

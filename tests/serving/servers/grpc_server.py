"""A model served over gRPC: ``grpc_server.py PORT BEHAVIOUR``; the score is ``a + 10 b``, the version 3.

It says ready at once. BEHAVIOUR: ``sound``; ``loads``: rows are refused (UNAVAILABLE) in the first 0.6 s; ``never``:
they always are; ``hangs``: no row is ever answered.
"""

import sys
import time
from concurrent.futures import ThreadPoolExecutor

import grpc

from mltestscore.serving.messages import Messages

SERVICE = "/inference.GRPCInferenceService/"
PORT, BEHAVIOUR = int(sys.argv[1]), sys.argv[2]
STARTED = time.monotonic()
MESSAGES = Messages("server", "open_inference")


def ready(content, context):
    answer = MESSAGES._classes(f"{SERVICE}ModelReady")[1]
    return answer(ready=True).SerializeToString()


def infer(content, context):
    if BEHAVIOUR == "never" or (BEHAVIOUR == "loads" and time.monotonic() - STARTED < 0.6):
        context.abort(grpc.StatusCode.UNAVAILABLE, "the model is loading")
    if BEHAVIOUR == "hangs":
        time.sleep(20)
    request, answer = (kind() for kind in MESSAGES._classes(f"{SERVICE}ModelInfer"))
    request.ParseFromString(content)
    if request.model_name != "sum":
        context.abort(grpc.StatusCode.NOT_FOUND, f"unknown model {request.model_name}")
    values = {one.name: list(one.contents.fp64_contents or one.contents.int64_contents) for one in request.inputs}
    scores = [a + 10 * b for a, b in zip(values["a"], values["b"], strict=True)]
    answer.model_name, answer.model_version = "sum", "3"
    output = answer.outputs.add(name="score", datatype="FP64", shape=[len(scores)])
    output.contents.fp64_contents.extend(scores)
    return answer.SerializeToString()


class Handler(grpc.GenericRpcHandler):
    def service(self, call):
        known = {f"{SERVICE}ModelReady": ready, f"{SERVICE}ModelInfer": infer}
        return known.get(call.method) and grpc.unary_unary_rpc_method_handler(known[call.method])


if __name__ == "__main__":
    server = grpc.server(ThreadPoolExecutor(16), handlers=[Handler()])
    server.add_insecure_port(f"127.0.0.1:{PORT}")
    server.start()
    server.wait_for_termination()

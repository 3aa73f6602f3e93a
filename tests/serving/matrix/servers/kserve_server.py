"""KServe's own application on the loopback address: its ModelServer would listen on all of them."""

import numpy as np
import uvicorn
from fastapi import FastAPI
from kserve import InferOutput, InferResponse, Model
from kserve.model_repository import ModelRepository
from kserve.protocol.dataplane import DataPlane
from kserve.protocol.model_repository_extension import ModelRepositoryExtension
from kserve.protocol.rest.server import RESTServer
from model import folder_and_port, trained


class Iris(Model):
    def __init__(self, model):
        super().__init__("iris")
        self.model, self.ready = model, True

    def predict(self, payload, headers=None, response_headers=None):
        if isinstance(payload, dict):
            return {"predictions": self.model.predict_proba(payload["instances"]).tolist()}
        scores = self.model.predict_proba(np.asarray(payload.inputs[0].as_numpy()))
        output = InferOutput(name="p", shape=list(scores.shape), datatype="FP64", data=scores.ravel().tolist())
        return InferResponse(response_id=payload.id or "1", model_name="iris", infer_outputs=[output])


folder, port = folder_and_port()
repository = ModelRepository()
repository.update(Iris(trained(folder)))
if port:
    rest = RESTServer("app", DataPlane(repository), ModelRepositoryExtension(repository), port)
    app = FastAPI()
    rest._register_endpoints(app)
    rest._add_exception_handlers(app)
    uvicorn.run(app, host="127.0.0.1", port=port)

"""A Ray Serve deployment on the loopback address."""

import time

import ray
from model import folder_and_port, trained
from ray import serve
from starlette.requests import Request

folder, port = folder_and_port()
model = trained(folder)


@serve.deployment(num_replicas=1, ray_actor_options={"num_cpus": 0.5})
class Iris:
    def __init__(self, model):
        self.model = model

    async def __call__(self, request: Request):
        rows = await request.json()
        return {"scores": self.model.predict_proba([list(row.values()) for row in rows]).tolist(), "version": "v3"}


if port:
    ray.init(num_cpus=2, include_dashboard=False, object_store_memory=100_000_000, _temp_dir=str(folder / "ray"))
    serve.start(http_options={"host": "127.0.0.1", "port": port})
    serve.run(Iris.bind(model), route_prefix="/")
    while True:
        time.sleep(1)

"""A LitServe API: one row a request."""

import litserve
import numpy as np
from model import folder_and_port, trained


class Iris(litserve.LitAPI):
    def setup(self, device):
        self.model = model

    def decode_request(self, request):
        return np.asarray(request["input"], dtype=float)

    def predict(self, row):
        return self.model.predict_proba(row[None])[0]

    def encode_response(self, output):
        return {"output": output.tolist()}


folder, port = folder_and_port()
model = trained(folder)
if __name__ == "__main__" and port:
    server = litserve.LitServer(Iris(), accelerator="cpu", workers_per_device=1, model_metadata={"version": "7"})
    server.run(host="127.0.0.1", port=port, generate_client_file=False, num_api_servers=1)

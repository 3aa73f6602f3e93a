"""Seldon Core's wrapper on the loopback address: its command would listen on all of them."""

from model import folder_and_port, trained
from seldon_core.metrics import SeldonMetrics
from seldon_core.wrapper import get_rest_microservice


class Iris:
    def __init__(self, model):
        self.model = model

    def predict(self, rows, names=None, meta=None):
        return self.model.predict_proba(rows)


folder, port = folder_and_port()
model = trained(folder)
if port:
    get_rest_microservice(Iris(model), SeldonMetrics()).run(host="127.0.0.1", port=port)

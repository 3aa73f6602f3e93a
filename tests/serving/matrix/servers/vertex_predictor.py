"""A predictor of Vertex AI's custom prediction routines."""

import joblib
from google.cloud.aiplatform.prediction.predictor import Predictor


class Iris(Predictor):
    def load(self, artifacts_uri):
        self.model = joblib.load("model.joblib")

    def preprocess(self, prediction_input):
        return prediction_input["instances"]

    def predict(self, instances):
        return self.model.predict_proba(instances)

    def postprocess(self, prediction_results):
        return {"predictions": prediction_results.tolist()}

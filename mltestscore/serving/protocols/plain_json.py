"""Plain JSON: ``POST /predict`` with ``{"rows": [{…}]}``, answered by ``{"scores": […], "version": "…"}``.

The usual shape of a hand-written Flask or FastAPI server; path and names are settings (dotted for nested ones).
"""

from __future__ import annotations

from dataclasses import dataclass

from mltestscore.serving.protocols.answers import Columns, Prediction, as_rows, at, scores


@dataclass(frozen=True)
class PlainJson:
    """Settings of the plain JSON protocol.

    Attributes:
        path: where rows are posted.
        rows_field: the request's key for the list of rows; empty: the body is the list.
        scores_field: the answer's key for the list of scores; empty: the body is the list.
        version_field: the answer's and the status route's key for the model version; empty: none.
        health: the status route, for example ``"/health"``; empty: none, a prediction alone shows readiness.
        column: which of a row's class scores is the score; ``None``: all of them.
    """

    path: str = "/predict"
    rows_field: str = "rows"
    scores_field: str = "scores"
    version_field: str = "version"
    health: str = ""
    column: int | None = None

    @property
    def predict_path(self) -> str:
        """Where rows are posted."""
        return self.path

    @property
    def status_path(self) -> str:
        """The health route, if there is one."""
        return self.health

    def encode(self, columns: Columns) -> object:
        """Return the rows as a list of objects under ``rows_field``."""
        rows = as_rows(columns)
        return {self.rows_field: rows} if self.rows_field else rows

    def decode(self, body: object, rows: int) -> Prediction:
        """Read the scores under ``scores_field``."""
        return Prediction(scores(at(body, self.scores_field), rows, self.column), self.version(body))

    def ready(self, body: object) -> bool:
        """Any answer with HTTP status 200 will do: health routes have no common body."""
        return True

    def version(self, body: object) -> str:
        """Return what stands under ``version_field``, if anything does."""
        try:
            return str(at(body, self.version_field)) if self.version_field else ""
        except ValueError:
            return ""

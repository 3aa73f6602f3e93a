"""The end of the pipeline: the answers of its server, or of its last file, beside the scores of the model it made."""

from __future__ import annotations

import json
import math
import tempfile
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from time import monotonic
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from mltestscore.codetests.sandbox import Done, environment, run_python
from mltestscore.errors import InputError, near
from mltestscore.inputs.pipeline import TABLE, Answers, Pipeline
from mltestscore.integration.places import digests, files_of, table
from mltestscore.integration.rows import as_text
from mltestscore.integration.stages import StageRun, words

if TYPE_CHECKING:
    from mltestscore.inputs.endpoint import Answer

MOST_ROWS = 1_000
LOADING = 120.0  # seconds for loading the model and scoring the rows
SETTING = "[tool.mltestscore.pipeline.answers]"


@dataclass(frozen=True)
class Answered:
    """What came out at the end.

    Attributes:
        scores: one for each row asked for; NaN where none came.
        own: the scores of the model that this run made, for the same rows; ``None`` where it is not told.
        sent: columns that were sent.
        version: the version that the server names, if any.
        model: digest of the model's files.
    """

    scores: tuple[float, ...]
    own: tuple[float, ...] | None = None
    sent: tuple[str, ...] = ()
    version: str = ""
    model: str = ""

    @property
    def silent(self) -> int:
        """Rows that got no finite score."""
        return sum(not math.isfinite(score) for score in self.scores)

    def strange(self, tolerance: float) -> int | None:
        """Return how many scores are not those of the model that this run made."""
        return None if self.own is None else differing(self.scores, self.own, tolerance)


def differing(scores: Sequence[float], others: Sequence[float], tolerance: float) -> int:
    """Return how many scores differ; no score equals no score."""
    if len(scores) != len(others):
        return max(len(scores), len(others))
    close = np.isclose(np.array(scores), np.array(others), rtol=tolerance, atol=tolerance, equal_nan=True)
    return int((~close).sum())


def served_and_own(
    pipeline: Pipeline, copy: Path, send: Sequence[str] = (), *, compare: bool = True
) -> tuple[StageRun | None, Answered | None]:
    """Ask for answers in a copy in which all stages but a server have run; the run of the server comes with them.

    Args:
        pipeline: the pipeline.
        copy: where it ran.
        send: columns to send, where that is known already.
        compare: whether the model's own scores are wanted.

    Raises :class:`InputError` for rows, models or expected scores that cannot be read.
    """
    answers = pipeline.answers
    if answers is None:
        return None, None
    frame = _table(copy, answers.ask, "ask").head(MOST_ROWS)
    if frame.empty:
        raise InputError(f"{SETTING} ask: {answers.ask} has no rows; give at least one.")
    if not pipeline.stages[-1].serves:
        own, _ = _own(pipeline, answers, copy, frame) if compare else (None, ())
        scores = _scores(copy, answers, answers.file, frame)
        return None, Answered(scores, own, (), "", _model_digest(copy, answers))
    with ThreadPoolExecutor(1) as pool:  # the model loads while the server starts
        scored = pool.submit(_own, pipeline, answers, copy, frame) if compare else None

        def columns() -> tuple[str, ...]:
            return tuple(send) or answers.send or (scored.result()[1] if scored else ())

        stage, answer, sent = _ask(pipeline, answers, copy, frame, columns)
        if answer is None:
            return stage, None
        own = scored.result()[0] if scored else None
    scores = tuple(map(float, answer.scores[:, -1] if answer.scores.ndim == 2 else answer.scores))
    return stage, Answered(scores, own, sent, answer.version, _model_digest(copy, answers))


def _ask(
    pipeline: Pipeline, answers: Answers, copy: Path, frame: pd.DataFrame, columns: Callable[[], tuple[str, ...]]
) -> tuple[StageRun, Answer | None, tuple[str, ...]]:
    """Start the server, ask it, stop it; return its run, the answer (``None`` where it gave none) and what was sent."""
    from mltestscore.inputs.endpoint import open_endpoint

    stage, began = pipeline.stages[-1], monotonic()
    for place in stage.reads:
        if not files_of(copy, place):
            raise InputError(
                f"{TABLE} stages: {stage.name!r:.80} reads {place!r:.200}, which no stage has written. Correct the "
                "path, or let the stage before write it."
            )
    wire = dict(answers.wire)
    wire["ready_timeout"] = min(wire.get("ready_timeout", 30.0), stage.timeout)

    def failed(error: InputError) -> StageRun:
        return StageRun(stage, Done(1, str(error).removeprefix("endpoint: ")[-2000:], monotonic() - began))

    try:
        command, variables = words(pipeline, stage), environment(copy, pipeline.folder)
        endpoint = open_endpoint(command=command, cwd=copy, env=variables, **wire)
    except InputError as error:
        return failed(error), None, ()
    with closing(endpoint):
        sent = columns() or tuple(map(str, frame.columns))
        _require(frame, sent, "send")
        endpoint.features = sent
        try:
            answer = endpoint.predict(frame)
        except InputError as error:
            return failed(error), None, ()
    return StageRun(stage, Done(0, "", monotonic() - began)), answer, sent


def _own(
    pipeline: Pipeline, answers: Answers, copy: Path, frame: pd.DataFrame
) -> tuple[tuple[float, ...] | None, tuple[str, ...]]:
    """Return the scores of the model that this run made, and the columns that it takes."""
    if answers.expected:
        return _scores(copy, answers, answers.expected, frame), ()
    if not answers.model:
        return None, ()
    with tempfile.TemporaryDirectory() as name:
        work = Path(name)
        frame.to_parquet(work / "served.parquet", index=False)
        request = {"model": str(copy / answers.model), "loading": dict(pipeline.loading)}
        (work / "request.json").write_text(json.dumps(request), encoding="utf-8")
        arguments = ["-m", "mltestscore.features.rehearsal_process", name]
        done = run_python(arguments, sandbox=copy, home=pipeline.folder, timeout=LOADING)
        if done.code != 0:
            how = f"failed (status {done.code})" if done.code else f"was stopped after {done.seconds:.0f} s"
            raise InputError(f"{SETTING} model: loading {answers.model} {how}. It said:\n{done.said}")
        found = json.loads((work / "result.json").read_text(encoding="utf-8"))
    _require(frame, found["features"], "ask")
    if found["scores"] is None:
        raise InputError(
            f"{SETTING} model: {answers.model} cannot score the rows of {answers.ask}; are they its features?"
        )
    return tuple(math.nan if score is None else float(score) for score in found["scores"]), tuple(found["features"])


def _scores(copy: Path, answers: Answers, place: str, frame: pd.DataFrame) -> tuple[float, ...]:
    """Return the scores in a file, in the order of the rows asked for; NaN where it has none."""
    held = _table(copy, place, "file or expected")
    _require(held, (answers.score, *answers.key), f"{place}:")
    scores = pd.to_numeric(held[answers.score], errors="coerce").astype(float)
    if not answers.key:
        given = scores.reindex(range(len(frame))) if len(held) <= len(frame) or len(frame) == MOST_ROWS else scores
        return tuple(given.tolist())
    _require(frame, answers.key, "key")
    by_key = dict(zip(_named(held, answers.key), scores, strict=True))
    return tuple(by_key.get(name, math.nan) for name in _named(frame, answers.key))


def _named(frame: pd.DataFrame, key: Sequence[str]) -> list[tuple[str, ...]]:
    return list(zip(*(as_text(frame[name]) for name in key), strict=True))


def _table(copy: Path, place: str, setting: str) -> pd.DataFrame:
    try:
        return table(copy, place).frame().reset_index(drop=True)
    except InputError as error:
        raise InputError(f"{SETTING} {setting}: {error}") from None


def _require(frame: pd.DataFrame, columns: Sequence[str], setting: str) -> None:
    for name in columns:
        if name not in frame.columns:
            raise InputError(f"{SETTING} {setting}: there is no column {name!r:.80}.{near(name, frame.columns)}")


def _model_digest(copy: Path, answers: Answers) -> str:
    from mltestscore.integration.places import whole_digest

    return whole_digest(digests(copy, answers.model)) if answers.model else ""

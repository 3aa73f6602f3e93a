"""The scorecard: the one JSON document that a run produces and every report is made from.

``python -m mltestscore.scorecard`` prints its JSON Schema, published as ``reports/json/scorecard.schema.json``.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any, Literal

from pydantic import Field, ValidationError

from mltestscore.errors import InputError
from mltestscore.result import CheckResult, InputFact, Record

SCHEMA_VERSION = 1

Section = Literal["data", "model", "infra", "monitor"]
ItemState = Literal["passed", "failed", "inconclusive", "error", "attested", "not_offered"]


class Attestation(Record):
    """A person's dated statement that an item was checked by hand, documented and distributed: worth half a point."""

    item: str
    by: str
    date: str
    expires: str
    link: str
    statement: str = ""
    days_left: int = 0


class Waiver(Record):
    """A dated decision to live with an item as it is; it never changes the score, only what a gate does with it."""

    item: str
    kind: Literal["accepted", "not-applicable"]
    reason: str
    owner: str
    date: str
    expires: str
    link: str
    days_left: int = 0


class Rejected(Record):
    """An attestation or waiver that does not count, with the reason."""

    item: str
    what: Literal["attestation", "waiver"]
    source: str
    reason: str


class ItemResult(Record):
    """A rubric item with all that this run knows of it. Texts come from ``rubric.toml``."""

    id: str
    section: Section
    title: str
    question: str
    why: str
    evidence: str = Field(description="What counts as evidence.")
    person: str = Field(description="What a person must still judge.")
    effort: Literal["low", "medium", "high"]
    remedy: str
    source: str
    state: ItemState
    credit: float = Field(ge=0, le=1)
    credit_reason: str = Field(description="Why this credit and not more.")
    checks: list[CheckResult] = []
    attestations: list[Attestation] = []
    waivers: list[Waiver] = []
    rejected: list[Rejected] = []


class SectionScore(Record):
    """The sum of the credits of one section."""

    id: Section
    title: str
    value: float
    maximum: float = 7


class Readings(Record):
    """The same evidence read in other ways, each labelled; none of them is the score."""

    letter: float = Field(description="The paper's letter: an automated test counts whether it passes or fails.")
    proven: float = Field(description="Only checks that passed and proved themselves; no attestations.")
    applicable: float = Field(description="Sections rescaled over the items that are not waived as not applicable.")


class Score(Record):
    """The score under both published rules. ``value`` is the minimum of the four section sums (2017)."""

    value: float
    band: str
    rule: str
    maximum: float = 7
    sections: list[SectionScore]
    holds_back: list[Section]
    readings: Readings
    points_2016: int
    band_2016: str


class NextStep(Record):
    """The cheapest step that raises the score, or the section that holds it back."""

    item: str
    title: str
    gain: float
    effort: Literal["low", "medium", "high"]
    remedy: str


class Change(Record):
    """What differs from the previous run on record."""

    item: str
    kind: Literal["fixed", "broken", "better", "worse"]
    text: str


class TrendPoint(Record):
    """An earlier score."""

    run: str
    started: str
    value: float


class GateResult(Record):
    """A release gate's decision, with every reason in words."""

    name: str
    met: bool
    reasons: list[str] = []


class Machine(Record):
    """Where the run took place."""

    system: str = ""
    python: str = ""
    cpus: int = 0
    memory_gib: float = 0.0


class Phases(Record):
    """Wall seconds of the run."""

    total: float = 0.0
    collection: float = 0.0
    inputs: float = 0.0
    checks: float = 0.0
    faults: float = 0.0
    report: float = 0.0


class Run(Record):
    """The facts of the run."""

    id: str
    started: str = Field(description="UTC, ISO 8601.")
    by: Literal["CI", "hand"] = "hand"
    ci: str = Field(default="", description="Name and id of the CI run, credentials removed.")
    commit: str = ""
    branch: str = ""
    dirty: bool = False
    machine: Machine = Machine()
    versions: dict[str, str] = {}
    phases: Phases = Phases()
    incomplete: bool = Field(default=False, description="The run was cut short; checks without a result did not run.")


class Scorecard(Record):
    """Everything that a report shows; read back with :func:`load`."""

    schema_version: Literal[1] = 1
    mltestscore: str = Field(description="The version that made this file.")
    rubric: Literal["2017"] = "2017"
    system: str
    run: Run
    score: Score
    next_steps: list[NextStep] = []
    changes: list[Change] = []
    trend: list[TrendPoint] = []
    gate: GateResult | None = None
    items: list[ItemResult]
    inputs: list[InputFact] = []
    not_run: list[str] = Field(default=[], description="What was not run and why, a sentence each.")
    warnings: list[str] = []


def dump(scorecard: Scorecard) -> str:
    """Return the scorecard as JSON text: sorted keys, no NaN, the same bytes for the same content."""
    data: dict[str, Any] = scorecard.model_dump(mode="json")
    return json.dumps(data, indent=1, sort_keys=True, ensure_ascii=False, allow_nan=False) + "\n"


def load(file: Path) -> Scorecard:
    """Read a stored scorecard.

    Raises :class:`InputError` naming the file, when it cannot be read, is no scorecard, or is of a newer version.
    """
    try:
        data = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise InputError(f"{file} cannot be read as JSON: {error}. Give the scorecard.json of a run.") from None
    found = data.get("schema_version") if isinstance(data, dict) else None
    if isinstance(found, int) and found > SCHEMA_VERSION:
        raise InputError(
            f"{file} is a scorecard of version {found}; this mltestscore reads up to {SCHEMA_VERSION}: upgrade."
        )
    try:
        return Scorecard.model_validate(data)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"]))
        raise InputError(f"{file} is not a scorecard of version {SCHEMA_VERSION}: {where}: {first['msg']}.") from None


def json_schema() -> str:
    """Return the JSON Schema of ``scorecard.json``."""
    schema = Scorecard.model_json_schema()
    schema["$schema"] = "https://json-schema.org/draft/2020-12/schema"
    schema["title"] = "mltestscore scorecard, version 1"
    return json.dumps(schema, indent=1, sort_keys=True) + "\n"


if __name__ == "__main__":
    sys.stdout.write(json_schema())

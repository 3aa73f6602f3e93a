"""What one check run came to: the record that travels from a test process to the scorecard, as plain JSON."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

State = Literal["passed", "failed", "inconclusive", "not_offered", "error"]
FaultState = Literal["caught", "missed", "error"]
Origin = Literal["built-in", "team", "marked test", "existing result"]
ProofState = Literal["proven", "vacuous", "unproven"]


def storable(value: Any) -> Any:
    """Return text, and the text in lists and mappings, with lone surrogates spelt out: no file can hold them.

    >>> storable(["caf\\xe9", "caf\\udce9"])
    ['café', 'caf\\\\udce9']
    """
    if isinstance(value, str):
        return value if value.isascii() else value.encode("utf-8", "backslashreplace").decode("utf-8")
    if isinstance(value, dict):
        return {storable(key): storable(part) for key, part in value.items()}
    if isinstance(value, list | tuple):
        return [storable(part) for part in value]
    return value


class Record(BaseModel):
    """Base of all records: unknown keys are refused, so that a file of another version is noticed."""

    model_config = ConfigDict(extra="forbid")

    @model_validator(mode="before")
    @classmethod
    def _storable(cls, data: Any) -> Any:
        return storable(data)


class FindingRecord(Record):
    """A :class:`mltestscore.Finding`, flat. All numbers are finite or ``None`` (an open interval end)."""

    name: str
    where: str = ""
    value: float | None = None
    low: float | None = None
    high: float | None = None
    n: int = 0
    confidence: float | None = None
    method: str = ""
    floor: float | None = None
    ceiling: float | None = None
    unit: str = ""
    verdict: Literal["passed", "failed", "inconclusive"]
    cause: str = ""
    note: str = ""
    advisory: bool = False
    smallest_visible: float | None = None
    n_to_settle: int | None = None
    proxy: bool = Field(
        default=False, description="Whether it only estimates what it should measure: its check is worth ½ at most."
    )
    previous: float | None = Field(
        default=None, description="The value in the previous run of this check, for comparison."
    )


class DetailRecord(Record):
    """A typed detail: ``kind`` is table, series, histograms or text; ``data`` its fields."""

    kind: Literal["table", "series", "histograms", "text"]
    title: str
    data: dict[str, Any]


class FaultRecord(Record):
    """What happened when one fault was planted."""

    name: str
    state: FaultState
    by: str = Field(default="", description="The finding that caught it, as «name, where»; for an error, the message.")
    seconds: float = 0.0


class Proof(Record):
    """Whether the check can fail: proven only if every planted fault was caught and the control stayed quiet."""

    state: ProofState = "unproven"
    faults: list[FaultRecord] = []
    control: str = Field(default="", description="Why the unbroken bounded copy failed already; empty when it did not.")
    cached_from: str = Field(default="", description="Id of the run whose proof was reused; empty if planted now.")


class InputFact(Record):
    """An input as it was used: enough to tell later whether two runs saw the same thing."""

    name: str
    source: str = ""
    digest: str = ""
    rows: int | None = None
    columns: int | None = None
    note: str = ""


class Seconds(Record):
    """Wall time by phase."""

    inputs: float = 0.0
    check: float = 0.0
    faults: float = 0.0


class Drilldown(Record):
    """A closer look at a flagged feature: ``file`` lies beside the scorecard; without one, ``why`` says so."""

    feature: str
    file: str = ""
    about: str = ""
    why: str = ""


class CheckResult(Record):
    """One check on one system in one run."""

    id: str
    item: str
    node: str = Field(default="", description="The pytest node id.")
    origin: Origin = "built-in"
    state: State
    reason: str = Field(default="", description="One sentence: what was found, or what is missing and the remedy.")
    traceback: str = Field(default="", description="For an error: where it happened.")
    findings: list[FindingRecord] = []
    details: list[DetailRecord] = []
    drilldowns: list[Drilldown] = []
    proof: Proof = Proof()
    inputs: list[InputFact] = []
    options: dict[str, Any] = {}
    options_changed: list[str] = Field(default=[], description="Names of the options that differ from their defaults.")
    seconds: Seconds = Seconds()
    version: str = Field(
        default="", description="Digest of the check's code: a proof is reused only for the same code."
    )
    runs_before: int = Field(
        default=0, description="Earlier runs of this check in the history within the repetition window."
    )

    @property
    def proxy(self) -> str:
        """The name of the first finding that counts and is a proxy, or nothing."""
        return next((finding.name for finding in self.findings if finding.proxy and not finding.advisory), "")

"""Results of checks and statements of people, as the score sees them."""

from __future__ import annotations

from mltestscore.evidence import Statements
from mltestscore.result import CheckResult, FaultRecord, Proof
from mltestscore.rubric import rubric
from mltestscore.score import assemble
from mltestscore.scorecard import Attestation, ItemResult, Waiver

IDS = rubric().ids
CAUGHT = FaultRecord(name="a rule is dropped", state="caught", by="inputs without a rule")
MISSED = FaultRecord(name="nulls are let in", state="missed")
PROOFS = {
    "proven": Proof(state="proven", faults=[CAUGHT]),
    "vacuous": Proof(state="vacuous", faults=[CAUGHT, MISSED]),
    "unproven": Proof(),
}


def check(
    item: str = "data.1", state: str = "passed", proof: str = "proven", origin: str = "built-in", **facts: object
) -> CheckResult:
    return CheckResult(**{"id": item, "item": item, "state": state, "proof": PROOFS[proof], "origin": origin, **facts})


def attest(item: str = "data.1") -> Attestation:
    return Attestation(item=item, by="Ada", date="2026-11-01", expires="2027-05-01", link="https://wiki.example")


def waive(item: str, kind: str = "not-applicable") -> Waiver:
    about = {"reason": "no server", "owner": "Ada", "date": "2026-11-01", "expires": "2027-05-01", "link": "x"}
    return Waiver(item=item, kind=kind, **about)


def items_of(
    *checks: CheckResult,
    attested: tuple[str, ...] = (),
    waivers: tuple[Waiver, ...] = (),
    in_ci: bool = True,
    repeated_runs: int = 3,
) -> list[ItemResult]:
    statements = Statements(tuple(map(attest, attested)), waivers)
    return assemble(checks, statements, in_ci=in_ci, repeated_runs=repeated_runs)

"""From a gate's exam to findings: what it let through, whom it turned away, and whether deployment heeds it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from mltestscore import contest
from mltestscore.details import Table
from mltestscore.features import leakage
from mltestscore.finding import Finding, at_most, undecided
from mltestscore.inputs.dataset import Dataset
from mltestscore.inputs.validator import TABLE, Validator
from mltestscore.validation.exam import ATTEMPTS, SHUFFLED, Asked, Exam
from mltestscore.validation.recipes import LARGEST
from mltestscore.validation.workflow import read_workflow

ACCEPTED = "bad candidates that the gate accepts"
ITSELF = "candidates accepted with themselves as baseline"
EQUAL = "equal candidates refused in a row"
AROUND = "ways around the gate"
PACKAGED = "rows that a package scores otherwise than the model that was packaged"
LOST = "quality lost against the version before"
MOST_TRAINED = 500_000


def bad_ones(exam: Exam) -> Iterator[Finding]:
    """Yield for each bad candidate whether the gate accepts it."""
    slices = [one for one in exam.bad if one.of_slice]
    yield from (_bad(one) for one in exam.bad if not one.of_slice)
    if not slices:
        why = (
            f"no slice holds at least {exam.strict.min_rows} rows on both sides and at most {LARGEST:.0%} of all; "
            f"name some that the gate guards in slices under {TABLE}"
        )
        yield undecided(ACCEPTED, why, where="one slice ruined")
    elif exam.validator.slices:
        yield from map(_bad, slices)
    else:
        yield _some_slice(slices)


def _bad(one: Asked) -> Finding:
    if not one.bad:
        return undecided(ACCEPTED, one.why, where=one.name)
    if one.verdict.answer == "none":
        return (
            undecided(ACCEPTED, f"the gate {one.verdict.ending}: {one.verdict.last_words}", where=one.name)
            if (one.verdict.done.code is None or not one.one.error)
            else at_most(ACCEPTED, 0, 0, where=one.name, n=1, note="the gate ends with an error, and accepts nothing")
        )
    accepted = one.verdict.answer in ("accepts", "same")
    cause = "" if not accepted else f"at least {one.harm:.2g} worse" if one.harm is not None else "it cannot be loaded"
    return at_most(ACCEPTED, int(accepted), 0, where=one.name, n=1, cause=cause)


def _some_slice(slices: Sequence[Asked]) -> Finding:
    """Judge slices that nobody has declared: a gate may guard other ones than we would choose."""
    name = "one slice ruined"
    answers = {one.verdict.answer for one in slices if one.bad}
    told = "; ".join(f"{one.name}: {_in_words(one)}" for one in slices)
    if answers in ({"accepts"}, {"refuses"}):
        count = sum(one.bad for one in slices)
        return at_most(ACCEPTED, count * ("accepts" in answers), 0, where=name, n=count, cause=told)
    return undecided(ACCEPTED, f"{told}; name the slices that the gate guards in slices under {TABLE}", where=name)


def itself(exam: Exam) -> Finding:
    """Say whether the gate accepts a candidate as better than itself."""
    if not exam.validator.asks_for_baseline:
        why = f"the command names no {{baseline}}; let it say with what the candidate is compared, under {TABLE}"
        return undecided(ITSELF, why)
    verdict = exam.itself
    if verdict.answer == "none":
        return undecided(ITSELF, f"the gate {verdict.ending}: {verdict.last_words}")
    accepted = verdict.answer == "accepts"
    cause = "a baseline that points to the candidate makes the comparison empty, and nobody is told" if accepted else ""
    note = "accepted, and reported as one model" if verdict.answer == "same" else ""
    return at_most(ITSELF, int(accepted), 0, n=1, cause=cause, note=note)


def equals(exam: Exam) -> Finding:
    """Say whether an equal candidate is ever accepted."""
    tried = exam.equals
    if not tried:
        return undecided(EQUAL, "packages made from different rows with different seeds are the same, byte for byte")
    refused = sum(verdict.answer != "accepts" for _, verdict in tried)
    if refused < len(tried):
        note = "one refusal may be chance: the next candidate is tried" if refused else ""
        return at_most(EQUAL, refused, ATTEMPTS - 1, n=len(tried), note=note)
    if not exam.validator.asks_for_baseline:
        why = f"the command names no {{baseline}}, so that all {refused} were held against what we do not know"
        return undecided(EQUAL, why)
    released = exam.released
    if released is not None and released.answer == "accepts":
        why = (
            f"the gate accepts the released model, and none of {refused} candidates made from "
            f"{exam.validator.rows:,} training rows: they miss a fixed limit. Raise rows under {TABLE}"
        )
        return undecided(EQUAL, why)
    last = tried[-1][1]
    said = "it reports two models as one" if last.answer == "same" else f"it said: {last.last_words}"
    return at_most(EQUAL, refused, min(ATTEMPTS, len(tried)) - 1, n=len(tried), cause=said)


def packaging(exam: Exam, tolerance: float) -> Finding:
    """Say whether packages score as the models that were packaged."""
    differing, rows = exam.strange(tolerance)
    if not rows:
        why = f"package gives only a path; let it return (path, fitted model), under {TABLE}, to have both compared"
        return undecided(PACKAGED, why)
    return at_most(PACKAGED, differing, 0, n=rows)


def deployment(exam: Exam) -> Iterator[Finding]:
    """Yield what leads to a deployment without the gate's consent."""
    gate = exam.validator
    if gate.deploy:
        yield _deployed(exam)
    if gate.workflow:
        read = read_workflow(gate)
        where = gate.workflow_name
        if read.doubt and not read.ways:
            yield undecided(AROUND, read.doubt, where=where)
        else:
            yield at_most(AROUND, len(read.ways), 0, where=where, n=1, cause="; ".join(read.ways[:3]))
    if not gate.deploy and not gate.workflow:
        why = f"nothing says what deploys; offer deploy = […] or workflow, gate_job and deploy_job under {TABLE}"
        yield undecided(AROUND, why)


def _deployed(exam: Exam) -> Finding:
    where = "deploy command"
    refused = next(one.verdict for one in exam.bad if one.name == SHUFFLED.name)
    ways = []
    if refused.deployed_before:
        ways.append("a candidate with shuffled labels is deployed although the gate has not seen it")
    if refused.deployed and refused.answer != "accepts":
        ways.append("a candidate with shuffled labels is deployed although the gate has refused it")
    accepted = next((verdict for _, verdict in exam.equals if verdict.answer == "accepts"), None)
    if not ways and accepted is None:
        return undecided(AROUND, "the gate accepts no candidate, so that none can be deployed", where=where)
    if not ways and accepted is not None and not accepted.deployed:
        said = accepted.deployment.strip().rsplit("\n", 1)[-1][:200]
        return undecided(AROUND, f"even an accepted candidate is not deployed. The command said: {said}", where=where)
    return at_most(AROUND, len(ways), 0, where=where, n=2, cause="; ".join(ways))


def contamination(
    validator: Validator, training: Dataset, holdout: Dataset, twins: float, alpha: float
) -> Iterator[Finding]:
    """Yield the rows by which the gate judges that stand in training too."""
    judged = validator.judged_on or holdout
    names = [name for name in judged.features if name in training.columns]
    if not names:
        judged.require(*training.features)
    sides = [contest.labelled(side, names, MOST_TRAINED) for side in (training, judged)]
    yield from leakage.repeated(leakage.Split(sides[0], sides[1], judged.roles, names), twins, alpha)


def verdict_table(exam: Exam) -> Table:
    """Return everything that the gate was asked, and what it said."""
    metric = exam.scale.metric
    rows: list[tuple[str, float | None, float | None, str, float, str]] = []
    for name, verdict in exam.equals:
        rows.append((name, None, None, _answer(verdict.answer), round(verdict.done.seconds, 1), verdict.last_words))
    for one in exam.bad:
        drop = exam.scale.drop(one.one, exam.base, exam.strict.alpha)
        shown = None if drop is None else round(drop.value, 4)
        quality, verdict = exam.scale.quality(one.one), one.verdict
        known = None if quality is None else round(quality, 4)
        rows.append((one.name, known, shown, _in_words(one), round(verdict.done.seconds, 1), verdict.last_words))
    base = exam.scale.quality(exam.base)
    best = "unknown" if base is None else f"{base:.4f}"
    columns = ("candidate", metric, "worse by", "the gate", "seconds", "its last line")
    return Table(f"Candidates; the baseline has {metric} {best} on {len(exam.scale.truth):,} rows", columns, rows)


def _in_words(one: Asked) -> str:
    return _answer(one.verdict.answer) + ("" if one.bad else " (not shown to be bad)")


def _answer(answer: str) -> str:
    return {"same": "accepts, as the same model", "none": "gives no verdict"}.get(answer, answer)

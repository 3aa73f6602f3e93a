"""One check an input, each of which does no more than ask for it; and what they said after a run."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import pytest

Reasons = Callable[..., dict[str, str]]

HEADER = """
from concurrent.futures import ThreadPoolExecutor
from mltestscore import at_most, check
from mltestscore.errors import InputError

@check("data.6", id="sound")
def check_sound():
    yield at_most("sound", 0, 1)
"""

INPUT = """
@check("data.7", id="{name}")
def check_uses_{name}({name}):
    yield at_most("opened", 0, 1)
"""

SPECIAL = {
    "past": """
from datetime import UTC, datetime

@check("data.7", id="past")
def check_uses_past(clock):
    yield at_most("days", (datetime(2026, 12, 1, tzinfo=UTC) - clock).days, 30)
""",
    "prediction": """
@check("data.7", id="prediction")
def check_uses_prediction(model, training):
    yield at_most("rows", len(model.predict(training.frame())), 100)
""",
    "answer": """
@check("data.7", id="answer")
def check_uses_answer(endpoint, training):
    yield at_most("rows", len(endpoint.predict(training.frame(limit=3)).scores), 3)
""",
    # All at once: each training is a process that first imports its libraries.
    "all_trainings": """
def outcome_of(trainer, training, name, timeout):
    try:
        return trainer.replace(name).train(training, training.frame(), seed=1, hash_seed=1, timeout=timeout)
    except InputError as error:
        return f"{name}: {error}"

@check("data.7", id="all_trainings")
def check_uses_all_trainings(trainer, training):
    names = ["training:trian", "trainig:train", "training:train", "training:raises", "training:hangs", "training:ends"]
    with ThreadPoolExecutor(2) as pool:
        said = pool.map(lambda name: outcome_of(trainer, training, name, 6 if "hangs" in name else 60), names)
        raise InputError("\\n".join(map(str, said)))
    yield
""",
}


def uses(names: Iterable[str]) -> str:
    """Return a check file with a check that is sound, and one for each named input."""
    return HEADER + "".join(SPECIAL.get(name) or INPUT.format(name=name) for name in names)


def told(project, outcome: pytest.RunResult) -> dict[str, str]:
    """Return the reason of each check that came to an error, by its id.

    Along the way: the sound check passed, each reason is in pytest's output too, and there is no traceback anywhere.
    """
    text = "\n".join([*outcome.outlines, *outcome.errlines])
    assert "Traceback" not in text
    assert "INTERNALERROR" not in text
    results = {check["id"]: check for item in project.scorecard()["items"] for check in item["checks"]}
    assert results.pop("sound")["state"] == "passed"
    reasons = {id: check["reason"] for id, check in results.items() if check["state"] == "error"}
    assert outcome.ret == (pytest.ExitCode.TESTS_FAILED if reasons else pytest.ExitCode.OK)
    assert [id for id, check in results.items() if check["traceback"]] == []
    for id, reason in reasons.items():
        assert f"{id} error: {reason}" in text
    return reasons

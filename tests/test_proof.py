"""A planted fault is caught by the first finding that shows it, and what was proved of the same is remembered."""

from __future__ import annotations

from types import SimpleNamespace

import pandas as pd
import pytest

from mltestscore import at_most, check, fault
from mltestscore.declare import declared_check
from mltestscore.engine import run
from mltestscore.errors import ConfigError
from mltestscore.inputs.dataset import Roles, open_dataset
from mltestscore.proof import Proving, copies_of
from mltestscore.result import Proof
from mltestscore.testing import run_check

seen: list[str] = []


@check("data.1")
def check_lengths(rows, *, most=3):
    seen.append("begun")
    try:
        yield at_most("longest", max(map(len, rows)), most)
        seen.append("went on")
        yield at_most("rows", len(rows), 5)
    finally:
        seen.append("ended")


@fault(check_lengths, "one is far too long", caught_by="longest")
def long_row(rows):
    return {"rows": [*rows, "x" * 99]}


@fault(check_lengths, "one is too long, among far too many", caught_by="rows")
def many_rows(rows):
    return {"rows": [*rows, "x" * 99, *["y"] * 9]}


def test_the_check_ends_at_the_finding_that_catches_the_fault():
    seen.clear()
    proof = run_check(check_lengths, rows=["a", "b"]).proof
    assert [(one.state, one.by) for one in proof.faults] == [("caught", "longest"), ("caught", "rows")]
    whole, cut = ["begun", "went on", "ended"], ["begun", "ended"]
    assert seen == [*whole, *whole, *cut, *whole]  # the check, its control, and a fault each: one failure is not enough


class Known(tuple):
    """An input whose content is known."""

    digest = property("".join)


class Store(dict):
    """Where proofs are remembered; ``broken`` as a disk that is full."""

    broken = False

    def proof(self, key: str) -> tuple[str, Proof] | None:
        if self.broken:
            raise ConfigError("the history cannot be read")
        return self.get(key)

    def remember(self, key: str, proof: Proof, run_id: str) -> None:
        if self.broken:
            raise ConfigError("the history cannot be written")
        self[key] = (run_id, proof)


@check("data.1")
def check_longest(texts, *, most=3):
    yield at_most("longest", max(map(len, texts)), most)


@fault(check_longest, "one is far too long")
def far_too_long(texts):
    return {"texts": ["x" * 99]}


def proven(store: Store, run_id: str, texts: object = Known("ab"), **options: int) -> Proof:
    return run(declared_check(check_longest), {"texts": texts}, options, proving=Proving(20, store, run_id))[0].proof


def test_a_proof_is_remembered_for_the_same_content_and_options():
    store = Store()
    assert proven(store, "r1").cached_from == ""
    assert [(made, proof.state) for made, proof in store.values()] == [("r1", "proven")]
    assert (proven(store, "r2").cached_from, proven(store, "r2").state) == ("r1", "proven")
    assert proven(store, "r3", Known("ac")).cached_from == ""
    assert proven(store, "r4", most=4).cached_from == ""
    assert sorted(made for made, _ in store.values()) == ["r1", "r3", "r4"]


def test_a_proof_that_missed_a_fault_or_is_of_unknown_content_is_made_anew():
    store = Store()
    assert proven(store, "r1", most=100).state == "vacuous"
    assert proven(store, "r2", ["a", "b"]).state == "proven"
    assert store == {}


@check("data.2")
def check_enough_late(training, *, least=10):
    late = int(training.frame()["late"].sum())
    yield at_most("early", 0 if late < least else late - training.frame()["seen"].sum(), 0)


@fault(check_enough_late, "none is seen")
def none_seen(training):
    return {"training": training.replace(training.frame().assign(seen=0))}


@pytest.mark.parametrize(("rows", "state"), [(1_000, "proven"), (100, "vacuous")])
def test_a_fault_of_rare_events_that_a_small_copy_hides_is_planted_on_ten_times_as_many_rows(rows, state):
    frame = pd.DataFrame({"id": range(rows)}).assign(late=lambda one: (one["id"] % 20 == 0).astype(int))
    training = open_dataset("training", frame.assign(seen=frame["late"]), Roles(key=("id",)))
    found = run(declared_check(check_enough_late), {"training": training}, {}, proving=Proving(100, None, "r"))[0]
    assert found.proof.state == state


def test_a_store_that_fails_costs_no_proof():
    store = Store()
    store.broken = True
    assert proven(store, "r1").state == "proven"


@pytest.mark.parametrize(
    ("task", "cluster", "copied"),
    [("binary", "", ("rows", 20)), ("ranking", "query", ("whole queries", 20)), ("ranking", "", None)],
)
def test_copies_of_a_ranking_are_whole_queries(task, cluster, copied):
    def sample(rows: int, together: bool = False) -> tuple[str, int]:
        return ("whole queries" if together else "rows", rows)

    given = SimpleNamespace(roles=Roles(cluster=cluster), sample=sample)
    copies = copies_of({"model": SimpleNamespace(task=task), "holdout": given, "age": 3}, 20)
    assert copies["holdout"] == (copied or given)
    assert copies["age"] == 3

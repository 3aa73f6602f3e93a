"""Drills on real servers: their last run is on record (``drills.md``), and was what it had to be."""

import pytest

from mltestscore.rollback.servers import operations_named
from tests.serving.matrix import runner as matrix

from .drills import runner
from .drills.page import KEPT
from .drills.systems import SYSTEMS


@pytest.mark.parametrize("system", SYSTEMS, ids=lambda system: system.name)
def test_drill_is_pinned_and_its_last_run_found_what_it_must(system):
    (line,) = [line for line in system.table if line.startswith("server = ")]
    operations_named(line.removeprefix("server = ").strip('"'))
    pins = (matrix.HERE / "requirements" / f"{system.requirements or system.name}.txt").read_text(encoding="utf-8")
    assert all("==" in pin for pin in pins.splitlines()[1:])
    row = runner.Row(**KEPT.rows()[system.name])
    assert row.right
    assert row.version in {f"{system.package} {pin.partition('==')[2]}" for pin in pins.splitlines()}
    assert (row.state == "passed") == (system.finds is None)


def test_page_is_made_of_the_record():
    assert KEPT.written() == KEPT.page(KEPT.rows())


def test_time_outs_of_a_hot_redeploy_are_on_record_and_their_remedy():
    found, remedy = (KEPT.rows()[name] for name in ("torchserve_hot", "torchserve_apart"))
    assert found["timed_out"] == found["failed"] > 0
    assert "holds up a thread that answers requests" in found["result"]
    assert (remedy["failed"], remedy["timed_out"]) == (0, 0)

"""``data.7`` on a small project whose tests and whose two paths are bent one at a time, all in real processes."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

import psutil
import pytest

from mltestscore.result import CheckResult, FindingRecord
from mltestscore.testing import run_check
from tests.codetests.shop import BASKET, PATHS, TESTS, features, untested, write

FAILING, UNRUN, COVERED = "failing tests", "functions that no test runs", "statements and branches that tests run"
NOTICED, UNNOTICED = "changes of the code that a test notices", "functions in which no change is noticed"
ORDER, AGREE = "frames in another order that get other features", "frames on which batch and online path disagree"
TOTAL, UNTOUCHED = "frames of raw rows that a path refuses", "frames that the batch path changes for its caller"
REPEATED, SIZE = (
    "frames that get other features the second time",
    "rows that get other features alone than among others",
)


def run(code: Any, prove: bool = False, **options: Any) -> CheckResult:
    return run_check("data.7", features=code, prove=prove, options={"mutants": 8, "examples": 3} | options)


def failed(result: CheckResult) -> dict[str, FindingRecord]:
    return {found.name: found for found in result.findings if found.verdict == "failed"}


@pytest.mark.slow
def test_sound_code_with_sound_tests_passes_and_every_planted_fault_is_caught(tmp_path):
    result = run_check("data.7", features=features(write(tmp_path)))
    assert (result.state, result.reason) == ("passed", result.reason)
    assert result.proof.state == "proven", result.proof
    assert len(result.proof.faults) == 4
    edges = next(detail for detail in result.details if detail.title.startswith("Edges")).data["body"]
    assert all(word in edges for word in ("midnight", "leap day", "change of the clock"))


def test_without_the_input_it_is_not_offered():
    assert run_check("data.7").state == "not_offered"


def test_a_failing_test_fails_with_its_name_and_nothing_is_changed(tmp_path):
    broken = BASKET.replace("price < 10", "price <= 10")
    result = run(untested(write(tmp_path, basket=broken)))
    assert result.state == "failed"
    assert "test_is_cheap[10-False]" in failed(result)[FAILING].cause
    assert NOTICED not in {found.name for found in result.findings}


def test_a_function_without_a_test_is_named(tmp_path):
    tests = TESTS[: TESTS.index('@pytest.mark.parametrize(("price"')].replace("is_cheap, ", "")
    result = run(untested(write(tmp_path, tests=tests)))
    assert failed(result)[UNRUN].cause == "shop/basket.py: is_cheap"


def test_a_function_that_is_excluded_from_coverage_needs_no_test(tmp_path):
    report = "\n\ndef report(x):  # pragma: no cover\n    return x + 1 if x > 2 else x - 1\n"
    result = run(untested(write(tmp_path, basket=BASKET + report)), mutants=30)
    assert result.state == "passed", result.reason


def test_tests_that_compare_nothing_in_one_function_fail_with_its_name(tmp_path):
    tests = TESTS.replace("    assert part_of_day(hour) == part", "    part_of_day(hour)")
    result = run(untested(write(tmp_path, tests=tests)), mutants=30)
    found = failed(result)[UNNOTICED]
    assert found.cause.startswith("shop/basket.py: part_of_day (")
    (table,) = [detail for detail in result.details if detail.title == "Changes that no test notices"]
    assert ["return (hour + 1) // 6", "return (hour - 1) // 6"] in [row[3:5] for row in table.data["rows"]]


def test_tests_that_compare_nothing_at_all_fail(tmp_path):
    result = run(untested(write(tmp_path)).deafened(), mutants=10)
    assert (failed(result)[NOTICED].value, failed(result)[NOTICED].n) == (0, 10)


def test_few_changes_decide_nothing(tmp_path):
    result = run(untested(write(tmp_path)), mutants=2)
    assert result.state == "inconclusive"
    found = next(found for found in result.findings if found.name == NOTICED)
    assert (found.value, found.n) == (1.0, 4)  # two, and after these two more


@pytest.mark.slow
def test_a_change_that_never_ends_is_stopped_and_counts_as_noticed(tmp_path):
    loop = "\n\ndef countdown(n):\n    while n > 0:\n        n = n - 1\n    return n\n"
    test = "\n\ndef test_countdown():\n    from shop.basket import countdown\n    assert countdown(3) == 0\n"
    code = untested(write(tmp_path, basket=BASKET + loop, tests=TESTS + test))
    result = run(code.replace(modules=("shop/basket.py",)), mutants=30)
    assert result.state == "passed", result.reason


def test_the_project_is_left_as_it_was(tmp_path):
    def content() -> dict[str, bytes]:
        return {str(file): file.read_bytes() for file in sorted(tmp_path.rglob("*")) if file.is_file()}

    code = features(write(tmp_path))
    before = content()
    run(code, mutants=2)
    assert content() == before


def test_tests_that_take_too_long_are_an_error_and_are_stopped(tmp_path):
    note = f"pathlib.Path({str(tmp_path / 'pid')!r}).write_text(str(os.getpid()))"
    slow = f"import os, pathlib, time\n\ndef test_slow():\n    {note}\n    time.sleep(60)\n"
    result = run(untested(write(tmp_path, tests=slow)), timeout=4.0)
    assert result.state == "error"
    assert "still ran after 4 s and were stopped" in result.reason
    with suppress(psutil.NoSuchProcess):  # ended, though perhaps nobody has asked for its status yet
        assert psutil.Process(int((tmp_path / "pid").read_text())).status() == psutil.STATUS_ZOMBIE


def test_a_test_file_that_cannot_be_imported_fails_with_what_it_said(tmp_path):
    result = run(untested(write(tmp_path, tests="import shop.baskte\n")))
    assert result.state == "failed"
    assert "baskte" in failed(result)[FAILING].cause


def test_code_without_paths_is_judged_by_its_tests_and_told_of_the_rest(tmp_path):
    result = run(untested(write(tmp_path)), mutants=30)
    assert result.state == "passed"
    assert any(detail.title == "Properties that were not tried" for detail in result.details)


# --- properties: more of them in tests/codetests/test_properties.py -------------------------------------------------


def test_a_wrap_at_midnight_is_found_by_its_edge(tmp_path):
    paths = PATHS.replace('row["at"].hour', 'row["at"].hour or 24')
    result = run(features(write(tmp_path, paths=paths)), mutants=1, examples=5)
    assert failed(result)[AGREE].cause.split(", ")[1].startswith("part: ")
    (table,) = [detail for detail in result.details if detail.title == "Raw rows that break a property"]
    assert any(
        f"at {edge})" in table.data["rows"][0][2] for edge in ("midnight", "New Year", "the day after the leap day")
    )


def test_a_path_that_is_not_there_is_an_error_with_the_near_name(tmp_path):
    result = run(features(write(tmp_path), batch="shop.paths:bacth"), mutants=1)
    assert result.state == "error"
    assert "Did you mean 'batch'" in result.reason

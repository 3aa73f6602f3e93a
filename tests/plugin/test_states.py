"""How each state of a check shows: in pytest's outcome, and on the scorecard."""

from __future__ import annotations

import pytest


def test_a_check_that_passes_and_proves_itself_earns_half_a_point_when_run_once_by_hand(project):
    outcome = project.run()

    item = project.item("data.7")
    check = item["checks"][0]
    assert outcome.ret == pytest.ExitCode.OK
    assert (item["state"], item["credit"]) == ("passed", 0.5)
    assert check["proof"]["state"] == "proven"
    assert check["proof"]["faults"][0]["by"] == "longest"


def test_three_runs_on_record_earn_the_full_point_and_reuse_the_proof(project):
    for _ in range(3):
        project.run()

    item = project.item("data.7")
    assert item["credit"] == 1.0
    assert item["checks"][0]["runs_before"] == 2


def test_a_run_in_ci_earns_the_full_point(project, monkeypatch):
    monkeypatch.setenv("CI", "true")

    project.run()

    assert project.item("data.7")["credit"] == 1.0


def test_a_check_that_fails_fails_the_run_and_shows_its_finding_without_a_traceback(project):
    project.write("conftest.py", (project.folder / "conftest.py").read_text().replace("5)", "50)"))

    outcome = project.run()

    assert outcome.ret == pytest.ExitCode.TESTS_FAILED
    outcome.stdout.fnmatch_lines(["*data.7/lengths failed: longest 50 (limit: at most 10)*"])
    outcome.stdout.no_fnmatch_line("*Traceback*")
    assert project.item("data.7")["state"] == "failed"


def test_a_check_that_misses_its_fault_is_vacuous_and_names_it(project, check_file):
    check_file(
        """
@check("data.7")
def check_nothing(lengths):
    yield at_most("always fine", 0, 1)

@fault(check_nothing, "one is far too long")
def too_long(lengths):
    return {"lengths": (*lengths, 99)}
"""
    )

    outcome = project.run("-rs")

    outcome.stdout.fnmatch_lines(["VACUOUS*check_nothing - vacuous: *one is far too long*"])
    assert outcome.parseoutcomes()["vacuous"] == 1
    item = project.item("data.7")
    assert item["credit"] == 0
    assert "one is far too long" in item["credit_reason"]


def test_a_fault_that_is_caught_for_the_wrong_reason_is_missed(project, check_file):
    check_file(
        """
@check("data.7")
def check_two(lengths):
    yield at_most("longest", max(lengths), 10)
    yield at_most("how many", len(lengths), 3)

@fault(check_two, "one is too long", caught_by="longest")
def too_many(lengths):
    return {"lengths": (*lengths, 1)}
"""
    )

    project.run()

    fault = project.item("data.7")["checks"][0]["proof"]["faults"][0]
    assert fault["state"] == "missed"
    assert fault["by"] == "only how many failed, not longest"


def test_a_check_that_cannot_tell_yet_is_inconclusive_whatever_it_missed(project, check_file):
    check_file(
        """
from mltestscore import undecided

@check("data.7")
def check_too_little(lengths):
    yield undecided("longest", "3 rows", n_to_settle=100)

@fault(check_too_little, "one is far too long")
def too_long(lengths):
    return {"lengths": (*lengths, 99)}
"""
    )

    outcome = project.run("-rs")

    outcome.stdout.fnmatch_lines(["INCONCLUSIVE*check_too_little - inconclusive: *3 rows*"])
    assert project.item("data.7")["credit"] == 0
    page = (project.folder / "mltestscore-report" / "scorecard.html").read_text()
    assert "missed: the check cannot tell yet" in page
    assert "proves nothing" not in page


def test_a_control_that_fails_unbroken_proves_nothing(project, check_file):
    check_file(
        """
@check("data.7", proof_options={"longest": 1})
def check_lengths(lengths, *, longest: int = 10):
    yield at_most("longest", max(lengths), longest)

@fault(check_lengths, "one is too long")
def too_long(lengths):
    return {"lengths": (*lengths, 99)}
"""
    )

    project.run()

    proof = project.item("data.7")["checks"][0]["proof"]
    assert proof["state"] == "vacuous"
    assert proof["control"] == "the unbroken copy fails already: longest"


def test_on_a_system_that_fails_already_a_fault_is_caught_where_it_makes_that_failure_larger(project, check_file):
    check_file(
        """
@check("data.7")
def check_lengths(lengths, *, longest: int = 0):
    yield at_most("longest", max(lengths), longest)

@fault(check_lengths, "one is too long")
def too_long(lengths):
    return {"lengths": (*lengths, 99)}

@fault(check_lengths, "one more that is short")
def short(lengths):
    return {"lengths": (*lengths, 0)}
"""
    )

    project.run()

    faults = project.item("data.7")["checks"][0]["proof"]["faults"]
    assert [(fault["name"], fault["state"]) for fault in faults] == [
        ("one is too long", "caught"),
        ("one more that is short", "missed"),
    ]


def test_an_undecided_finding_makes_the_check_inconclusive_and_not_a_pass(project, check_file):
    check_file('@check("data.7")\ndef check_it(lengths):\n    yield undecided("quality", "only 3 rows")\n')

    outcome = project.run("-rs")

    assert outcome.ret == pytest.ExitCode.OK
    outcome.stdout.fnmatch_lines(["INCONCLUSIVE*check_it - inconclusive: quality*only 3 rows*"])
    assert (project.item("data.7")["state"], project.item("data.7")["credit"]) == ("inconclusive", 0)


def test_a_missing_input_is_not_offered_and_says_how_to_offer_it(project, check_file):
    check_file('@check("data.7")\ndef check_it(widths):\n    yield at_most("w", 0, 1)\n')

    project.run()

    reason = project.item("data.7")["checks"][0]["reason"]
    assert reason == "widths is not offered; define a fixture 'widths' in the conftest.py beside the configuration"


def test_a_missing_optional_input_is_none(project, check_file):
    check_file(
        '@check("data.7")\ndef check_it(lengths, widths=None):\n    yield at_most("w", int(widths is None), 1)\n'
    )

    project.run()

    assert project.item("data.7")["checks"][0]["findings"][0]["value"] == 1


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ("    raise ZeroDivisionError('no rows')\n    yield", "ZeroDivisionError: no rows"),
        ("    yield 3", "yielded 3"),
        ("    return\n    yield", "yielded no finding"),
        ("    yield at_most('x', float('nan'), 1)", "cannot hold NaN"),
    ],
)
def test_a_check_that_breaks_is_an_error_with_its_message_and_the_others_go_on(project, check_file, body, said):
    check_file(f'@check("data.7")\ndef check_it(lengths):\n{body}\n')

    outcome = project.run()

    check = project.item("data.7")["checks"][0]
    assert outcome.ret == pytest.ExitCode.TESTS_FAILED
    assert check["state"] == "error"
    assert said in check["reason"]


def test_a_fixture_of_the_wrong_kind_is_named_with_what_was_expected(project):
    project.write(
        "conftest.py",
        (project.folder / "conftest.py").read_text()
        + "\n@pytest.fixture(scope='session')\ndef trainer():\n    return 5\n",
    )
    project.write(
        "quality/lengths.py",
        'from mltestscore import *\n@check("data.7")\ndef check_it(trainer):\n    yield at_most("x", 0, 1)\n',
    )

    outcome = project.run()

    outcome.stdout.fnmatch_lines(
        ["*The fixture 'trainer' in *conftest.py returned int (5)*mltestscore.inputs.trainer.Trainer*"]
    )


def test_a_fixture_that_raises_is_named(project):
    project.write("conftest.py", "import pytest\n@pytest.fixture\ndef lengths():\n    raise OSError('disk on fire')\n")

    project.run()

    assert "The fixture 'lengths' raised OSError: disk on fire" in project.item("data.7")["checks"][0]["reason"]


def test_a_fixture_that_skips_offers_nothing(project):
    project.write("conftest.py", "import pytest\n@pytest.fixture\ndef lengths():\n    pytest.skip('no network')\n")

    project.run()

    check = project.item("data.7")["checks"][0]
    assert (check["state"], "no network" in check["reason"]) == ("not_offered", True)


def test_planting_nothing_earns_nothing(project):
    project.run("--mltestscore-no-proof")

    item = project.item("data.7")
    assert (item["checks"][0]["state"], item["checks"][0]["proof"]["state"], item["credit"]) == (
        "passed",
        "unproven",
        0,
    )


def test_a_fault_that_needs_what_the_system_does_not_offer_is_left_out(project, check_file):
    check_file(
        """
@check("data.7")
def check_lengths(lengths):
    yield at_most("longest", max(lengths), 10)

@fault(check_lengths, "one is far too long")
def too_long(lengths):
    return {"lengths": (*lengths, 99)}

@fault(check_lengths, "the server leaks")
def leak(lengths):
    raise NotOffered("the server's process", "offer its command")
"""
    )

    project.run("-k", "check_lengths")

    proof = project.item("data.7")["checks"][0]["proof"]
    assert [fault["name"] for fault in proof["faults"]] == ["one is far too long"]
    assert proof["state"] == "proven"

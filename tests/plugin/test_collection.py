"""Checks are pytest items: selection, debugging, early exit, order and workers act as for any test."""

from __future__ import annotations

import pytest

NODE = "mltestscore/quality/lengths.py::check_lengths"


def test_node_ids_do_not_depend_on_where_we_are_installed(project):
    outcome = project.run("--collect-only", "-q")

    assert NODE in outcome.outlines
    assert "mltestscore/data/data_1_schema.py::check_schema" in outcome.outlines
    assert not (project.folder / "mltestscore-report").exists()


def test_k_selects_and_the_scorecard_says_what_did_not_run(project):
    outcome = project.run("-k", "check_lengths")

    outcome.assert_outcomes(passed=1, deselected=len(project.scorecard()["not_run"]))
    assert project.scorecard()["run"]["incomplete"] is True
    assert "data.1 did not run: left out by -k, -m or --lf" in project.scorecard()["not_run"]


def test_m_selects_checks_without_the_ordinary_tests(project):
    project.write("test_mine.py", "def test_mine():\n    assert True\n")

    outcome = project.run("-m", "mltestscore", "-v")

    assert outcome.parseoutcomes()["passed"] == 1
    outcome.stdout.no_fnmatch_line("*test_mine.py::test_mine PASSED*")


def test_ordinary_tests_run_beside_the_checks(project):
    project.write("test_mine.py", "def test_mine():\n    assert True\n")

    assert project.run().parseoutcomes()["passed"] == 2


def test_x_stops_at_the_first_failure_and_the_scorecard_is_incomplete(project):
    project.write("test_mine.py", "def test_mine():\n    assert False\n")

    outcome = project.run("-x")

    assert outcome.parseoutcomes()["failed"] == 1
    assert project.scorecard()["run"]["incomplete"] is True
    not_run = project.scorecard()["not_run"]
    assert all(line.endswith("did not run: the run ended before it (-x or --maxfail)") for line in not_run)
    assert f"(incomplete run: {len(not_run)} check" in outcome.stdout.str()


def test_pdb_opens_where_a_check_broke(project, check_file):
    check_file('@check("data.7")\ndef check_it(lengths):\n    wrong = lengths[7]\n    yield at_most("x", wrong, 1)\n')

    child = project.pytester.spawn_pytest("--mltestscore -p no:randomly -k check_it --pdb") if _pexpect() else None
    if child is None:
        outcome = project.pytester.run(
            *project.pytester._getpytestargs(), "--mltestscore", "-k", "check_it", "--pdb", stdin=b"p lengths\nq\n"
        )
        text = outcome.stdout.str()
    else:
        child.expect("Pdb")
        child.sendline("p lengths")
        child.expect(r"\(3, 4, 5\)")
        text = "(3, 4, 5)"
        child.sendline("q")
        child.close()
    assert "(3, 4, 5)" in text


def _pexpect() -> bool:
    from importlib.util import find_spec

    return find_spec("pexpect") is not None


def test_assertions_in_check_files_are_rewritten(project, check_file):
    check_file('@check("data.7")\ndef check_it(lengths):\n    assert lengths == (1, 2)\n    yield at_most("x", 0, 1)\n')

    outcome = project.run()

    outcome.stdout.fnmatch_lines(["*At index 0 diff: 3 != 1*"])


def test_a_check_file_with_a_syntax_error_is_a_collection_error(project, check_file):
    check_file("def check_it(:\n")

    outcome = project.run()

    assert outcome.ret == pytest.ExitCode.INTERRUPTED
    outcome.stdout.fnmatch_lines(["*SyntaxError*"])


@pytest.mark.parametrize("mode", ["prepend", "append", "importlib"])
def test_users_files_of_the_same_names_do_not_clash(project, mode):
    project.write("checks/__init__.py", "OURS = False")
    project.write("reports/__init__.py", "OURS = False")
    project.write("test_data_1_schema.py", "import checks, reports\ndef test_mine():\n    assert not checks.OURS\n")
    project.write("data/data_1_schema.py", "raise ImportError('not this one')")

    # In importlib mode a user says where their packages lie.
    outcome = project.run(f"--import-mode={mode}", "-v", "-o", "pythonpath=.")

    outcome.stdout.fnmatch_lines(["*test_data_1_schema.py::test_mine PASSED*"])
    assert outcome.ret == pytest.ExitCode.OK


def test_a_conftest_below_pytests_root_still_overrides_inputs(empty, project):
    for name in ("pyproject.toml", "conftest.py", "quality/lengths.py"):
        file = project.folder / name
        project.write(f"services/scoring/{name}", file.read_text())
        file.unlink()
    project.write("pytest.ini", "[pytest]\n")
    project.pytester.chdir()

    outcome = project.run(
        "--rootdir", str(project.folder), "--mltestscore-config", "services/scoring/pyproject.toml", "services/scoring"
    )

    assert outcome.parseoutcomes()["passed"] == 1


@pytest.mark.parametrize("seed", [1, 2])
def test_random_order_changes_nothing(project, seed):
    outcome = project.start("-p", "randomly", "-p", "no:xdist", f"--randomly-seed={seed}")

    assert outcome.ret == pytest.ExitCode.OK
    assert project.item("data.7")["credit"] == 0.5


def test_strict_markers_know_ours(project):
    project.write(
        "test_mine.py", "import pytest\n@pytest.mark.mltestscore('data.6')\ndef test_mine():\n    assert True\n"
    )

    assert project.run("--strict-markers").ret == pytest.ExitCode.OK

"""What a command keeps of runs too dear for every run of the tests."""

from __future__ import annotations

import argparse

import pytest

from tests.kept import Ended, Kept, keep

TITLES = {"one": "The one", "other": "The other"}


@pytest.fixture
def command(tmp_path, monkeypatch):
    """Return a record, and a function that runs the command with the given words and reads of the cases."""
    kept = Kept(tmp_path / "cases.json", lambda rows: " ".join(f"{name} {row['read']}" for name, row in rows.items()))

    def run(words: str, **reads: int) -> int:
        monkeypatch.setattr("sys.argv", ["cases", *words.split()])

        def ended(name: str, _: argparse.Namespace) -> Ended:
            if name not in reads:
                raise KeyboardInterrupt
            return Ended({"read": reads[name]}, reads[name] > 0, f"read {reads[name]}")

        return keep(kept, TITLES, argparse.ArgumentParser(), ended)

    return kept, run


def test_every_case_is_run_and_kept_in_order_and_a_wrong_one_is_an_exit_status(command, capsys):
    kept, run = command
    assert run("", one=3, other=0) == 1
    assert (kept.rows(), kept.written()) == ({"one": {"read": 3}, "other": {"read": 0}}, "one 3 other 0")
    assert capsys.readouterr().out.splitlines() == ["The one: read 3", "The other: read 0"]


def test_cases_that_are_not_chosen_keep_their_last_result(command):
    kept, run = command
    assert run("--only other", other=1) == 0
    assert run("--only one", one=2) == 0
    assert kept.written() == "one 2 other 1"


def test_a_run_that_is_cut_short_leaves_what_it_found(command):
    kept, run = command
    with pytest.raises(KeyboardInterrupt):
        run("", one=5)
    assert kept.rows() == {"one": {"read": 5}}


def test_a_name_of_no_case_is_refused_with_those_that_there_are(command, capsys):
    _, run = command
    with pytest.raises(SystemExit, match="2"):
        run("--only onne")
    said = capsys.readouterr().err
    assert "'onne'" in said
    assert "other" in said.partition("choose from")[2]

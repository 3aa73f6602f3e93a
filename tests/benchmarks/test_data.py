"""The data benchmark measures whole processes, makes the same work each time and says why a number is missing."""

from __future__ import annotations

import sys
import time
from pathlib import Path

import psutil
import pytest

from .data import environments, record
from .data.__main__ import main
from .data.contenders import CONTENDERS, DEEPCHECKS, EVIDENTLY, IMPORT, KEYED, OURS, PASS, TFDV, chosen
from .data.costs import ProgramError, run
from .data.page import page
from .data.record import Measured, Record, Run, Size
from .data.targets import targets
from .data.work import Work

PYTHON = sys.executable
ROWS = 3000


@pytest.fixture(scope="module")
def work(tmp_path_factory: pytest.TempPathFactory) -> Work:
    made = Work(tmp_path_factory.mktemp("work"), ROWS)
    made.make(Path(PYTHON), timeout_s=120)
    return made


def test_the_work_is_two_different_files_and_the_same_each_time(work: Work, tmp_path: Path):
    again = Work(tmp_path, ROWS)
    again.make(Path(PYTHON), timeout_s=120)

    for name in ("training.parquet", "serving.parquet"):
        assert (work.folder / name).read_bytes() == (again.folder / name).read_bytes()
    assert (work.folder / "training.parquet").read_bytes() != (work.folder / "serving.parquet").read_bytes()


def test_twelve_of_twenty_columns_are_numbers_and_the_suite_has_two_expectations_each(work: Work):
    assert (len(work.numbers), len(work.texts)) == (12, 8)
    assert (len(Work(work.folder, 1, 500).numbers), len(Work(work.folder, 1, 500).texts)) == (300, 200)
    assert len(work.suite()["expectations"]) == 40


def test_files_that_would_fill_the_disk_are_refused_before_any_is_written(tmp_path: Path):
    with pytest.raises(SystemExit, match=r"need [\d.]+ GB in .*Name a folder with more by --folder, or ask for fewer"):
        Work(tmp_path, 10**12).make(Path(PYTHON), timeout_s=10)
    assert not list(tmp_path.iterdir())


def test_the_command_measures_our_programs_and_the_pass_and_writes_the_page(tmp_path: Path, capsys):
    options = ["--rows", str(ROWS), "--repeats", "1", "--folder", str(tmp_path), "--output", str(tmp_path / "data.md")]
    assert main([*options, "--only", "one_pass", "ours_import", "ours", "ours_keyed"]) == 0

    size = record.load(tmp_path / "data.json").of(ROWS, 20)
    assert size is not None
    ours, one_pass, keyed = (next(one for one in size.measured if one.name == name) for name in (OURS, PASS, KEYED))
    assert ours.found.startswith("data.1 passed, monitor.2 passed, monitor.3 ")
    assert "failed" not in ours.found
    assert keyed.found == "monitor.3 passed"
    assert one_pass.found == f"{ROWS} and {ROWS} rows"
    start = size.of(IMPORT)
    assert start is not None
    assert 0 < one_pass.cpu_s < start.cpu_s < ours.cpu_s
    assert one_pass.peak_mb < ours.peak_mb
    assert f"| {OURS} |" in capsys.readouterr().out
    assert not (tmp_path / f"{ROWS}x20").exists()


def test_a_process_is_charged_for_what_it_started():
    busy = "end = time.process_time() + 0.3\nwhile time.process_time() < end: pass"
    burn = f"import time; held = bytearray(200_000_000); {busy}"
    start = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {burn!r}])"
    cost = run([PYTHON, "-c", start], timeout_s=60)
    assert cost.cpu_s >= 0.3
    assert cost.peak_mb >= 200
    assert cost.wall_s >= 0.3


def test_a_process_that_fails_says_its_last_words():
    with pytest.raises(ProgramError, match="exit status 1: no such column"):
        run([PYTHON, "-c", "raise SystemExit('no such column')"], timeout_s=60)


def test_a_process_that_takes_too_long_is_ended_with_what_it_started(tmp_path: Path):
    told = tmp_path / "pid"
    child = f"import os, time; open({str(told)!r}, 'w').write(str(os.getpid())); time.sleep(60)"
    parent = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {child!r}])"
    with pytest.raises(ProgramError, match="--timeout"):
        run([PYTHON, "-c", parent], timeout_s=2)

    deadline = time.monotonic() + 10
    while psutil.pid_exists(int(told.read_text())) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not psutil.pid_exists(int(told.read_text()))


def test_every_peer_has_a_list_that_pins_each_package():
    for one in CONTENDERS:
        if one.peer:
            lines = environments.pinned(one.peer).read_text(encoding="utf-8").splitlines()
            wanted = [line for line in lines if not line.startswith("#")]
            assert environments.VERSION.search("\n".join(lines))
            assert wanted
            assert all("==" in line for line in wanted)
            assert one.main in {line.partition("==")[0].replace("_", "-").lower() for line in wanted}


def test_a_peer_whose_python_is_not_here_has_a_reason_in_the_table(tmp_path: Path, monkeypatch):
    (tmp_path / "evidently.txt").write_text("# Python 3.1\nevidently==0.7.23\n")
    monkeypatch.setattr(environments, "LISTS", tmp_path)
    options = ["--rows", str(ROWS), "--repeats", "1", "--folder", str(tmp_path), "--output", str(tmp_path / "data.md")]
    assert main([*options, "--only", "peer_evidently"]) == 0
    assert "does not install: its list is for Python 3.1, which is not on this machine" in (
        tmp_path / "data.md"
    ).read_text(encoding="utf-8")


def test_an_unknown_program_is_refused_with_the_known_ones():
    with pytest.raises(SystemExit, match=r"there is no program 'our'; choose from one_pass, .*, ours_import, ours"):
        chosen(["our"], ROWS, 20)


def test_peers_are_left_out_where_they_would_take_hours():
    assert len(chosen([], 1_000_000, 20)) == len(CONTENDERS)
    assert [one.name for one in chosen([], 10_000_000, 20)] == [PASS, IMPORT, OURS, KEYED]
    assert [one.name for one in chosen([], 1_000_000, 500)] == [PASS, IMPORT, OURS]


def size_of(rows: int, columns: int, peak: float = 500.0, wall: float = 3.0, **cpu: float) -> Size:
    names = {"ours": OURS, "start": IMPORT, "keyed": KEYED, "scan": PASS}
    names |= {"evidently": EVIDENTLY, "deepchecks": DEEPCHECKS, "tfdv": TFDV}
    measured = tuple(
        Measured(name=names[short], does="", runs=(Run(cpu_s=value, wall_s=wall, peak_mb=peak),))
        for short, value in cpu.items()
    )
    return Size(rows=rows, columns=columns, date="", commit="", machine="", load=(0, 0), measured=measured)


def verdicts(*sizes: Size) -> list[tuple[int, str, bool | None]]:
    return [(one.number, one.measured, one.met) for one in targets(Record(sizes=sizes))]


def test_targets_that_were_not_measured_are_neither_met_nor_missed():
    assert {met for _, _, met in verdicts()} == {None}
    assert page(Record()).count("not measured") == len(targets(Record()))


def test_targets_are_judged_by_ratios_within_one_size():
    usual = size_of(1_000_000, 20, ours=5.0, start=1.0, evidently=130.0, deepchecks=74.0, tfdv=25.0)
    large = size_of(10_000_000, 20, ours=20.0, scan=10.0, keyed=61.0)
    huge = size_of(100_000_000, 20, peak=2001.0, ours=401.0, start=1.0)
    small, wide = size_of(100_000, 20, wall=4.1, ours=3.0), size_of(1_000_000, 500, ours=122.0, start=1.0)
    assert verdicts(usual, large, huge, small, wide) == [
        (1, "26.0x", True),
        (1, "14.8x", False),
        (1, "5.0x", True),
        (1, "500 MB", True),
        (2, "2.00x", True),
        (2, "6.10x", False),
        (3, "1.00 of linear", True),
        (3, "2001 MB", False),
        (4, "4.1 s", False),
        (5, "1.21 of linear", False),
    ]


def test_a_size_is_replaced_as_a_whole():
    found = Record().with_size(size_of(10, 20, ours=1.0, scan=1.0)).with_size(size_of(10, 20, scan=2.0))
    size = found.of(10, 20)
    assert size is not None
    assert size.of(OURS) is None
    assert len(found.sizes) == 1


def test_what_a_program_says_cannot_break_the_table():
    hostile = Measured(name=EVIDENTLY, does="", reason="a|b\n<script>")
    text = page(Record(sizes=(size_of(10, 20).model_copy(update={"measured": (hostile,)}),)))
    assert "| a\\|b &lt;script> |" in text

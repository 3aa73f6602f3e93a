"""A leak's place is named by a traced second server; where that cannot be, it is said what to do."""

import os
import sys
from pathlib import Path

import pandas as pd

from mltestscore.performance import allocations
from mltestscore.performance.allocations import allocated, allocation_site
from mltestscore.performance.counters import ALLOCATED, judge_counters

FRAME = pd.DataFrame({"a": [1.0, 2.0, 3.0]})


def test_the_line_that_keeps_the_requests_is_named(opened, stub):
    said = allocation_site(opened(stub("leaks")), FRAME, 20_000)
    assert said.startswith("20.")
    assert "kB a request are allocated at servers/stub_server.py, line " in said
    number = int(said.rpartition(" ")[2])
    source = (Path(__file__).parents[1] / "serving" / "servers" / "stub_server.py").read_text().splitlines()
    assert "kept.append" in source[number - 1]


def test_growth_that_pythons_allocator_does_not_see_points_to_native_code(opened, stub):
    assert "look in native code" in allocation_site(opened(stub("sound")), FRAME, 20_000)


def test_a_server_that_ignores_the_environment_is_said_to_be_traced_by_hand(opened, stub, monkeypatch):
    monkeypatch.setattr(allocations, "WAIT", 0.3)
    program, *rest = stub("leaks")
    said = allocation_site(opened([program, "-E", *rest]), FRAME, 20_000)
    assert "python -X tracemalloc=10" in said


def test_another_sitecustomize_still_runs(opened, stub, tmp_path):
    (tmp_path / "sitecustomize.py").write_text(f"open({str(tmp_path / 'ran')!r}, 'w').close()")
    endpoint = opened(stub("leaks"), env={"PYTHONPATH": os.pathsep.join([str(tmp_path)])})
    (tmp_path / "ran").unlink()
    assert "stub_server.py" in allocation_site(endpoint, FRAME, 20_000)
    assert (tmp_path / "ran").exists()


def test_a_second_server_that_does_not_start_is_told(opened, tmp_path, stub):
    once = tmp_path / "once.py"
    server = stub("leaks")[1]
    once.write_text(
        f"import os, pathlib, runpy, sys\nmark = pathlib.Path({str(tmp_path / 'mark')!r})\n"
        f"if mark.exists(): sys.exit('only one of us')\nmark.touch()\nrunpy.run_path({server!r}, run_name='__main__')"
    )
    said = allocation_site(opened([sys.executable, str(once), "{port}", "leaks"]), FRAME, 20_000)
    assert "could not be traced" in said


def test_a_planted_leak_and_a_url_have_no_second_server(opened, stub):
    endpoint = opened(stub("sound"))
    assert allocation_site(endpoint.leaking(1_000), FRAME, 1_000) == ""
    assert allocation_site(opened((), url=endpoint.url), FRAME, 1_000) == ""


def limited(endpoint, limit: float):
    (found, *_) = judge_counters(endpoint, None, FRAME, {ALLOCATED: limit}, 0.1, 0.0002)
    return found


def test_what_a_request_allocates_is_counted_and_held_to_its_limit(opened, stub):
    usual = allocated(opened(stub("sound")), FRAME, 3)
    endpoint = opened(stub("allocates"))
    assert (len(usual), max(usual) < 1_000_000) == (3, True)
    assert (limited(endpoint, 2_000_000).verdict, limited(endpoint, 20_000_000).verdict) == ("failed", "passed")


def test_what_cannot_be_traced_leaves_allocations_undecided_and_says_how_to_trace_it(opened, stub, monkeypatch):
    monkeypatch.setattr(allocations, "WAIT", 0.3)
    endpoint = opened(stub("sound"))
    program, *rest = stub("sound")
    for one in (opened((), url=endpoint.url), endpoint.padded(1), opened([program, "-E", *rest])):
        found = limited(one, 1.0)
        assert (found.verdict, found.where, "tracemalloc" in found.note) == ("inconclusive", ALLOCATED, True)

"""Tests collected once and run in forks: changed code reaches them however it was loaded, and no run sees another."""

from __future__ import annotations

from pathlib import Path

import psutil
import pytest

from mltestscore.codetests.observed_run import run_tests
from mltestscore.codetests.session import TIMED_OUT, Judged, Session
from mltestscore.errors import InputError
from tests.codetests.shop import TESTS, untested, write

CODE = """
from functools import cache

LIMIT = 10
SEEN = []


def wrapped(function):
    def call(*given):
        return function(*given) + 0
    return call


@wrapped
def decorated(a):
    return a + 1


@cache
def remembered(a):
    return a + 1


class Basket:
    size = LIMIT

    @property
    def whole(self):
        return (lambda a: a + 1)(self.size)

    @staticmethod
    def plain(a):
        SEEN.append(a)
        return len(SEEN)
"""
USES = """
from shop.basket import Basket, decorated, remembered


def test_decorated():
    assert decorated(1) == 2


def test_remembered():
    assert remembered(1) == 2


def test_whole():
    assert Basket().whole == 11


def test_plain():
    assert Basket.plain(1) == 1


def test_late():
    from shop.late import later
    assert later(1) == 2
"""
LATE = "def later(a):\n    return a + 1\n"


@pytest.fixture
def session(tmp_path):
    home = write(tmp_path, basket=CODE, tests=USES)
    (home / "shop" / "late.py").write_text(LATE)
    code = untested(home).replace(modules=("shop/basket.py", "shop/late.py"))
    with Session(code) as opened:
        yield opened


def judged(session: Session, text: str, *, module: str = "shop/basket.py", anew: bool = False, **limits) -> Judged:
    bounds = {"seconds": 20.0, "cpu": 10.0, "left": 60.0} | limits
    found = session.judge(["tests"], module=module, text=text, anew=anew, **bounds)
    assert found is not None
    return found


def test_a_change_is_noticed_wherever_it_lies_and_is_gone_in_the_next_run(session):
    name = "tests/test_basket.py::test_"
    changes = {
        "decorated": CODE.replace("def decorated(a):\n    return a + 1", "def decorated(a):\n    return a - 1"),
        "remembered": CODE.replace("def remembered(a):\n    return a + 1", "def remembered(a):\n    return a - 1"),
        "whole": CODE.replace("lambda a: a + 1", "lambda a: a - 1"),
        "plain": CODE.replace("return len(SEEN)", "return len(SEEN) + 1"),
    }
    for test, text in changes.items():
        assert text != CODE
        assert judged(session, text) == Judged(1, name + test)
        assert judged(session, "") == Judged(0)
    assert judged(session, CODE.replace("+ 0", "+ 1")) == Judged(
        1, name + "decorated"
    )  # a closure that was made before


def test_what_importing_runs_is_imported_anew(session):
    text = CODE.replace("LIMIT = 10", "LIMIT = 11")
    assert judged(session, text, anew=True) == Judged(1, "tests/test_basket.py::test_whole")
    assert judged(session, text) == Judged(1, "tests/test_basket.py::test_whole")  # found out, if nobody said so
    assert judged(session, CODE, anew=True) == Judged(0)


def test_what_only_a_test_loads_is_read_from_the_changed_file(session):
    text = LATE.replace("+", "-")
    assert judged(session, text, module="shop/late.py") == Judged(1, "tests/test_basket.py::test_late")


def test_a_run_without_end_is_stopped_by_either_limit(session):
    endless = CODE.replace("    return a + 1", "    while True:\n        pass", 1)
    assert judged(session, endless, cpu=1.0).code < 0
    waiting = CODE.replace("    return a + 1", "    import time\n    time.sleep(60)", 1)
    assert judged(session, waiting, seconds=1.0).code == TIMED_OUT
    assert judged(session, "") == Judged(0)


def test_where_time_is_over_there_is_no_answer_and_the_next_one_starts_again(session):
    waiting = CODE.replace("    return a + 1", "    import time\n    time.sleep(60)", 1)
    given = {"module": "shop/basket.py", "anew": False, "seconds": 20.0, "cpu": 10.0}
    assert session.judge(["tests"], text=waiting, left=3.0, **given) is None
    assert judged(session, "") == Judged(0)


def test_a_run_watches_what_each_test_runs_and_what_loading_runs(tmp_path):
    with Session(untested(write(tmp_path))) as session:
        found = session.observe(60.0)
    assert found is not None
    assert (found["code"], found["tests"], found["failures"]) == (0, 13, 0)
    lines = found["report"]["shop/basket.py"]["contexts"]
    assert [test for tests in lines.values() for test in tests if test.endswith("::test_total")]
    assert "" in lines["2"]


def test_tests_that_pytest_cannot_begin_with_are_told_apart_from_a_process_that_died(tmp_path):
    home = write(tmp_path)
    (home / "tests" / "conftest.py").write_text("import nothing_of_that_name\n")
    with Session(untested(home)) as session:
        assert session.observe(60.0) == {"code": 4}
        assert "nothing_of_that_name" in session.said
    (home / "tests" / "conftest.py").write_text("import os\nos._exit(7)\n")
    with Session(untested(home)) as session, pytest.raises(InputError, match="could not be run in a copy"):
        session.observe(60.0)


def test_a_test_that_ends_its_process_does_not_end_the_session(tmp_path):
    dying = TESTS + "\n\ndef test_dying():\n    import os\n    os.kill(os.getpid(), 9)\n"
    with Session(untested(write(tmp_path, tests=dying))) as session:
        assert session.observe(60.0) == {"code": -9}
        found = session.judge(["tests"], module="shop/basket.py", text="", anew=False, seconds=9, cpu=9, left=60)
        assert found == Judged(-9)


def test_nothing_is_left_of_a_session(tmp_path):
    home = write(tmp_path)
    before = {file: file.read_bytes() for file in home.rglob("*") if file.is_file()}
    with Session(untested(home)) as session:
        session.observe(60.0)
        process = psutil.Process(session.pid)
        copy = Path(process.cwd())
        assert copy.is_dir()
        assert copy != home
    assert not copy.parent.exists()
    assert not process.is_running()
    assert {file: file.read_bytes() for file in home.rglob("*") if file.is_file()} == before


def test_deaf_tests_are_not_watched_again_where_they_pass_anyway(tmp_path):
    code = untested(write(tmp_path))
    with Session(code) as session:
        heard = run_tests(session, 60.0)
    with Session(code.deafened()) as session:
        assert run_tests(session, 60.0) is heard
        assert session.pid == 0
    failing = untested(write(tmp_path, tests=TESTS.replace("== 6.0", "== 7.0"))).replace(memory=code.memory)
    with Session(failing) as session:
        assert run_tests(session, 60.0).failures == 1
    with Session(failing.deafened()) as session:
        assert run_tests(session, 60.0).failures == 0

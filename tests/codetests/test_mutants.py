"""Which changes of a module are made, and which are none."""

from __future__ import annotations

import ast

import pytest

from mltestscore.codetests.mutants import mutant, places, statement_lines


def changes(text: str, excluded: frozenset[int] = frozenset()) -> set[tuple[str, str]]:
    """Return the changed lines, as they were and as they are."""
    made = (mutant(place, text) for place in places("m.py", text, excluded))
    return {(one.before, " ".join(one.after.split())) for one in made if one is not None}


@pytest.mark.parametrize(
    ("line", "changed"),
    [
        ("return minute // 60", ["return minute // 61", "return minute // 59"]),
        ("return a < b", ["return a <= b"]),
        ("return a - b", ["return a + b"]),
        ("return a and not b", ["return a or not b", "return a and b"]),
        ("return f(a, dropna=True)", ["return f(a, dropna=False)"]),
    ],
)
def test_slips_are_made(line, changed):
    text = f"def f(a, b, minute):\n    {line}\n"
    assert changes(text) == {(line, one) for one in changed}


@pytest.mark.parametrize(
    "text",
    [
        "def f(a: int | None, *, b=None) -> str | None:\n    return a\n",
        "import logging\ndef f(a):\n    logging.info('%d', 1 + 2)\n    print(3)\n",
        "def f(a):\n    raise ValueError(f'{1 + 2}')\n",
        "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    x = 1 + 2\n",
        "if __name__ == '__main__':\n    f(1)\n",
        "def f(a, b):\n    return dict(zip(a, b, strict=True))\n",
        "def f(a):\n    return {**a}\n",
        "x: int | None\n",
    ],
)
def test_what_no_test_could_be_asked_to_notice_is_left_alone(text):
    assert changes(text) == set()


def test_logarithms_are_no_logs_and_excluded_lines_are_left_alone():
    assert changes("import numpy as np\ndef f(a):\n    return np.log(a + 1)\n") != set()
    assert changes("def f(a):\n    return a + 1\n", frozenset({2})) == set()


def test_every_change_is_python_names_its_place_and_comes_in_the_same_order():
    text = (
        "class C:\n    def f(self, a):\n        def g(b):\n            return b + 1\n        return g(a) * 2\n\nX = 3\n"
    )
    found = places("m.py", text, frozenset())
    assert found == places("m.py", text, frozenset())
    assert {place.function for place in found} == {"C.f.g", "C.f", ""}
    for place in found:
        one = mutant(place, text)
        assert one is not None
        assert ast.dump(ast.parse(one.text)) != ast.dump(ast.parse(text))


def test_a_module_that_is_no_python_is_refused():
    with pytest.raises(SyntaxError):
        places("m.py", "def f(:\n", frozenset())


def test_a_statement_has_all_its_lines_and_a_loop_only_its_head():
    text = "for a in (\n    1,\n):\n    x = [\n        a,\n    ]\n"
    assert list(statement_lines(text, 2)) == [1, 2, 3]
    assert list(statement_lines(text, 5)) == [4, 5, 6]
    assert list(statement_lines(text, 40)) == [40]

"""Files stay short enough to be read in one go, and so do functions (CONTRIBUTING.md, rule 11)."""

from __future__ import annotations

import ast
from pathlib import Path

import mltestscore
from mltestscore.shipped import shipped

FILE, CHECK, FUNCTION = 300, 150, 40


def _files() -> list[Path]:
    return [file for top in (Path(mltestscore.__file__).parent, shipped("reports")) for file in top.rglob("*.py")]


def _long(files: list[Path], most: int) -> dict[str, int]:
    lines = {str(file): len(file.read_text(encoding="utf-8").splitlines()) for file in files}
    assert len(lines) > 10
    return {file: count for file, count in lines.items() if count > most}


def test_no_file_is_longer_than_300_lines():
    assert _long(_files(), FILE) == {}


def test_no_check_is_longer_than_150_lines():
    assert _long(list(shipped("checks").rglob("*.py")), CHECK) == {}


def test_no_function_does_more_than_40_lines():
    """Counted from the first statement: a check's options and a docstring are there to be read, not to be followed."""
    long = {}
    for file in [*_files(), *shipped("checks").rglob("*.py")]:
        for one in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(one, ast.FunctionDef | ast.AsyncFunctionDef):
                first = one.body[min(len(one.body) - 1, ast.get_docstring(one) is not None)]
                if (lines := (one.end_lineno or 0) - first.lineno + 1) > FUNCTION:
                    long[f"{file}:{one.lineno} {one.name}"] = lines
    assert long == {}

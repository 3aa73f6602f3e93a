"""An unused plugin costs two modules; heavy libraries load only for a run that needs them."""

from __future__ import annotations

import json
import subprocess
import sys

PROGRAM = """
import json, sys
import pytest
before = {before}
code = pytest.main(["-q", "-p", "no:cacheprovider", {extra} "test_nothing.py"])
ours = sorted(name for name in sys.modules if name.split(".")[0] == "mltestscore")
heavy = sorted({{name.split(".")[0] for name in sys.modules}} & set({heavy}))
print("RESULT", json.dumps([int(code), ours, heavy, len(sys.modules)]))
"""
HEAVY = ["jinja2", "duckdb", "ibis", "numpy", "pandas", "sklearn", "scipy", "httpx", "pydantic", "sqlalchemy", "rich",
         "typer", "great_expectations", "evidently", "hypothesis", "pyspark", "psutil", "skops"]  # fmt: skip


def modules_after(tmp_path, *, plugin: bool):
    """Return exit code, our modules, heavy modules and the module count once an ordinary run has ended."""
    (tmp_path / "test_nothing.py").write_text("def test_nothing():\n    assert True\n")
    extra = '"-p", "mltestscore.plugin",' if plugin else ""
    program = PROGRAM.format(before="None", extra=extra, heavy=HEAVY)
    environment = {"PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1", "PATH": "/usr/bin:/bin", "HOME": str(tmp_path)}
    done = subprocess.run(
        [sys.executable, "-c", program],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    line = next((line for line in done.stdout.splitlines() if line.startswith("RESULT ")), None)
    assert line is not None, done.stdout + done.stderr
    return json.loads(line.removeprefix("RESULT "))


def test_unused_plugin_adds_two_modules_and_nothing_heavy(tmp_path):
    code, ours, heavy, with_plugin = modules_after(tmp_path, plugin=True)
    *_, without_plugin = modules_after(tmp_path, plugin=False)

    assert code == 0
    assert ours == ["mltestscore", "mltestscore.plugin"]
    assert heavy == []
    assert with_plugin - without_plugin == 2


def test_a_scored_run_that_needs_neither_loads_no_great_expectations_and_no_evidently(project):
    project.write("test_after.py", "def test_nothing():\n    assert True\n")
    project.write(
        "sitecustomize_probe.py",
        "import atexit, sys, pathlib\n"
        "atexit.register(lambda: pathlib.Path('loaded.txt').write_text("
        "' '.join(sorted({'great_expectations', 'evidently', 'hypothesis.internal'} & set(sys.modules)))))\n",
    )
    project.write("conftest.py", "import sitecustomize_probe\n" + (project.folder / "conftest.py").read_text())

    outcome = project.start("-p", "no:hypothesispytest")

    assert outcome.ret == 0
    loaded = (project.folder / "loaded.txt").read_text().split()
    assert "great_expectations" not in loaded
    assert "evidently" not in loaded

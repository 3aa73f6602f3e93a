"""Faults of the tests of feature code, and of feature code that its tests let through."""

from __future__ import annotations

from tests.proving.cases import fault
from tests.proving.system import System

BATCH, ONLINE = "tests/test_features_batch.py", "tests/test_features_online.py"
COMPARED = "            assert found == pytest.approx(expected, nan_ok=True)"
GONE = "def _gone(history: pd.DataFrame) -> pd.DataFrame:\n"


@fault(
    "D7a",
    "data.7",
    "the tests of labels, of the training path, of both paths are deleted",
    (0, 1, 2),
    ["that no test runs"],
)
def untested(system: System, severity: float, seed: int) -> list[str]:
    if severity == 0:
        text = (system.home / BATCH).read_text(encoding="utf-8")
        system.add(
            BATCH, text[: text.index("def test_labels_are_late")].replace("import features, labels", "import features")
        )
        return ["labels"]
    system.add(BATCH, "def test_nothing():\n    pass\n")
    if severity > 1:
        system.add(ONLINE, "def test_nothing():\n    pass\n")
    return ["_recent"]


@untested.healthy("a line that only logs is added, and no test looks at it")
def logged(system: System, severity: float, seed: int) -> None:
    system.edit("flights/features_batch.py", "import pandas as pd\n", "import logging\n\nimport pandas as pd\n")
    log = (
        "    logging.getLogger(__name__).debug('%d departures, %d of them gone', len(history) + 0, len(history) - 1)\n"
    )
    system.edit("flights/features_batch.py", GONE, GONE + log * (1 + int(severity)))


@fault(
    "D7b",
    "data.7",
    "tests run the code and compare half, a fifth, nothing of what they see",
    (2, 5, 1),
    ["that a test notices|in which no change is noticed"],
    reach="H",
    below="tests that still compare a part notice most of the changes: of each function, some test compares something",
)
def asserts_nothing(system: System, severity: float, seed: int) -> None:
    every = int(severity)
    if every == 1:
        system.edit("tests/conftest.py", COMPARED, "            found == pytest.approx(expected, nan_ok=True)")
        return
    kept = f"            if len(repr(found)) % {every} == {seed % every}:\n    {COMPARED}"
    system.edit("tests/conftest.py", COMPARED, kept)


@asserts_nothing.healthy("tests are added that compare one path with the other, without a literal value")
def without_literals(system: System, severity: float, seed: int) -> None:
    test = """from flights.paths import batch, online, requests


def test_both_paths_agree_on_the_weekday():
    rows = requests().head(ROWS)
    assert batch(rows)["weekday"].tolist() == [online(row)["weekday"] for row in rows.to_dict("records")]
"""
    system.add("tests/test_both.py", test.replace("ROWS", str(1 + int(severity))))


@fault(
    "D7c",
    "data.7",
    "midnight wraps wrongly in both paths and in the tests, in the serving path alone, an hour off in it",
    (0, 1, 2),
    ["disagree|failing tests"],
)
def midnight(system: System, severity: float, seed: int) -> None:
    online = "flights/features_online.py"
    if severity == 2:
        system.edit(online, "local.hour * 60 + local.minute", "local.hour * 60 + local.minute + 60")
    else:
        system.edit(online, "local.hour * 60 + local.minute", "(local.hour * 60 + local.minute) or 1440")
    if severity == 0:
        system.edit(ONLINE, '("2013-06-05T00:00", 0, 2)', '("2013-06-05T00:00", 1440, 2)')


@midnight.healthy("midnight is written as 1440 in both paths and in their tests")
def agreed(system: System, severity: float, seed: int) -> None:
    hour, minute = ('flights["scheduled_local"].dt.hour', 'flights["scheduled_local"].dt.minute')
    batch = f"departure_minute={hour} * 60 + {minute}"
    system.edit("flights/features_batch.py", batch, f"departure_minute=({hour} * 60 + {minute}).replace(0, 1440)")
    system.edit(
        "flights/features_online.py", "local.hour * 60 + local.minute", "(local.hour * 60 + local.minute) or 1440"
    )
    for file in (BATCH, ONLINE):
        system.edit(file, '("2013-06-05T00:00", 0, 2)', '("2013-06-05T00:00", 1440, 2)')

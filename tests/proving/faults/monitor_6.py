"""Faults of the current version's server code. A run of seconds sees the large ones; months of traffic see the rest."""

from __future__ import annotations

from typing import Any

from tests.proving.cases import fault
from tests.proving.system import System

APP = "flights/app.py"
SCORED = "        latency = (time.perf_counter() - began) * 1000\n"
STATE = "LOG_BYTES = 20_000_000\n"
ENDPOINT = "[tool.mltestscore.endpoint]"
SHORT = "smaller than what fourteen pairs of 0.25 s can tell from this machine's noise"


def served(system: System, code: str, *, current_only: bool = True) -> None:
    """Add a statement to what the server does for a request; ``KEPT`` and ``LOCK`` outlive it."""
    when = "version == spec.CURRENT" if current_only else "True"
    body = "\n".join(f"            {line}" for line in code.splitlines())
    system.edit(APP, SCORED, f"        if {when}:\n{body}\n{SCORED}")
    system.edit(APP, STATE, f"{STATE}KEPT, LOCK = [], threading.Lock()\n")
    system.edit(APP, "import logging\n", "import logging\nimport threading\n")


def busy(milliseconds: float) -> str:
    """Return code that uses the processor for so long."""
    return f"until = time.perf_counter() + {milliseconds / 1000}\nwhile time.perf_counter() < until:\n    pass"


@fault(
    "O6a",
    "monitor.6",
    "every eighth request computes 3, 15, 80 ms longer",
    (3, 15, 80),
    ["latency|slower"],
    reach="H",
    below=SHORT,
)
def slow_rows(system: System, severity: float, seed: int) -> None:
    code = busy(severity).replace("\n", "\n    ")
    served(system, f"if calls % 8 == 0:\n    {code}")


@slow_rows.healthy("both versions compute as much longer")
def both_slow(system: System, severity: float, seed: int) -> None:
    code = busy(min(severity, 15)).replace("\n", "\n    ")
    served(system, f"if calls % 8 == 0:\n    {code}", current_only=False)


@fault(
    "O6b",
    "monitor.6",
    "every 500th, 200th, 20th request stops all for 200 ms",
    (500, 200, 20),
    ["latency|slower|capacity"],
    reach="H",
    below=SHORT,
)
def pauses(system: System, severity: float, seed: int) -> None:
    served(system, f"with LOCK:\n    time.sleep(0.2 if calls % {int(severity)} == 0 else 0)")


@pauses.healthy("a pause of 20 ms that both versions have")
def both_pause(system: System, severity: float, seed: int) -> None:
    served(system, f"with LOCK:\n    time.sleep(0.02 if calls % {int(severity)} == 0 else 0)", current_only=False)


@fault(
    "O6c",
    "monitor.6",
    "one request at a time waits 2, 10, 40 ms",
    (2, 10, 40),
    ["latency|slower|capacity"],
    reach="M",
    below=SHORT,
)
def lock(system: System, severity: float, seed: int) -> None:
    served(system, f"with LOCK:\n    time.sleep({severity / 1000})")


@lock.healthy("half of the usual load")
def quiet(system: System, severity: float, seed: int) -> None:
    system.option("monitor.6", "rate", 20)


@fault(
    "O6d",
    "monitor.6",
    "every request leaves 10, 100, 1000 KB behind",
    (10, 100, 1000),
    ["kept"],
    reach="H",
    below=SHORT,
)
def leak(system: System, severity: float, seed: int) -> None:
    served(system, f"KEPT.append(b'x' * {int(severity) * 1000})")


@leak.healthy("a cache that fills with the first hundred requests")
def cache(system: System, severity: float, seed: int) -> None:
    served(system, "if len(KEPT) < 100:\n    KEPT.append(b'x' * 100_000)")


@fault(
    "O6e",
    "monitor.6",
    "each request looks through a log that grows by 10, 100, 3000 entries a request",
    (10, 100, 3000),
    ["latency|slower|capacity"],
    reach="H",
    below=SHORT,
)
def creep(system: System, severity: float, seed: int) -> None:
    served(system, f"KEPT.extend(range({int(severity)}))\nsum(KEPT)")


@creep.healthy("the log is rotated every twenty requests")
def rotated(system: System, severity: float, seed: int) -> None:
    served(system, f"KEPT.extend(range({min(int(severity), 100)}))\nsum(KEPT)\nif calls % 20 == 0:\n    KEPT.clear()")


@fault(
    "O6f",
    "monitor.6",
    "both versions serve one request at a time, in 15, 25, 40 ms, and 100 a second are needed",
    (15, 25, 40),
    ["peak"],
    reach="L",
)
def beyond_the_peak(system: System, severity: float, seed: int) -> None:
    needs(system, 100)
    served(system, f"with LOCK:\n    time.sleep({severity / 1000})", current_only=False)


@beyond_the_peak.healthy("so do both, in 4 ms")
def within_the_peak(system: System, severity: float, seed: int) -> None:
    needs(system, 100)
    served(system, "with LOCK:\n    time.sleep(0.004)", current_only=False)


def needs(system: System, peak_rate: int) -> None:
    """Declare a peak, and permit to try it; where the server breaks is not looked for."""
    permitted = f"load = {{ saturate = true, peak_rate = {peak_rate} }}"
    system.edit("pyproject.toml", ENDPOINT, f"{ENDPOINT}\n{permitted}")
    system.option("monitor.6", "climb_seconds", 0.0)


ANSWERED = "return jsonify(scores=scores, version=version)"
ANSWERS_MORE = "return jsonify(scores=scores, version=version, more=more if version == spec.CURRENT else '')"


@fault(
    "O6j",
    "monitor.6",
    "every answer carries 1, 5, 50 KB of debugging output",
    (1, 5, 50),
    ["counted for a request"],
    reach="M",
    below="what one packet holds",
)
def debugging(system: System, severity: float, seed: int) -> None:
    system.edit(APP, ANSWERED, f"more = 'x' * {int(severity) * 1000}\n        {ANSWERS_MORE}")


@debugging.healthy("an identifier of the request, which is longer in one answer than in the next")
def request_ids(system: System, severity: float, seed: int) -> None:
    system.edit(APP, ANSWERED, f"more = 'x' * (8 + calls * 7 % 90)\n        {ANSWERS_MORE}")


TRAIN = "flights/train.py"
FITTED = "    frame = _spoiled(frame, seed)\n"
SPENT = "    while time.process_time() < until:\n        pass\n"
LINEAGE = "build/registry/v2/lineage.json"


@fault(
    "O6g",
    "monitor.6",
    "a training computes 1, 10, 60 s longer, and 40 s are granted",
    (1, 10, 60),
    ["time of a training"],
    reach="H",
    below="within the budget that the team declares",
    at_length=True,
)
def long_training(system: System, severity: float, seed: int) -> None:
    system.option("monitor.6", "train_seconds", 40)
    system.edit(TRAIN, FITTED, f"{FITTED}    until = time.process_time() + {severity}\n{SPENT}")
    system.edit(TRAIN, "import numpy as np\n", "import time\n\nimport numpy as np\n")


@long_training.healthy("it computes a second longer")
def hardly_longer(system: System, severity: float, seed: int) -> None:
    long_training.inject(system, 1, seed)


@fault(
    "O6h",
    "monitor.6",
    "a training holds 100, 500, 2000 MB more, and 1500 are granted",
    (100, 500, 2000),
    ["peak memory of a training"],
    reach="H",
    below="within the budget that the team declares",
    at_length=True,
)
def large_training(system: System, severity: float, seed: int) -> None:
    system.option("monitor.6", "train_mb", 1500)
    held = f"    held = b'x' * ({int(severity)} << 20)\n    time.sleep(1 if held else 0)\n    del held\n"
    system.edit(TRAIN, FITTED, f"{FITTED}{held}")
    system.edit(TRAIN, "import numpy as np\n", "import time\n\nimport numpy as np\n")


@large_training.healthy("it holds as much as that, a part at a time")
def in_parts(system: System, severity: float, seed: int) -> None:
    system.option("monitor.6", "train_mb", 1500)
    part = f"    for _ in range({max(1, int(severity) // 50)}):\n        held = b'x' * (50 << 20)\n    del held\n"
    system.edit(TRAIN, FITTED, f"{FITTED}{part}")


@fault(
    "O6i",
    "monitor.6",
    "the training on record took 1.5, 3, 10 times the processor time",
    (1.5, 3, 10),
    ["cost of the training on record"],
    reach="M",
    below="less than twice, the tolerance of what was measured once",
)
def dearer_on_record(system: System, severity: float, seed: int) -> None:
    system.json(LINEAGE, lambda lineage: _costing(lineage, cpu_seconds=severity))


@dearer_on_record.healthy("from as many times more rows")
def more_rows(system: System, severity: float, seed: int) -> None:
    system.json(LINEAGE, lambda lineage: _costing(lineage, cpu_seconds=severity, rows=severity))


def _costing(lineage: dict[str, Any], **times: float) -> dict[str, Any]:
    """Return the lineage with so many times its costs."""
    return lineage | {"costs": {name: cost * times.get(name, 1) for name, cost in lineage["costs"].items()}}

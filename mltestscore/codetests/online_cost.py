"""What the serving path really costs: time and store calls of one raw row, measured in a process of its own."""

from __future__ import annotations

import json
import tempfile
from dataclasses import dataclass
from pathlib import Path

from mltestscore.codetests.sandbox import copied, run_python
from mltestscore.errors import InputError
from mltestscore.inputs.feature_code import TABLE, FeatureCode

ROWS = 100
REPEATS = 5
SECONDS = 10.0  # for the measurement, besides the start
START = 60.0  # seconds that importing the project and its libraries may take


@dataclass(frozen=True)
class OnlineCost:
    """What single requests cost.

    Attributes:
        milliseconds: wall time of each row, the fastest of up to five tries: whatever else the machine does only adds.
        calls: statements executed by a database driver, and requests sent through a socket, for each row. What a
            driver sends from C without Python's knowledge is not seen, so there may be more.
    """

    milliseconds: tuple[float, ...]
    calls: tuple[int, ...]


def online_cost(features: FeatureCode) -> OnlineCost:
    """Call the online path with up to 100 raw rows, for at most ten seconds; measured once for the same code.

    Raises :class:`InputError` when the path cannot be imported, fails on a row, dies or hangs.
    """
    key = ("online cost", features.digest)
    if key not in features.memory:
        features.memory[key] = _measured(features)
    found: OnlineCost = features.memory[key]
    return found


def _measured(features: FeatureCode) -> OnlineCost:
    assert features.raw is not None  # an online path is not offered without raw rows
    with copied(features.folder, features.ignored, TABLE) as sandbox, tempfile.TemporaryDirectory() as name:
        work = Path(name)
        features.raw.sample(ROWS).frame().to_parquet(work / "rows.parquet", index=False)
        request = {"setting": f"{TABLE} online", "online": features.online, "repeats": REPEATS, "seconds": SECONDS}
        wrappers = [wrapper for path, wrapper in features.wrappers if path == "online"]
        (work / "request.json").write_text(json.dumps({**request, "wrappers": wrappers}), encoding="utf-8")
        arguments = ["-m", "mltestscore.codetests.online_cost_process", name]
        done = run_python(arguments, sandbox=sandbox, home=features.folder, timeout=START + SECONDS)
        if done.code is None:
            raise InputError(f"{TABLE}: {features.online} did not come back within {START + SECONDS:g} s.")
        if done.code != 0:
            last = done.said.splitlines()
            own = last and last[-1].startswith(TABLE)
            raise InputError(last[-1] if own else f"{TABLE}: {features.online} failed. It said:\n{done.said}")
        result = json.loads((work / "cost.json").read_text(encoding="utf-8"))
    return OnlineCost(tuple(result["milliseconds"]), tuple(result["calls"]))

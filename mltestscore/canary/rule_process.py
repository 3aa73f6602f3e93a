"""Run in a process of its own: asks a team's function about each case. Arguments: function, folder with the cases."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pandas as pd

from mltestscore.inputs.functions import import_function

WORDS = {
    True: ("promote", "go", "go on", "continue", "pass", "passed", "ok"),
    False: ("block", "blocked", "stop", "abort", "hold", "fail", "failed", "rollback", "roll back", "reject"),
}


def main(source: str, folder: Path) -> None:
    """Write for each case whether the roll-out goes on, or what the function said instead."""
    function = import_function(source, base=Path.cwd(), setting="[tool.mltestscore.canary] decide")
    for file in sorted(folder.glob("*.csv")):
        said = function(pd.read_csv(file))
        answer: bool | str = f"{type(said).__name__} {said!r:.80}"
        if isinstance(said, str):
            answer = next((goes for goes, words in WORDS.items() if said.strip().lower() in words), answer)
        elif isinstance(said, bool) or type(said).__name__ in ("bool", "bool_"):
            answer = bool(said)
        file.with_suffix(".json").write_text(json.dumps(answer), encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]))

"""What a drill saw, for the reader: why the old version did not come back, the steps, the picture of the swap."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import numpy as np

from mltestscore.details import Cell, Series, Table
from mltestscore.rollback.record import Drill, Kind
from mltestscore.rollback.traffic import Request

KEPT = 10


def cause(drill: Drill) -> str:
    """Say why the old version did not answer, as far as its answers tell."""
    if drill.trouble:
        return drill.trouble
    waited = drill.restoring - drill.began
    seen = Counter(kind for _, kind in drill.going_back[-50:])
    if not seen:
        return f"nothing was answered for {waited:.0f} s"
    most = seen.most_common(1)[0][0]
    errors = [one.error for one, kind in drill.going_back if kind == "failed"]
    return {
        "new": f"the pointer moved, and after {waited:.0f} s the server still answered as {drill.current:.80}",
        "mixed": f"after {waited:.0f} s answers named one version and were another's: a name moved, its model not",
        "neither": f"after {waited:.0f} s answers were of neither version, as of a model without its own encoder",
        "failed": f"after {waited:.0f} s requests still failed: {errors[-1] if errors else ''}",
        "old": f"after {waited:.0f} s some answers were still not those of {drill.previous:.80}",
    }[most]


def losses(drill: Drill, requests: Sequence[tuple[Request, Kind]], waits: str) -> str:
    """Say why requests failed: whether they timed out, and whether that was while versions were being switched.

    ``waits`` is what is known of such requests on this server.
    """
    failed = [one for one, kind in requests if kind == "failed"]
    late = [one for one in failed if one.late]
    if not late:
        return failed[0].error if failed else ""
    for began, ended in drill.changing:
        waited = [one for one in late if one.at < ended and one.ended > began]
        if waited:
            took = f"while versions were switched, which took {ended - began:.1f} s"
            known = f" ({waits})" if waits else ""
            return f"{len(late)} of {len(failed)} timed out, {len(waited)} of them {took}{known}: {waited[0].error}"
    return f"{len(late)} of {len(failed)} timed out: {late[0].error}"


def steps(drill: Drill, known_from: str) -> Table:
    """Return what was done, and what came of it."""
    rows: list[tuple[str, Cell]] = [
        ("in service", drill.current),
        ("gone back to", drill.previous),
        ("versions kept, newest last", ", ".join(drill.versions[-KEPT:])),
    ]
    if drill.recovered:
        rows.append(("put back before the drill", drill.recovered))
    if drill.answers is not None:
        rows.append(("answers of the old version known from", known_from or "nothing: by the version that is named"))
        rows.append(("rows asked", len(drill.answers.new)))
        rows.append(("of these, answered differently by the two versions", len(drill.answers.differing)))
        rows.append(("version named before", drill.answers.named or "none"))
    if drill.requests and not drill.unable:
        rows += _times(drill)
    return Table("The drill", ["step", "seen"], rows)


def _times(drill: Drill) -> list[tuple[str, Cell]]:
    def seconds(value: float | None) -> Cell:
        return "not" if value is None else round(value, 2)

    named = [one.version for one, _ in drill.going_back if one.version]
    return [
        ("seconds until the old version answered", seconds(drill.back_after)),
        ("version named then", named[-1][:80] if named else "none"),
        ("seconds until the current one answered again", seconds(drill.restored_after)),
        *(
            (f"seconds that {step} took by itself", seconds(ended - began))
            for step, (began, ended) in zip(("switching", "switching back"), drill.changing, strict=False)
        ),
        ("requests", len(drill.requests)),
        ("of these failed", sum(bool(one.error) for one in drill.requests)),
        ("of these timed out", sum(one.late for one in drill.requests)),
        ("slowest answer (ms)", round(1000 * max(one.seconds for one in drill.requests), 1)),
    ]


def by_second(drill: Drill, slow_ms: float) -> Series:
    """Return the failed and the slow requests of each second, and how many came from the old version."""
    at = np.array([int(one.at) for one in drill.requests], dtype=int)
    kinds = np.array([drill.answers.kind(one) if drill.answers else "failed" for one in drill.requests])
    marks = {
        "failed": kinds == "failed",
        f"slower than {slow_ms:g} ms": np.array([1000 * one.seconds > slow_ms for one in drill.requests], dtype=bool),
        "old version": kinds == "old",
        "current version": kinds == "new",
    }
    most = int(at.max(initial=0)) + 1
    counted = {name: np.bincount(at[mark], minlength=most).tolist() for name, mark in marks.items()}
    lines: dict[str, Sequence[float]] = {name: [float(count) for count in counts] for name, counts in counted.items()}
    title = f"Requests while swapping: back from second {drill.began:.1f}, restored from second {drill.restoring:.1f}"
    return Series(title, "second of the drill", list(range(most)), lines, y_name="requests a second")

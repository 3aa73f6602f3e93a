"""A closer look at the features that a check of skew or drift flags: a page each, drawn by Evidently on small samples.

Evidently writes column names and values into a script of its page as they are, so that a category may end the script
and begin its own. Therefore names and values are made harmless before Evidently sees them, and its page is shown in a
sandboxed frame of an origin of its own, under a policy that lets only the scripts run that it was written with and
nothing leave (:mod:`mltestscore.reports.html.drilldown`).
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Mapping
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mltestscore.borrowed.evidently_report import definition, plain, quiet
from mltestscore.borrowed.reading import cut, failing_columns
from mltestscore.declare import Check
from mltestscore.result import CheckResult, Drilldown
from mltestscore.words.figures import plural
from mltestscore.words.tame import visible

if TYPE_CHECKING:
    import pandas as pd

    from mltestscore.inputs.dataset import Dataset

PAIRS = {"monitor.2": ("serving", "training"), "monitor.3": ("serving", "recomputed")}
"""Which inputs of a check are compared, by its item: what is served, and what it should look like."""
ROWS = 5_000
"""Rows of each side: enough for a picture, and the page stays below 5 MB, of which Evidently's code is 3.5."""
MOST = 8
CATEGORIES = 30
LONGEST = 60
OTHER = "… all other values"
LOOK_ALIKES = str.maketrans({"<": "‹", ">": "›", "&": "＆", '"': "″", "'": "′", "`": "ˋ", "\\": "⧵"})
"""Characters that can end a text in HTML, JavaScript or JSON, each with one that looks alike and cannot."""


def drilldowns(
    check: Check, inputs: Mapping[str, Any], result: CheckResult, folder: Path, progress: Callable[[str], None]
) -> list[Drilldown]:
    """Write a page a flagged feature into ``folder``, at most eight; return what was written, or why it was not.

    A feature is flagged by a finding that failed on it, or by a failing test of a team's own report. What goes wrong
    here is told beside the feature and never changes the verdict.
    """
    names = check.inputs if check.existing else PAIRS.get(check.item, ())
    pair = [inputs[name] for name in names if hasattr(inputs.get(name), "sample")]
    if len(pair) != 2 or result.state != "failed":
        return []
    current, reference = pair
    shared = set(current.columns) & set(reference.columns)
    features = [name for name in _flagged(result) if name in shared]
    written: list[Drilldown] = []
    for feature in features[:MOST]:
        progress(f"drill-down of {visible(feature, LONGEST)}")
        written += _drawn_once(feature, current, reference, folder)
    if len(features) > MOST:
        left = plural(len(features) - MOST, "more flagged feature")
        written.append(Drilldown(feature="", why=f"{left} without a page; at most {MOST} are drawn"))
    return written


def _drawn_once(feature: str, current: Dataset, reference: Dataset, folder: Path) -> list[Drilldown]:
    """Return the page of a feature; two checks that compare the same data share it."""
    subject = ("drilldown", reference.name, reference.digest, folder)
    return current.recall(subject, [feature], lambda _: [_written(feature, current, reference, folder)])


def _flagged(result: CheckResult) -> list[str]:
    """Return the features in question, those with a failed finding first."""
    failed = [one.where for one in result.findings if one.verdict == "failed" and not one.advisory and one.where]
    return list(dict.fromkeys([*failed, *failing_columns(result)]))


def _written(feature: str, current: Dataset, reference: Dataset, folder: Path) -> Drilldown:
    compared = "\n".join((current.name, reference.name, feature)).encode("utf-8", "replace")
    name = f"drilldown-{hashlib.sha256(compared).hexdigest()[:16]}.html"
    try:
        sides = [one.sample(ROWS).frame([feature])[feature] for one in (current, reference)]
        drawn = picture(feature, *sides)
        about = f"{current.name}, {len(sides[0]):,} of {current.rows:,} rows, against {reference.name}, "
        about += f"{len(sides[1]):,} of {reference.rows:,}"
        text = import_module("mltestscore.reports.html.drilldown").page(feature, about, drawn)
        folder.mkdir(parents=True, exist_ok=True)
        partial = folder / f".{name}.{os.getpid()}"
        partial.write_text(text, encoding="utf-8")
        partial.replace(folder / name)
    except Exception as error:
        return Drilldown(feature=feature, why=f"no page: {type(error).__name__}: {cut(error, 200)}")
    return Drilldown(feature=feature, file=name, about=about)


def picture(feature: str, current: pd.Series[Any], reference: pd.Series[Any]) -> str:
    """Return Evidently's page on one feature; names and values are made harmless first.

    Raises :class:`ValueError` for a feature of times, which Evidently does not compare.
    """
    import pandas as pd

    if any(pd.api.types.is_datetime64_any_dtype(side) for side in (current, reference)):
        raise ValueError("Evidently does not compare times")
    name = harmless(feature) or "feature"
    sides = [side.to_frame(name) for side in (current, reference)]
    with quiet():
        from evidently import Dataset, Report
        from evidently.metrics import ValueDrift
        from evidently.presets import ValueStats

        report = Report([ValueDrift(column=name), ValueStats(column=name)])
        kinds = definition(sides, [name])
        if kinds.categorical_columns:
            sides = [side.to_frame(name) for side in _categories(current, reference)]
        data = [Dataset.from_pandas(plain(side, kinds), data_definition=kinds) for side in sides]
        return str(report.run(*data).get_html_str(as_iframe=False))


def _categories(current: pd.Series[Any], reference: pd.Series[Any]) -> list[pd.Series[Any]]:
    """Return both sides as harmless text, the rarer values of many as one."""
    import pandas as pd

    texts = [
        side.astype("object").where(side.notna(), None).map(str, na_action="ignore") for side in (current, reference)
    ]
    common = pd.concat(texts).value_counts().index[:CATEGORIES]
    labels: dict[str, str] = {}
    for value in map(str, common):
        label = harmless(value) or "(empty)"
        # Two values that look alike once they are harmless must stay two.
        labels[value] = f"{label} ({len(labels) + 1})" if label in labels.values() else label
    return [side.map(lambda value: labels.get(value, OTHER), na_action="ignore").astype("object") for side in texts]


def harmless(text: str) -> str:
    """Return text that ends no script, tag, attribute or string, and shows what it holds.

    >>> harmless("</script><b>&")
    '‹/script›‹b›＆'
    """
    return visible(text, LONGEST).translate(LOOK_ALIKES).replace("\n", "␊").replace("\t", "␉")

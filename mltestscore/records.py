"""Findings, details, inputs and errors as plain JSON records, which cross processes and are written."""

from __future__ import annotations

import math
import traceback
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from mltestscore.details import Detail
from mltestscore.errors import MltestscoreError
from mltestscore.finding import Finding
from mltestscore.result import DetailRecord, FindingRecord, InputFact, storable


def record(finding: Finding) -> FindingRecord:
    """Return a finding as JSON, with open interval ends as ``None``."""
    data = {name: value for name, value in asdict(finding).items() if name != "interval"}
    data = {name: _finite(value) if isinstance(value, float) else value for name, value in data.items()}
    if finding.interval is not None:
        interval = finding.interval
        data |= {"n": interval.n, "confidence": interval.confidence, "method": interval.method}
        data |= {"value": _finite(interval.value), "low": _finite(interval.low), "high": _finite(interval.high)}
    return FindingRecord(**data)


def detail_record(detail: Detail) -> DetailRecord:
    """Return a detail as JSON."""
    data = plain({name: value for name, value in asdict(detail).items() if name != "title"})
    return DetailRecord(kind=detail.kind, title=detail.title, data=data)  # type: ignore[arg-type]


def fact(name: str, value: Any) -> InputFact:
    """Say which input was used."""
    rows, columns = getattr(value, "rows", None), getattr(value, "columns", None)
    return InputFact(
        name=name,
        source=str(getattr(value, "source", ""))[:300],
        digest=digest_of(value),
        rows=rows if isinstance(rows, int) else None,
        columns=len(columns) if isinstance(columns, tuple) else None,
        note=str(getattr(value, "version", ""))[:100],
    )


def digest_of(value: Any) -> str:
    """Return an input's own digest, or an empty string where it has none."""
    digest = getattr(value, "digest", "")
    return digest if isinstance(digest, str) else ""


def said(error: BaseException) -> str:
    """Return an error in one message: ours as it is, others with their type."""
    text = str(storable(str(error).strip() or type(error).__name__))
    return text[:2000] if isinstance(error, MltestscoreError) else f"{type(error).__name__}: {text[:1000]}"


def where(error: BaseException) -> str:
    """Return the end of an error's traceback."""
    return str(storable("".join(traceback.format_exception(error, limit=-6))))[-4000:]


def _finite(value: float) -> float | None:
    return float(value) if math.isfinite(value) else None


def plain(value: Any) -> Any:
    """Return ``value`` as JSON types, so that it can cross processes and be written."""
    if isinstance(value, Mapping):
        return {str(key): plain(part) for key, part in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [plain(part) for part in value]
    if value is None or isinstance(value, bool | str):
        return value
    if isinstance(value, int):
        return int(value)
    if isinstance(value, float) or hasattr(value, "__float__"):
        return _finite(float(value))
    return str(value)

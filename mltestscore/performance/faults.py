"""How large the planted faults of monitor.6 must be on this system, and what it must offer for them."""

from __future__ import annotations

from mltestscore.errors import NotOffered
from mltestscore.inputs.dataset import Dataset
from mltestscore.inputs.endpoint import Endpoint
from mltestscore.inputs.registry import Registry
from mltestscore.serving.counting import BYTES


def noticed_delay(endpoint: Endpoint, serving: Dataset) -> float:
    """Return seconds that no tolerance or noise hides, and without a previous version hardly a declared limit."""
    if endpoint.previous is None:
        return 1.0
    now = endpoint.load(serving.sample(10).frame(columns=serving.features), rate=60, seconds=0.25, seed=1)
    return max(0.05, 4 * now.percentiles()[95] / 1000)


def answer_bytes(endpoint: Endpoint, serving: Dataset) -> int:
    """Return how long an answer is now; raises :class:`NotOffered` where no previous version says what is usual."""
    if endpoint.previous is None:
        raise NotOffered("a previous version", "name its command as previous_command")
    return int(endpoint.count(serving.sample(2).frame(columns=serving.features)).get(BYTES, 0))


def held_bytes(endpoint: Endpoint) -> int:
    """Return the memory that the server holds; raises :class:`NotOffered` where its process is not ours."""
    held = endpoint.memory()
    if held is None:
        raise NotOffered("the server's process", "offer its command instead of a url")
    return held


def peak_rate(endpoint: Endpoint) -> float:
    """Return the declared peak; raises :class:`NotOffered` where there is none, or none that may be tried."""
    if not (endpoint.loading.saturate and endpoint.loading.peak_rate):
        raise NotOffered("a peak that may be tried", "set saturate, peak_rate in [tool.mltestscore.endpoint.load]")
    return endpoint.loading.peak_rate


def dearer(registry: Registry, times: float) -> Registry:
    """Return a registry whose current version took so many times what the previous one took, for each of its rows.

    Raises :class:`NotOffered` where the costs of either version are not on record.
    """
    before, now = registry.previous, registry.current.costs
    if before is None or not before.costs.keys() - {"rows"} or not now:
        raise NotOffered("costs of two versions", "write costs into the lineage of each version in the registry")
    times *= max(1.0, now.get("rows", 1.0) / before.costs.get("rows", 1.0))
    planted = {name: times * cost for name, cost in before.costs.items() if name != "rows"}
    return registry.replace(costs={**now, **planted})

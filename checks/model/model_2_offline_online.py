"""The offline metric moves with what users feel, as experiments with both show.

Why
    A model is chosen by an offline number and judged by an online one. Where the two do not move together, all tuning
    is work on the wrong problem, and every gain in the notebook may be a loss in the product.

Measured
    Over the recorded experiments on the metric that releases are judged by: Kendall's tau of the offline and online
    changes, which asks for the same order and not for a straight line; and in how many both go the same way (an online
    change of nothing is no agreement). The age of the newest experiment; whether a model was made worse on purpose,
    without which nobody knows what a loss costs.

Passes when
    tau is shown to be above zero and the agreement above one half (95 %), the newest experiment is young enough, and a
    degraded model was tried. Fails where tau is shown to be below min_tau, or the agreement below min_agreement, or no
    experiment has the metric that releases are judged by. Fewer than min_pairs experiments decide nothing.

If it fails
    Look at the experiments that disagree: a leak in the offline split, a metric over other users than those served, or
    an online measure that something else moves. Choose another offline metric, and replay old experiments with it.

Options
    metric: the offline metric; default: the one of the registry's metrics that most experiments have.
    min_tau: 0.2 and min_agreement: 0.6, which for normal changes are the same strength; convention of this project.
    min_pairs: 10, below which the bounds do not hold (mltestscore.stats.rank). max_age_days: 365; convention.
    alpha: .0005 for both bounds that accuse together: one healthy run in 2,000.

Source
    Breck et al. 2017, Model 2; Kendall 1938, Biometrika 30:81; Kohavi, Tang and Xu 2020, Trustworthy Online Controlled
    Experiments, ch. 5 (experiments that slow down or degrade on purpose).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

import numpy as np

from mltestscore import Finding, Series, Table, at_least, check, fault, undecided
from mltestscore.errors import NotOffered
from mltestscore.inputs.experiments import Experiments
from mltestscore.inputs.registry import Registry
from mltestscore.offline_online import (
    AGE,
    AGREEMENT,
    COLUMNS,
    ON_METRIC,
    TAU,
    age,
    agreement,
    correlation,
    degraded,
    on_metric,
    rows,
)

PLANTED = "planted_by_mltestscore"


@check("model.2")
def check_offline_online(
    experiments: Experiments,
    clock: datetime,
    registry: Registry | None = None,
    *,
    metric: str = "",
    min_tau: float = 0.2,
    min_agreement: float = 0.6,
    min_pairs: int = 10,
    max_age_days: float = 365.0,
    alpha: float = 0.0005,
) -> Iterator[Finding | Series | Table]:
    """Hold the offline changes of experiments to their online changes."""
    known = [metric] if metric else list(registry.current.metrics) if registry is not None else []
    chosen, kept = on_metric(experiments, known)
    if chosen:
        others = ", ".join(sorted(set(experiments.metrics) - {chosen})[:3])
        cause = f"releases are judged by {', '.join(known[:5])}; experiments have {others}" if not kept.any() else ""
        yield at_least(ON_METRIC, int(kept.sum()), 1, n=len(kept), where=chosen[:80], cause=cause)
    offline, online = experiments.offline[kept], experiments.online[kept]
    if len(offline) < min_pairs:
        for name in (TAU, AGREEMENT):
            yield undecided(name, f"{len(offline)} experiments with both changes known", n_to_settle=min_pairs)
    else:
        yield correlation(offline, online, min_tau, alpha / 2)
        yield agreement(offline, online, min_agreement, alpha / 2)
    yield age(experiments.ended[kept], clock, max_age_days)
    yield degraded(experiments.degraded, kept)
    order = np.argsort(offline, kind="stable")
    if len(order):
        x, y = ([float(one) for one in side[order]] for side in (offline, online))
        yield Series(
            "What the offline change was worth online", "offline change", x, {"experiments": y}, "online change"
        )
    yield Table("Experiments, newest first", COLUMNS, rows(experiments, kept), left_out=int((~kept).sum()))


@fault(check_offline_online, "what is better offline is worse online", caught_by=TAU)
def reversed_order(experiments: Experiments) -> Mapping[str, Any]:
    """The metric is blind to what users want."""
    return {"experiments": experiments.replace(online=-experiments.offline)}


@fault(check_offline_online, "nothing changes online, whatever is gained offline", caught_by=AGREEMENT)
def flat(experiments: Experiments) -> Mapping[str, Any]:
    """The offline gain was a leak."""
    return {"experiments": experiments.replace(online=np.zeros(len(experiments)))}


@fault(check_offline_online, "the experiments are ten years old", caught_by=AGE)
def old(experiments: Experiments) -> Mapping[str, Any]:
    """Other users, another product."""
    return {"experiments": experiments.replace(ended=experiments.ended - np.timedelta64(3653, "D"))}


@fault(check_offline_online, "the experiments were made with another offline metric", caught_by=ON_METRIC)
def other_metric(experiments: Experiments, registry: Registry) -> Mapping[str, Any]:
    """Releases are judged by a metric of which nothing is known."""
    if not experiments.metrics or not registry.current.metrics:
        raise NotOffered("the metric of experiments and releases", "write both")
    return {"experiments": experiments.replace(metrics=(PLANTED,) * len(experiments))}

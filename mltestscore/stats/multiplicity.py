"""Several comparisons inside one check: family-wise corrections, valid under any dependence between them."""

from __future__ import annotations

from collections.abc import Sequence


def bonferroni(alpha: float, m: int) -> float:
    """Return the level of each of ``m`` comparisons, so that together they err with probability at most ``alpha``.

    Raises :class:`ValueError` unless ``0 < alpha < 1`` and ``m >= 1``.

    >>> bonferroni(0.001, 2)
    0.0005
    """
    _check_level(alpha)
    if m < 1:
        raise ValueError(f"bonferroni: the number of comparisons must be at least 1, not {m}")
    return alpha / m


def holm(p_values: Sequence[float], alpha: float) -> tuple[bool, ...]:
    """Return, in the given order, which hypotheses Holm's step-down procedure rejects at the family level ``alpha``.

    Source: Holm (1979), A simple sequentially rejective multiple test procedure.

    Raises :class:`ValueError` for a p-value outside [0, 1] or a level outside (0, 1).

    >>> holm([0.04, 0.001, 0.02], 0.05)
    (True, True, True)
    >>> holm([0.04, 0.03, 0.001], 0.05)
    (False, False, True)
    """
    _check_level(alpha)
    outside = [p for p in p_values if not 0 <= p <= 1]
    if outside:
        raise ValueError(f"holm: p-values must lie in [0, 1], not {outside[:3]}")
    order = sorted(range(len(p_values)), key=lambda index: p_values[index])
    rejected = [False] * len(p_values)
    for step, index in enumerate(order):
        if p_values[index] > alpha / (len(p_values) - step):
            break
        rejected[index] = True
    return tuple(rejected)


def _check_level(alpha: float) -> None:
    if not 0 < alpha < 1:
        raise ValueError(f"the level alpha must lie between 0 and 1, not {alpha}")

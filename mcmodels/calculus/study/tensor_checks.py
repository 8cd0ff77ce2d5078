"""Derivatives of tensors measured against finite differences."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mcmodels.calculus.compute.evaluate import walk
from mcmodels.calculus.core.tensors import Tensor
from mcmodels.calculus.derive.gradients import symbol_of
from mcmodels.calculus.derive.tensor_derivatives import tensor_derivative
from mcmodels.calculus.study.checks import directions, instance_at, largest_deviation
from mcmodels.differences import difference_quotient
from mcmodels.plain import np

__all__ = ["check"]


def check(F: Tensor, x: Any, seed: int = 0, values: Mapping[str, Any] | None = None) -> float:
    """The work of `Tensor.check`."""
    symbol = symbol_of(F.entries, x)
    D = tensor_derivative(F, symbol)
    array, sizes = instance_at((F.entries, D.entries, symbol), seed, values or {})
    found = walk(D.entries, array, sizes).reshape(-1, array[symbol].size)
    analytic, numerical = [], []
    for E in directions(symbol, (array, sizes)):
        analytic.append(found @ E.reshape(-1))

        def moved(t: float, E: Any = E) -> Any:
            return walk(F.entries, {**array, symbol: array[symbol] + t * E}, sizes)

        numerical.append(difference_quotient(moved).ravel())
    return largest_deviation(np.array(analytic), np.array(numerical))

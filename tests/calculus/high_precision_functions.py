"""The functions of `high_precision` beyond the elementary ones, all by mpmath."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from mpmath import mp, mpf

Array = np.ndarray[Any, Any]


def _each(function: Callable[..., Any], count: int = 1) -> Callable[..., Array]:
    return np.frompyfunc(function, count, 1)


def _of_matrix(function: Callable[[Any], Any]) -> Callable[[Array], Array]:
    def apply(array: Array) -> Array:
        result = function(mp.matrix(array.tolist()))
        real = [[mp.re(entry) for entry in row] for row in result.tolist()]
        return np.array(real, dtype=object).reshape(array.shape)

    return apply


def _sqrtm(matrix: Any) -> Any:
    """By the iteration of Denman and Beavers, which mpmath's own square root takes too long for."""
    Y, Z = matrix, mp.eye(matrix.rows)
    for _ in range(60):
        following = (Y + Z**-1) / 2, (Z + Y**-1) / 2
        change = mp.mnorm(following[0] - Y, "f")
        Y, Z = following
        if change < mpf(10) ** (-mp.dps + 3):
            break
    return Y


def _logm(matrix: Any) -> Any:
    """By square roots down to nearly the identity, and the series of artanh."""
    one, roots = mp.eye(matrix.rows), 0
    while mp.mnorm(matrix - one, "f") > mpf("0.01"):
        matrix, roots = _sqrtm(matrix), roots + 1
    T = (matrix - one) * (matrix + one) ** -1
    total, power = T, T
    for k in range(1, 15):
        power = power * T * T
        total = total + power / (2 * k + 1)
    return 2 ** (roots + 1) * total


def _eigh(array: Array) -> tuple[Array, Array]:
    values, vectors = mp.eigsy(mp.matrix(array.tolist()))
    found = np.array(vectors.tolist(), dtype=object).reshape(array.shape)
    for column in range(len(found)):
        largest = max(found[:, column], key=abs)
        found[:, column] = found[:, column] * mp.sign(largest)
    return np.array(list(values), dtype=object).reshape(-1, 1), found


def _mills(z: mpf) -> mpf:
    return mp.npdf(z) / mp.ncdf(z)


FUNCTIONS: dict[str, Callable[..., Any]] = {
    "log1p": _each(lambda z: mp.log(1 + z)),
    "expm1": _each(mp.expm1),
    "tan": _each(mp.tan),
    "arcsin": _each(mp.asin),
    "arccos": _each(mp.acos),
    "arctan": _each(mp.atan),
    "sinh": _each(mp.sinh),
    "cosh": _each(mp.cosh),
    "arcsinh": _each(mp.asinh),
    "arccosh": _each(mp.acosh),
    "arctanh": _each(mp.atanh),
    "erf": _each(mp.erf),
    "erfc": _each(mp.erfc),
    "norm_cdf": _each(mp.ncdf),
    "norm_pdf": _each(mp.npdf),
    "norm_logcdf": _each(lambda z: mp.log(mp.ncdf(z))),
    "inverse_mills": _each(_mills),
    "inverse_mills_gap": _each(lambda z: z + _mills(z)),
    "gammaln": _each(lambda z: mp.log(abs(mp.gamma(z)))),
    "digamma": _each(mp.digamma),
    "polygamma": lambda k, array: _each(lambda z: mp.psi(k, z))(array),
    "gelu": _each(lambda z: z * mp.ncdf(z)),
    "maximum": _each(max, 2),
    "minimum": _each(min, 2),
    "hypot": _each(mp.hypot, 2),
    "expm": _of_matrix(mp.expm),
    "logm": _of_matrix(_logm),
    "sqrtm": _of_matrix(_sqrtm),
    "eigh": _eigh,
}

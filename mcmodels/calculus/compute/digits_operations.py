"""The operations that `evaluate.walk` needs, on object arrays of mpmath numbers.

They run at the precision that mpmath is set to. mpmath is imported when they are first used.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable
from decimal import Decimal
from fractions import Fraction
from functools import cache
from types import SimpleNamespace
from typing import Any

import numpy as np

from mcmodels.calculus.compute.binding import Array

__all__ = ["mpmath", "operations"]

_MOST_STEPS = 100  # of an iteration that doubles its digits
_FEWEST_DIGITS_LOST = 5


@cache
def mpmath() -> Any:
    """The package, or an ImportError that names the extra."""
    try:
        return importlib.import_module("mpmath")
    except ImportError as error:
        raise ImportError(
            "digits=… needs mpmath: pip install 'mcmodels[digits]'.", name="mpmath"
        ) from error


@cache
def operations() -> SimpleNamespace:
    """The namespace."""
    mp = mpmath().mp
    mpf, mpc = mp.mpf, mp.mpc

    def number(value: Any) -> Any:
        if isinstance(value, mpf | str):
            return mpf(value)
        if isinstance(value, int | np.integer | np.bool_):
            return mpf(int(value))
        if isinstance(value, float):
            return mpf(float(value))
        if isinstance(value, np.floating | Decimal | Fraction):
            above, below = value.as_integer_ratio()
            return mpf(above) / below
        raise TypeError(f"no real number: {value!r}")

    def real(value: Any) -> Any:
        """NaN where a function of a real number has no real value."""
        return value if not isinstance(value, mpc) else value.real if value.imag == 0 else mp.nan

    def each(function: Callable[..., Any], count: int = 1) -> Callable[..., Array]:
        def of_number(*arguments: Any) -> Any:
            try:
                return real(function(*arguments))
            except (ValueError, ZeroDivisionError):  # a pole
                return mp.nan

        return np.frompyfunc(of_number, count, 1)

    def matrix(array: Array) -> Any:
        return mp.matrix(array.tolist())

    def array_of(result: Any) -> Array:
        entries = [[real(entry) for entry in row] for row in result.tolist()]
        return np.array(entries, dtype=object).reshape(result.rows, result.cols)

    def of_matrix(function: Callable[[Any], Any]) -> Callable[[Array], Array]:
        return lambda array: array_of(function(matrix(array)))

    def eliminated(array: Array, beside: Array) -> tuple[Any, Array]:
        """The determinant of a matrix, and its inverse times another, by Gauss and Jordan.

        Mpmath's own take a matrix for singular where a pivot is far smaller than another.
        """
        rows, n = np.concatenate([array, beside], axis=1), len(array)
        determinant = mpf(1)
        for k in range(n):
            place = max(range(k, n), key=lambda i: abs(rows[i, k]))
            if rows[place, k] == 0:
                return mpf(0), beside
            if place != k:
                rows[[k, place]] = rows[[place, k]]
                determinant = -determinant
            determinant = determinant * rows[k, k]
            rows[k] = rows[k] / rows[k, k]
            for i in range(n):
                if i != k and rows[i, k] != 0 and (i > k or beside.size):
                    rows[i] = rows[i] - rows[i, k] * rows[k]
        return determinant, rows[:, n:]

    def det(array: Array) -> Any:
        return eliminated(array, array[:, :0])[0]

    def inverse(array: Array) -> Array:
        determinant, found = eliminated(array, np.frompyfunc(mpf, 1, 1)(np.eye(len(array))))
        if determinant == 0:
            raise np.linalg.LinAlgError("the matrix is singular")
        return found

    def rounding() -> Any:
        return mpf(10) ** (_FEWEST_DIGITS_LOST - mp.dps)

    def softplus(z: Any) -> Any:
        return z + mp.log1p(mp.exp(-z)) if z > 0 else mp.log1p(mp.exp(z))

    def log_of_cdf(z: Any) -> Any:
        return mp.log1p(-mp.ncdf(-z)) if z > 0 else mp.log(mp.ncdf(z))

    def mills(z: Any) -> Any:
        return mp.npdf(z) / mp.ncdf(z)

    def sqrtm(A: Any) -> Any:
        """By the iteration of Denman and Beavers: Higham (2008), (6.15)."""
        Y, Z = A, mp.eye(A.rows)
        size = mp.mnorm(A, "f")
        for _ in range(_MOST_STEPS):
            Y, Z = (Y + Z**-1) / 2, (Z + Y**-1) / 2
            if mp.mnorm(Y * Y - A, "f") <= rounding() * size:
                return Y
        raise np.linalg.LinAlgError(
            "its principal root or logarithm needs eigenvalues that are neither 0 nor negative"
        )

    def logm(A: Any) -> Any:
        """By roots and the series of artanh: Higham (2008), section 11.3."""
        one, roots = mp.eye(A.rows), 0
        while mp.mnorm(A - one, "f") > mpf("0.01"):
            A, roots = sqrtm(A), roots + 1
        T = (A - one) * (A + one) ** -1
        square, power, total, k = T * T, T, T, 1
        while mp.mnorm(power, "f") > mp.eps * mp.mnorm(total, "f"):
            power = power * square
            total = total + power / (2 * k + 1)
            k += 1
        return 2 ** (roots + 1) * total

    def eigh(array: Array) -> tuple[Array, Array]:
        values, vectors = mp.eigsy(matrix((array + array.T) / 2))
        found = array_of(vectors)
        for column in range(len(found)):
            largest = max(found[:, column], key=abs)
            found[:, column] = found[:, column] * mp.sign(largest)
        return np.array(list(values), dtype=object).reshape(-1, 1), found

    def svd(array: Array) -> tuple[Array, Array, Array]:
        flipped = array.shape[0] < array.shape[1]
        U, sizes, V = mp.svd_r(matrix(array.T if flipped else array))
        left, right = array_of(U), array_of(V)
        row = np.array(list(sizes), dtype=object)
        return (right.T, row, left.T) if flipped else (left, row, right)

    return SimpleNamespace(
        array=np.frompyfunc(number, 1, 1),
        number=number,
        rounding=rounding,
        exp=each(mp.exp),
        log=each(mp.log),
        sin=each(mp.sin),
        cos=each(mp.cos),
        tanh=each(mp.tanh),
        sigmoid=each(lambda z: 1 / (1 + mp.exp(-z))),
        softplus=each(softplus),
        abs=each(abs),
        relu=each(lambda z: max(z, mpf(0))),
        sign=each(mp.sign),
        step=each(lambda z: mpf(z > 0)),
        sqrt=each(mp.sqrt),
        power=each(mp.power, 2),
        inv=inverse,
        det=det,
        logabsdet=lambda array: mp.log(abs(det(array))),
        log1p=each(mp.log1p),
        expm1=each(mp.expm1),
        tan=each(mp.tan),
        arcsin=each(mp.asin),
        arccos=each(mp.acos),
        arctan=each(mp.atan),
        sinh=each(mp.sinh),
        cosh=each(mp.cosh),
        arcsinh=each(mp.asinh),
        arccosh=each(mp.acosh),
        arctanh=each(mp.atanh),
        erf=each(mp.erf),
        erfc=each(mp.erfc),
        norm_cdf=each(mp.ncdf),
        norm_pdf=each(mp.npdf),
        norm_logcdf=each(log_of_cdf),
        inverse_mills=each(mills),
        inverse_mills_gap=each(lambda z: z + mills(z)),
        gammaln=each(lambda z: mp.log(abs(mp.gamma(z)))),
        digamma=each(mp.digamma),
        polygamma=lambda k, array: each(lambda z: mp.psi(k, z))(array),
        gelu=each(lambda z: z * mp.ncdf(z)),
        maximum=each(max, 2),
        minimum=each(min, 2),
        hypot=each(mp.hypot, 2),
        expm=of_matrix(mp.expm),
        logm=of_matrix(logm),
        sqrtm=of_matrix(sqrtm),
        eigh=eigh,
        svd=svd,
    )

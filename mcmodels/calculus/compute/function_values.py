"""Values of the functions of `core.function_nodes` and `core.elementwise_special`.

As in `evaluate`, the operations come as a namespace. With complex numbers they are the analytic
continuations, for the complex step: no imaginary part is mixed with the rounding of a real one.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping
from typing import Any

from mcmodels.calculus.compute.binding import Array
from mcmodels.calculus.compute.polygamma import polygamma
from mcmodels.calculus.core import function_nodes as F
from mcmodels.calculus.core.expression import Expression
from mcmodels.plain import np, scipy

__all__ = ["FUNCTION_OPERATIONS", "FUNCTION_VALUES"]

_ROOT_OF_2 = np.sqrt(2)
_FAR_BELOW = -200  # z + φ/Φ by the difference loses z² roundings; the fraction is exact to z⁻⁶
_WHOLE = 30  # Φ(z) is 1 above it, and erfcx of a complex number overflows to NaN
_TERMS = 12  # of series whose terms fall by 1e-3 each
_REPEATED = 1e-12  # relative gap of eigenvalues; eigenvectors have no digits left below it


# -- of each entry -------------------------------------------------------------------------------


def _inverse_mills(z: Array) -> Array:
    near = np.where(z.real < _WHOLE, z, 0)
    tail = np.sqrt(2 / np.pi) / scipy.special.erfcx(-near / _ROOT_OF_2)
    far = np.where(z.real < _WHOLE, _WHOLE, z)
    return np.where(z.real < _WHOLE, tail, np.exp(-far * far / 2) / np.sqrt(2 * np.pi))


def _inverse_mills_gap(z: Array) -> Array:
    x = np.where(z.real < _FAR_BELOW, -z, 1)
    return np.where(z.real < _FAR_BELOW, 1 / (x + 2 / (x + 3 / x)), z + _inverse_mills(z))


def _gammaln(z: Array) -> Array:
    if not np.iscomplexobj(z):
        return scipy.special.gammaln(z)
    below = z.real < 0.5
    flipped = np.where(below, 1 - z, z)
    sine = np.sin(np.pi * np.where(below, z - np.rint(z.real), 0.5))  # but for its sign
    reflected = np.log(np.pi) - np.log(sine * np.sign(sine.real))
    logs = scipy.special.loggamma(flipped)
    return np.where(below, reflected - logs, logs)


def _polygamma(k: int, z: Array) -> Array:
    if not np.iscomplexobj(z):
        return polygamma(k, z)
    # Of first order in the imaginary part, which is all that the complex step asks for.
    return polygamma(k, z.real) + 1j * z.imag * polygamma(k + 1, z.real)


def _hypot(a: Array, b: Array) -> Array:
    if np.iscomplexobj(a) or np.iscomplexobj(b):
        return np.sqrt(a * a + b * b)
    return np.hypot(a, b)


# -- of matrices ---------------------------------------------------------------------------------


def _expm(X: Array) -> Array:
    """Of complex matrices by scaling and a Taylor series: Higham (2008), section 10.3."""
    if not np.iscomplexobj(X):
        return scipy.linalg.expm(X)
    squarings = max(0, int(np.ceil(np.log2(max(np.abs(X).sum(axis=0).max(), 1e-300)))) + 5)
    X = X / 2**squarings
    result = term = np.eye(len(X), dtype=complex)
    for k in range(1, _TERMS + 1):
        term = term @ X / k
        result = result + term
    for _ in range(squarings):
        result = result @ result
    return result


def _sqrtm(X: Array) -> Array:
    """Of complex matrices by the iteration of Denman and Beavers: Higham (2008), (6.15)."""
    if not np.iscomplexobj(X):
        _require_positive("sqrtm", X)
        return _real("sqrtm", scipy.linalg.sqrtm(X))
    Y, Z = X, np.eye(len(X), dtype=complex)
    for _ in range(50):
        Y, Z = (Y + np.linalg.inv(Z)) / 2, (Z + np.linalg.inv(Y)) / 2
        if np.abs(Y @ Y - X).max() <= 1e-14 * np.abs(X).max():
            break
    # Once more, for the digits of the imaginary part.
    Y, Z = (Y + np.linalg.inv(Z)) / 2, (Z + np.linalg.inv(Y)) / 2
    return (Y + np.linalg.inv(Z)) / 2


def _logm(X: Array) -> Array:
    """Of complex matrices by roots and the series of artanh: Higham (2008), section 11.3."""
    if not np.iscomplexobj(X):
        _require_positive("logm", X)
        with warnings.catch_warnings():  # SciPy warns of errors of 1e-13
            warnings.simplefilter("ignore", RuntimeWarning)
            return _real("logm", scipy.linalg.logm(X))
    one = np.eye(len(X))
    roots = 0
    while np.abs(X - one).sum(axis=0).max() > 0.06 and roots < 60:
        X, roots = _sqrtm(X), roots + 1
    T = (X - one) @ np.linalg.inv(X + one)
    square, power, result = T @ T, T, T
    for k in range(1, _TERMS):
        power = power @ square
        result = result + power / (2 * k + 1)
    return 2.0 ** (roots + 1) * result


def _require_positive(name: str, X: Array) -> None:
    """Refuse a matrix without a principal logarithm, and a root that has no derivative."""
    values = np.linalg.eigvals(X)
    bad = (np.abs(values.imag) <= 1e-14 * np.abs(values).max()) & (values.real <= 0)
    if bad.any():
        raise np.linalg.LinAlgError(
            f"{name} needs eigenvalues that are neither 0 nor negative; found "
            f"{values.real[bad].min():.3g}"
        )


def _real(name: str, result: Array) -> Array:
    if np.iscomplexobj(result):
        if np.abs(result.imag).max() > 1e-8 * np.abs(result).max():
            raise np.linalg.LinAlgError(f"{name} has no real value")
        result = result.real
    return result


def _eigh(S: Array) -> tuple[Array, Array]:
    """Eigenvalues as a column, and eigenvectors with their largest entry positive.

    Of a complex matrix by Newton steps from those of its real part, on Sv = λv and vᵀv = 1.
    """
    values, vectors = np.linalg.eigh((S.real + S.real.T) / 2)
    rows = np.abs(vectors).argmax(axis=0)
    vectors = vectors * np.sign(vectors[rows, np.arange(len(rows))])
    if np.iscomplexobj(S):
        values, vectors = values.astype(complex), vectors.astype(complex)
        for i in range(len(values)):
            v, value = vectors[:, i], values[i]
            for _ in range(2):
                bordered = np.block([[S - value * np.eye(len(S)), -v[:, None]], [-v, np.zeros(1)]])
                residual = np.append(-(S @ v - value * v), (v @ v - 1) / 2)
                change = np.linalg.solve(bordered, residual)
                v, value = v + change[:-1], value + change[-1]
            vectors[:, i], values[i] = v, value
    return values[:, None], vectors


def _block(A: Array, E: Array) -> Array:
    """The matrix [[A, E], [0, A]], of which f has the Fréchet derivative above its diagonal."""
    return np.concatenate(
        [np.concatenate([A, E], axis=1), np.concatenate([0 * E, A], axis=1)], axis=0
    )


def _frechet(name: str, A: Array, E: Array, xp: Any) -> Array:
    """Higham (2008), theorem 3.6."""
    n = len(A)
    return getattr(xp, name)(_block(A, E))[:n, n:]


def _frechet_matrix(name: str, A: Array, xp: Any) -> Array:
    n = len(A)
    columns = []
    for k in range(n * n):
        E = np.zeros((n, n))
        E[k % n, k // n] = 1
        columns.append(_frechet(name, A, xp.array(E), xp).T.reshape(-1, 1))
    return np.concatenate(columns, axis=1)


def _pinv(X: Array, xp: Any) -> Array:
    if X.dtype == float:
        return np.linalg.pinv(X)
    m, n = X.shape
    return xp.inv(X.T @ X) @ X.T if m >= n else X.T @ xp.inv(X @ X.T)


def _gram_root(X: Array, xp: Any) -> Array:
    m, n = X.shape
    return xp.sqrtm(X.T @ X if m >= n else X @ X.T)


def _nuclear_norm(X: Array, xp: Any) -> Array:
    if X.dtype == float:
        return np.asarray(np.linalg.svd(X, compute_uv=False).sum())
    return np.trace(_gram_root(X, xp))


def _polar(X: Array, xp: Any) -> Array:
    if X.dtype == float:
        u, sizes, vt = np.linalg.svd(X, full_matrices=False)
        if sizes[-1] <= max(X.shape) * np.finfo(float).eps * sizes[0]:
            raise np.linalg.LinAlgError(
                "the matrix has not full rank, where its nuclear norm has no derivative"
            )
        return u @ vt
    inverse = xp.inv(_gram_root(X, xp))
    return X @ inverse if X.shape[0] >= X.shape[1] else inverse @ X


def _eigenvectors(S: Array, xp: Any) -> Array:
    values, vectors = xp.eigh(S)
    gaps = np.diff(values[:, 0])
    if values.dtype == float and (gaps <= _REPEATED * np.abs(values).max()).any():
        raise np.linalg.LinAlgError(
            "two eigenvalues coincide, where they have no derivatives one by one; trace, "
            "logdet and other functions of the matrix itself have"
        )
    return vectors


def _reciprocal_gaps(v: Array, xp: Any) -> Array:
    one = xp.array(np.eye(len(v)))
    return (1 - one) / (v.T - v + one)


def _real_part(value: Array) -> Array:
    return value.real if np.iscomplexobj(value) else value


def _where(c: list[Array]) -> Array:
    return np.where((_real_part(c[0]) > 0).astype(bool), c[1], c[2])


def _pair(larger: bool) -> Callable[[Array, Array], Array]:
    def pair(a: Array, b: Array) -> Array:
        first = _real_part(a) > _real_part(b) if larger else _real_part(a) < _real_part(b)
        return np.where(first.astype(bool), a, b)

    return pair


def _largest(X: Array) -> Array:
    return np.asarray(X.ravel()[_real_part(X).ravel().argmax()])


def _hardmax(X: Array, xp: Any) -> Array:
    result = np.zeros(X.shape)
    result.flat[_real_part(X).ravel().argmax()] = 1
    return xp.array(result)


FUNCTION_OPERATIONS: dict[str, Callable[..., Any]] = {
    "log1p": np.log1p,
    "expm1": np.expm1,
    "tan": np.tan,
    "arcsin": np.arcsin,
    "arccos": np.arccos,
    "arctan": np.arctan,
    "sinh": np.sinh,
    "cosh": np.cosh,
    "arcsinh": np.arcsinh,
    "arccosh": np.arccosh,
    "arctanh": np.arctanh,
    "erf": scipy.special.erf,
    "erfc": scipy.special.erfc,
    "norm_cdf": scipy.special.ndtr,
    "norm_pdf": lambda z: np.exp(-0.5 * z * z) / np.sqrt(2 * np.pi),
    "norm_logcdf": scipy.special.log_ndtr,
    "inverse_mills": _inverse_mills,
    "inverse_mills_gap": _inverse_mills_gap,
    "gammaln": _gammaln,
    "digamma": scipy.special.digamma,
    "polygamma": _polygamma,
    "gelu": lambda z: z * scipy.special.ndtr(z),
    "hypot": _hypot,
    "maximum": _pair(larger=True),
    "minimum": _pair(larger=False),
    "expm": _expm,
    "logm": _logm,
    "sqrtm": _sqrtm,
    "eigh": _eigh,
}


def _scalar(value: Any) -> Array:
    return np.asarray(value).reshape(1, 1)


Values = Callable[[Any, list[Array], Any, Mapping[str, int]], Array]

FUNCTION_VALUES: dict[type[Expression], Values] = {
    F.Polygamma: lambda e, c, xp, s: xp.polygamma(e.order, c[0]),
    F.Pairwise: lambda e, c, xp, s: getattr(xp, e.name)(*c),
    F.Where: lambda e, c, xp, s: _where(c),
    F.Largest: lambda e, c, xp, s: _scalar(_largest(c[0])),
    F.Hardmax: lambda e, c, xp, s: _hardmax(c[0], xp),
    F.NuclearNorm: lambda e, c, xp, s: _scalar(_nuclear_norm(c[0], xp)),
    F.Polar: lambda e, c, xp, s: _polar(c[0], xp),
    F.Pinv: lambda e, c, xp, s: _pinv(c[0], xp),
    F.MatrixFunction: lambda e, c, xp, s: getattr(xp, e.name)(c[0]),
    F.Frechet: lambda e, c, xp, s: _frechet(e.name, c[0], c[1], xp),
    F.FrechetMatrix: lambda e, c, xp, s: _frechet_matrix(e.name, c[0], xp),
    F.Eigenvalues: lambda e, c, xp, s: xp.eigh(c[0])[0],
    F.Eigenvectors: lambda e, c, xp, s: _eigenvectors(c[0], xp),
    F.ReciprocalGaps: lambda e, c, xp, s: _reciprocal_gaps(c[0], xp),
}

"""Distributions of vectors, with the names, parameters and values of ``scipy.stats``.

Densities: Kotz, Balakrishnan and Johnson (2000), *Continuous Multivariate Distributions*, (45.1),
(49.1); Kotz and Nadarajah (2004), *Multivariate t Distributions and Their Applications*, (1.1).
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import scipy.special as sp

from mcmodels.autodiff.stats.distributions import as_array, require_positive
from mcmodels.autodiff.tables import call, shape_of, warn_kink
from mcmodels.autodiff.tracing import NoRuleError, Traced, constant

__all__ = ["dirichlet", "multinomial", "multivariate_normal", "multivariate_t"]

_LOG_2PI = math.log(2 * math.pi)
_ZERO = 1e6 * float(np.finfo(float).eps)  # of the largest eigenvalue, by SciPy


def _squared_length(called: str, x: Any, center: Any, matrix: Any) -> tuple[Any, Any, int]:
    """``(x - μ)ᵀΣ⁻¹(x - μ)``, ``log det Σ``, and the number of dimensions."""
    shapes = [shape_of(part) for part in (x, center, matrix) if part is not None]
    given = shape_of(matrix)
    if len(given) == 2:
        n = given[0]
    elif center is not None and shape_of(center):
        n = shape_of(center)[-1]
    else:
        n = given[0] if given else (shape_of(x)[-1] if shape_of(x) else 1)
    if (n > 1 and shape_of(x)[-1:] != (n,)) or (
        center is not None and shape_of(center) not in ((), (n,))
    ):
        raise ValueError(f"{called}: the shapes {shapes} do not fit {n} dimensions.")
    deviation = x if center is None else x - center
    if n == 1 and (not shape_of(deviation) or shape_of(deviation)[-1] != 1):
        deviation = np.expand_dims(deviation, -1)
    if shape_of(deviation)[-1] != n:
        raise ValueError(f"{called}: the shapes {shapes} do not fit {n} dimensions.")
    if len(given) < 2:
        require_positive(called, cov=matrix)
        variances = matrix * np.ones(n)
        return (
            np.sum(deviation * deviation / variances, axis=-1),
            np.sum(np.log(variances)),
            n,
        )
    if given != (n, n):
        raise ValueError(f"{called} needs a square matrix; found shape {given}.")
    L = np.linalg.cholesky(matrix)
    rows = np.reshape(deviation, (-1, n))
    white = call("solve_triangular", L, np.transpose(rows), lower=True)
    lengths = np.reshape(np.sum(white * white, axis=0), shape_of(deviation)[:-1])
    return lengths, 2 * np.sum(np.log(np.diagonal(L))), n


def _is_singular(matrix: Any) -> bool:
    """Whether a symmetric matrix has an eigenvalue of 0, up to SciPy's bound for them."""
    sizes = np.abs(np.linalg.eigvalsh(matrix))
    return bool(sizes.min() <= _ZERO * sizes.max())


def _singular_logpdf(called: str, x: Any, mean: Any, cov: Any) -> Any:
    """The logarithm of the density on the plane in which the vectors vary: -∞ elsewhere.

    With the eigenvalues λ > 0 and their vectors V it is
    ``-½(r log 2π + Σ log λ + ‖λ^(-½) Vᵀ(x - μ)‖²)``: Rao (1973), *Linear Statistical Inference and
    Its Applications*, 2nd ed., §8a.4. The bounds for zeros are SciPy's.
    """
    n = cov.shape[0]
    values, vectors = np.linalg.eigh(cov)
    if values.min() < -_ZERO * np.abs(values).max():
        raise ValueError(f"{called} needs a cov without negative eigenvalues.")
    kept = values > _ZERO * np.abs(values).max()
    deviation = x if mean is None else x - mean
    if shape_of(deviation)[-1:] != (n,):
        raise ValueError(f"{called}: shape {shape_of(deviation)} does not fit {n} dimensions.")
    warn_kink(
        isinstance(deviation, Traced),
        f"{called} of a singular cov has derivatives only along the plane in which the vectors "
        "vary; those are given.",
    )
    white = deviation @ (vectors[:, kept] / np.sqrt(values[kept]))
    found = -0.5 * (
        np.sum(white * white, axis=-1) + np.sum(np.log(values[kept])) + kept.sum() * _LOG_2PI
    )
    beside = np.asarray(constant(deviation)) @ vectors[:, ~kept]
    inside = np.linalg.norm(beside, axis=-1) < 1e3 * _ZERO * values.max()
    return found if np.all(inside) else np.where(inside, found, -np.inf)


class _MultivariateNormal:
    """The normal distribution of vectors."""

    def logpdf(self, x: Any, mean: Any = None, cov: Any = 1.0, allow_singular: bool = False) -> Any:
        """The logarithm of the density.

        ``-½(n log 2π + log det Σ + (x - μ)ᵀΣ⁻¹(x - μ))``.

        Parameters
        ----------
        x : array-like of shape (..., n)
            The points.
        mean : array-like of shape (n,), optional
            μ; zero by default.
        cov : array-like of shape (n, n), (n,) or (), default=1.0
            Σ, positive definite; its diagonal; or the variance of all.
        allow_singular : bool, default=False
            Whether Σ may be singular: the density is then that on the plane in which the vectors
            vary, and 0 elsewhere. Its derivatives are those along the plane; by Σ it has none.

        Returns
        -------
        ndarray of shape (...)
            SciPy drops axes of length one; here they are kept.
        """
        called = "stats.multivariate_normal.logpdf"
        x, cov = as_array(x), as_array(cov)
        mean = None if mean is None else as_array(mean)
        if allow_singular and np.ndim(cov) == 2 and _is_singular(constant(cov)):
            if isinstance(cov, Traced):
                raise NoRuleError(
                    f"{called} of a singular cov has no rule for the derivative by cov: its "
                    "density has none. Add a small multiple of the identity, or use the "
                    "coordinates in which the vectors vary."
                )
            return _singular_logpdf(called, x, mean, cov)
        length, logdet, n = _squared_length(called, x, mean, cov)
        return -0.5 * (length + logdet + n * _LOG_2PI)

    def pdf(self, x: Any, mean: Any = None, cov: Any = 1.0, allow_singular: bool = False) -> Any:
        """The density; parameters as for :meth:`logpdf`."""
        return np.exp(self.logpdf(x, mean, cov, allow_singular))

    def entropy(self, mean: Any = None, cov: Any = 1.0) -> Any:
        """``½(n log 2πe + log det Σ)``; parameters as for :meth:`logpdf`."""
        called = "stats.multivariate_normal.entropy"
        cov = as_array(cov)
        mean = None if mean is None else as_array(mean)
        n = (*shape_of(cov), *(() if mean is None else shape_of(mean)), 1)[0]
        _, logdet, n = _squared_length(called, np.zeros(n), mean, cov)
        return 0.5 * (logdet + n * (_LOG_2PI + 1))


class _MultivariateT:
    """Student's t distribution of vectors."""

    def logpdf(self, x: Any, loc: Any = None, shape: Any = 1.0, df: Any = 1.0) -> Any:
        """The logarithm of the density.

        ``log Γ((ν + n)/2) - log Γ(ν/2) - n/2 log νπ - ½ log det Σ - (ν + n)/2 log(1 + d/ν)`` with
        ``d = (x - μ)ᵀΣ⁻¹(x - μ)``.

        Parameters
        ----------
        x : array-like of shape (..., n)
            The points.
        loc : array-like of shape (n,), optional
            μ; zero by default.
        shape : array-like of shape (n, n), (n,) or (), default=1.0
            Σ, positive definite; its diagonal; or a number for all.
        df : array-like, default=1.0
            Degrees of freedom ν.

        Returns
        -------
        ndarray of shape (...)
        """
        called = "stats.multivariate_t.logpdf"
        x, shape, df = as_array(x), as_array(shape), as_array(df)
        loc = None if loc is None else as_array(loc)
        require_positive(called, df=df)
        length, logdet, n = _squared_length(called, x, loc, shape)
        constant_part = sp.gammaln(0.5 * (df + n)) - sp.gammaln(0.5 * df)
        constant_part = constant_part - 0.5 * n * np.log(df * math.pi) - 0.5 * logdet
        return constant_part - 0.5 * (df + n) * np.log1p(length / df)

    def pdf(self, x: Any, loc: Any = None, shape: Any = 1.0, df: Any = 1.0) -> Any:
        """The density; parameters as for :meth:`logpdf`."""
        return np.exp(self.logpdf(x, loc, shape, df))


class _Dirichlet:
    """The Dirichlet distribution of vectors of probabilities."""

    def logpdf(self, x: Any, alpha: Any) -> Any:
        """The logarithm of the density: ``log Γ(Σα) - Σ log Γ(α) + Σ (α - 1) log x``.

        Parameters
        ----------
        x : array-like of shape (n,)
            Probabilities that sum to one.
        alpha : array-like of shape (n,)
            Concentrations, positive.

        Returns
        -------
        float
        """
        called = "stats.dirichlet.logpdf"
        x, alpha = as_array(x), as_array(alpha)
        require_positive(called, alpha=alpha)
        plain = np.asarray(constant(x))
        if shape_of(x) != shape_of(alpha) or np.any(plain < 0) or abs(plain.sum() - 1) > 1e-9:
            raise ValueError(
                f"{called} needs as many probabilities x as there are alpha, of sum 1; found "
                f"shapes {shape_of(x)} and {shape_of(alpha)}, and the sum {plain.sum():.6g}."
            )
        norming = sp.gammaln(np.sum(alpha)) - np.sum(sp.gammaln(alpha))
        return norming + np.sum(sp.xlogy(alpha - 1, x))

    def pdf(self, x: Any, alpha: Any) -> Any:
        """The density; parameters as for :meth:`logpdf`."""
        return np.exp(self.logpdf(x, alpha))


class _Multinomial:
    """The multinomial distribution of counts."""

    def logpmf(self, x: Any, n: int, p: Any) -> Any:
        """The logarithm of the probability of counts: ``log n! - Σ log x! + Σ x log p``.

        Parameters
        ----------
        x : array-like of int of shape (..., k)
            Counts; a constant.
        n : int
            Their sum.
        p : array-like of shape (k,)
            Probabilities that sum to one. They are taken as they are, so that the derivative is
            that of this formula.

        Returns
        -------
        ndarray of shape (...)
        """
        called = "stats.multinomial.logpmf"
        p = as_array(p)
        if isinstance(x, Traced) or isinstance(n, Traced):
            raise NoRuleError(
                f"{called} is a function of whole numbers: it has no derivative by x or n. Pass "
                "constant(x)."
            )
        plain = np.asarray(constant(p))
        if np.any(plain < 0) or np.any(abs(plain.sum(axis=-1) - 1) > 1e-9):
            raise ValueError(f"{called} needs probabilities p of sum 1; found {plain!s:.60}.")
        counts = np.asarray(x)
        possible = np.all((counts >= 0) & (counts == np.floor(counts)), axis=-1)
        possible = possible & (counts.sum(axis=-1) == n)
        kept = np.where(possible[..., np.newaxis], counts, 0)
        value = sp.gammaln(n + 1.0) - np.sum(sp.gammaln(kept + 1.0), axis=-1)
        value = value + np.sum(sp.xlogy(kept, p), axis=-1)
        return value if np.all(possible) else np.where(possible, value, -np.inf)


multivariate_normal, multivariate_t = _MultivariateNormal(), _MultivariateT()
dirichlet, multinomial = _Dirichlet(), _Multinomial()

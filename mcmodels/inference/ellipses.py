"""Ellipses of two quantities: ``{x: (x - c)ᵀV⁻¹(x - c) = q²}``, and covariances of loadings."""

from __future__ import annotations

import numpy as np
from scipy import stats

from mcmodels.arrays import Array
from mcmodels.inference.principal_components import Spectrum

__all__ = ["ellipse", "loading_covariances", "squared_radius"]


def squared_radius(level: float, df: float = np.inf) -> float:
    """``q²`` of the ellipse that covers two quantities together with probability ``level``.

    The quantile of χ² with two degrees of freedom; ``2F(2, df)`` where the covariance has an
    estimated factor (Johnson and Wichern 2007, *Applied Multivariate Statistical Analysis*, 6th
    ed., result 7.5 for regression coefficients).
    """
    if np.isinf(df):
        return float(stats.chi2.ppf(level, 2))
    return float(2.0 * stats.f.ppf(level, 2, df))


def ellipse(centre: Array, covariance: Array, q: float, count: int = 73) -> Array:
    """Points ``c + q V^(1/2) (cos t, sin t)`` for t from 0 to 2π, shape (count, 2)."""
    values, vectors = np.linalg.eigh(covariance)
    root = vectors * np.sqrt(values.clip(0.0))
    t = np.linspace(0.0, 2.0 * np.pi, count)
    return centre + q * np.column_stack([np.cos(t), np.sin(t)]) @ root.T


def loading_covariances(spectrum: Spectrum, first: int, second: int) -> Array:
    """Covariances of the loadings of each column on two components, shape (p, 2, 2).

    With ν degrees of freedom, asymptotically for normal rows (Anderson 1963, theorem 1)

    ===================  ==================================================
    ``var(vₖ)``          ``λₖ/ν Σ_{j≠k} λⱼ/(λⱼ - λₖ)² vⱼvⱼᵀ``
    ``cov(vₖ, v_l)``     ``-λₖλ_l/(ν(λₖ - λ_l)²) v_lvₖᵀ``
    ===================  ==================================================

    Infinite variances where a variance of S is repeated; see ``Spectrum.loading_errors``.
    """
    pair = [first, second]
    errors = spectrum.loading_errors(max(pair) + 1)[pair]
    values, axes = spectrum.variances[pair], spectrum.axes[pair]
    found = np.zeros((axes.shape[1], 2, 2))
    found[:, 0, 0], found[:, 1, 1] = errors**2
    if np.isfinite(errors).all():
        both = -values[0] * values[1] / (spectrum.nu * (values[0] - values[1]) ** 2)
        found[:, 0, 1] = found[:, 1, 0] = both * axes[0] * axes[1]
    return found

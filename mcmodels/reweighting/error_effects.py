"""How the variance of a combination of parameters changes when a row is left out.

With the gradient a of the combination in u (see :mod:`mcmodels.reweighting.whitened_fit`),
``cᵢ = Zᵢa``, u the Newton step to the fit without row i, D the third derivative of the objective,
and of one output the slope ``rᵢ = ∂ℓᵢ/∂η`` and the leverage ``hᵢ = LᵢGᵢ``:

=================  =================================================================================
of the model       ``V = φ aᵀH⁻¹a``: ``aᵀH⁻¹a`` changes by ``cᵢᵀLᵢ(I - GᵢLᵢ)⁻¹cᵢ - D[a, a, u]``;
                   an estimated φ is ``Σ pᵢ/d`` with ``pᵢ = sᵢ²/Lᵢ`` (of squared errors twice
                   ``wᵢ(yᵢ - ηᵢ)²``), and becomes ``(Σ pⱼ - pᵢ/(1 - hᵢ))/(d - dᵢ)``
a sandwich         ``V = k Σ q²`` over rows or clusters, ``q = Σ w r c``: it changes by
                   ``(q - wᵢrᵢcᵢ)² - q² + v₁ᵀu + v₂ᵀzᵢ Lᵢcᵢ/(1 - hᵢ) - D[v₂, a, u]``, q that of the
                   cluster of the row, ``v₁ = 2Σ q w ℓ″c z``, ``v₂ = 2Σ q w r z``. Where weights
                   count rows, each of w equal rows has its q, ``r c``
=================  =================================================================================

All are derivatives by the weight of the row, with its own leverage exact; of squared errors the
variance of the model is exact. Corrections such as HC3's, and k, are held. Source: Broderick,
Giordano and Meager (2020), *An automatic finite-sample robustness metric*, arXiv:2011.14999, §2.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from mcmodels.arrays import Array
from mcmodels.objectives.linear_predictor import Total
from mcmodels.reweighting.effects import steps_of_rows
from mcmodels.reweighting.whitened_fit import GROUP, PointwiseTerms, WhitenedFit, weights_of
from mcmodels.rows import RowBlock

__all__ = ["Noise", "model_variance_effects", "sandwich_variance_effects"]


@dataclass(frozen=True)
class Noise:
    """How many degrees of freedom an estimate of the dispersion has.

    Parameters
    ----------
    df : float
        d.
    in_row : callable
        ``dᵢ`` of rows, from their weights.
    """

    df: float
    in_row: Callable[[Array], Array]


def model_variance_effects(
    fit: WhitenedFit, a: Array, noise: Noise | None = None, *, given: str | None = None
) -> Array:
    """The relative change of the variance of the model without each row, shape (n,).

    Parameters
    ----------
    fit : WhitenedFit
        The fit.
    a : ndarray of shape (R,)
        The gradient of the combination.
    noise : Noise, default=None
        Of an estimated dispersion.
    given : str, default=None
        That of :func:`mcmodels.reweighting.effects.steps_of_rows`.
    """

    def sums(block: RowBlock) -> Total:
        terms = fit.terms(block)
        return Total([_third(fit, block, terms, a, a), _squares(terms).sum()])

    third, total = fit.rows.reduce(sums).parts

    def relative(block: RowBlock) -> Array:
        terms, factor = steps_of_rows(fit, block, given)
        c = terms.Z @ a
        lost = np.isnan(factor[:, 0])
        left = _left(terms, lost, given)
        freed = np.linalg.solve(left, c[..., np.newaxis])[..., 0]
        change = np.einsum("ik,ikj,ij->i", c, terms.curvature, freed)
        change -= np.einsum("ikr,ik,r->i", terms.Z, factor, third, optimize=True)
        change = change / (a @ a)
        if noise is not None and total > 0:
            w = weights_of(block) if given is None else block.extras[given]
            rest = 1.0 - _squares(terms) / np.maximum(left[:, 0, 0], 1e-12) / total
            df = noise.df - noise.in_row(w)
            # Without a degree of freedom there is no variance: no row of a set is taken for that.
            ratio = np.where(
                df > 0, np.clip(rest, 0.0, None) * noise.df / np.maximum(df, 1e-9), 1.0
            )
            change = (1.0 + change) * ratio - 1.0
        change[lost] = np.nan
        return change

    return fit.rows.map(relative)


def sandwich_variance_effects(
    fit: WhitenedFit,
    a: Array,
    *,
    counts_rows: bool,
    clustered: bool = False,
    given: str | None = None,
) -> Array:
    """The relative change of a sandwich variance without each row, of one output, shape (n,).

    Parameters
    ----------
    fit, a, given
        Those of :func:`model_variance_effects`.
    counts_rows : bool
        Whether weights count rows.
    clustered : bool, default=False
        Whether rows have clusters, ``extras[GROUP]``, counted from 0; otherwise each row is one.
    """
    sums = None
    if clustered:
        count = 1 + int(fit.rows.map(lambda block: block.extras[GROUP]).max())

        def of_clusters(block: RowBlock) -> Array:
            terms = fit.terms(block)
            shares = terms.slope[:, 0] * (terms.Z[:, 0] @ a)
            return np.asarray(np.bincount(block.extras[GROUP], shares, count), dtype=np.float64)

        sums = fit.rows.reduce(of_clusters)

    def parts_of(block: RowBlock, terms: PointwiseTerms, w: Array) -> _SandwichParts:
        some = np.where(w > 0, w, 1.0)
        r, c = terms.slope[:, 0] / some, terms.Z[:, 0] @ a
        if sums is not None:
            score = sums[block.extras[GROUP]]
            own = (w * r * c) ** 2 - 2.0 * score * w * r * c
        else:
            score = r * c if counts_rows else w * r * c
            own = -w * r * c * score
        return _SandwichParts(terms.Z[:, 0], r, c, score, own)

    def first(block: RowBlock) -> Total:
        w, terms = weights_of(block), fit.terms(block)
        part = parts_of(block, terms, w)
        return Total(
            [
                part.Z.T @ (2.0 * part.score * terms.curvature[:, 0, 0] * part.c),
                part.Z.T @ (2.0 * part.score * w * part.r),
                float(np.sum(part.score * w * part.r * part.c)),
            ]
        )

    v1, v2, total = fit.rows.reduce(first).parts
    third = fit.rows.reduce(lambda block: _third(fit, block, fit.terms(block), v2, a))

    def relative(block: RowBlock) -> Array:
        w = weights_of(block) if given is None else block.extras[given]
        terms, factors = steps_of_rows(fit, block, given)
        part = parts_of(block, terms, w)
        factor, L = factors[:, 0], terms.curvature[:, 0, 0]
        lost = np.isnan(factor)
        freed = np.where(lost, np.nan, L * part.c / _left(terms, lost, given)[:, 0, 0])
        change = part.own + (part.Z @ (v1 - third)) * factor + (part.Z @ v2) * freed
        return np.asarray(change / total) if total > 0 else np.zeros(len(part.c))

    return fit.rows.map(relative)


class _SandwichParts(NamedTuple):
    """Of some rows z, r and c; ``score``: q of the row or of its cluster; its own part of V."""

    Z: Array
    r: Array
    c: Array
    score: Array
    own: Array


def _left(terms: PointwiseTerms, lost: npt.NDArray[np.bool_], given: str | None) -> Array:
    """``I - GL`` of each row, shape (b, K, K); I where it is singular, and for derivatives."""
    b, K, _ = terms.Z.shape
    if given is not None:
        return np.broadcast_to(np.eye(K), (b, K, K))
    G = np.einsum("ikr,ijr->ikj", terms.Z, terms.Z)
    left = np.eye(K) - G @ terms.curvature
    left[lost] = np.eye(K)
    return np.asarray(left)


def _squares(terms: PointwiseTerms) -> Array:
    """``s²/L`` of the first output; zero where there is no curvature."""
    s, L = terms.slope[:, 0], terms.curvature[:, 0, 0]
    return np.divide(s**2, L, out=np.zeros_like(s), where=L > 0)


def _third(
    fit: WhitenedFit, block: RowBlock, terms: PointwiseTerms, first: Array, second: Array
) -> Array:
    """``D[first, second, ·]`` of the rows of a block, shape (R,)."""
    eta = fit.shape_of_eta(terms.eta)
    directions = (fit.shape_of_eta(terms.Z @ vector) for vector in (first, second))
    bent = fit.loss.third_product(block.y, eta, *directions).reshape(terms.eta.shape)
    weighted = bent * weights_of(block)[:, np.newaxis]
    return np.asarray(np.einsum("ikr,ik->r", terms.Z, weighted))

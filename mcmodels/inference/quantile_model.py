"""Standard errors of quantile regression, from the density of the residuals at zero.

With residuals e, n the number of observations, ``f`` an estimate of the density of e at zero, and
``A = (X̃ᵀWX̃)⁻¹``, the covariance of the parameters is

==========  ==============================================================================
"robust"    ``A (Σ wᵢ dᵢ x̃ᵢx̃ᵢᵀ) A``, ``dᵢ = (τ/f)²`` in rows above the fit, else ``((1 - τ)/f)²``
"iid"       ``τ(1 - τ)/f² A``
density     ``f = Σ wᵢ K(eᵢ/h) / (n h)``
bandwidth   ``h = min(s(y), IQR(e)/1.34) (Φ⁻¹(τ + b) - Φ⁻¹(τ - b))``
hsheather   ``b = n^(-1/3) z^(2/3) (1.5 φ(x)² / (2x² + 1))^(1/3)``
bofinger    ``b = n^(-1/5) (4.5 φ(2x)⁴ / (2x² + 1)²)^(1/5)``
chamberlain ``b = z √(τ(1 - τ)/n)``
==========  ==============================================================================

``x = Φ⁻¹(τ)``, ``z = Φ⁻¹(0.975)``, s is the standard deviation of the targets. Weights count rows.
Names and numbers are those of statsmodels' QuantReg, also where a source differs: Bofinger has
``φ(x)`` for ``φ(2x)``, which is the same at the median.

A row is above the fit where ``eᵢ > 0``. A fit passes through as many rows as it has parameters;
these are above it where their part of the dual is positive. A dual a is ``τ`` above, ``τ - 1``
below, and in these rows the shortest solution of ``Σ wᵢ aᵢ x̃ᵢ = 0``, so that equal rows have equal
ones. The residuals that QuantReg has left in these rows have the same signs, as it solves these
equations with ``aᵢ`` in proportion to ``eᵢ``.

Sources: Greene (2008), *Econometric Analysis*, 6th ed., §14.3; Koenker (2005), *Quantile
Regression*, §3.4 and §4.10; Hall and Sheather (1988), *On the distribution of a Studentized
quantile*, JRSS B 50(3); Bofinger (1975), *Estimation of a density function using order
statistics*, Australian Journal of Statistics 17(1); Chamberlain (1994), *Quantile regression,
censoring, and the structure of wages*.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import stats

from mcmodels.arrays import Array
from mcmodels.exceptions import InferenceError
from mcmodels.objectives.pinball import pinball
from mcmodels.solvers.quantile import QuantileOptimum

__all__ = ["BANDWIDTHS", "KERNELS", "KINDS", "QuantileErrors"]

KINDS = ("robust", "iid")
BANDWIDTHS = ("hsheather", "bofinger", "chamberlain")


def _parzen(u: Array) -> Array:
    size = np.abs(u)
    inner = 4.0 / 3.0 - 8.0 * u**2 + 8.0 * size**3
    return np.where(size <= 0.5, inner, 8.0 / 3.0 * np.clip(1.0 - size, 0.0, None) ** 3)


KERNELS: Mapping[str, Callable[[Array], Array]] = {
    "epa": lambda u: 0.75 * np.clip(1.0 - u**2, 0.0, None),
    "biw": lambda u: 15.0 / 16.0 * np.clip(1.0 - u**2, 0.0, None) ** 2,
    "cos": lambda u: np.where(np.abs(u) <= 0.5, 1.0 + np.cos(2.0 * np.pi * u), 0.0),
    "gau": lambda u: np.exp(-(u**2) / 2.0) / np.sqrt(2.0 * np.pi),
    "par": _parzen,
}


@dataclass(frozen=True)
class QuantileErrors:
    """What the covariances need of the rows of a fit.

    Parameters
    ----------
    quantile, n : float
        τ and the number of observations, the sum of the weights.
    root : ndarray of shape (P, k)
        T: rows ``z = Tᵀx̃`` have the cross-product matrix ``ZᵀWZ = I``.
    above : ndarray of shape (k, k)
        ``Σ wᵢ zᵢzᵢᵀ`` over the rows above the fit.
    spread : float
        ``min(s(y), IQR(e)/1.34)``.
    densities : mapping of (str, str) to float
        f by the names of the kernel and of the bandwidth; those that cannot be had are left out.
    null_loss : float
        The sum of losses about the quantile of the targets, by linear interpolation.
    """

    quantile: float
    n: float
    root: Array
    above: Array
    spread: float
    densities: Mapping[tuple[str, str], float]
    null_loss: float

    @classmethod
    def of(cls, fit: QuantileOptimum, quantile: float) -> QuantileErrors:
        """From the rows at the vertex."""
        w, e, y = fit.weights, fit.residuals, fit.y
        n = float(w.sum())
        is_above = _above(fit, quantile)
        Z = fit.whitened[is_above]
        above = (Z * w[is_above, np.newaxis]).T @ Z
        quartiles = _percentiles(e, w, [0.25, 0.75])
        height = float(np.abs(y).max()) or 1.0
        scaled = y / height
        deviation = height * float(np.sqrt(w @ (scaled - w @ scaled / n) ** 2 / n))
        spread = min(deviation, float(quartiles[1] - quartiles[0]) / 1.34)
        densities: dict[tuple[str, str], float] = {}
        for name in BANDWIDTHS:
            b = _bandwidth(name, n, quantile)
            if not (spread > 0 and 0 < quantile - b and quantile + b < 1):
                continue
            h = spread * float(stats.norm.ppf(quantile + b) - stats.norm.ppf(quantile - b))
            if not h > 0:
                continue
            with np.errstate(over="ignore", under="ignore"):
                u = np.clip(e / h, -1e3, 1e3)
                found = {of: float(w @ K(u)) / (n * h) for of, K in KERNELS.items()}
            densities |= {(of, name): f for of, f in found.items() if f > 0 and np.isfinite(f)}
        centre = float(_percentiles(y, w, [quantile])[0])
        null_loss = float(w @ pinball(y - centre, quantile))
        return cls(quantile, n, fit.root, above, spread, densities, null_loss)

    def covariance_root(self, kind: str, kernel: str, bandwidth: str) -> Array:
        """A root of the covariance, shape (P, k).

        Raises
        ------
        InferenceError
            If the density at zero cannot be estimated, or no row is left to estimate it from.
        """
        k = self.root.shape[1]
        if self.n <= k:
            raise InferenceError(
                f"there are {self.n:g} rows for {k} parameters: every residual is zero, and the "
                "density of residuals cannot be estimated. Fit fewer columns or more rows."
            )
        f = self._density(kernel, bandwidth)
        tau = self.quantile
        if kind == "iid":
            return np.asarray(self.root * (np.sqrt(tau * (1.0 - tau)) / f))
        values, vectors = np.linalg.eigh(
            (1.0 - tau) ** 2 * np.eye(k) + (2.0 * tau - 1.0) * self.above
        )
        return np.asarray(self.root @ (vectors * (np.sqrt(np.clip(values, 0.0, None)) / f)))

    def _density(self, kernel: str, bandwidth: str) -> float:
        found = self.densities.get((kernel, bandwidth))
        if found is not None:
            return found
        what = f"the density of residuals at zero cannot be estimated with kernel={kernel!r}"
        what += f" and bandwidth={bandwidth!r}"
        if not self.spread > 0:
            raise InferenceError(
                f"{what}: half of the residuals are equal, or y is constant, and the bandwidth is "
                "zero. Check whether y is rounded, or computed from columns of X."
            )
        b = _bandwidth(bandwidth, self.n, self.quantile)
        if not (0 < self.quantile - b and self.quantile + b < 1):
            others = [repr(name) for of, name in self.densities if of == kernel]
            remedy = f"Take bandwidth={others[0]}" if others else "Fit more rows"
            remedy += ", or a quantile nearer to 0.5" if self.quantile != 0.5 else ""
            raise InferenceError(
                f"{what}: quantile ± bandwidth is {self.quantile:g} ± {b:.3g}, which leaves (0, 1) "
                f"with {self.n:g} observations. {remedy}."
            )
        if b < np.finfo(np.float64).eps:
            raise InferenceError(
                f"{what}: weights count rows, and of {self.n:g} the bandwidth is zero. Divide the "
                "weights by a constant, so that their sum is the number of rows."
            )
        raise InferenceError(f"{what}: no residual is near enough to zero. Take kernel='gau'.")


def _above(fit: QuantileOptimum, quantile: float) -> npt.NDArray[np.bool_]:
    """Which rows are above the fit; of those on it, those whose dual is positive."""
    e, Z, w = fit.residuals, fit.whitened, fit.weights
    above, on = e > 0, e == 0
    if on.any() and Z.shape[1]:
        psi = np.where(e > 0, quantile, quantile - 1.0)
        psi[on] = 0.0
        root = np.sqrt(w[on])[:, np.newaxis]
        shortest = np.linalg.lstsq((Z[on] * root).T, -(Z.T @ (w * psi)), rcond=None)[0]
        above[on] = shortest / root.ravel() > 1e-9
    return above


def _bandwidth(name: str, n: float, quantile: float) -> float:
    """The bandwidth on the scale of probabilities."""
    x, z = stats.norm.ppf(quantile), stats.norm.ppf(0.975)
    if name == "chamberlain":
        return float(z * np.sqrt(quantile * (1.0 - quantile) / n))
    if name == "bofinger":
        ratio = 4.5 * stats.norm.pdf(2.0 * x) ** 4 / (2.0 * x**2 + 1.0) ** 2
        return float((ratio / n) ** 0.2)
    ratio = 1.5 * stats.norm.pdf(x) ** 2 / (2.0 * x**2 + 1.0)
    return float((ratio / n) ** (1.0 / 3.0) * z ** (2.0 / 3.0))


def _percentiles(values: Array, weights: Array, shares: list[float]) -> Array:
    """Quantiles by linear interpolation between order statistics; weights count rows."""
    order = np.argsort(values, kind="stable")
    ends = np.cumsum(weights[order])
    position = np.array(shares) * max(ends[-1] - 1.0, 0.0)
    # Counts that are whole up to rounding are whole.
    position = np.where(np.abs(position - np.rint(position)) < 1e-9, np.rint(position), position)
    below = np.floor(position)

    def at(place: Array) -> Array:
        found = np.searchsorted(ends, place * (1 + 1e-14), side="right")
        return np.asarray(values[order[np.minimum(found, len(order) - 1)]])

    low = at(below)
    return np.asarray(low + (position - below) * (at(below + 1.0) - low))

"""The wild cluster bootstrap: tests of single parameters that hold with few clusters.

Residuals of the fit under the hypothesis ``cᵀθ = r`` are multiplied by a random number v_g for each
cluster; the t statistics of fits to the new targets have the distribution that t is compared with
(WCR: Cameron, Gelbach and Miller 2008, *Bootstrap-based improvements for inference with clustered
errors*, Review of Economics and Statistics 90(3); MacKinnon, Nielsen and Webb 2023, *Cluster-robust
inference: a guide to empirical practice*, Journal of Econometrics 232(2)). v_g is ±1 ("rademacher")
or one of ``±√(1/2), ±1, ±√(3/2)`` ("webb": Webb 2023, *Reworking wild bootstrap-based inference for
clustered errors*, Canadian Journal of Economics 56(3)), with equal probabilities.

No target is drawn. In the sums of :mod:`mcmodels.inference.cluster_sums`, with ``a = Tᵀc``,
``A = aᵀa``, ``δ = cᵀθ̂ - r`` and ``κ = δ/A``, the scores under the hypothesis are
``s_g + κ M_g a``, and (Roodman, MacKinnon, Nielsen and Webb 2019, *Fast and wild*, Stata Journal
19(1), §5)

    ``cᵀ(θ* - θ_r) = Σ_g v_g α_g``,  ``α_g = aᵀ(s_g + κM_ga)``,
    ``aᵀs*_g = v_gα_g - (M_ga)ᵀ Σ_h v_h(s_h + κM_ha)``,
    ``t* = cᵀ(θ* - θ_r) / √(k Σ_g (aᵀs*_g)²)``,  ``k = G/(G-1) · (n-1)/(n-P)``.

Numerator and root are a line and a quadratic in κ, so five numbers of each draw give t* for every
r, and the interval, which has the r that are not rejected, takes no further draws.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from mcmodels.arrays import Array
from mcmodels.exceptions import InferenceError
from mcmodels.inference.cluster_sums import ClusterSums
from mcmodels.inference.estimate import check_level, coverage
from mcmodels.inference.robust import residual_df
from mcmodels.inference.summary import facts_html, number, p_value, short
from mcmodels.inference.tolerances import DRAW_ENTRIES, TIED_STATISTICS
from mcmodels.rows import single_threaded_blas

__all__ = ["DISTRIBUTIONS", "WildBootstrapTest", "wild_bootstrap_test"]

DISTRIBUTIONS = {
    "rademacher": np.array([-1.0, 1.0]),
    "webb": np.array([-(1.5**0.5), -1.0, -(0.5**0.5), 0.5**0.5, 1.0, 1.5**0.5]),
}
# Values of t at which p is computed to find the ends of an interval: 50 for each decade.
_GRID = np.geomspace(1e-2, 1e6, 401)
_BISECTIONS = 60


@dataclass(frozen=True, repr=False)
class WildBootstrapTest:
    """The result of a wild cluster bootstrap.

    Parameters
    ----------
    hypothesis : str
        What was tested.
    estimate, standard_error : float
        ``cᵀθ̂``, and its error from clusters with the small-sample correction.
    statistic : float
        ``t = (estimate - null) / standard_error``.
    p_value : float
        Share of draws with ``|t*| ≥ |t|``; of random draws, t itself counts as one of them.
    interval : tuple of float
        Lower and upper end of the smallest interval with all values that are not rejected, found
        on a grid of 50 values of t in each decade. Infinite where values are kept however far.
    level : float
        Coverage of the interval.
    draws : int
        Number of draws; of all sign vectors where ``is_exact``.
    distribution : str
        "rademacher" or "webb".
    is_exact : bool
        Whether all sign vectors were taken, so that p does not depend on random numbers.
    n_clusters : int
        Number of clusters, ``G``.

    Examples
    --------
    >>> import numpy as np
    >>> from mcmodels import LinearRegression
    >>> rng = np.random.default_rng(0)
    >>> X = rng.normal(size=(100, 2))
    >>> y = X[:, 0] + rng.normal(size=100)
    >>> groups = np.repeat(np.arange(10), 10)
    >>> test = LinearRegression().fit(X, y).wild_bootstrap_test("x1", X, y, groups=groups)
    >>> test.n_clusters, test.draws, test.is_exact
    (10, 1024, True)
    """

    hypothesis: str
    estimate: float
    standard_error: float
    statistic: float
    p_value: float
    interval: tuple[float, float]
    level: float
    draws: int
    distribution: str
    is_exact: bool
    n_clusters: int

    @property
    def _facts(self) -> dict[str, str]:
        lower, upper = map(number, self.interval)
        taken = f"{self.draws} draws"
        if self.is_exact:
            taken = f"all {self.draws} sign vectors"
        return {
            "hypothesis": short(self.hypothesis, 80),
            "estimate": number(self.estimate),
            "standard error": number(self.standard_error),
            "t": number(self.statistic),
            "p-value": p_value(self.p_value),
            f"{coverage(self.level)} interval": f"{lower} to {upper}",
            "draws": f"{taken} ({self.distribution}), {self.n_clusters} clusters",
        }

    def __str__(self) -> str:
        width = max(map(len, self._facts))
        lines = [f"{name:<{width}}  {value}" for name, value in self._facts.items()]
        return "\n".join(["Wild cluster bootstrap", "", *lines])

    def __repr__(self) -> str:
        return str(self)

    def _repr_html_(self) -> str:
        return f"<h4>Wild cluster bootstrap</h4>\n{facts_html(self._facts)}"


def wild_bootstrap_test(
    sums: ClusterSums,
    contrast: Array,
    estimate: float,
    hypothesis: str,
    *,
    null: float,
    draws: int,
    distribution: str,
    level: float,
    rng: np.random.RandomState,
) -> WildBootstrapTest:
    """Test ``cᵀθ = null``.

    Parameters
    ----------
    sums : ClusterSums
        Of the fit without the hypothesis.
    contrast : ndarray of shape (P,)
        c.
    estimate : float
        ``cᵀθ̂``.
    hypothesis : str
        It in words.
    null, draws, distribution, level
        As in :meth:`mcmodels.LinearRegression.wild_bootstrap_test`.
    rng : RandomState
        Makes the draws.
    """
    alpha = 1.0 - check_level(level)
    G, P = sums.scores.shape
    a = contrast @ sums.root
    size = float(np.linalg.norm(sums.scores @ a))
    # Scores of this length are the rounding errors of scores that are zero.
    least = TIED_STATISTICS * np.linalg.norm(a) * np.sqrt(sums.residual_squares)
    if not size > least:
        raise InferenceError(
            f"{hypothesis} cannot be tested: the residuals sum to zero in the clusters that tell "
            "it. Leave it out, or use the covariance of the model."
        )
    correction = G / (G - 1.0) * (sums.n - 1.0) / residual_df(sums.n, P, sums.weighting)
    root = float(np.sqrt(correction))
    is_exact = distribution == "rademacher" and 2.0**G <= draws
    with single_threaded_blas():
        statistics = _Statistics.of(sums, a, size, draws, distribution, rng, is_exact=is_exact)
    error = root * size
    ends = [estimate - side * size * statistics.end(side, root, alpha) for side in (1.0, -1.0)]
    return WildBootstrapTest(
        hypothesis,
        estimate,
        error,
        (estimate - null) / error,
        statistics.p_value((estimate - null) / size),
        (ends[0], ends[1]),
        level,
        2**G if is_exact else draws,
        distribution,
        is_exact,
        G,
    )


@dataclass(frozen=True)
class _Statistics:
    """Statistics of all draws as functions of the tested value.

    Without the factor k, and with ``x = δ/√Σ(aᵀs_g)²`` for that of the fit, the square of that of a
    draw is ``(n₀ + n₁x)² / (q₀ + 2q₁x + q₂x²)``.

    Parameters
    ----------
    lines : ndarray of shape (2, draws)
        n₀ and n₁.
    quadratics : ndarray of shape (3, draws)
        q₀, q₁ and q₂.
    with_fit : int
        1 if the fit counts beside the draws, 0 if it is one of them.
    """

    lines: Array
    quadratics: Array
    with_fit: int

    @classmethod
    def of(
        cls,
        sums: ClusterSums,
        a: Array,
        size: float,
        draws: int,
        distribution: str,
        rng: np.random.RandomState,
        *,
        is_exact: bool,
    ) -> _Statistics:
        """Draw, or take all sign vectors but for the sign of the first cluster."""
        scores, across = sums.scores / size, sums.grams @ (a / (a @ a))
        products = sums.grams @ a
        of_scores, of_across = scores @ a, across @ a
        lines, quadratics = [], []
        G = len(scores)
        many = _all_signs(G) if is_exact else _random(G, draws, DISTRIBUTIONS[distribution], rng)
        for V in many:
            D0 = of_scores[:, np.newaxis] * V - products @ (scores.T @ V)
            D1 = of_across[:, np.newaxis] * V - products @ (across.T @ V)
            lines.append([of_scores @ V, of_across @ V])
            pairs = ((D0, D0), (D0, D1), (D1, D1))
            quadratics.append([np.einsum("gb,gb->b", left, right) for left, right in pairs])
        line, quadratic = np.concatenate(lines, axis=1), np.concatenate(quadratics, axis=1)
        if is_exact:  # the first vector is all ones: it gives the fit again
            line[:, 0], quadratic[:, 0] = (0.0, 1.0), (1.0, 0.0, 0.0)
        return cls(line, quadratic, 0 if is_exact else 1)

    def p_value(self, x: float) -> float:
        """Share of draws whose statistic is at least as large as x, or as large up to rounding."""
        (n0, n1), (q0, q1, q2) = self.lines, self.quadratics
        theirs, own = (n0 + n1 * x) ** 2, x**2 * (q0 + (2 * q1 + q2 * x) * x)
        as_large = np.count_nonzero(theirs >= (1.0 - TIED_STATISTICS) * own)
        return float((as_large + self.with_fit) / (len(n0) + self.with_fit))

    def end(self, side: float, root: float, alpha: float) -> float:
        """The largest x with ``p(side·x) > alpha``; infinite if there is no largest."""

        def is_kept(x: float) -> bool:
            return self.p_value(side * x) > alpha

        grid = root * _GRID
        kept = [k for k, x in enumerate(grid) if is_kept(x)]
        if kept and kept[-1] == len(grid) - 1:
            return np.inf
        inside, outside = (grid[kept[-1]], grid[kept[-1] + 1]) if kept else (0.0, grid[0])
        for _ in range(_BISECTIONS):
            middle = (inside + outside) / 2
            inside, outside = (middle, outside) if is_kept(middle) else (inside, middle)
        return float(inside)


def _all_signs(n_clusters: int) -> Iterator[Array]:
    """Sign vectors with 1 for the first cluster, in parts of shape (G, some); all ones first.

    The opposite signs give the opposite statistics.
    """
    bits = np.arange(n_clusters - 1)[:, np.newaxis]
    count, some = 2 ** (n_clusters - 1), max(DRAW_ENTRIES // n_clusters, 1)
    for start in range(0, count, some):
        numbers = np.arange(start, min(start + some, count))
        ones = np.ones((1, len(numbers)))
        yield np.concatenate([ones, 1.0 - 2.0 * (numbers >> bits & 1)])


def _random(
    n_clusters: int, draws: int, values: Array, rng: np.random.RandomState
) -> Iterator[Array]:
    """Random vectors in parts of shape (G, some draws)."""
    some = max(DRAW_ENTRIES // n_clusters, 1)
    for start in range(0, draws, some):
        count: Any = (min(some, draws - start), n_clusters)
        yield values[rng.randint(len(values), size=count)].T

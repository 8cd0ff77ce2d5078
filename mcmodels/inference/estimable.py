"""What the data determine: which functions of the parameters are the same in every best fit.

Where the columns of X̃ depend on each other, θ is determined up to the null space N of X̃. A linear
function ``cᵀθ`` is *estimable* if it is the same for all of these θ: if ``c ⊥ N``, so that c is a
combination of rows of X̃. Its estimate, variance and tests are then those of any model with
independent columns of the same span. Source: Searle (1971), *Linear Models*, §5.4; Scheffé (1959),
*The Analysis of Variance*, §1.4.

With an intercept the rows are ``x̃ = (x̄ + u, 1)``, u in the span U of the rows about their mean, so
that N holds ``(b, -x̄ᵀb)`` for all b orthogonal to U, and c is estimable if ``c_β - c₀x̄`` is in U. U
is the row space that the fit has found, in columns of unit length
(:class:`mcmodels.solvers.pseudoinverse.RowSpace`): the decision is that of the rank. What counts as
zero are the errors of that space, and rounding errors of the terms of ``Nᵀc``.
"""

from __future__ import annotations

import functools
import itertools
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
from scipy import linalg

from mcmodels.arrays import Array
from mcmodels.exceptions import InferenceError, NotEstimableWarning
from mcmodels.rows import RowBlock
from mcmodels.solvers.pseudoinverse import RowSpace
from mcmodels.solvers.tolerances import factorisation_error
from mcmodels.user_warnings import warn_user

__all__ = ["EstimableSpace"]

# Coefficients of a dependency that differ by less than this share of the largest are shown as
# equal, and smaller ones as zero.
_SHOWN = 1e-6
# Most names in a list, and most columns of which dependencies are looked for in words.
_MOST_NAMES, _MOST_COLUMNS = 8, 500
# Columns are far from zero if their mean is so many times their length about it.
_FAR = 1e3
_ENCODER = 'OneHotEncoder(drop="first")'
# Splines sum to one, too, and have these names.
_SPLINE, _SPLINES = re.compile(r"_sp_\d+$"), "SplineTransformer(include_bias=False)"


@dataclass(frozen=True, repr=False, eq=False)
class EstimableSpace:
    """The functions of the parameters that the rows determine, where they do not determine all.

    Parameters
    ----------
    rows : RowSpace
        The span of the rows, about their mean if there is an intercept.
    mean : ndarray of shape (p,), or None
        Where these rows are; None without an intercept.
    names : tuple of str
        Names of the features, then of the intercept if there is one.
    n_outputs : int
        Linear predictors, each with the same rows: targets, or classes.
    precision : float, default=0.0
        Relative precision of the entries of rows: of float32, columns are sums up to its rounding.
    through : ndarray of shape (k, n_outputs · P), or None
        Derivatives of the k quantities by the parameters; None if they are the parameters.

    Examples
    --------
    Two columns that sum to the intercept. Their difference is estimable, each of them is not.

    >>> import numpy as np
    >>> from mcmodels.solvers.pseudoinverse import RowSpace
    >>> rows = RowSpace(np.ones(2), np.array([[1.0], [-1.0]]) / 2**0.5, is_null=False, error=1e-15)
    >>> space = EstimableSpace(rows, np.array([0.5, 0.5]), ("a", "b", "(intercept)"))
    >>> space.are_estimable(np.array([[1.0, -1, 0], [1, 0, 0], [1, 0, 1]]))
    array([ True, False,  True])
    >>> space.remedy
    'Encode with OneHotEncoder(drop="first"), or leave out one of a, b, which sum to the intercept'
    """

    rows: RowSpace
    mean: Array | None
    names: tuple[str, ...]
    n_outputs: int = 1
    precision: float = 0.0
    through: Array | None = None

    def __repr__(self) -> str:
        known = self.determined
        return f"{np.count_nonzero(known)} of {known.size} quantities are determined"

    def image(self, jacobian: Array) -> EstimableSpace:
        """That of functions of the quantities, with these derivatives."""
        through = jacobian if self.through is None else jacobian @ self.through
        return replace(self, through=through)

    @functools.cached_property
    def determined(self) -> npt.NDArray[np.bool_]:
        """Which of the quantities are estimable, shape (k,)."""
        if self.through is not None:
            return self.are_estimable(np.eye(len(self.through)))
        of_one = replace(self, n_outputs=1).are_estimable(np.eye(len(self.names)))
        return np.tile(of_one, self.n_outputs)

    @np.errstate(over="ignore", invalid="ignore")
    def are_estimable(self, C: Array, rounding: float = 0.0) -> npt.NDArray[np.bool_]:
        """Which combinations ``cᵀθ`` of the quantities, the rows of C, are estimable.

        Entries may have relative errors of ``rounding``. Not finite ones are not estimable.
        """
        C = C if self.through is None else C @ self.through
        by_output = C.reshape(len(C), self.n_outputs, len(self.names))
        coef, shift = by_output, np.zeros_like(by_output)
        if self.mean is not None:
            coef, shift = by_output[..., :-1], by_output[..., -1:] * self.mean
        centred = coef - shift
        left = _lengths(self.rows.left_over(centred))
        size = _lengths(centred / self.rows.unit)
        terms = _lengths((np.abs(coef) + np.abs(shift)) / self.rows.unit)
        rounding += factorisation_error(max(len(self.names), 1))
        return np.asarray(left <= self.rows.error * size + rounding * terms)

    def contains(self, block: RowBlock) -> npt.NDArray[np.bool_]:
        """Which rows of a block have a linear predictor that is estimable."""
        X = np.asarray(block.X.dense(), dtype=np.float64)
        if self.mean is not None:
            X = np.column_stack([X, np.ones(len(X))])
        return replace(self, n_outputs=1, through=None).are_estimable(X, self.precision)

    def require(self, C: Array, what: Sequence[str]) -> None:
        """Raise if a combination, a row of C, is not estimable; ``what`` has their names."""
        lost = np.flatnonzero(~self.are_estimable(C))
        if not lost.size:
            return
        through = C[lost[0]] if self.through is None else C[lost[0]] @ self.through
        of_output = through.reshape(self.n_outputs, len(self.names))
        along = ""
        if known := self._dependencies:
            most = max(known, key=lambda direction: float(np.abs(of_output @ direction).max()))
            along = f" It changes along {self._in_words(most)}, and no prediction does."
        raise InferenceError(f"{what[lost[0]]} is not estimable.{along} {self.reason}")

    @property
    def null(self) -> Array:
        """Changes of the parameters of one linear predictor that change no row of it, (P, d)."""
        coef = self.rows.null / self.rows.unit[:, np.newaxis]
        return coef if self.mean is None else np.vstack([coef, -self.mean @ coef])

    @property
    def null_of_all(self) -> Array:
        """The same of all parameters, output by output, shape (n_outputs · P, n_outputs · d)."""
        return np.asarray(np.kron(np.eye(self.n_outputs), self.null), dtype=np.float64)

    @property
    def redundant(self) -> list[int]:
        """Columns without which the others are independent, and have the same span."""
        N = self.rows.null.T
        return sorted(linalg.qr(N, mode="r", pivoting=True)[1][: len(N)].tolist())

    @property
    def independent(self) -> tuple[list[int], Array]:
        """The parameters of the fit without redundant columns, and R with which they are ``Rθ``.

        All of them are estimable: along the null space the parameters of the redundant columns are
        moved to zero.
        """
        null, left_out = self.null, self.redundant
        kept = np.setdiff1d(np.arange(len(null)), left_out)
        R = np.eye(len(null))
        R[:, left_out] -= np.linalg.solve(null[left_out].T, null.T).T
        return kept.tolist(), R[kept]

    def functions_of(self, features: Sequence[int]) -> Array:
        """Independent functions of the coefficients of some features that are estimable.

        Returns
        -------
        ndarray of shape (q, P)
            One function of the parameters of a linear predictor a row, in coefficients of columns
            of unit length.
        """
        known = self.rows.null[list(features)]
        vectors, values, _ = linalg.svd(known, check_finite=False)
        zero = self.rows.error + factorisation_error(max(len(self.names), 1))
        c = vectors[:, np.count_nonzero(values > zero) :]
        R = np.zeros((c.shape[1], len(self.names)))
        R[:, list(features)] = c.T * self.rows.unit[list(features)]
        return R

    @property
    def flat(self) -> npt.NDArray[np.bool_]:
        """Which features are constant beside an intercept, or zero, shape (p,)."""
        left = self.rows.left_over(np.diag(self.rows.unit))
        return np.asarray(np.linalg.norm(left, axis=1) > 1.0 - self.rows.error - _SHOWN)

    @property
    def remedy(self) -> str:
        """What to do, with the columns that depend on each other, as the user has named them."""
        text = "; ".join(self.remedies or ["fit fewer columns, or more rows, or penalise"])
        return text[0].upper() + text[1:]

    @property
    def remedies(self) -> list[str]:
        """Which columns to leave out, dependency by dependency; empty where there are many."""
        remedies = self._centring
        for direction in self._dependencies:
            involved = np.flatnonzero(direction[: len(self.rows.unit)])
            listed = _listed([self.names[j] for j in involved])
            if involved.size == 1:
                constant = "constant" if self.mean is not None else "zero"
                single = self.mean is not None and len(self.mean) == 1 and self.mean.any()
                remedy = "fit with fit_intercept=False beside" if single else "leave out"
                remedies.append(f"{remedy} {listed}, which is {constant}")
            elif self._are_levels(direction):
                splines = all(_SPLINE.search(self.names[j]) for j in involved)
                first = f"make them by {_SPLINES}" if splines else f"encode with {_ENCODER}"
                remedies.append(
                    f"{first}, or leave out one of {listed}, which sum to the intercept"
                )
            else:
                remedies.append(f"leave out one of {listed}, which depend on each other")
        return [] if len(remedies) > _MOST_NAMES else remedies

    @property
    def _centring(self) -> list[str]:
        """The advice to centre columns, where products of them depend on others by rounding alone.

        Products are known by their names, in which those of their factors stand: ``far:x``,
        ``far^2``, ``I(far ** 2)``.
        """
        if self.mean is None:
            return []
        plain = [name.strip("'") for name in self.names]
        far = np.flatnonzero((np.abs(self.mean) > _FAR * self.rows.unit) & ~self.flat)
        used = np.any(np.array(self._dependencies).reshape(-1, len(plain)) != 0, axis=0)
        factors, products = set(), set()
        for j, k in itertools.product(far.tolist(), np.flatnonzero(used[:-1]).tolist()):
            token = rf"(?<!\w){re.escape(plain[j])}(?!\w)"
            if j != k and re.search(token, plain[k]):
                factors.add(j)
                products.add(k)
        if not factors:
            return []
        centred, lost = (_listed([self.names[j] for j in sorted(of)]) for of in (factors, products))
        return [
            f"centre {centred} (in a formula, center(…)), with means so large that {lost} and "
            "other columns differ by rounding errors alone"
        ]

    @property
    def reason(self) -> str:
        """Why there are parameters without estimates, the remedy first."""
        single = "their single coefficients are"
        if self.mean is not None and not self.determined_of_one[-1]:
            single = f"their single coefficients, and the {self.names[-1]}, are"
        return (
            f"{self.remedy}: {single} not determined (NA). Predictions, and what is the same for "
            "all coefficients that give them, are."
        )

    @property
    def determined_of_one(self) -> npt.NDArray[np.bool_]:
        """Which parameters of a linear predictor are estimable, shape (P,)."""
        return replace(self, n_outputs=1, through=None).determined

    @property
    def _dependencies(self) -> list[Array]:
        """Combinations of few columns that are zero, each of shape (P,); none of very many."""
        p = len(self.rows.unit)
        d = p - self.rows.basis.shape[1] if not self.rows.is_null else self.rows.basis.shape[1]
        if p > _MOST_COLUMNS or not d:
            return []
        # The reduced row echelon form: of indicators it has the sums of the levels of each factor.
        N = self.rows.null.T
        reduced = np.linalg.solve(N[:, self.redundant], N)
        reduced[np.abs(reduced) < _SHOWN * np.abs(reduced).max(axis=1, keepdims=True)] = 0.0
        coef = reduced / self.rows.unit
        coef /= np.take_along_axis(coef, np.abs(reduced).argmax(axis=1)[:, np.newaxis], axis=1)
        if self.mean is not None:
            constant = -coef @ self.mean
            small = _SHOWN * (np.abs(coef) @ np.abs(self.mean))
            coef = np.column_stack([coef, np.where(np.abs(constant) > small, constant, 0.0)])
        order = np.argsort((reduced != 0).argmax(axis=1), kind="stable")
        return list(coef[order])

    def _are_levels(self, direction: Array) -> bool:
        """Whether columns sum to the intercept, as all levels of a factor do."""
        coef, constant = direction[: len(self.rows.unit)], direction[len(self.rows.unit) :]
        used = coef[coef != 0]
        return bool(constant.size) and np.allclose([*used, -constant[0]], 1.0, rtol=0, atol=_SHOWN)

    def _in_words(self, direction: Array) -> str:
        used = np.flatnonzero(direction)
        shown = used[: 2 * _MOST_NAMES]
        terms = [f"{direction[j]:+.4g} {self.names[j]}" for j in shown]
        return ", ".join(terms) + (", …" if used.size > shown.size else "")

    def warn_of_rows(self, lost: npt.NDArray[np.bool_]) -> None:
        """Warn of rows, for which ``lost`` is true, whose predictions are not estimable."""
        rows = np.flatnonzero(lost)
        if rows.size:
            warn_user(
                f"row(s) {_listed(list(map(str, rows)))} are no combination of the rows of the "
                "fit, as where a level is new: what is predicted there is not determined, and has "
                "no standard error (NaN). Pass rows like those of the fit, or fit columns that do "
                "not depend on each other.",
                NotEstimableWarning,
            )


def _listed(names: list[str]) -> str:
    more = f", … ({len(names)} in all)" if len(names) > _MOST_NAMES else ""
    return ", ".join(names[:_MOST_NAMES]) + more


def _lengths(values: Array) -> Array:
    """Lengths of what stands behind the first axis."""
    flat = values.reshape(len(values), -1)
    largest = np.abs(flat).max(axis=1, initial=0.0)
    unit = np.where((largest > 0) & np.isfinite(largest), largest, 1.0)
    lengths: Array = unit * np.linalg.norm(flat / unit[:, np.newaxis], axis=1)
    return lengths

"""Recognise the rows that a model was fitted to by sums over them; no row is kept."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from mcmodels.arrays import Array
from mcmodels.rows import CrossSums, OffsetSums, RowBlock, Rows, Seen

__all__ = ["TrainingRows"]

# Sums of the same rows in another order differ by rounding errors: by about ten units, as measured
# on columns of a million rows. This many units are allowed, relative to the lengths of the columns.
# Other rows differ by about 1/√n of the lengths, one changed row by 1/n.
_UNITS = 1e3
_EPSILON = float(np.finfo(np.float64).eps)
# Relative rounding error of the mean of a constant column, and of its deviations from the mean.
_ROUNDING_OF_MEAN = 8 * _EPSILON
# Largest relative difference of sums that is allowed, also for products in float32.
_LARGEST_TOLERANCE = 1e-4
# Relative difference of objectives: a sum of losses loses more digits than a sum of columns.
_OBJECTIVE_TOLERANCE = 1e-9
# Units of rounding in a linear predictor: of its products, of their sum, and of the parameters.
_PREDICTOR_UNITS = 10.0


@dataclass(frozen=True)
class TrainingRows:
    """Sums over the rows of a fit; rows that are passed as training rows must have the same sums.

    Parameters
    ----------
    seen : Seen
        Number of rows, and their total weight.
    names : tuple of str
        Names of the columns.
    targets : tuple of str
        Names of the targets, or of the classes.
    is_classes : bool
        Whether y holds classes.
    x : ndarray of shape (p,), or None
        ``Σ wᵢxᵢ``, if the fit has computed it.
    y : ndarray of shape (k,), or None
        ``Σ wᵢyᵢ``, if the fit has computed it; for classes, their total weights.
    y_squares : ndarray of shape (k,)
        ``Σ wᵢyᵢ²``.
    xy : ndarray of shape (k, p), or None
        ``Σ wᵢyᵢxᵢ``; for classes, the sums of the columns in each class.
    x_squares : ndarray of shape (p,)
        ``Σ wᵢxᵢ²``, or about that: it tells the size of the columns.
    x_mean, y_mean : ndarray of shape (p,) and (k,), or None
        The means that were subtracted before summing; None if nothing was.
    rounding : float
        Rounding unit of the sums, relative to the lengths of the columns.
    squares_are_exact : bool
        Whether ``x_squares`` are of all rows.
    offset : OffsetSums or None
        Sums of the offsets, if the fit had any.
    """

    seen: Seen
    names: tuple[str, ...]
    targets: tuple[str, ...]
    is_classes: bool
    x: Array | None
    y: Array | None
    y_squares: Array
    xy: Array | None
    x_squares: Array
    x_mean: Array | None = None
    y_mean: Array | None = None
    rounding: float = _EPSILON
    squares_are_exact: bool = True
    offset: OffsetSums | None = None

    @classmethod
    def of(
        cls,
        seen: Seen,
        sums: CrossSums,
        names: tuple[str, ...],
        targets: tuple[str, ...],
        *,
        is_classes: bool,
    ) -> TrainingRows:
        """From the sums that were computed during a fit."""
        return cls(
            seen,
            names,
            targets,
            is_classes,
            sums.x,
            sums.y,
            sums.y_squares,
            sums.xy,
            sums.x_squares,
            squares_are_exact=False,
            offset=sums.offset,
        )

    def require_number(self, n_rows: int, total_weight: float) -> None:
        """Refuse another total weight; a weight of two and a row given twice are the same."""
        if np.isclose(total_weight, self.seen.total_weight, rtol=1e-9):
            return
        if n_rows != self.seen.n_rows:
            raise ValueError(
                f"X has {n_rows} rows; the model was fitted to {self.seen.n_rows}. {_REMEDY}"
            )
        raise ValueError(
            f"the weights of the rows sum to {total_weight:g}; those of the fit to "
            f"{self.seen.total_weight:g}. Pass the sample_weight of the fit."
        )

    def require_features(self, rows: Rows) -> None:
        """Refuse rows whose columns have other sums; y is not compared.

        Raises
        ------
        ValueError
            If these are not the rows of the fit; the message says what differs.
        """
        self.require_number(rows.n_rows, rows.total_weight)

        def summarise(block: RowBlock) -> Array:
            unit = block.weights_or_ones
            return np.stack([block.X.products(unit), block.X.square_sums(block.weights)])

        x, x_squares = rows.reduce(summarise)
        reach = self._tolerance(rows) * np.sqrt(rows.total_weight * x_squares)
        self._compare("the sum of column", self._name, self.x, x, reach)
        if self.x_mean is not None:
            x_squares = x_squares - rows.total_weight * self.x_mean**2
            reach = np.abs(self.x_mean) * reach + self._tolerance(rows) * self.x_squares
        else:
            reach = self._tolerance(rows) * x_squares
        what = "the sum of squares of column"
        self._compare(what, self._name, self.x_squares, x_squares, reach)

    @np.errstate(over="ignore", invalid="ignore")
    def require(self, rows: Rows) -> None:
        """Refuse rows that are not those of the fit.

        Parameters
        ----------
        rows : Rows
            Rows with their y and weights, encoded as those of the fit were.

        Raises
        ------
        ValueError
            If these are not the rows of the fit; the message says what differs.
        """
        self.require_number(rows.n_rows, rows.total_weight)
        n_classes = len(self.targets) if self.is_classes else None
        origin = 0.0 if self.y_mean is None else self.y_mean

        def summarise(block: RowBlock) -> _Sums:
            sums = CrossSums.of_block(block, n_classes, origin)
            return _Sums(sums, block.X.square_sums(block.weights))

        found = rows.reduce(summarise)
        sums, weight, root = found.cross_sums, rows.total_weight, np.sqrt(rows.total_weight)
        # Sums of the same rows differ by the rounding of this pass, and by that of the fit.
        here, fit = _UNITS * _EPSILON, self._tolerance(rows)
        x_here, y_here = np.sqrt(found.x_squares), np.sqrt(sums.y_squares)
        x_fit, y_fit = self._lengths(x_here, y_here)
        x_reach, y_reach = here * x_here + fit * x_fit, here * y_here + fit * y_fit
        y, xy = sums.y, sums.xy
        if self.x_mean is not None and self.y_mean is not None:
            xy = xy - np.outer(y, self.x_mean)
            y = y + weight * self.y_mean
            y_reach = y_reach + here * root * np.abs(self.y_mean)
        what = "the weight of class" if self.is_classes else "the sum of target"
        self._compare(what, self._target, self.y, y, root * y_reach)
        what = "the sum of squares of target"
        self._compare(what, self._target, self.y_squares, sums.y_squares, y_reach * y_fit)
        self._compare("the sum of column", self._name, self.x, sums.x, root * x_reach)
        reach = here * np.outer(y_fit, x_here) + fit * np.outer(y_fit, x_fit)
        # A rounding error of a mean is in all rows alike.
        reach = reach + np.outer(self._rounding_of(self.y_mean), x_fit)
        reach = reach + np.outer(y_fit, self._rounding_of(self.x_mean))
        what = "the sum of column" if self.is_classes else "the sum of products of"
        self._compare(what, self._pair, self.xy, xy, reach)
        if self.offset is None and sums.offset is not None and sums.offset.squares.any():
            raise ValueError(
                "offset was given with the training rows, and the model was fitted without one; "
                "leave it out."
            )
        if self.offset is not None and sums.offset is not None:
            self._require_offset(sums.offset, root, x_here, y_here)

    def _require_offset(self, found: OffsetSums, root: float, x: Array, y: Array) -> None:
        """Refuse other sums of offsets; ``x`` and ``y`` are lengths of columns and targets."""
        expected, unit = self.offset, 2 * _UNITS * _EPSILON
        assert expected is not None
        length = np.sqrt(np.maximum(expected.squares, found.squares))
        reach, added = unit * length, "offset (with the logarithm of exposure)"
        for what, was, now, bound in (
            (f"the sum of {added}", expected.total, found.total, reach * root),
            (f"the sum of squares of {added}", expected.squares, found.squares, reach * length),
            (f"the sum of {added} with y", expected.y, found.y, np.outer(reach, y)),
            (f"the sum of {added} with a column", expected.x, found.x, np.outer(reach, x)),
        ):
            self._compare(what, lambda _: "", was, now, bound)

    def offsets_differ(self, other: TrainingRows) -> bool:
        """Whether the offsets of another fit to the same rows have other sums."""
        mine, theirs = self.offset, other.offset
        if mine is None or theirs is None:
            return mine is not theirs
        if mine.total.shape != theirs.total.shape:
            return True
        length = np.sqrt(np.maximum(mine.squares, theirs.squares))
        reach, root = self._units * length, np.sqrt(self.seen.total_weight)
        y_length = np.maximum(self._y_length, other._y_length)
        pairs = (
            (mine.total, theirs.total, reach * root),
            (mine.squares, theirs.squares, reach * length),
            (mine.y, theirs.y, np.outer(reach, y_length)),
        )
        return any(_first_difference(a, b, bound) is not None for a, b, bound in pairs)

    def require_objective(self, expected: float, found: float, rounding: float = 0.0) -> None:
        """Refuse rows with another objective at the parameters of the fit.

        The two may differ by the usual tolerance plus ``rounding``.
        """
        # If the fit is exact, the losses are only rounding errors of the targets.
        scale = max(abs(expected), _UNITS * self.rounding * float(self.y_squares.sum()))
        self._compare(
            "the objective at the fit",
            lambda _: "",
            np.atleast_1d(expected),
            np.atleast_1d(found),
            np.atleast_1d(_OBJECTIVE_TOLERANCE * scale + rounding),
        )

    @np.errstate(over="ignore")
    def rounding_of_losses(self, params: Array, objective: float) -> float:
        """Rounding error of a sum of losses that columns far from zero cause in the predictors.

        The slope of a loss is about as large as the loss, its square root or the target.
        """
        weight, loss = self.seen.total_weight, abs(objective)
        slopes = loss + np.sqrt(weight * loss) + np.sqrt(weight * self.y_squares.sum())
        return float(_PREDICTOR_UNITS * _EPSILON * self.size_of_predictors(params) * slopes)

    @np.errstate(over="ignore")
    def size_of_predictors(self, params: Array) -> float:
        """The typical size of the terms of linear predictors: they may cancel."""
        weight = self.seen.total_weight
        size = np.sqrt(self.x_squares / weight)
        if self.x is not None:
            size = np.maximum(size, np.abs(self.x) / weight)
        if self.seen.intercept:
            size = np.append(size, 1.0)
        predictors = np.abs(params) @ size
        if self.offset is not None:
            predictors = predictors + np.sqrt(self.offset.squares / weight)
        return float(np.max(predictors))

    def rounding_of_squares(self, params: Array, objective: float) -> float:
        """Rounding error of a sum of residual squares, which is never a small difference.

        With residuals of length r, and an error e of their length, ``2re + e²``.
        """
        coef = np.abs(np.atleast_2d(params)[:, : len(self.names)])
        length = np.linalg.norm(np.sqrt(self.y_squares) + coef @ np.sqrt(self.x_squares))
        error = self._units * float(length)
        return 2 * error * float(np.sqrt(abs(objective))) + error**2

    def difference(self, other: TrainingRows) -> str:
        """How the rows or targets of another model differ; empty if no difference is found.

        Columns are compared if both models have a column of the same name, given by the user.
        """
        mine, theirs = self.seen.total_weight, other.seen.total_weight
        if not np.isclose(mine, theirs, rtol=1e-9):
            return f"the weights of one sum to {mine:g}, those of the other to {theirs:g}"
        # The labels of classes say nothing about a likelihood, and neither do names given once.
        named = not self.is_classes and self._targets_are_named and other._targets_are_named
        if len(self.targets) != len(other.targets) or (named and self.targets != other.targets):
            return f"one has the targets {self.targets}, the other {other.targets}"
        if (self.x_mean is None) != (other.x_mean is None):
            return self._about_zero().difference(other._about_zero())
        tolerance = max(self._units, other._units)
        root = np.sqrt(mine)
        y_length = np.maximum(self._y_length, other._y_length)
        size = root * y_length + (0.0 if self.y is None else np.abs(self.y))
        at = _first_difference(self.y, other.y, tolerance * size)
        if at is None:
            at = _first_difference(self.y_squares, other.y_squares, tolerance * y_length**2)
        if at is not None:
            what = "the weights of class" if self.is_classes else "the sums of target"
            return f"{what} {self.targets[at]!r} differ"
        if not (self._is_named and other._is_named):
            return ""
        shared = [name for name in self.names if name in other.names]
        here, there = ([of.names.index(name) for name in shared] for of in (self, other))
        length = np.maximum(self._x_length[here], other._x_length[there])
        for own, others, scale in (
            (self.x, other.x, root),
            (self.xy, other.xy, y_length.max()),
        ):
            if own is None or others is None:
                continue
            own, others = np.atleast_2d(own)[:, here], np.atleast_2d(others)[:, there]
            size = np.maximum(np.abs(own), np.abs(others)).max(axis=0) + scale * length
            at = _first_difference(own, others, np.broadcast_to(tolerance * size, own.shape))
            if at is not None:
                return f"the sums of column {shared[at % len(shared)]!r} differ"
        return ""

    def column_not_in(
        self, other: TrainingRows, but: npt.NDArray[np.bool_], *, by_name: bool = True
    ) -> str:
        """A column that is none of the columns of another model of the same rows; else empty.

        Where both models have names a column must have the same name, too, unless ``by_name`` is
        false. Columns in ``but`` are not looked for.
        """
        if (self.x_mean is None) != (other.x_mean is None):
            return self._about_zero().column_not_in(other._about_zero(), but, by_name=by_name)
        named = by_name and self._is_named and other._is_named
        units = max(self._units, other._units)
        for j in np.nonzero(~but)[0].tolist():
            like = other._columns_with(*self._sums_of_column(j), units)
            if named:
                like &= np.array(other.names) == self.names[j]
            if not like.any():
                return f"column {self.names[j]!r}"
        return ""

    @property
    def columns_of_ones(self) -> npt.NDArray[np.bool_]:
        """Which columns have the sums of a column of ones, shape (p,); none if sums are missing."""
        sums, weight = self._about_zero(), np.array(self.seen.total_weight)
        if sums.x is None or sums.y is None:
            return np.zeros(len(self.names), dtype=np.bool_)
        return sums._columns_with(weight, sums.y, weight, self._units)

    def _sums_of_column(self, j: int) -> tuple[Array | None, Array | None, Array]:
        """``Σ wᵢxᵢ``, ``Σ wᵢyᵢxᵢ`` and ``Σ wᵢxᵢ²`` of column j."""
        x = None if self.x is None else self.x[j]
        xy = None if self.xy is None else self.xy[:, j]
        return x, xy, self.x_squares[j]

    def _columns_with(
        self, x: Array | None, xy: Array | None, x_squares: Array, units: float
    ) -> npt.NDArray[np.bool_]:
        """Which columns have these sums, up to rounding; shape (p,)."""
        root = np.sqrt(self.seen.total_weight)
        length, y_length = self._x_length, self._y_length.max(initial=0.0)
        like = np.ones(len(self.names), dtype=np.bool_)
        for own, given, scale in ((self.x, x, root), (self.xy, xy, y_length)):
            if own is None or given is None:
                continue
            own, given = np.atleast_2d(own), np.reshape(given, (-1, 1))
            size = np.maximum(np.abs(own), np.abs(given)).max(axis=0) + scale * length
            like &= (np.abs(own - given) <= units * size).all(axis=0)
        if self.squares_are_exact:
            like &= np.abs(self.x_squares - x_squares) <= units * length**2
        return like

    def _about_zero(self) -> TrainingRows:
        """The same sums about zero, as in a fit without an intercept."""
        if self.x_mean is None or self.y_mean is None:
            return self
        weight = self.seen.total_weight
        xy = None if self.xy is None else self.xy + weight * np.outer(self.y_mean, self.x_mean)
        return replace(
            self,
            y_squares=self.y_squares + weight * self.y_mean**2,
            xy=xy,
            x_squares=self.x_squares + weight * self.x_mean**2,
            x_mean=None,
            y_mean=None,
        )

    @property
    def _is_named(self) -> bool:
        return self.names != tuple(f"x{j}" for j in range(len(self.names)))

    @property
    def _targets_are_named(self) -> bool:
        return self.targets not in (("y",), tuple(f"y{k}" for k in range(len(self.targets))))

    def _name(self, at: int) -> str:
        return f" {self.names[at]!r}"

    def _target(self, at: int) -> str:
        return f" {self.targets[at]!r}"

    def _pair(self, at: int) -> str:
        target, name = divmod(at, len(self.names))
        joined = "in class" if self.is_classes else "with"
        return f"{self._name(name)} {joined}{self._target(target)}"

    @property
    def _units(self) -> float:
        return min(_UNITS * self.rounding, _LARGEST_TOLERANCE)

    @property
    def _x_length(self) -> Array:
        """Lengths of the columns, plus the rounding errors of their means."""
        return np.sqrt(self.x_squares) + self._rounding_of(self.x_mean)

    @property
    def _y_length(self) -> Array:
        """Lengths of the targets, plus the rounding errors of their means."""
        return np.sqrt(self.y_squares) + self._rounding_of(self.y_mean)

    def _rounding_of(self, mean: Array | None) -> Any:
        if mean is None:
            return 0.0
        return _ROUNDING_OF_MEAN * np.sqrt(self.seen.total_weight) * np.abs(mean)

    def _lengths(self, x_here: Array, y_here: Array) -> tuple[Array, Array]:
        """Lengths of columns and targets to which rounding errors of the fit are relative."""
        if self.x_mean is None:
            return x_here, y_here
        return self._x_length, self._y_length

    def _tolerance(self, rows: Rows) -> float:
        return min(_UNITS * max(self.rounding, rows.product_epsilon), _LARGEST_TOLERANCE)

    def _compare(
        self,
        what: str,
        name: Callable[[int], str],
        expected: Array | None,
        found: Array,
        reach: Array,
    ) -> None:
        at = _first_difference(expected, found, reach)
        if at is None or expected is None:
            return
        raise ValueError(
            f"these are not the rows that the model was fitted to: {what}{name(at)} is "
            f"{found.ravel()[at]:.10g}, and was {np.ravel(expected)[at]:.10g} in the fit. {_REMEDY}"
        )


_REMEDY = (
    "Pass the training rows as they were given to fit, all of them, with their y and sample_weight."
)


@dataclass
class _Sums:
    """Cross-sums, and squares that bound their rounding errors."""

    cross_sums: CrossSums
    x_squares: Array

    def __iadd__(self, other: _Sums) -> _Sums:
        self.cross_sums += other.cross_sums
        self.x_squares += other.x_squares
        return self


def _first_difference(expected: Array | None, found: Array | None, reach: Array) -> int | None:
    """First position where two arrays differ by more than ``reach``; None if there is none."""
    if expected is None or found is None:
        return None
    # Sums that overflow are not compared, nor those of which no rounding error is known.
    differs = ~(np.abs(np.asarray(found) - expected) <= reach) & np.isfinite(expected)
    differs &= ~np.isnan(reach)
    return int(np.flatnonzero(differs)[0]) if differs.any() else None

"""Recognise the rows that a model was fitted to by sums over them; no row is kept."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from mcmodels.arrays import Array
from mcmodels.records.row_sums import EPSILON, LARGEST_TOLERANCE, UNITS, RowSums, first_difference
from mcmodels.rows import CrossSums, OffsetSums, RowBlock, Rows

__all__ = ["TrainingRows"]

# Relative difference of objectives: a sum of losses loses more digits than a sum of columns.
_OBJECTIVE_TOLERANCE = 1e-9
# Units of rounding in a linear predictor: of its products, of their sum, and of the parameters.
_PREDICTOR_UNITS = 10.0


@dataclass(frozen=True)
class TrainingRows(RowSums):
    """Sums over the rows of a fit; rows that are passed as training rows must have the same sums.

    Parameters are those of :class:`mcmodels.records.row_sums.RowSums`.
    """

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
        here, fit = UNITS * EPSILON, self._tolerance(rows)
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
        expected, unit = self.offset, 2 * UNITS * EPSILON
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

    def require_objective(self, expected: float, found: float, rounding: float = 0.0) -> None:
        """Refuse rows with another objective at the parameters of the fit.

        The two may differ by the usual tolerance plus ``rounding``.
        """
        # If the fit is exact, the losses are only rounding errors of the targets.
        scale = max(abs(expected), UNITS * self.rounding * float(self.y_squares.sum()))
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
        return float(_PREDICTOR_UNITS * EPSILON * self.size_of_predictors(params) * slopes)

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

    def _name(self, at: int) -> str:
        return f" {self.names[at]!r}"

    def _target(self, at: int) -> str:
        return f" {self.targets[at]!r}"

    def _pair(self, at: int) -> str:
        target, name = divmod(at, len(self.names))
        joined = "in class" if self.is_classes else "with"
        return f"{self._name(name)} {joined}{self._target(target)}"

    def _tolerance(self, rows: Rows) -> float:
        return min(UNITS * max(self.rounding, rows.product_epsilon), LARGEST_TOLERANCE)

    def _compare(
        self,
        what: str,
        name: Callable[[int], str],
        expected: Array | None,
        found: Array,
        reach: Array,
    ) -> None:
        at = first_difference(expected, found, reach)
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

"""What a bootstrap says: draws of estimates, their errors, and intervals of one or of all."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd
from scipy import stats

from mcmodels.arrays import Array, refuse_masked
from mcmodels.estimators.arguments import check_choice
from mcmodels.exceptions import InferenceError, example_of
from mcmodels.inference.delta import jacobian
from mcmodels.inference.estimable import EstimableSpace
from mcmodels.inference.estimate import check_level, coverage
from mcmodels.inference.summary import Summarised, Summary
from mcmodels.resampling.parameter_names import places_of

__all__ = ["INTERVALS", "Bootstrap", "Names"]

INTERVALS = ("percentile", "t", "simultaneous")
Names = str | tuple[Any, str] | Sequence[str | tuple[Any, str]]
_KINDS = {"bayesian": "Bayesian, Dirichlet weights", "multiplier": "multipliers of Mammen"}
_STEPS = {"one": "one, from the scores", "converged": "until each draw is a fit"}
_SHOWN_LEVEL = 0.95


@dataclass(frozen=True, repr=False, eq=False)
class Bootstrap(Summarised):
    """Draws of a bootstrap; :func:`mcmodels.bootstrap` makes it.

    Parameters
    ----------
    draws_ : ndarray of shape (B, q)
        A draw of all quantities in each row: of the coefficients in the tables of the model, which
        of more than two classes are differences from the first class. NaN in draws without a
        minimum, and in columns of quantities that the rows do not determine.
    estimate_ : ndarray of shape (q,)
        The quantities at the fit.
    names_ : tuple of str
        Their names.
    kind_ : {"bayesian", "multiplier"}
        The distribution of the weights.
    steps_ : {"one", "converged"}
        How far each draw was iterated.
    units_ : str
        What was drawn as a whole: "500 rows", "30 clusters".
    df_ : float
        Clusters less one, or rows less the parameters of a linear predictor.
    model_ : str
        The name of the model.
    raw : ndarray of shape (B, P)
        Draws of ``params_``, of those of K outputs raveled, of classes without a difference; where
        columns are dependent, one of the vectors of parameters that the draw allows.
    params : ndarray of shape (P,) or (K, P)
        The parameters of the fit.
    estimable : EstimableSpace or None
        Which functions of the parameters the rows determine; None if all.
    notes : tuple of str
        What to know of the way from the rows to the model.

    Examples
    --------
    >>> import numpy as np
    >>> from mcmodels import LinearRegression, bootstrap
    >>> rng = np.random.default_rng(0)
    >>> X = rng.normal(size=(100, 2))
    >>> y = X[:, 0] + rng.normal(size=100)
    >>> draws = bootstrap(LinearRegression().fit(X, y), X, y, random_state=0)
    >>> draws.draws_.shape
    (10000, 3)
    >>> print(draws.confidence_intervals().round(2))
                 lower  upper
    x0            0.67   1.11
    x1           -0.06   0.41
    (intercept)  -0.37   0.05
    """

    draws_: Array
    estimate_: Array
    names_: tuple[str, ...]
    kind_: str
    steps_: str
    units_: str
    df_: float
    model_: str
    raw: Array
    params: Array
    estimable: EstimableSpace | None
    notes: tuple[str, ...]

    @property
    def n_failed_(self) -> int:
        """Draws without a minimum; intervals and errors are those of the others."""
        return len(self.raw) - len(self._found)

    @functools.cached_property
    def covariance_(self) -> Array:
        """Covariance of the draws about their mean, shape (q, q)."""
        return np.atleast_2d(np.cov(self._found, rowvar=False))

    @property
    def standard_errors_(self) -> Array:
        """Standard deviations of the draws, shape (q,)."""
        return self._found.std(axis=0, ddof=1)

    def confidence_intervals(
        self, level: float = _SHOWN_LEVEL, kind: str = "percentile"
    ) -> pd.DataFrame:
        """Intervals of each quantity.

        Parameters
        ----------
        level : float, default=0.95
            Coverage.
        kind : {"percentile", "t", "simultaneous"}, default="percentile"
            "percentile": quantiles of the draws of each quantity (of the Bayesian bootstrap,
            equal-tailed intervals of belief). "t": ``θ̂ⱼ ± t sⱼ`` with s the standard deviations of
            the draws, and Student's t with ``df_`` degrees of freedom. "simultaneous": intervals
            that cover *all* quantities at once with this probability, ``θ̂ⱼ ± q sⱼ`` with q the
            quantile of ``maxⱼ |θ*ⱼ - θ̂ⱼ|/sⱼ`` over the draws.

        Returns
        -------
        DataFrame
            With the columns lower and upper.

        Raises
        ------
        ValueError
            For a level that is not between 0 and 1, or an unknown kind.

        Notes
        -----
        Sources: Efron (1982), *The Jackknife, the Bootstrap and Other Resampling Plans*, §10.4;
        Chernozhukov, Chetverikov and Kato (2013), *Gaussian approximations and multiplier bootstrap
        for maxima of sums of high-dimensional random vectors*, Annals of Statistics 41(6); Montiel
        Olea and Plagborg-Møller (2019), *Simultaneous confidence bands: theory, implementation, and
        an application to SVARs*, Journal of Applied Econometrics 34(1), algorithm 2.
        """
        check_level(level)
        check_choice("kind", kind, INTERVALS)
        if kind == "percentile":
            ends = np.quantile(self._found, [(1.0 - level) / 2.0, (1.0 + level) / 2.0], axis=0)
        else:
            of_each = float(stats.t.isf((1.0 - level) / 2.0, self.df_))
            quantile = of_each if kind == "t" else self.critical_value(level)
            reach = quantile * self.standard_errors_
            ends = np.array([self.estimate_ - reach, self.estimate_ + reach])
        lower, upper = np.where(self._determined, ends, np.nan)
        return pd.DataFrame({"lower": lower, "upper": upper}, index=list(self.names_))

    def critical_value(self, level: float = _SHOWN_LEVEL) -> float:
        """Half-length of simultaneous intervals, in standard errors: the quantile of the maxima."""
        check_level(level)
        known = self._determined & (self.standard_errors_ > 0)
        if not known.any():
            return 0.0
        distance = np.abs(self._found[:, known] - self.estimate_[known])
        largest = (distance / self.standard_errors_[known]).max(axis=1)
        return float(np.quantile(largest, level, method="higher"))

    def to_frame(self, level: float = _SHOWN_LEVEL) -> pd.DataFrame:
        """A table with a row for each quantity.

        Columns are estimate, standard_error, lower and upper (of the percentile interval), and
        simultaneous_lower and simultaneous_upper.
        """
        each = self.confidence_intervals(level)
        together = self.confidence_intervals(level, "simultaneous").add_prefix("simultaneous_")
        values = {"estimate": self.estimate_, "standard_error": self.standard_errors_}
        known = {name: np.where(self._determined, value, np.nan) for name, value in values.items()}
        return pd.concat([pd.DataFrame(known, index=each.index), each, together], axis=1)

    def function(self, f: Callable[[Array], Any]) -> Bootstrap:
        """The bootstrap of a function of the parameters: f at each draw.

        Parameters
        ----------
        f : callable
            Takes the parameters in the shape of ``params_``; returns a number, or an array.

        Returns
        -------
        Bootstrap
            Of ``f(θ)``, raveled.

        Raises
        ------
        TypeError
            If f is not callable, or returns no real numbers.
        InferenceError
            If f is not finite at the fit or at a draw, or is not determined by the rows.
        """
        if not callable(f):
            raise TypeError(f"f is a {type(f).__name__}; give a function of the parameters.")
        shape, at_fit = self.params.shape, self._value(f, self.params)
        size = at_fit.shape
        name = getattr(f, "__name__", "f")
        name = "f" if name == "<lambda>" else name
        places = [", ".join(map(str, place)) for place in np.ndindex(size)]
        names = tuple(f"{name}[{place}]" for place in places) if size else (name,)
        self._require_determined(f, names)
        values = np.full((len(self.raw), at_fit.size), np.nan)
        for draw in np.nonzero(np.isfinite(self.raw).all(axis=1))[0].tolist():
            found = self._value(f, self.raw[draw].reshape(shape))
            if found.shape != size:
                raise TypeError(
                    f"f returned shape {found.shape} at draw {draw}, and {size} at the fit; it "
                    "must return the same shape at all parameters."
                )
            values[draw] = found.ravel()
        return replace(self, draws_=values, estimate_=at_fit.ravel(), names_=names)

    def summary(self, level: float = _SHOWN_LEVEL) -> Summary:
        """Estimates, standard errors and intervals."""
        facts = {
            "model": self.model_,
            "weights": _KINDS[self.kind_],
            "steps": _STEPS[self.steps_],
            "draws": f"{len(self.draws_)} of {self.units_}",
            "intervals": f"{coverage(level)}: percentiles of the draws; simultaneous ones are "
            f"estimate ± {self.critical_value(level):.3f} standard errors",
        }
        notes = [*self.notes]
        if self.n_failed_:
            notes.append(f"{self.n_failed_} draws have no minimum, and are left out.")
        if self.estimable is not None and not self._determined.all():
            notes.append(f"NA: {self.estimable.reason}")
        table = self.to_frame(level)[["estimate", "standard_error", "lower", "upper"]]
        return Summary("Bootstrap", facts, {"": table}, notes=tuple(notes))

    @functools.cached_property
    def _found(self) -> Array:
        return self.draws_[np.isfinite(self.raw).all(axis=1)]

    @property
    def _determined(self) -> Any:
        return ~np.isnan(self._found).all(axis=0)

    def _value(self, f: Callable[[Array], Any], params: Array) -> Array:
        value = f(params.copy())
        refuse_masked("what f returns", value)
        value = np.asarray(value)
        if value.dtype.kind not in "fiub":
            raise TypeError(
                f"f returned {value.dtype} values; it must return a real number, or an array."
            )
        if not value.size:
            raise TypeError("f returned an empty array; it must return at least one number.")
        value = value.astype(np.float64)
        if not np.isfinite(value).all():
            raise InferenceError(
                f"f is not finite at the parameters {example_of(params.ravel().tolist())}: it "
                f"returned {example_of(value.tolist())}. Take a function that is defined at every "
                "draw."
            )
        return value

    def _require_determined(self, f: Callable[[Array], Any], names: tuple[str, ...]) -> None:
        if self.estimable is None:
            return
        covariance = np.cov(self.raw[np.isfinite(self.raw).all(axis=1)], rowvar=False)
        values, vectors = np.linalg.eigh(np.atleast_2d(covariance))
        directions = vectors * np.sqrt(np.clip(values, 0.0, None))
        directions = directions[:, directions.any(axis=0)]
        J = jacobian(f, self.params, directions, self.estimable.null_of_all)
        self.estimable.require(J, names)

    def named(self, of: Names) -> Bootstrap:
        """The bootstrap of some of the quantities, by one name or several."""
        at = places_of(self.names_, of)
        return replace(
            self,
            draws_=self.draws_[:, at],
            estimate_=self.estimate_[at],
            names_=tuple(self.names_[place] for place in at),
        )

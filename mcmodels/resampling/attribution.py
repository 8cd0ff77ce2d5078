"""`attribution`: effects of leaving out rows, or groups of rows, on a number of a fit."""

from __future__ import annotations

import html
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd

from mcmodels.arrays import Array, Codes, MatrixLike, VectorLike, Weights
from mcmodels.estimators.arguments import check_count, listed
from mcmodels.estimators.network_methods import NetworkMethods
from mcmodels.exceptions import InferenceError, LeverageWarning, SecondOrderWarning, example_of
from mcmodels.inference.summary import number
from mcmodels.resampling.exact_effects import (
    NetworkRefits,
    PredictorRefits,
    by_targets,
)
from mcmodels.resampling.fit_functions import LossOn, fit_function, refuse_without_slope
from mcmodels.resampling.groups import given_or_held, units_of
from mcmodels.resampling.network_attribution import network_effects
from mcmodels.resampling.parameter_names import coefficient
from mcmodels.resampling.routed_rows import RoutedRows
from mcmodels.resampling.training_data import TrainingData
from mcmodels.reweighting.effects import effects_of_groups, effects_of_rows, third_along
from mcmodels.reweighting.whitened_fit import GROUP
from mcmodels.user_warnings import warn_user

__all__ = ["Attribution", "attribution"]

_ORDERS = (1, 2)
# Second terms below this share of the largest effect of the first order are no matter.
_SMALL_SECOND = 0.1


@dataclass(frozen=True, eq=False)
class Attribution:
    """The effects of leaving out rows, or groups of rows, on a number of a fit.

    Parameters
    ----------
    of : str
        What the number is.
    value : float
        f of the fit of all rows.
    effects : Series
        Of each row, with the index of X, or of each group: f without it minus f, to first or second
        order; NaN where the other rows determine no fit.
    order : int
        1 or 2.
    damping : float
        What was added to the diagonal of the Hessian of a network; 0 but where the fit is at no
        strict minimum.

    Examples
    --------
    >>> import numpy as np
    >>> from mcmodels import LinearRegression, attribution
    >>> rng = np.random.default_rng(0)
    >>> X = rng.normal(size=(100, 2))
    >>> y = X[:, 0] + rng.normal(size=100)
    >>> found = attribution(LinearRegression().fit(X, y), X, y, of="x0")
    >>> round(found.value, 3)
    0.892
    >>> found.effects.abs().nlargest(2).round(3)
    84    0.050
    69    0.033
    Name: effect, dtype: float64
    """

    of: str
    value: float
    effects: pd.Series
    order: int
    damping: float = 0.0
    _what: str = field(default="row", repr=False, kw_only=True)
    _codes: Codes = field(repr=False, kw_only=True)
    _refitting: Any = field(repr=False, kw_only=True)

    def top(self, k: int = 10) -> pd.Series:
        """The k effects of largest size, the largest first.

        Parameters
        ----------
        k : int, default=10
            How many.

        Returns
        -------
        Series
        """
        check_count("k", k, at_least=1)
        return self.effects.iloc[self._largest(k)]

    def refit(self, rows: Any) -> pd.Series:
        """The exact effects of leaving out some rows or groups, each alone, by fits without it.

        Parameters
        ----------
        rows : label or list of labels
            Labels of ``effects``: of the index of X, or of the groups. Rows of an array are
            numbered from 0.

        Returns
        -------
        Series
            With these labels. NaN where there is no fit without the row, with a warning.

        Raises
        ------
        TypeError
            For what is no label, such as a slice.
        KeyError
            For labels that are not there.
        ValueError
            For labels that several rows have.
        """
        labels = pd.Index(
            [rows] if np.ndim(rows) == 0 or isinstance(rows, str | tuple) else list(rows)
        )
        index = self.effects.index
        if not index.is_unique:
            raise ValueError(
                "the index of X has the same label for several rows; pass X.reset_index(drop=True) "
                "to attribution, and positions here."
            )
        try:
            places = index.get_indexer(labels)
        except TypeError as error:  # what cannot be a label, such as a slice
            raise TypeError(
                f"rows={example_of(rows)} must be a label of the {self._what}s, or a list of them; "
                "those of a slice are effects.index[a:b]."
            ) from error
        if (places < 0).any():
            missing = labels[int((places < 0).argmax())]
            raise KeyError(f"{example_of(missing)} is no label of the {self._what}s.")
        exact = self._refitting.exact(self._codes, places)
        _warn_of_lost(labels[np.isnan(exact)], "exact effect")
        return pd.Series(exact, index=index[places], name="exact")

    def to_frame(self, exact: int = 0) -> pd.DataFrame:
        """The effects as a table, with f without each row, or group.

        Parameters
        ----------
        exact : int, default=0
            So many of the rows with the largest effects are left out of a new fit, each alone;
            their exact effects are a column more, which is NaN for the others.

        Returns
        -------
        DataFrame
            Columns effect, without (the value of f plus the effect), and exact where asked for.
        """
        check_count("exact", exact, at_least=0)
        table = pd.DataFrame({"effect": self.effects, "without": self.value + self.effects})
        if exact:
            places = self._largest(exact)
            found = self._refitting.exact(self._codes, places)
            _warn_of_lost(table.index[places[np.isnan(found)]], "exact effect")
            table["exact"] = np.nan
            table.iloc[places, table.columns.get_loc("exact")] = found
        return table

    def _largest(self, k: int) -> Codes:
        """Positions of the k effects of largest size that are known, the largest first."""
        places = np.flatnonzero(self.effects.notna())
        size = np.abs(self.effects.to_numpy()[places])
        return places[np.argsort(-size, kind="stable")[:k]]

    def __repr__(self) -> str:
        return "\n".join([*self._said, *self.top(5).to_string(header=False).splitlines()])

    def _repr_html_(self) -> str:
        lines = "".join(f"<p>{html.escape(line)}</p>" for line in self._said)
        return f"{lines}{self.top(5).to_frame().to_html(float_format=number)}"

    @property
    def _said(self) -> list[str]:
        count = f"{len(self.effects)} {self._what}s"
        return [
            f"Attribution of {self.of} = {number(self.value)} to {count}, order {self.order}.",
            f"The largest effects of leaving out one {self._what}:",
        ]


def attribution(
    model: Any,
    X: MatrixLike,
    y: VectorLike | None = None,
    sample_weight: Weights = None,
    *,
    of: Any,
    groups: VectorLike | None = None,
    order: int = 1,
    **offsets: Any,
) -> Attribution:
    """The effect of leaving out each row, or each group of rows, on a number that a fit has given.

    Parameters
    ----------
    model : estimator
        A fitted LinearRegression, LogisticRegression, GeneralizedLinearRegressor,
        ObjectiveRegressor, ObjectiveClassifier, MLPRegressor or MLPClassifier; or, but for
        networks, a pipeline, search or fit by a formula that ends in one, whose steps are held.
    X, y, sample_weight
        The training rows, as they were given to ``fit``; X may be a
        :class:`~mcmodels.RowStream`.
    of : str, tuple, callable, PredictionAt or LossOn
        f: the name of a coefficient, as in tables: "age", "intercept", "class:age" or
        ``("class", "age")``; with more than two classes it is the difference from the first class.
        A function of an array of the shape of ``params_`` that returns one number. A prediction,
        :func:`~mcmodels.prediction_at`. The mean loss on other rows, :func:`~mcmodels.loss_on`.
    groups : array-like of shape (n_samples,), default=None
        Labels of groups, which are left out whole. Without them groups are those of the table, if
        :func:`~mcmodels.scan` was given them, else each row is left out by itself.
    order : {1, 2}, default=1
        1: f is linear, and the fit moves by one Newton step, with the Hessian of the rows that are
        left: the exact fit of squared errors. 2: f is quadratic, and the fit moves to second order;
        it costs one more pass over the rows.
    **offsets
        ``offset`` and ``exposure`` of the rows, where the fit had them.

    Returns
    -------
    Attribution

    Raises
    ------
    TypeError
        For a model that is no sum over rows, and for f that is no function of a fit.
    ValueError
        For rows that are not the training rows, and names that are no coefficients.
    InferenceError
        Where the fit is at no unique minimum, or f is not determined by the rows.

    Warns
    -----
    LeverageWarning
        Where the others determine no fit without a row; its effect is NaN.
    SecondOrderWarning
        Where the second term of an effect is larger than the first, so that both are unreliable.
    ConvergenceWarning
        Where a network is not at a strict minimum, and its Hessian is damped.

    Notes
    -----
    With the gradient a of f, ``zᵢ = Tᵀx̃ᵢ``, ``TTᵀ = H⁻¹`` the inverse Hessian of the objective,
    ``sᵢ = wᵢ∂ℓᵢ/∂η`` and ``hᵢ = wᵢ ∂²ℓᵢ/∂η² zᵢᵀzᵢ``, the effect of a row is to first order
    ``aᵀTzᵢ sᵢ/(1 - hᵢ)``. A row is left out with all its weight, and the penalty stays as it is.
    Formulas are in :mod:`mcmodels.reweighting.effects`, for networks in
    :mod:`mcmodels.reweighting.network_effects`. Source: Giordano, Stephenson, Liu, Jordan and
    Broderick (2019), *A Swiss army infinitesimal jackknife*, AISTATS.

    Examples
    --------
    >>> import numpy as np
    >>> from mcmodels import LinearRegression, attribution
    >>> X = np.array([[1.0], [2], [3], [4], [10]])
    >>> y = [1.0, 2, 3, 4, 0]
    >>> model = LinearRegression().fit(X, y)
    >>> found = attribution(model, X, y, of="x0")
    >>> round(found.value, 3), found.effects.round(3).tolist()
    (-0.2, [-0.155, -0.022, 0.021, 0.0, 1.2])
    >>> found.refit(4).round(3).tolist()
    [1.2]
    """
    routed = RoutedRows.of("attribution", model, X, y, sample_weight, groups, offsets)
    data, of = routed.data, routed.function(of)
    if isinstance(order, bool) or order not in _ORDERS:
        raise ValueError(f"order={example_of(order)} must be 1 or 2.")
    groups = given_or_held(routed.groups, data.X)
    if isinstance(data.model, NetworkMethods):
        return _of_network(data, of, groups, order)
    if getattr(getattr(data.model, "_fit", None), "theta_derivatives", None) is not None:
        raise InferenceError(
            "theta was estimated beside the coefficients, and changes with the rows. Fit with "
            f"theta={data.model._fit.theta:.6g}, and pass that fit."
        )
    training = data.training({})
    codes, labels = units_of(groups, len(training.y))
    if labels is not None:
        training = training.with_extras({GROUP: codes})
    fit = by_targets(training.fit)
    if isinstance(of, str | tuple):
        of = coefficient(data.model._record(), of)
    function = fit_function(data.model, of)
    function.refuse_undetermined(data.model)
    slope = function.slope(fit)
    bend = doubted = None
    if order == 2:
        third = third_along(fit, slope)
        bend = function.bend(fit) - third
        # A loss is nearly flat at its own fit, and is quadratic there: only the fit is in doubt.
        is_flat = isinstance(of, LossOn) or not slope.any()
        doubted = -third if is_flat else bend
    if callable(of):
        both = slope if bend is None else np.append(slope, bend)
        refuse_without_slope(both, "Take a function without steps, or order=2 where it is curved.")
    if labels is None:
        orders = [effects_of_rows(fit, slope, of_two) for of_two in _each(bend, doubted)]
        index = training.index if routed.index is None else routed.index
        index = pd.RangeIndex(len(codes)) if index is None else index
    else:
        count = len(labels)
        orders = [effects_of_groups(fit, count, slope, of_two) for of_two in _each(bend, doubted)]
        index = labels.rename("group")
    if order == 2:
        _warn_of_second(index, orders[0], orders[1])
    effects = orders[-1] + 0.0  # no -0.0 for rows without weight
    _warn_of_lost(index[np.isnan(effects)], "effect")
    return Attribution(
        function.name,
        function.value(fit.params),
        pd.Series(effects, index=index, name="effect"),
        order,
        _what="row" if labels is None else "group",
        _codes=codes,
        _refitting=PredictorRefits(data, of),
    )


def _each(bend: Array | None, doubted: Array | None) -> list[Array | None]:
    """Second terms: none; those that may be in doubt; and at the end those of the order."""
    if bend is None:
        return [None]
    return [None, bend] if doubted is bend else [None, doubted, bend]


def _of_network(data: TrainingData, of: Any, groups: Any, order: int) -> Attribution:
    """The attribution of a network, to first order."""
    if order == 2:
        raise ValueError("order=2 is for models with linear predictors; networks have order=1.")
    found = network_effects(data, of)
    effects, index = found.effects, found.index
    codes, labels = units_of(groups, len(effects))
    if labels is not None:
        index = labels.rename("group")
        effects = np.asarray(np.bincount(codes, effects, len(index)), dtype=np.float64)
    return Attribution(
        found.name,
        found.value,
        pd.Series(effects, index=index, name="effect"),
        order,
        found.damping,
        _what="row" if labels is None else "group",
        _codes=codes,
        _refitting=NetworkRefits(data, of),
    )


def _warn_of_lost(labels: pd.Index, what: str) -> None:
    if len(labels) == 0:
        return
    warn_user(
        f"without {listed(labels)} the other rows do not determine what was asked for, or no fit "
        f"was found: the {what} is NaN. A penalty makes the fit unique.",
        LeverageWarning,
    )


def _warn_of_second(index: pd.Index, first: Array, both: Array) -> None:
    """Warn of effects whose second term is larger than the first; not of those that are small."""
    second = np.nan_to_num(np.abs(both - first))
    size = np.nan_to_num(np.abs(first))
    labels = index[(second > size) & (second > _SMALL_SECOND * size.max(initial=0.0))]
    if len(labels) == 0:
        return
    warn_user(
        f"the second term of the effect is larger than the first for {listed(labels)}: the "
        "expansion does not hold there, and order=2 may be worse than order=1. .refit(rows) has "
        "the exact effects.",
        SecondOrderWarning,
    )

"""`most_influential`: few rows whose removal changes what a coefficient says."""

from __future__ import annotations

import html
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from mcmodels.arrays import MatrixLike, VectorLike, Weights
from mcmodels.estimators.arguments import check_choice, check_number, listed
from mcmodels.exceptions import InferenceError
from mcmodels.inference.estimate import check_level, coverage
from mcmodels.inference.summary import number
from mcmodels.resampling.coefficient_search import KINDS, CoefficientSearch, goals_of
from mcmodels.resampling.influential_search import FoundSet
from mcmodels.resampling.routed_rows import RoutedRows

__all__ = ["InfluentialRows", "most_influential"]

CHANGES = ("sign", "significance", "significant opposite")


@dataclass(frozen=True, eq=False, repr=False)
class InfluentialRows:
    """Few rows whose removal changes what a coefficient says, or the answer that none was found.

    Parameters
    ----------
    of : str
        The coefficient.
    change : str
        What was to change.
    found : bool
        Whether a fit without ``rows`` has confirmed the change. Otherwise ``rows`` are those of the
        last step of the search.
    rows : ndarray of int
        Positions of the rows, ascending.
    index : Index
        Their labels in the index of X.
    share : float
        Their share of the rows of positive weight.
    table : DataFrame
        The coefficient with its standard error, test and interval: "all rows", and "without" the
        rows, if there are any.
    model : estimator
        Fitted without the rows.
    predicted : int or None
        So many rows are needed by first-order effects of single rows, added up, which is the metric
        of Broderick, Giordano and Meager; None if all together are not enough.
    is_minimal : bool
        Whether none of the rows can be kept, by a fit for each.
    is_smallest : bool
        Whether all smaller sets were tried, as in small data: then it is proved that none is
        smaller. Where none was found, whether all sets of the allowed size were tried.
    level : float
        Of intervals.
    most : int
        Largest number of rows that was allowed.
    n_rows : int
        Rows of positive weight.

    Examples
    --------
    >>> import numpy as np
    >>> from mcmodels import LinearRegression, most_influential
    >>> rng = np.random.default_rng(0)
    >>> X = rng.normal(size=(100, 2))
    >>> y = X[:, 0] + rng.normal(size=100)
    >>> found = most_influential(LinearRegression().fit(X, y), X, y, of="x1", change="sign")
    >>> found.found, len(found.rows)
    (True, 6)
    """

    of: str
    change: str
    found: bool
    rows: npt.NDArray[np.intp]
    index: pd.Index
    share: float
    table: pd.DataFrame
    model: Any
    predicted: int | None
    is_minimal: bool
    is_smallest: bool
    level: float
    most: int
    n_rows: int

    def to_frame(self) -> pd.DataFrame:
        """The coefficient of all rows, and without those that were found.

        Returns
        -------
        DataFrame
            Rows "all rows" and "without"; columns as in a table of coefficients.
        """
        return self.table.copy()

    def __repr__(self) -> str:
        """What was found, in words, with the table."""
        shown = self.table.map(number).to_string()
        return "\n".join([*self._said(), shown, *self._notes()])

    def _repr_html_(self) -> str:
        lines = "".join(f"<p>{html.escape(line)}</p>" for line in self._said())
        notes = "".join(f"<p>{html.escape(line)}</p>" for line in self._notes())
        return f"{lines}{self.table.to_html(float_format=number)}{notes}"

    def _said(self) -> list[str]:
        count = len(self.rows)
        size = f"{count} of {self.n_rows} rows ({100 * self.share:.2g} %)"
        what = self._what
        some = listed(self.index)
        if self.found:
            return [f"Without {size}, {what}: {some}"]
        none = f"No set of up to {self.most} of {self.n_rows} rows was found without which {what}."
        return [none, f"The last fit of the search is without {size}: {some}"][: 1 + (count > 0)]

    @property
    def _what(self) -> str:
        """The change, in words."""
        opposite = f"{self.of} has the opposite sign"
        if self.change == "sign":
            return opposite
        interval = f"{coverage(self.level)} interval"
        if self.change == "significant opposite":
            return f"{opposite}, and a {interval} without zero"
        lower, upper = self.table.loc["all rows", ["lower", "upper"]]
        has = "contains no zero" if lower <= 0 <= upper else "contains zero"
        return f"the {interval} of {self.of} {has}"

    def _notes(self) -> list[str]:
        if not self.found:
            if self.is_smallest:
                return ["All of them were tried: there is none."]
            return ["That none was found does not prove that there is none."]
        if len(self.rows) == 1:
            return ["Confirmed by a fit without the row."]
        if self.is_smallest:
            return ["Confirmed by a fit without them. No smaller set does it: all were tried."]
        kept = "None of them can be kept: so say fits with each."
        if not self.is_minimal:
            kept = "Whether each of them is needed was not checked: there are too many."
        return [f"Confirmed by a fit without them. {kept} Other, smaller sets are not ruled out."]


def most_influential(
    model: Any,
    X: MatrixLike,
    y: VectorLike | None = None,
    sample_weight: Weights = None,
    *,
    of: Any,
    change: str = "sign",
    kind: str | None = None,
    groups: VectorLike | None = None,
    level: float = 0.95,
    max_share: float = 0.1,
    **offsets: Any,
) -> InfluentialRows:
    """The smallest set of rows that was found whose removal changes what a coefficient says.

    Parameters
    ----------
    model : estimator
        A fitted LinearRegression, LogisticRegression, GeneralizedLinearRegressor,
        ObjectiveRegressor or ObjectiveClassifier; or a pipeline, search or fit by a formula that
        ends in one, whose steps are held.
    X, y, sample_weight
        The training rows, as they were given to ``fit``; X may be a
        :class:`~mcmodels.RowStream`.
    of : str or tuple
        The coefficient, by its name in tables; of several classes or targets "class:age" or
        ``("class", "age")``, with more than two classes the difference from the first.
    change : {"sign", "significance", "significant opposite"}, default="sign"
        "sign": the estimate has the opposite sign. "significance": its interval contains zero if
        that of all rows does not, and does not if that does. "significant opposite": the interval
        lies on the other side of zero.
    kind : {"nonrobust", "HC0", "HC1", "HC2", "HC3", "cluster"}, default=None
        The covariance; by default that of the model, or "HC1" where it has none: with weights of a
        survey, and for losses of the user's that are no likelihoods.
    groups : array-like of shape (n_samples,), default=None
        The cluster of each row, for ``kind="cluster"``, also where the model has it. Without them
        clusters are those of the table, if :func:`~mcmodels.scan` was given them. Rows are left out
        one by one all the same.
    level : float, default=0.95
        Of intervals.
    max_share : float, default=0.1
        Largest share of the rows that may be left out, in (0, 1).
    **offsets
        ``offset`` and ``exposure`` of the rows, where the fit had them.

    Returns
    -------
    InfluentialRows

    Raises
    ------
    TypeError
        For a model without linear predictors.
    ValueError
        For rows that are not the training rows, and names that are no coefficients.
    InferenceError
        Where there is no unique minimum, or no standard error.

    Notes
    -----
    Rows are chosen by their first-order effects on the estimate and its standard error, computed
    again as rows are left out; rows that are not needed are put back, and pairs are replaced by
    single rows. In small data single rows and pairs are tried as well, all of them where there are
    up to 2000 pairs. The change is confirmed by a fit without the set. It is the smallest that was
    found, which is not proved to be the smallest that there is: the exact problem has no fast
    solution in more than a few dimensions (Moitra and Rohatgi 2022, *Provably auditing ordinary
    least squares in low dimensions*). Sources: Broderick, Giordano and Meager (2020), *An automatic
    finite-sample robustness metric*, arXiv:2011.14999; see
    :mod:`mcmodels.resampling.influential_search`.

    Examples
    --------
    >>> import numpy as np
    >>> from mcmodels import LinearRegression, most_influential
    >>> X = np.array([[1.0], [2], [3], [4], [5], [6], [7], [8], [9], [20]])
    >>> y = np.array([1.0, 2.1, 2.9, 4.2, 5.0, 5.9, 7.1, 8.0, 9.1, -12])
    >>> found = most_influential(LinearRegression().fit(X, y), X, y, of="x0")
    >>> found.rows, found.found
    (array([9]), True)
    >>> found.to_frame()["coefficient"].round(2).tolist()
    [-0.65, 1.0]
    """
    routed = RoutedRows.of("most_influential", model, X, y, sample_weight, groups, offsets)
    check_choice("change", change, CHANGES)
    check_level(level)
    check_number("max_share", max_share)
    if not 0.0 < max_share < 1.0:
        raise ValueError(f"max_share={max_share!r} must lie between 0 and 1, as 0.1 does.")
    if kind is not None:
        check_choice("kind", kind, KINDS)
    search = CoefficientSearch(routed.data, of, kind, routed.groups, level)
    before = search.estimate_of(routed.data)
    theta = float(before.params[0])
    if theta == 0:
        raise InferenceError(f"{before.names[0]} is exactly zero, and has no sign that can change.")
    most = max(1, int(max_share * search.n_rows))
    sets: list[FoundSet] = []
    for goal in goals_of(before, change, level):
        smallest = min((len(one.rows) for one in sets if one.reached), default=None)
        sets.append(search.smallest(goal, most, None if smallest is None else smallest - 1))
    best = min(sets, key=lambda one: (not one.reached, len(one.rows), -one.point.g))
    rows = np.array(best.rows, dtype=np.intp)
    reduced, after = best.point.fit
    estimates = [before, after] if rows.size else [before]
    table = pd.concat([estimate.table(level) for estimate in estimates])
    table.index = pd.Index(["all rows", "without"][: len(table)])
    index = search.index if routed.index is None else routed.index
    index = pd.RangeIndex(search.n_all) if index is None else index
    return InfluentialRows(
        of=before.names[0],
        change=change,
        found=best.reached,
        rows=rows,
        index=index[rows],
        share=len(rows) / search.n_rows,
        table=table,
        model=reduced,
        predicted=best.predicted,
        is_minimal=best.is_minimal,
        is_smallest=(best.reached and len(rows) == 1) or all(one.is_smallest for one in sets),
        level=level,
        most=most,
        n_rows=search.n_rows,
    )

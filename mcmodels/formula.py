"""The step that makes the columns of a design by a formula."""

from __future__ import annotations

from typing import Any, Self

import numpy as np
import pandas as pd
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.utils.validation import check_is_fitted

from mcmodels.arrays import Array
from mcmodels.estimators.arguments import check_flag
from mcmodels.exceptions import example_of
from mcmodels.formulas.exact_slopes import moved_design
from mcmodels.formulas.language import sides
from mcmodels.formulas.recipe import Recipe

__all__ = ["Formula"]


class Formula(TransformerMixin, BaseEstimator):
    """The columns that the right side of a formula makes of a table.

    ``a + b`` has both, ``a:b`` their product, ``a*b`` is ``a + b + a:b``, ``a/b`` is ``a + a:b``,
    ``(a + b + c)**2`` has all pairs; ``I(x**2)`` is arithmetic. Text, logical values and
    categories are factors, and so is ``C(x)``. There are ``bs``, ``cr``, ``cc`` (splines),
    ``poly``, ``scale``, ``center``, and functions of NumPy. Names that Python cannot read stand in
    backticks. ``.`` is all columns. Needs formulaic: ``pip install 'mcmodels[formula]'``.

    Parameters
    ----------
    formula : str
        The right side, such as ``"age + bs(income, df=4) + C(region)*sex"``, with or without ``~``.
        The intercept is that of the model: no column of ones is made, but factors are coded as
        beside one, without their first level. With ``0 +`` the first factor has a column for each
        level; fit the model with ``fit_intercept=False`` then. ``1`` alone is a column of ones
        named ``(intercept)``, for null models: fit these with ``fit_intercept=False``, too.
    sparse : bool, default=False
        Whether ``transform`` gives a CSR array, for factors of many levels.

    Attributes
    ----------
    feature_names_in_ : ndarray of str
        The columns that the formula reads; ``transform`` needs no others.
    n_features_in_ : int
        Their number.

    Notes
    -----
    Levels, knots, means and scales are those of the fit. Refused are: unknown columns, missing
    values, levels that the fit had not, text of numbers, results that are not finite, and rows
    outside the boundaries of ``bs``, unless it says ``extrapolation="extend"`` or ``"clip"``.
    Levels that are declared but do not occur in the fit have no column, as in R.

    A formula is no program: it can call the functions that it lists, and has no attributes,
    indices or loops. So formulas of others can be evaluated.

    Examples
    --------
    >>> import pandas as pd
    >>> from mcmodels import Formula
    >>> data = pd.DataFrame({"age": [20.0, 30, 40, 50], "sex": ["f", "m", "f", "m"]})
    >>> Formula("age*sex").fit_transform(data)
        age  sex[T.m]  age:sex[T.m]
    0  20.0       0.0           0.0
    1  30.0       1.0          30.0
    2  40.0       0.0           0.0
    3  50.0       1.0          50.0
    """

    def __init__(self, formula: str, *, sparse: bool = False) -> None:
        self.formula = formula
        self.sparse = sparse

    def fit(self, X: Any, y: object = None) -> Self:
        """Learn levels, knots, means and scales.

        Parameters
        ----------
        X : DataFrame of pandas or Polars, table of Arrow, or dict
            The rows.
        y : ignored
            For pipelines.

        Returns
        -------
        Self

        Raises
        ------
        ImportError
            Without formulaic.
        TypeError, ValueError
            For what is no formula or no table, and a formula with a left side.
        """
        check_flag("sparse", self.sparse)
        left, right = sides(self.formula)
        if left is not None:
            raise ValueError(
                f"formula={example_of(self.formula)} has a left side, {left!r}, and a step of a "
                "pipeline has no target; leave it out, or call fit_formula(formula, data, model)."
            )
        self._learn(Recipe.learnt(right, X))
        return self

    def transform(self, X: Any) -> Any:
        """The design matrix of rows.

        Parameters
        ----------
        X : DataFrame of pandas or Polars, table of Arrow, or dict
            The rows; it has the columns ``feature_names_in_``.

        Returns
        -------
        DataFrame of shape (n, p), or csr_array if ``sparse``; other kinds by ``set_output``.
        """
        check_is_fitted(self)
        made = self._recipe.matrix(X, sparse=self.sparse)
        if self.sparse:
            return made
        index = X.index if isinstance(X, pd.DataFrame) else None
        return pd.DataFrame(made, columns=list(self._recipe.names), index=index)

    def get_feature_names_out(self, input_features: object = None) -> Array:
        """The names of the columns that are made: ``C(region)[T.north]``, ``age:sex[T.m]``.

        Parameters
        ----------
        input_features : ignored
            The formula names what it reads.

        Returns
        -------
        ndarray of str
        """
        check_is_fitted(self)
        return np.array(self._recipe.names, dtype=object)

    def get_feature_terms(self) -> dict[str, list[int]]:
        """The columns of each term: its text, and their positions.

        Returns
        -------
        dict of str to list of int
            Such as ``{"age": [0], "C(region)": [1, 2], "C(region):sex": [3, 4]}``; the intercept is
            not in it, unless it is all: ``{"1": [0]}``.
        """
        check_is_fitted(self)
        return {term: list(positions) for term, positions in self._recipe.terms.items()}

    def _factors(self) -> dict[str, tuple[tuple[Any, ...], Any]]:
        """The levels and the baseline of each column that is read as levels."""
        return self._recipe.factors()

    def _around(self, X: Any) -> pd.DataFrame:
        """The design matrix beside rows, for differences: NaN where there is none."""
        return pd.DataFrame(self._recipe.matrix(X, around=True), columns=list(self._recipe.names))

    def _moved(self, X: pd.DataFrame, D: Array, told: Any) -> Array | None:
        """How the design moves where the columns of rows move by D; None if that is not exact."""
        moved = {
            str(name): np.broadcast_to(D[:, j], len(X))
            for j, name in enumerate(X.columns)
            if str(name) in self._recipe.columns and D[:, j].any()
        }
        return moved_design(self._recipe, X, moved, told)

    @classmethod
    def _of(cls, recipe: Recipe) -> Self:
        """A fitted step by what one has learnt."""
        step = cls(recipe.formula)
        step._learn(recipe)
        return step

    def _learn(self, recipe: Recipe) -> None:
        self._recipe = recipe
        self.feature_names_in_ = np.array(recipe.columns, dtype=object)
        self.n_features_in_ = len(recipe.columns)

    def __sklearn_is_fitted__(self) -> bool:
        return hasattr(self, "_recipe")

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.two_d_array = False
        tags.input_tags.categorical = True
        tags.input_tags.string = True
        return tags

"""Tests of the terms of a model: Wald's, analysis of variance, analysis of deviance."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from mcmodels.arrays import MatrixLike, VectorLike, Weights
from mcmodels.estimators.arguments import check_name, refuse_unknown_keywords
from mcmodels.exceptions import InferenceError, example_of
from mcmodels.inference.deviance_table import Deviances, added_terms_table, deviance_table
from mcmodels.inference.hypotheses import HypothesisTest
from mcmodels.inference.sums_of_squares import (
    RESIDUALS,
    AddedTerm,
    anova_table,
    wald_table,
    wald_test_of_term,
)
from mcmodels.records.glm import GlmFit
from mcmodels.records.linear import LinearFit
from mcmodels.records.logistic import LogisticFit
from mcmodels.records.record import ParameterFit
from mcmodels.reports.routed import Routed
from mcmodels.reports.term_warnings import warn_of_baselines, warn_of_dependent_terms
from mcmodels.reports.terms import Terms, TypeOfTest

__all__ = ["TermTests"]

StatedTerms = Mapping[str, Sequence[str]]


class TermTests(Routed):
    """Methods of :class:`mcmodels.Results` that test terms: all columns of an input together."""

    @property
    def terms(self) -> Terms:
        """The terms of the model, with the positions of their columns."""
        return Terms.of_steps(self._route.steps, self._record_of("terms").names)

    def wald_test(
        self,
        restrictions: Any = None,
        X: MatrixLike | None = None,
        y: VectorLike | None = None,
        sample_weight: Weights = None,
        *,
        terms: bool | Sequence[str] | StatedTerms | None = None,
        **options: Any,
    ) -> HypothesisTest | pd.DataFrame:
        """Test linear restrictions on the parameters, or each term of the model.

        Parameters
        ----------
        restrictions : str, array-like of shape (r, n_params) or pair (R, q), default=None
            As ``wald_test`` of the model takes them: ``"age = 0, `sex_male` = 1"``.
        X, y, sample_weight
            The training rows, for a robust covariance.
        terms : True, list of str, or dict, default=None
            In place of restrictions: test that all coefficients of a term are zero, those of all
            classes or targets together. True: each term. A list: these terms. A dict: groups of
            features by their names, ``{"place": ["region_b", "region_c"]}``.
        **options
            Those of ``covariance``: ``kind``, ``groups``, ``offset``, ….

        Returns
        -------
        HypothesisTest or DataFrame
            With ``terms`` one row for each term; columns statistic, df, df_denominator where it is
            an F test (else it is χ²), and p_value. Each term is tested beside all others, as by
            ``anova(type=3)``: beside an interaction, at zero of the other variables.

        Raises
        ------
        ValueError
            For an unknown name, with the nearest one.
        InferenceError
            If restrictions are not estimable; with ``terms`` if the fit is penalised.

        Warns
        -----
        DependentTermWarning
            With ``terms``, where a term depends on the others: it has 0 degrees of freedom, and no
            test.

        Examples
        --------
        >>> import pandas as pd
        >>> from mcmodels import LinearRegression, results
        >>> X = pd.DataFrame({"a": [1.0, 2, 3, 4, 5, 6], "b": [0.0, 1, 0, 1, 1, 0]})
        >>> model = LinearRegression().fit(X, [1.2, 3.1, 2.9, 5.3, 6.1, 5.8])
        >>> results(model).wald_test(terms=True).round(3)
           statistic  df  df_denominator  p_value
        a    701.778   1             3.0    0.000
        b     99.167   1             3.0    0.002
        """
        if (restrictions is None) == (terms is None or terms is False):
            raise ValueError(
                "wald_test takes either restrictions, such as 'age = 0', or terms=True for a table "
                "of all terms."
            )
        if restrictions is not None:
            return self._asked(
                "wald_test", X, y, sample_weight, restrictions=restrictions, **options
            )
        record = self._record_of("wald_test")
        _refuse_penalised(record)
        wanted = self._wanted(terms)
        reference = options.pop("reference", None)
        _, estimate = self.model._warned_estimate(**self._training(X, y, sample_weight, options))
        estimate = record.reported(estimate, reference)
        n_params = len(record.parameter_names)
        tests = {
            name: wald_test_of_term(estimate, name, list(columns), [], n_params)
            for name, columns in zip(wanted.names, wanted.columns, strict=True)
        }
        table = wald_table(tests)
        warn_of_dependent_terms(table, self.terms, record.estimable, _type_two(record))
        return table

    def anova(
        self,
        X: MatrixLike | None = None,
        y: VectorLike | None = None,
        sample_weight: Weights = None,
        *,
        type: TypeOfTest = 2,
        kind: str | None = None,
        terms: StatedTerms | None = None,
        **options: Any,
    ) -> pd.DataFrame:
        """Analysis of variance of a linear model: what each term explains beside others.

        Parameters
        ----------
        X, y, sample_weight
            The training rows. Only a robust ``kind`` needs them; else they are checked.
        type : {1, 2, 3}, default=2
            What a term is tested beside. 1: the terms before it. 2: all terms that do not contain
            it, so that ``age`` is tested in a model without ``age:tenure``. 3: all other terms. In
            a model without interactions 2 and 3 are the same. With them, type 3 tests a term where
            the other variables are zero, so that it depends on the coding: its main effects are
            averages over the levels of the other factor if their codes sum to zero, and effects at
            the baseline if they are indicators.
        kind : str, default=None
            A robust covariance, as ``covariance`` takes it: then the tests are Wald's, and there
            are no sums of squares. None: that of the model, also with X and y; of a fit with
            ``weights="probability"``, "HC1".
        terms : dict, default=None
            Names of terms with the names of their features, in place of those that the steps tell;
            each feature is in one. ``"a:b"`` contains ``"a"``.
        **options
            Those of a robust covariance: ``groups``, ``max_lags``, ….

        Returns
        -------
        DataFrame
            One row for each term, in the order of their first columns, and the last of the
            residuals. Columns sum_of_squares, df, F and p_value; with a robust covariance df,
            df_denominator, F and p_value.

        Raises
        ------
        InferenceError
            If the model is not linear regression of one target, or if nothing is left for the
            residuals.

        Warns
        -----
        BaselineTestWarning
            With type 3, where a term is tested at the baseline of indicators.
        DependentTermWarning
            Where a term depends on those that it is tested beside: it has 0 degrees of freedom, and
            no test.

        See Also
        --------
        deviance_table : For logistic and generalized linear models.

        Notes
        -----
        Formulas and sources are in :mod:`mcmodels.inference.sums_of_squares`.

        Examples
        --------
        >>> import pandas as pd
        >>> from sklearn.compose import make_column_transformer
        >>> from sklearn.pipeline import make_pipeline
        >>> from sklearn.preprocessing import OneHotEncoder
        >>> from mcmodels import LinearRegression, results
        >>> X = pd.DataFrame({"age": [20.0, 30, 40, 50, 60, 25], "region": list("aabbcc")})
        >>> columns = make_column_transformer(
        ...     (OneHotEncoder(drop="first"), ["region"]), remainder="passthrough"
        ... )
        >>> pipeline = make_pipeline(columns, LinearRegression())
        >>> _ = pipeline.fit(X, [1.0, 2, 4, 5, 9, 6])
        >>> results(pipeline).anova().round(3)
                     sum_of_squares   df       F  p_value
        region               17.856  2.0  1017.8    0.001
        age                   5.482  1.0   625.0    0.002
        (residuals)           0.018  2.0     NaN      NaN
        """
        record = self._record_of("anova")
        if not isinstance(record, LinearFit):
            tables = "deviance_table(X, y), or " if _type_two(record) else ""
            raise InferenceError(
                f"anova is of linear regression, and this is a {self.model.__class__.__name__}; "
                f"call {tables}wald_test(terms=True)."
            )
        _check_type(type, (1, 2, 3))
        check_name("kind", kind)
        record.factored("anova")
        record.refuse_several_targets("anova")
        found = self._complete(terms)
        given = self._training(X, y, sample_weight, options)
        chosen = record.chosen is not None and kind is None
        classical = kind in (None, "nonrobust") and record.weighting.has_likelihood and not chosen
        if classical:
            self.model._robust_rows(**given, kind="nonrobust")
            record.warn_of_perfect_fit()
            table = anova_table(record.model, _tests(found, type))
            _warn_of_terms(table, found, record, type)
            return table
        _, estimate = self.model._warned_estimate(**given, kind=kind)
        n_params = len(record.parameter_names)
        tests = {
            test.name: wald_test_of_term(estimate, test.name, test.columns, test.left_out, n_params)
            for test in _tests(found, type)
        }
        table = wald_table(tests, "F")[["df", "df_denominator", "F", "p_value"]]
        _warn_of_terms(table, found, record, type)
        left = pd.DataFrame({"df": record.model.df}, index=[RESIDUALS])
        return pd.concat([table, left])[table.columns]

    def deviance_table(
        self,
        X: MatrixLike,
        y: VectorLike | None = None,
        sample_weight: Weights = None,
        *,
        type: TypeOfTest = 1,
        terms: StatedTerms | None = None,
        **options: Any,
    ) -> pd.DataFrame:
        """Analysis of deviance: by fits with and without each term.

        Parameters
        ----------
        X, y, sample_weight
            The training rows.
        type : {1, 2}, default=1
            What a term is added to. 1: the terms before it, as R's ``anova``. 2: all terms that do
            not contain it, as ``Anova`` of R's package car.
        terms : dict, default=None
            As in :meth:`anova`.
        **options
            The ``offset`` and ``exposure`` of the fit, for models that take them.

        Returns
        -------
        DataFrame
            Type 1: the first row is the model without features; then one row for each term. Columns
            df, deviance (what the term explains), residual_df, residual_deviance (what is left),
            statistic and p_value. Type 2: one row for each term, and the last of what the whole
            model leaves; columns df, deviance, statistic and p_value. The statistic is F where the
            dispersion was estimated, from the whole model, else χ².

        Raises
        ------
        InferenceError
            If the fit is penalised or has no likelihood, or if the likelihood of a model has no
            maximum.

        Warns
        -----
        DependentTermWarning
            Where a term depends on those that it is added to: it has 0 degrees of freedom, and no
            test.

        Notes
        -----
        The deviance of K classes is ``-2ℓ``, and a column of the features has K - 1 parameters.
        Formulas and sources are in :mod:`mcmodels.inference.deviance_table`.

        Examples
        --------
        >>> import pandas as pd
        >>> from mcmodels import GeneralizedLinearRegressor, results
        >>> X = pd.DataFrame({"a": [1.0, 2, 3, 4, 5, 6], "b": [0.0, 1, 0, 1, 1, 0]})
        >>> model = GeneralizedLinearRegressor("poisson").fit(X, [1, 3, 2, 6, 9, 7])
        >>> results(model).deviance_table(X, [1, 3, 2, 6, 9, 7], type=2).round(3)
                     df  deviance  statistic  p_value
        a            1.0     9.049      9.049    0.003
        b            1.0     2.811      2.811    0.094
        (residuals)  3.0     0.027        NaN      NaN
        """
        record = self._record_of("deviance_table")
        if not isinstance(record, GlmFit | LogisticFit):
            instead = "anova()" if isinstance(record, LinearFit) else "wald_test(terms=True)"
            raise InferenceError(
                "deviance_table is of generalized linear models and logistic regression, and this "
                f"is a {self.model.__class__.__name__}; call {instead}."
            )
        _check_type(type, (1, 2))
        refuse_unknown_keywords(options, self.model._offset_names)
        record.weighting.refuse_without_likelihood("an analysis of deviance")
        record.model.refuse_penalised("an analysis of deviance")
        found = self._complete(terms)
        if isinstance(record, GlmFit):
            record.model.refuse_without_dispersion()
        rows = self.model._rows_again(**self._training(X, y, sample_weight, options))
        if isinstance(record, GlmFit):
            deviances = Deviances.of_family(record.model, record.loss, rows)
        else:
            objective = self.model._objective_of_fit(rows)
            totals, n = record.class_totals, record.n_observations
            deviances = Deviances.of_classes(objective, totals, n)
        if type == 1:
            table = deviance_table(deviances, list(zip(found.names, found.columns, strict=True)))
        else:
            table = added_terms_table(deviances, _tests(found, type))
        warn_of_dependent_terms(table, found, record.estimable)
        return table

    def _training(self, X: Any, y: Any, weights: Any, named: dict[str, Any]) -> dict[str, Any]:
        """The training rows as methods of the model take them, and further arguments."""
        none = dict.fromkeys(("X", "y", "sample_weight"))
        return none | self._given(self.model._estimate, X, y, weights, named)

    def _record_of(self, what: str) -> ParameterFit:
        """The record of the fit; raises if it has no parameters that can be tested."""
        record = self.model._fit
        if not isinstance(record, ParameterFit):
            raise InferenceError(f"{self.model.__class__.__name__} has no {what}.")
        return record

    def _wanted(self, terms: Any) -> Terms:
        """The terms that are asked for."""
        if isinstance(terms, Mapping):
            names = self.model._fit.names
            return _some(Terms.of_mapping(terms, names, all_of_them=False))
        found = _some(self.terms)
        if terms is True:
            return found
        if isinstance(terms, str) or not isinstance(terms, Sequence) or not len(terms):
            raise TypeError(
                f"terms={example_of(terms)} must be True, a list of names of terms, or a dict of "
                f"names of terms and lists of features; the terms are {', '.join(found.names)}."
            )
        return found.chosen(terms)

    def _complete(self, terms: Any) -> Terms:
        """All terms: those of the steps, or those that the user states."""
        if terms is None:
            return _some(self.terms)
        if not isinstance(terms, Mapping):
            raise TypeError(
                f"terms={example_of(terms)} must be a dict of names of terms and lists of features."
            )
        return _some(Terms.of_mapping(terms, self.model._fit.names, all_of_them=True))


def _some(terms: Terms) -> Terms:
    if not terms.names:
        raise InferenceError("the model has no terms: no column is made of a variable.")
    return terms


def _check_type(type: Any, known: tuple[int, ...]) -> None:
    if isinstance(type, bool) or not isinstance(type, int | np.integer) or type not in known:
        listed = " or ".join(map(str, known))
        raise ValueError(f"type={example_of(type)} must be {listed}.")


def _tests(terms: Terms, type: TypeOfTest) -> list[AddedTerm]:
    """Each term with what it is added to: constant columns are always in the model."""
    tests, everything = [], range(len(terms.names))
    for k, name in enumerate(terms.names):
        without = terms.left_out(k, type)
        base = terms.of([other for other in everything if other != k and other not in without])
        tests.append(AddedTerm(name, list(terms.columns[k]), base, terms.of(without)))
    return tests


def _warn_of_terms(table: pd.DataFrame, terms: Terms, record: LinearFit, type: TypeOfTest) -> None:
    """Warn of terms without a test, and of those that are tested at a baseline."""
    instead = _type_two(record) if type == 3 else ""
    warn_of_dependent_terms(table, terms, record.estimable, instead)
    if type == 3:
        warn_of_baselines(terms, record, table.index[table["df"] == 0])


def _type_two(record: ParameterFit) -> str:
    """The call that tests terms of an unpenalised fit by type 2; empty where there is none."""
    if isinstance(record, LinearFit):
        return "anova(type=2)"
    has_table = isinstance(record, GlmFit | LogisticFit) and record.weighting.has_likelihood
    return "deviance_table(X, y, type=2)" if has_table and record.model.log_prior is None else ""


def _refuse_penalised(record: ParameterFit) -> None:
    if getattr(record, "is_penalised", False):
        stated, without = record.model.penalty_words
        raise InferenceError(
            f"the fit is penalised ({stated}), and coefficients that are shrunk towards zero do "
            f"not test whether terms are zero. Fit with {without}."
        )

"""The test that all slopes are zero, under the covariance that was asked for."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import numpy.typing as npt

from mcmodels.exceptions import InferenceError
from mcmodels.inference.estimate import Estimate
from mcmodels.inference.hypotheses import HypothesisTest, slopes_test, wald_test
from mcmodels.inference.summary import number, p_value
from mcmodels.records.record import ParameterFit

__all__ = ["in_words", "overall_wald", "wald_of_slopes"]

_OF_MODELS = ("nonrobust", "Jeffreys", "Laplace")


def wald_of_slopes(record: ParameterFit, estimate: Estimate) -> HypothesisTest:
    """Wald's test that every slope is zero: F where the estimate has t, else χ².

    Raises
    ------
    InferenceError
        If there is no slope, if columns other than ones span a constant, or if the covariance
        allows no such test.
    """
    ones = np.zeros(len(record.names), dtype=bool)
    if not record.intercept:
        ones = record.columns_of_ones
        if record.has_constant and not ones.any():
            raise InferenceError(
                "columns of X span a constant, so that which of them are slopes is a choice; state "
                "the restrictions, and call wald_test."
            )
    if ones.all():
        raise InferenceError("X has no column that varies, so there is no slope to test.")
    of_one = np.append(~ones, np.zeros(int(record.intercept), dtype=bool))
    if record.estimable is not None:
        return _test_of_determined(record, estimate, of_one)
    return slopes_test(estimate, np.tile(of_one, len(estimate.names) // len(of_one)))


def _test_of_determined(
    record: ParameterFit, estimate: Estimate, slopes: npt.NDArray[np.bool_]
) -> HypothesisTest:
    """The same where columns depend on each other: of the combinations that are determined."""
    space = record.estimable
    assert space is not None
    kept, R = space.independent
    R = R[slopes[kept]]
    if not len(R):
        raise InferenceError("X has no column that varies, so there is no slope to test.")
    of_all = np.kron(np.eye(len(estimate.names) // len(slopes)), R)
    return replace(wald_test(estimate, of_all), hypothesis="every slope is zero")


def overall_wald(
    record: ParameterFit, estimate: Estimate
) -> tuple[dict[str, str], tuple[str, ...]]:
    """What a summary says of this test: a line of its conclusions, or a note why there is none.

    Nothing with the covariance of the model, which has tests of its own.
    """
    if not record.names or estimate.kind in _OF_MODELS:
        return {}, ()
    try:
        test = wald_of_slopes(record, estimate)
    except ValueError as error:  # an InferenceError is one
        return {}, (f"No test of all slopes: {error}",)
    return {"Wald F" if test.distribution == "F" else "Wald χ²": in_words(test)}, ()


def in_words(test: HypothesisTest) -> str:
    """A test as a line of a summary."""
    df = f"{test.df:g}"
    if test.df_denominator is not None:
        df += f" and {test.df_denominator:g}"
    return f"{number(test.statistic)} on {df} degrees of freedom, p-value {p_value(test.p_value)}"

"""Predictions of a function of the target, in units of the target."""

import warnings

import mpmath
import numpy as np
import pytest

from mcmodels.exceptions import InferenceError, NoMeanWarning
from mcmodels.inference.inverse_targets import through_inverse

# The inverse function, and the same in mpmath.
INVERSES = {
    "exp": (np.exp, mpmath.exp),
    "expm1": (np.expm1, mpmath.expm1),
    "minus cube": (lambda v: -(v**3), lambda v: -(v**3)),
    "logistic": (lambda v: 1 / (1 + np.exp(-v)), lambda v: 1 / (1 + mpmath.exp(-v))),
    "huge units": (lambda v: 1e150 * np.exp(v), lambda v: mpmath.mpf("1e150") * mpmath.exp(v)),
    "tiny units": (lambda v: 1e-150 * v, lambda v: mpmath.mpf("1e-150") * v),
}


@pytest.mark.parametrize("name", INVERSES)
@pytest.mark.parametrize("spread", [1e-6, 0.1, 2.0])
def test_values_and_errors_are_those_of_high_precision(name, spread):
    g, exact = INVERSES[name]
    m = np.array([-2.0, -0.3, 0.5, 3.0])
    s = spread * np.array([1.0, 0.5, 2.0, 1.0])
    found = through_inverse(g, m, s, m - 2 * s, m + 2 * s)
    with mpmath.workdps(50):
        values = [
            [
                exact(mpmath.mpf(a)),
                abs(mpmath.diff(exact, mpmath.mpf(a))) * mpmath.mpf(b),
                *sorted(exact(mpmath.mpf(e)) for e in (a - 2 * b, a + 2 * b)),
            ]
            for a, b in zip(m, s, strict=True)
        ]
    expected = np.array(values, dtype=np.float64)
    ends = [0, 2, 3]
    np.testing.assert_allclose(found[:, ends], expected[:, ends], rtol=1e-14, atol=1e-300)
    # Differences over parts of s are of values with 16 digits: 1e-16 g/(g' s) are lost.
    lost = 1e-15 * np.abs(expected[:, 0]) / expected[:, 1]
    assert (np.abs(found[:, 1] / expected[:, 1] - 1) < 1e-9 + 100 * lost).all()


def test_a_function_that_turns_is_refused_where_it_turns():
    m, s = np.array([1.0, 2.0]), np.array([0.2, 0.2])
    with pytest.raises(InferenceError, match="not monotone over the intervals"):
        through_inverse(np.square, m - 1.5, s, m - 2, m - 1)
    with pytest.raises(InferenceError, match="not monotone"):  # it turns between the rows
        through_inverse(
            np.abs, np.array([-1.0, 1.0]), s, np.array([-1.2, 0.8]), np.array([-0.8, 1.2])
        )
    through_inverse(np.square, m, s, m - 0.4, m + 0.4)  # it rises there
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        flat = through_inverse(lambda v: np.clip(v, 0.0, 1.5), m, s, m - 0.4, m + 0.4)
    np.testing.assert_array_equal(flat[1], [1.5, 0.0, 1.5, 1.5])


def test_rows_without_a_value_are_named_and_rows_without_error_have_none():
    m, s = np.array([1.0, 4.0, 9.0]), np.array([0.5, 1.0, 0.0])
    with np.errstate(invalid="ignore"), pytest.warns(NoMeanWarning, match="1 of 3.*is row 0"):
        found = through_inverse(np.sqrt, m, s, m - 2.1 * s, m + 2.1 * s)
    assert np.isnan(found[0, 2])
    np.testing.assert_allclose(found[1], [2.0, 0.25, np.sqrt(1.9), np.sqrt(6.1)], rtol=1e-9)
    np.testing.assert_array_equal(found[2], [3.0, 0.0, 3.0, 3.0])

"""The likelihood of choices: high precision, softmax with some classes left out, differences."""

import mpmath
import numpy as np
import pytest

from mcmodels.objectives import LinearPredictorObjective, SoftmaxCrossEntropy
from mcmodels.objectives.choices import ChoiceLoss, ChoiceObjective
from mcmodels.rows import ArrayRows, PairRows, SelectedRows

CHOICES = np.array([0, 0, 0, 1, 3, 3])
MARGINS = [
    [0.3, -1.0, 2.0, 0.5, 0.0, 0.0],
    [-800.0, -799.0, 5.0, -40.0, 1e5, -1e5],  # far on the wrong side
    [40.0, 60.0, 800.0, 300.0, 35.0, 50.0],  # losses that are nearly zero
    [1e-9, 30.0, 50.0, -1e-9, -1e-300, 3.0],
]


@pytest.mark.parametrize("eta", MARGINS)
def test_loss_and_shares_in_fifty_digits(eta):
    found = ChoiceLoss().at(CHOICES, np.array(eta))
    with mpmath.workdps(50):
        for choice in (0, 1, 3):
            index = np.flatnonzero(choice == CHOICES)
            terms = [mpmath.exp(-mpmath.mpf(eta[i])) for i in index]
            total = 1 + mpmath.fsum(terms)
            # A few roundings of each term; e^-m has the error of m, which is exact here.
            assert found.value[index[0]] == pytest.approx(float(mpmath.log(total)), rel=1e-14)
            assert not found.value[index[1:]].any()
            shares = [float(-term / total) for term in terms]
            np.testing.assert_allclose(found.gradient[index], shares, rtol=1e-13, atol=1e-300)


def problem(seed):
    """Rows of four classes, of which each row has some."""
    rng = np.random.default_rng(seed)
    X, y = rng.normal(size=(30, 2)) + 1.0, rng.integers(0, 4, 30)
    w, offset = rng.choice([0.0, 1, 2.5], 30), rng.normal(size=(30, 4))
    has = rng.random((30, 4)) < 0.6
    has[np.arange(30), y] = True
    return X, y, w, offset, has


def over_choices(X, y, w, offset, has, reference):
    """The objective over pairs of those classes; a vast offset marks the others."""
    far = np.where(has, offset, offset - 1e6)
    pairs = PairRows(ArrayRows(X, y, w, {"offset": far}), 4, reference)
    return ChoiceObjective(
        SelectedRows(pairs, lambda block: block.extras["offset"] < 1e5), ChoiceLoss()
    )


@pytest.mark.parametrize("reference", [0, 3])
@pytest.mark.parametrize("seed", range(3))
def test_it_is_softmax_without_the_other_classes(reference, seed):
    """Value, gradient and Hessian are those with an offset of -∞ for classes that are left out."""
    X, y, w, offset, has = problem(seed)
    theta = np.random.default_rng(9).normal(size=(4, 3))
    delta = np.delete(theta - theta[reference], reference, axis=0).ravel()
    choices = over_choices(X, y, w, offset, has, reference)
    without = np.where(has, offset, -np.inf)
    softmax = LinearPredictorObjective(
        ArrayRows(X, y, w, {"offset": without}), SoftmaxCrossEntropy()
    )
    found, expected = choices.derivatives(delta), softmax.derivatives(theta)
    kept = np.delete(np.arange(12), np.arange(3) + 3 * reference)
    # Sums of thirty terms of about one.
    assert found.value == pytest.approx(expected.value, rel=1e-13)
    assert choices.value(delta) == pytest.approx(expected.value, rel=1e-13)
    np.testing.assert_allclose(found.gradient, expected.gradient.ravel()[kept], atol=1e-12)
    np.testing.assert_allclose(found.hessian, expected.hessian[np.ix_(kept, kept)], atol=1e-12)
    vector = np.random.default_rng(1).normal(size=9)
    product = choices.hessian_vector_product(delta, vector)
    np.testing.assert_allclose(product, found.hessian @ vector, atol=1e-11)


def test_derivatives_are_those_of_differences():
    """Central differences with a step of 1e-5: an error of about 1e-10 times third derivatives."""
    choices = over_choices(*problem(4), 1)
    delta, h = np.random.default_rng(2).normal(size=9), 1e-5
    known = choices.derivatives(delta)
    for k, unit in enumerate(np.eye(9)):
        up, down = (choices.derivatives(delta + side * h * unit) for side in (1, -1))
        assert (up.value - down.value) / (2 * h) == pytest.approx(known.gradient[k], abs=1e-7)
        difference = (up.gradient - down.gradient) / (2 * h)
        np.testing.assert_allclose(difference, known.hessian[k], atol=1e-7)


def test_hessian_has_all_its_digits_far_on_the_wrong_side():
    """``p - p²`` would be zero: the own class has a probability of 1e-20."""
    X, y = np.array([[1.0]]), np.array([0])
    rows = PairRows(ArrayRows(X, y, intercept=False), 2, 0)
    objective = ChoiceObjective(rows, ChoiceLoss())
    hessian = objective.hessian(np.array([46.0]))
    assert hessian[0, 0] == pytest.approx(float(mpmath.exp(-46) / (1 + mpmath.exp(-46)) ** 2))


def test_safe_margins_have_a_share_of_a_quarter():
    eta = np.array([-800.0, -799.0, 5.0, 0.5, 1.0, -1.0])
    safe = ChoiceLoss().with_curvature(CHOICES, eta)
    np.testing.assert_array_equal(safe[3:4], eta[3:4])
    shares = -ChoiceLoss().at(CHOICES, safe).gradient
    assert 1 - shares[:3].sum() == pytest.approx(0.25, rel=1e-12)
    together = np.diff(CHOICES) == 0
    np.testing.assert_allclose(np.diff(safe)[together], np.diff(eta)[together])


def test_curvature_row_by_row_is_refused():
    with pytest.raises(TypeError, match="ChoiceObjective"):
        list(ChoiceLoss().curvature(CHOICES, np.zeros(6)))

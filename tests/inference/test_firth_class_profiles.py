"""Profiles of several classes with Jeffreys' prior: a general optimiser, closed forms, and laws."""

from types import SimpleNamespace

import numpy as np
import pytest
from scipy import optimize, stats
from scipy.special import log_softmax

from mcmodels import FirthLogisticRegression, LogisticRegression, RowStream
from mcmodels.exceptions import InferenceError
from mcmodels.inference.class_profiles import ClassProfiles
from mcmodels.inference.profiles import FiniteProfiles, Scale
from mcmodels.objectives import SoftmaxCrossEntropy
from mcmodels.objectives.jeffreys import Prior
from mcmodels.rows import ArrayRows
from mcmodels.solvers.held_fits import HeldFits
from mcmodels.solvers.jeffreys_coordinates import PenalisedByInformation
from mcmodels.solvers.profile import Profile

RISE = stats.chi2.ppf(0.95, 1) / 2


def problem(seed, K, n=40, *, offsets=False, separated=False):
    """Correlated columns, weights with zeros; where separated, one class has a side of its own."""
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n, 2)) @ [[1.0, 0.7], [0.0, 0.5]]
    y = (X @ rng.normal(size=(2, K)) + rng.gumbel(size=(n, K))).argmax(axis=1)
    if separated:
        y = np.where(X[:, 0] > 0.5, 0, np.where(y == 0, 1, y))
    y[:K] = np.arange(K)
    w = rng.choice([0.0, 1, 1, 2, 2.5], n)
    w[:K] = 1.0
    return X, y, w, rng.normal(size=(n, K)) if offsets else None


def penalised(X, y, w, offset, K, reference):
    """The objective of differences from a class, by its definition and their own information."""
    D = np.column_stack([X, np.ones(len(X))])
    others = [k for k in range(K) if k != reference]
    added = np.zeros((len(X), K)) if offset is None else offset

    def value(theta):
        eta = added.copy()
        eta[:, others] += D @ theta.reshape(K - 1, -1).T
        log_p = log_softmax(eta, axis=1)
        p = np.exp(log_p[:, others])
        V = p[:, :, None] * np.eye(K - 1) - p[:, :, None] * p[:, None, :]
        information = np.einsum("n,nab,nj,nk->ajbk", w, V, D, D, optimize=True)
        size = (K - 1) * D.shape[1]
        log_det = np.linalg.slogdet(information.reshape(size, size))[1]
        return -w @ log_p[np.arange(len(y)), y] - log_det / 2

    return value


def least_with_held(value, start, held, at):
    """The least value with entries held, by BFGS from the fit, from zero, and from one point more.

    Its gradients are differences of order h², and its value is then some 1e-11 above the least.
    """
    free = np.setdiff1d(np.arange(start.size), held)

    def of_free(others):
        theta = np.empty(start.size)
        theta[held], theta[free] = at, others
        return value(theta)

    begins = (start[free], np.zeros(free.size), start[free] + 0.5 * np.cos(np.arange(free.size)))
    options = {"jac": "3-point", "method": "BFGS", "options": {"gtol": 1e-7}}
    return min(optimize.minimize(of_free, begin, **options).fun for begin in begins)


CASES = {
    "weights": (0, 3, {}),
    "separated": (1, 3, {"separated": True}),
    "offsets": (2, 3, {"offsets": True}),
    "four classes": (3, 4, {"n": 60}),
    "few rows": (4, 3, {"n": 9}),
}


@pytest.mark.parametrize("case", CASES)
def test_ends_by_brute_force(case):
    seed, K, options = CASES[case]
    X, y, w, offset = problem(seed, K, **options)
    model = FirthLogisticRegression().fit(X, y, w, offset=offset)
    reference = seed % K
    table = model.profile_intervals(X, y, w, offset=offset, reference=reference)
    assert np.isfinite(table.to_numpy()).all()
    value = penalised(X, y, w, offset, K, reference)
    fit = np.delete(model.params_ - model.params_[reference], reference, axis=0).ravel()
    best = value(fit)
    wald = np.diff(model.confidence_intervals(reference=reference))[:, 0]
    errors = wald / (2 * stats.norm.ppf(0.975))
    for row in {4, len(fit) - 1} if case != "weights" else range(len(fit)):
        for end, side in zip(table.iloc[row], (-1, 1), strict=True):
            # 1e-6 of a standard error, by the slope of the profile, which is a difference.
            h = 1e-3 * errors[row]
            here, before = (least_with_held(value, fit, [row], at) for at in (end, end - side * h))
            slope = (here - before) / h
            assert slope > 0
            assert abs(here - best - RISE) < 1e-6 * errors[row] * slope
    profile = model.likelihood_profile(
        X, y, w, offset=offset, reference=reference, points=5, parameters=[table.index[0]]
    )
    for at, drop in profile[["value", "drop"]].to_numpy():
        expected = 2 * (least_with_held(value, fit, [0], at) - best)
        assert drop == pytest.approx(expected, abs=1e-8)


@pytest.mark.parametrize("case", CASES)
def test_tests_hold_a_column_at_zero_in_all_classes(case):
    """The prior stays that of the whole model: the other one has other information."""
    seed, K, options = CASES[case]
    X, y, w, offset = problem(seed, K, **options)
    model = FirthLogisticRegression().fit(X, y, w, offset=offset)
    names = ["x0", "x1", "(intercept)"]
    tests = model.likelihood_ratio_tests(X, y, w, offset=offset, parameters=names)
    assert (tests["df"] == K - 1).all()
    value = penalised(X, y, w, offset, K, 0)
    fit = (model.params_[1:] - model.params_[0]).ravel()
    for j, statistic in enumerate(tests["statistic"]):
        held = np.arange(j, fit.size, 3)
        expected = 2 * (least_with_held(value, fit, held, 0.0) - value(fit))
        assert statistic == pytest.approx(expected, abs=1e-8)
        p_value = stats.chi2.sf(expected, K - 1)
        assert tests["p_value"].iloc[j] == pytest.approx(p_value, rel=1e-7)


@pytest.mark.parametrize(
    "table",
    [
        [[4, 0, 2], [1, 5, 0]],
        [[0, 30, 1, 2], [7, 0, 0, 3]],
        [[0, 0, 6], [5, 1, 0]],
        [[1000, 3, 0], [0, 200, 9]],
    ],
)
def test_a_saturated_table_has_the_profiles_of_half_a_row_more_in_each_cell(table):
    """``det I`` is there the product of all probabilities: the prior is half a row in each cell.

    So profiles and tests are those of largest likelihood of these counts, which are finite.
    """
    table = np.array(table, dtype=float)
    G, K = table.shape
    X, y = np.repeat(np.eye(G)[:, 1:], K, axis=0), np.tile(np.arange(K), G)
    firth = FirthLogisticRegression().fit(X, y, table.ravel())
    more = (table + 0.5).ravel()
    plain = LogisticRegression(C=np.inf, tol=1e-12).fit(X, y, more)
    for reference in range(K):
        found = firth.profile_intervals(X, y, table.ravel(), reference=reference)
        expected = plain.profile_intervals(X, y, more, reference=reference)
        # Steps end at 1e-9 of a standard error.
        error = np.diff(expected, axis=1) / 4
        assert (np.abs(found - expected) / error).to_numpy().max() < 1e-8
    names = ["x0", "(intercept)"]
    np.testing.assert_allclose(
        firth.likelihood_ratio_tests(X, y, table.ravel(), parameters=names),
        plain.likelihood_ratio_tests(X, y, more, parameters=names),
        rtol=1e-8,
    )


@pytest.mark.slow
def test_labels_and_references_do_not_matter():
    X, y, w, _ = problem(1, 3, separated=True)
    names = np.array(["a", "b", "c"])
    model = FirthLogisticRegression().fit(X, names[y], w)
    of_a = model.profile_intervals(X, names[y], w, reference="a")
    of_b = model.profile_intervals(X, names[y], w, reference="b")
    of_c = model.profile_intervals(X, names[y], w, reference="c")
    for one, other, label, against in ((of_a, of_b, "b", "a"), (of_a, of_c, "c", "a")):
        for name in ("x0", "x1", "(intercept)"):
            mirrored = -other.loc[f"{against}:{name}"].to_numpy()[::-1]
            np.testing.assert_allclose(one.loc[f"{label}:{name}"], mirrored, rtol=1e-8)
    other_names = np.array(["z", "a", "m"])
    again = FirthLogisticRegression().fit(X, other_names[y], w)
    renamed = again.profile_intervals(X, other_names[y], w, reference="z")
    for one, other in (("b", "a"), ("c", "m")):
        for name in ("x0", "x1", "(intercept)"):
            np.testing.assert_allclose(
                renamed.loc[f"{other}:{name}"], of_a.loc[f"{one}:{name}"], rtol=1e-8
            )
    tests, others = (
        fitted.likelihood_ratio_tests(X, labels[y], w)
        for fitted, labels in ((model, names), (again, other_names))
    )
    np.testing.assert_allclose(tests, others, rtol=1e-9)


def test_two_classes_as_several():
    """The softmax of two classes has the profiles of the logistic model."""
    X, y, w, _ = problem(5, 2)
    model = FirthLogisticRegression().fit(X, y, w)
    params = np.stack([-model.params_ / 2, model.params_ / 2])
    rows = ArrayRows(X, y, w, intercept=True)
    objective = PenalisedByInformation(rows, SoftmaxCrossEntropy(), Prior(None))
    differences = np.kron([[-1.0, 1.0]], np.eye(3))
    profiles = ClassProfiles(
        profile=Profile(objective, params),
        refits=HeldFits(objective, params, differences),
        combinations=differences,
        centres=model.params_,
        errors=model.standard_errors_,
        scale=Scale(1.0, np.inf),
        is_convex=False,
        objective=objective,
        params=params,
    )
    ends = profiles.ends(range(3), 0.95)
    np.testing.assert_allclose(ends, model.profile_intervals(X, y, w), rtol=1e-8)
    names = ["x0", "x1", "(intercept)"]
    tests = model.likelihood_ratio_tests(X, y, w, parameters=names)
    np.testing.assert_allclose(2 * profiles.excesses(range(3)), tests["statistic"], rtol=1e-9)


def test_weights_rows_streams_and_units():
    X, y, w, offset = problem(6, 3, offsets=True)
    w = np.floor(w)
    model = FirthLogisticRegression().fit(X, y, w, offset=offset)
    ends = model.profile_intervals(X, y, w, offset=offset)
    tests = model.likelihood_ratio_tests(X, y, w, offset=offset)
    r = np.repeat(np.arange(len(y)), w.astype(int))
    repeated = FirthLogisticRegression().fit(X[r], y[r], offset=offset[r])
    np.testing.assert_allclose(
        repeated.profile_intervals(X[r], y[r], offset=offset[r]), ends, rtol=1e-7
    )
    np.testing.assert_allclose(
        repeated.likelihood_ratio_tests(X[r], y[r], offset=offset[r]), tests, rtol=1e-9
    )
    # Columns at 1e4 times their spread have lost four of sixteen digits.
    far = X * [1e-5, 1e3] + [1e-1, 1e7]
    moved = FirthLogisticRegression().fit(far, y, w, offset=offset)
    found = moved.profile_intervals(far, y, w, offset=offset, parameters=["1:x0", "2:x1"])
    np.testing.assert_allclose(
        found.to_numpy() * [[1e-5], [1e3]], ends.loc[["1:x0", "2:x1"]], rtol=1e-7, atol=1e-8
    )
    # What an offset has of a column, its coefficient loses.
    added = offset + np.outer(X[:, 0], [0.0, 0.7, -0.2])
    shifted = FirthLogisticRegression().fit(X, y, w, offset=added)
    found = shifted.profile_intervals(X, y, w, offset=added, parameters=["1:x0", "2:x0", "2:x1"])
    expected = ends.loc[["1:x0", "2:x0", "2:x1"]].to_numpy() - [[0.7], [-0.2], [0.0]]
    np.testing.assert_allclose(found, expected, rtol=1e-7, atol=1e-8)
    plain = FirthLogisticRegression().fit(X, y, w)
    stream = RowStream(
        lambda: ((X[i : i + 9], y[i : i + 9], w[i : i + 9]) for i in (0, 9, 18, 27, 36))
    )
    np.testing.assert_allclose(
        plain.profile_intervals(stream), plain.profile_intervals(X, y, w), rtol=1e-8
    )
    np.testing.assert_allclose(
        plain.likelihood_ratio_tests(stream), plain.likelihood_ratio_tests(X, y, w), rtol=1e-8
    )


@pytest.mark.slow
def test_minima_that_are_not_the_first_to_be_met():
    """16 rows that are separated: with a difference held there are several minima.

    Steps from the estimate follow some to ends at -5.98, -7.36 and 4.56, where others are lower:
    there, and just beyond, a general optimiser must find none below the limit.
    """
    rng = np.random.default_rng(21)
    n, p, K = int(rng.integers(6, 40)), int(rng.integers(1, 4)), int(rng.integers(3, 5))
    X = rng.normal(size=(n, p))
    rng.integers(0, K, n), rng.uniform(size=n)
    y = (X @ rng.normal(size=(p, K))).argmax(axis=1)
    y[:3] = np.arange(3)
    model = FirthLogisticRegression().fit(X, y)
    ends = model.profile_intervals(X, y).to_numpy()
    value = penalised(X, y, np.ones(16), None, 3, 0)
    fit = (model.params_[1:] - model.params_[0]).ravel()
    assert value(fit) - model.objective_ == pytest.approx(4 * np.log(3) / 2, abs=1e-10)
    begins = [fit, *(fit + 4.0 * rng.normal(size=8) for _ in range(3))]
    for row, side, passed in ((1, 0, -5.98), (4, 1, 6.42), (5, 0, -7.36), (7, 1, 4.56)):
        end = ends[row, side]
        assert abs(end - fit[row]) > 1.05 * abs(passed - fit[row])
        beyond = end + 0.02 * (end - fit[row])
        least = min(least_with_held(value, begin, [row], beyond) for begin in begins)
        assert least - value(fit) > RISE
        # At the end the minimum is the one that was followed, whichever others there are.
        assert least_with_held(value, fit, [row], end) - value(fit) > RISE - 1e-6


def test_a_fit_that_is_not_the_least_is_refused():
    profile = SimpleNamespace(
        minimum=5.0, end=lambda c, side, rise: side, least=lambda c, value: 5.0 + value**2
    )
    refits = SimpleNamespace(
        least=lambda k, value: 4.9, confirmed=lambda k, side, target, error, end: (end, 4.9)
    )
    one = np.ones(1)
    profiles = FiniteProfiles(profile, refits, np.eye(1), 0 * one, one, Scale(1.0, np.inf), False)
    for ask in (lambda: profiles.ends([0], 0.95), lambda: profiles.excesses([0])):
        with pytest.raises(InferenceError, match=r"lower by 1\.0e-01"):
            ask()

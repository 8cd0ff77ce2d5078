"""Whether an unpenalised logistic fit has a maximum, and has found it: against exact arithmetic.

Separation is decided by a linear program in rational numbers (exact_separation.py). That a fit has
converged is checked in 40 digits: the Newton step that is left may change no parameter by more than
``LEFT`` times its size or its standard error.
"""

import itertools
import re
import warnings

import mpmath
import numpy as np
import pytest
import sklearn.exceptions

from mcmodels import LogisticRegression, ObjectiveClassifier, RowStream
from mcmodels.cli import main
from mcmodels.exceptions import (
    ConvergenceWarning,
    NoMinimumWarning,
    RankDeficiencyWarning,
    SeparationWarning,
)
from tests.exact_separation import exactly_separated

# A gradient of tol · Σw = 1e-8 Σw leaves a step of 1e-8 √Σw standard errors in a direction in which
# all rows have curvature. Σw is up to 8e6 here, so that 3e-5 is left at the most.
LEFT = 1e-4
COUNTS = (0, 1, 2, 3, 5, 10, 30, 100, 1000, 10**4, 10**5, 10**6)
TABLE = np.array([[0.0], [0], [1], [1]]), np.array([0, 1, 0, 1])
TWO_FACTORS = np.array(list(itertools.product((0.0, 1.0), repeat=3)))


# -- problems --------------------------------------------------------------------------------------


def tables(rng):
    """Counts of a 2×2 table."""
    return *TABLE, rng.choice(COUNTS, 4).astype(float)


def tables_of_two_factors(rng):
    """Counts of a 2×2×2 table: two columns and a class."""
    share = [0.2] + [0.8 / (len(COUNTS) - 1)] * (len(COUNTS) - 1)
    counts = rng.choice(COUNTS, 8, p=share).astype(float)
    return TWO_FACTORS[:, :2], TWO_FACTORS[:, 2].astype(int), counts


def tables_of_three_classes(rng):
    """Counts of a 3×3 table, often with empty cells."""
    share = [0.15] + [0.85 / 8] * 8
    counts = rng.choice(COUNTS[:9], 9, p=share).astype(float)
    return np.repeat(np.eye(3)[:, 1:], 3, axis=0), np.tile([0, 1, 2], 3), counts


def whole_numbers(rng):
    """Designs of small whole numbers, with weights over six decades."""
    n, p = rng.integers(4, 14), rng.integers(1, 4)
    weights = 10.0 ** rng.integers(0, 7, n)
    return rng.integers(-3, 4, (n, p)).astype(float), rng.integers(0, 2, n), weights


def whole_numbers_of_three_classes(rng):
    n, p = rng.integers(5, 12), rng.integers(1, 3)
    weights = 10.0 ** rng.integers(0, 4, n)
    return rng.integers(-3, 4, (n, p)).astype(float), rng.integers(0, 3, n), weights


def near_overlaps(rng):
    """30 sorted points, whose classes overlap by 1e-3 to 1e-13 of the range."""
    x, first = np.sort(rng.normal(size=30)), rng.integers(3, 27)
    x[first] = x[first - 1] - 10.0 ** -rng.uniform(3, 13) * (x[-1] - x[0])
    return x[:, np.newaxis], (np.arange(30) >= first).astype(int), np.ones(30)


def factors(rng):
    """Indicators of five groups, standardised, beside a column of two decimals."""
    n = rng.integers(10, 50)
    groups = rng.integers(0, 5, n)
    X = (groups[:, np.newaxis] == np.arange(1, 5)).astype(float)
    X = np.column_stack([X, rng.normal(size=n).round(2)])
    deviation = X.std(axis=0)
    X = (X - X.mean(axis=0)) / np.where(deviation > 0, deviation, 1.0)
    return X, rng.integers(0, 2, n) * (rng.random(n) < 0.7), np.ones(n)


def twice_the_same_column(rng):
    X, y, weights = whole_numbers(rng)
    return np.column_stack([X, X[:, 0]]), y, weights


def in_other_units(rng):
    X, y, weights = whole_numbers(rng)
    shift = 10.0 ** rng.integers(0, 4)
    return (X + shift) * 2.0 ** rng.integers(-30, 30, X.shape[1]), y, weights


PROBLEMS = (
    tables,
    tables_of_two_factors,
    tables_of_three_classes,
    whole_numbers,
    whole_numbers_of_three_classes,
    near_overlaps,
    factors,
    twice_the_same_column,
    in_other_units,
)


# -- fits ------------------------------------------------------------------------------------------


def from_arrays(X, y, weights, rng):
    return fitted(X, y, weights)


def by_conjugate_gradients(X, y, weights, rng):
    return fitted(X, y, weights, solver="newton-cg")


def from_rows(X, y, weights, rng):
    """A row for each count, of up to 1e4."""
    times = weights.astype(int)
    return fitted(np.repeat(X, times, axis=0), np.repeat(y, times), None)


def from_a_stream(X, y, weights, rng):
    cuts = np.sort(rng.choice(len(y) - 1, rng.integers(0, min(4, len(y) - 1)), replace=False)) + 1

    def blocks():
        for part in np.split(np.arange(len(y)), cuts):
            yield X[part], y[part], weights[part]

    return fitted(RowStream(blocks), None, None)


def from_the_shell(X, y, weights, rng, tmp_path, capsys):
    columns = [f"x{j}" for j in range(X.shape[1])]
    lines = [",".join([*columns, "y", "w"])]
    for x, label, weight in zip(X.tolist(), y.tolist(), weights.tolist(), strict=True):
        lines.append(",".join([*map(repr, x), f"class {label}", repr(weight)]))
    (tmp_path / "rows.csv").write_text("\n".join(lines))
    options = ("--target", "y", "--weights", "w", "--C", "inf")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", (ConvergenceWarning, RankDeficiencyWarning))
        assert main(["fit", "logistic", str(tmp_path / "rows.csv"), *options]) == 0
    facts = re.findall(r"^status +(.+?) *$", capsys.readouterr().out, flags=re.MULTILINE)
    return facts[0]


def fitted(X, y, weights, **options):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", SeparationWarning)
        warnings.simplefilter("ignore", RankDeficiencyWarning)
        warnings.simplefilter("ignore", ConvergenceWarning)
        return LogisticRegression(C=np.inf, **options).fit(X, y, sample_weight=weights)


# -- references ------------------------------------------------------------------------------------


def step_that_is_left(X, y, weights, params, offset=None):
    """The largest entry of Newton's step, relative to the parameter or its standard error.

    ``offset`` has shape (n,) for two classes, else a column for each class.
    """
    added = np.zeros((len(y), 1)) if offset is None else offset_of_contrasts(offset)
    added = np.broadcast_to(added, (len(y), max(len(np.atleast_2d(params)) - 1, 1)))
    with mpmath.workdps(40 if offset is None else 40 + int(np.abs(offset).max())):
        by_class = np.atleast_2d(params)
        if len(by_class) == 1:
            by_class = np.vstack([np.zeros_like(by_class), by_class])
        theta = mpmath.matrix((by_class[1:] - by_class[0]).tolist())
        K, P = theta.rows, theta.cols
        gradient, hessian = mpmath.zeros(K * P, 1), mpmath.zeros(K * P)
        cases = zip(X.tolist(), y.tolist(), weights.tolist(), added.tolist(), strict=True)
        for x, own, weight, more in cases:
            row = mpmath.matrix([*x, 1.0])
            eta = theta * row + mpmath.matrix(more)
            terms = [mpmath.exp(value) for value in eta]
            p = [term / (1 + mpmath.fsum(terms)) for term in terms]
            for k in range(K):
                slope = weight * (p[k] - (own == k + 1))
                for a in range(P):
                    gradient[k * P + a] += slope * row[a]
                for j in range(K):
                    curvature = weight * p[k] * ((k == j) - p[j])
                    for a, b in itertools.product(range(P), repeat=2):
                        hessian[k * P + a, j * P + b] += curvature * row[a] * row[b]
        step = mpmath.lu_solve(hessian, gradient)
        covariance = hessian**-1
        sizes = [
            max(abs(theta[j // P, j % P]), mpmath.sqrt(covariance[j, j])) for j in range(K * P)
        ]
        return float(max(abs(step[j]) / sizes[j] for j in range(K * P)))


def offset_of_contrasts(offset):
    """Offsets of the other classes against the first."""
    return offset[:, np.newaxis] if offset.ndim == 1 else offset[:, 1:] - offset[:, :1]


def float64_holds_no_optimum(X, y, weights, params, offset=None):
    """Whether Newton's step is long, but the objective decreases by less than 1e-15 of itself.

    The slopes that decide are then below the rounding errors of the others. Of two classes only.
    """
    if params.ndim > 1:
        return False
    with mpmath.workdps(60 if offset is None else 60 + int(np.abs(offset).max())):
        rows = [mpmath.matrix([*x, 1.0]) for x in X.tolist()]
        theta, value = mpmath.matrix(params.tolist()), mpmath.mpf(0)
        gradient, hessian = mpmath.zeros(len(theta), 1), mpmath.zeros(len(theta))
        added = np.zeros(len(y)) if offset is None else offset
        cases = zip(rows, y.tolist(), weights.tolist(), added.tolist(), strict=True)
        for row, own, weight, more in cases:
            eta = (row.T * theta)[0] + more
            p = 1 / (1 + mpmath.exp(-eta))
            value += weight * (mpmath.log1p(mpmath.exp(eta)) - own * eta)
            gradient += weight * (p - own) * row
            hessian += weight * p * (1 - p) * row * row.T
        step = mpmath.lu_solve(hessian, -gradient)
        reach = max(abs((row.T * step)[0]) for row in rows)
        return bool(reach > 0.5 and abs((gradient.T * step)[0]) < 1e-15 * value)


def present(problem, rng):
    """A problem without its rows of weight zero, classes as codes; None for a single class."""
    X, y, weights = problem(rng)
    X, y, weights = X[weights > 0], y[weights > 0], weights[weights > 0]
    classes, codes = np.unique(y, return_inverse=True)
    return (X, codes, weights) if len(classes) > 1 else None


def check(problem, fit, count, seed):
    """The verdicts of so many problems; how many were separated."""
    rng = np.random.default_rng(seed)
    separated_ones = 0
    for _ in range(count):
        case = present(problem, rng)
        if case is None:
            continue
        X, y, weights = case
        if fit is from_rows:
            weights = np.minimum(weights, 1e4)
        separated = exactly_separated(X, y, n_classes=y.max() + 1)
        model = fit(X, y, weights, rng)
        assert (model.status_ == "separated") == separated, case
        separated_ones += separated
        if model.status_ == "converged":
            assert step_that_is_left(X, y, weights, model.params_) < LEFT, case
        elif not separated and model.status_ != "rank deficient":
            assert float64_holds_no_optimum(X, y, weights, model.params_), case
    return separated_ones


# -- verdicts --------------------------------------------------------------------------------------


@pytest.mark.parametrize("problem", PROBLEMS)
@pytest.mark.parametrize("fit", [from_arrays, by_conjugate_gradients, from_a_stream])
def test_verdicts_are_those_of_exact_arithmetic(problem, fit):
    check(problem, fit, 20, seed=1)


@pytest.mark.slow
@pytest.mark.parametrize("problem", PROBLEMS)
@pytest.mark.parametrize("fit", [from_arrays, by_conjugate_gradients, from_a_stream, from_rows])
def test_many_verdicts_are_those_of_exact_arithmetic(problem, fit):
    """10,000 problems and more, in all."""
    if fit is from_rows and not problem.__name__.startswith("tables"):
        return
    separated = check(problem, fit, 400, seed=2)
    assert (separated > 0) == (problem is not near_overlaps)


@pytest.mark.parametrize("problem", [tables, whole_numbers, tables_of_three_classes])
def test_the_shell_says_the_same(problem, tmp_path, capsys):
    rng = np.random.default_rng(3)
    for _ in range(10):
        case = present(problem, rng)
        if case is not None:
            status = from_the_shell(*case, rng, tmp_path, capsys)
            expected = exactly_separated(*case[:2], n_classes=case[1].max() + 1)
            assert (status == "separated") == expected, case


@pytest.mark.parametrize("counts", [(10, 1, 2, 497), (53, 2, 1, 306), (6, 1, 9, 74), (1, 1, 1, 1)])
@pytest.mark.parametrize("solver", ["auto", "newton-cg"])
def test_a_table_has_its_log_odds(counts, solver):
    a, b, c, d = counts
    model = fitted(*TABLE, np.array(counts, dtype=float), solver=solver)
    assert model.status_ == "converged"
    # The step that is left is below 1e-10 of the parameters in the metric of the Hessian.
    assert model.coef_[0, 0] == pytest.approx(np.log(a * d / (b * c)), rel=1e-7, abs=1e-9)
    assert model.intercept_[0] == pytest.approx(np.log(b / a), rel=1e-7, abs=1e-9)


def test_weights_over_many_decades():
    """The optimum was computed in 50 digits."""
    x = np.array([-3.0, -1, 1, 1, 2, 2])[:, np.newaxis]
    weights = np.array([100, 1e4, 1, 1e4, 2.1e6, 1e3])
    model = fitted(x, np.array([0, 1, 0, 1, 0, 1]), weights)
    assert model.status_ == "converged"
    expected = [-10.2555, 13.1979]  # as printed to four decimals
    assert np.abs(model.params_ - expected).max() < 1e-4


# Full Newton steps lead to where most rows are far on one side or the other. From there Newton's
# method takes a hundred steps and arrives nowhere.
HARD_WAYS = (
    (
        [[-1, -3, 2], [1, 2, -3], [1, 3, -1], [1, 2, 2], [-2, 3, -1], [0, -1, 2], [-2, -1, -1]],
        [1, 0, 1, 0, 1, 0, 1],
        [1e6, 1e3, 1, 10, 1, 1e6, 1e6],
    ),
    (
        [[2, -1, 1], [-3, 3, 1], [2, 0, 2], [3, 2, -3], [-2, 2, -2], [-3, -3, -2]],
        [0, 0, 1, 0, 1, 1],
        [1e6, 10, 1e5, 1e3, 1, 1],
    ),
)


@pytest.mark.parametrize("solver", ["auto", "newton-cg"])
@pytest.mark.parametrize("case", HARD_WAYS)
def test_a_way_through_flat_regions(case, solver):
    X, y, weights = (np.array(part, dtype=float) for part in case)
    model = fitted(X, y.astype(int), weights, solver=solver, max_iter=50)
    separated = exactly_separated(X, y.astype(int))
    assert model.status_ == ("separated" if separated else "converged")
    if not separated:
        assert step_that_is_left(X, y.astype(int), weights, model.params_) < LEFT


def test_separated_rows_far_out_hide_nothing():
    """Their margins are above 50, so that rounding errors are all of the gradient along them."""
    X = [[2, -1, -2], [3, 1, 2], [3, -1, 1], [2, 3, -1], [-1, 2, -1], [3, -2, 1], [0, 0, -3]]
    X = np.array([*X, [3, 1, -1], [1, 1, -2], [2, -3, -2], [-2, -1, -1]], dtype=float)
    y = np.array([0, 0, 1, 0, 0, 0, 0, 1, 0, 1, 0])
    weights = np.array([1e6, 10, 10, 100, 1e6, 10, 10, 10, 1e3, 1e4, 10])
    assert exactly_separated(X, y)
    assert fitted(X, y, weights).status_ == "separated"


def test_an_overlap_that_float64_cannot_hold_is_no_separation():
    """Sorted points whose classes overlap by a few units of the last place."""
    rng = np.random.default_rng(4)
    for _ in range(20):
        x = np.sort(rng.normal(size=30))
        x[15] = np.nextafter(x[14], -np.inf)
        y = (np.arange(30) >= 15).astype(int)
        assert not exactly_separated(x[:, np.newaxis], y)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ConvergenceWarning)
            warnings.simplefilter("error", SeparationWarning)
            model = LogisticRegression(C=np.inf).fit(x[:, np.newaxis], y)
        assert model.status_ in ("converged", "not converged")


@pytest.mark.parametrize("max_iter", [1, 2, 3, 4, 5, 8])
def test_few_steps_are_no_proof(max_iter):
    """A fit that was stopped early is said to be separated only where it is."""
    rng = np.random.default_rng(5)
    for _ in range(60):
        case = present(whole_numbers, rng)
        if case is None:
            continue
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            model = LogisticRegression(C=np.inf, max_iter=max_iter).fit(*case)
        if model.status_ != "not converged":
            assert (model.status_ == "separated") == exactly_separated(*case[:2]), case


def test_a_warm_start_from_saturated_parameters():
    """A start at which no row has curvature is as good as any other."""
    counts = np.array([10.0, 1, 2, 497])
    model = LogisticRegression(C=np.inf, warm_start=True).fit(*TABLE, sample_weight=counts)
    for params in ([1e3, -1e3], [-1e4, 5e3], [40.0, -34.2]):
        model.params_ = np.array(params)
        model.fit(*TABLE, sample_weight=counts)
        assert model.status_ == "converged"
        assert model.coef_[0, 0] == pytest.approx(np.log(10 * 497 / 2), rel=1e-7)


@pytest.mark.parametrize("solver", ["auto", "newton-cg"])
@pytest.mark.parametrize("gap", [1e-2, 1e-4, 1e-6, 1e-8])
def test_columns_that_differ_by_little(gap, solver):
    """The step that is left grows as the columns lose digits: ε / gap, and a margin of 100."""
    for seed in range(4):
        rng = np.random.default_rng(seed)
        z = rng.normal(size=60)
        X = np.column_stack([z, z + gap * rng.normal(size=60)])
        y = (rng.random(60) < 1 / (1 + np.exp(-z))).astype(int)
        model = fitted(X, y, None, solver=solver)
        assert model.status_ == "converged"
        assert step_that_is_left(X, y, np.ones(60), model.params_) < max(1e-9, 2e-14 / gap)


def test_a_fit_that_stalls_says_so():
    """An overlap of one unit of the last place: more steps would not help."""
    x = np.linspace(-1, 1, 30)
    x[15] = np.nextafter(x[14], -np.inf)
    y = (np.arange(30) >= 15).astype(int)
    model = LogisticRegression(C=np.inf)
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        model.fit(x[:, np.newaxis], y)
    if model.status_ == "not converged":
        assert "float64 shows no further decrease" in str(said[0].message)
    else:
        assert step_that_is_left(x[:, np.newaxis], y, np.ones(30), model.params_) < LEFT


@pytest.mark.parametrize("category", [ConvergenceWarning, sklearn.exceptions.ConvergenceWarning])
def test_who_raises_at_convergence_warnings_hears_of_separation(category):
    x, y = np.array([[0.0], [1.0], [2.0], [3.0]]), np.array([0, 0, 1, 1])
    with warnings.catch_warnings():
        warnings.simplefilter("error", category)
        with pytest.raises(SeparationWarning):
            LogisticRegression(C=np.inf).fit(x, y)
        with pytest.raises(NoMinimumWarning):
            ObjectiveClassifier("softplus(eta) - y*eta").fit(x, y)
        warnings.simplefilter("ignore", category)
        assert LogisticRegression(C=np.inf).fit(x, y).status_ == "separated"


def test_the_first_block_of_a_stream_decides_nothing():
    """A first block of one row, or of one class, is as good as any other cut."""
    counts = np.array([6.0, 1, 9, 74])
    whole = fitted(*TABLE, counts)
    for order in itertools.permutations(range(4)):
        X, y, weights = TABLE[0][list(order)], TABLE[1][list(order)], counts[list(order)]
        for cut in (1, 2, 3):
            blocks = [
                (part[0], part[1], part[2])
                for part in ((X[:cut], y[:cut], weights[:cut]), (X[cut:], y[cut:], weights[cut:]))
            ]
            model = fitted(RowStream(blocks), None, None)
            assert model.status_ == "converged"
            assert model.n_iter_[0] <= whole.n_iter_[0] + 1
            np.testing.assert_allclose(model.params_, whole.params_, rtol=1e-9)


# -- offsets ---------------------------------------------------------------------------------------


def check_with_offsets(problem, count, seed, size):
    """Finite offsets separate nothing: the verdict is that of the rows without them."""
    rng, converged = np.random.default_rng(seed), 0
    for _ in range(count):
        case = present(problem, rng)
        if case is None:
            continue
        (X, y, weights), K = case, case[1].max() + 1
        offset = size * rng.normal(size=len(y) if K == 2 else (len(y), K))
        with warnings.catch_warnings():
            for category in (SeparationWarning, RankDeficiencyWarning, ConvergenceWarning):
                warnings.simplefilter("ignore", category)
            model = LogisticRegression(C=np.inf).fit(X, y, weights, offset=offset)
        separated = exactly_separated(X, y, n_classes=K)
        assert (model.status_ == "separated") == separated, case
        if model.status_ == "converged":
            converged += 1
            assert step_that_is_left(X, y, weights, model.params_, offset) < LEFT, case
        elif not separated and model.status_ != "rank deficient" and size <= 10:
            assert float64_holds_no_optimum(X, y, weights, model.params_, offset), case
    return converged


@pytest.mark.parametrize("problem", PROBLEMS)
@pytest.mark.parametrize("size", [1.0, 10.0])
@pytest.mark.parametrize("count", [12, pytest.param(25, marks=pytest.mark.slow)])
def test_offsets_leave_verdicts_as_they_are(problem, size, count):
    converged = check_with_offsets(problem, count, 3, size)
    assert converged or problem is twice_the_same_column


@pytest.mark.parametrize("problem", PROBLEMS)
@pytest.mark.parametrize("size", [100.0, 1e4])
@pytest.mark.parametrize(
    "part", [slice(8), pytest.param(slice(8, None), marks=pytest.mark.slow)], ids=["some", "others"]
)
def test_verdicts_beside_offsets_that_saturate_all_rows(problem, size, part):
    """Where no row has curvature left, no fit is said to have converged that has not."""
    rng = np.random.default_rng(4)
    cases = []
    for case in (present(problem, rng) for _ in range(25)):
        if case is not None:
            n, K = len(case[1]), case[1].max() + 1
            cases.append((*case, size * rng.normal(size=n if K == 2 else (n, K))))
    for X, y, weights, offset in cases[part]:
        with warnings.catch_warnings():
            for category in (SeparationWarning, RankDeficiencyWarning, ConvergenceWarning):
                warnings.simplefilter("ignore", category)
            model = LogisticRegression(C=np.inf).fit(X, y, weights, offset=offset)
        separated = exactly_separated(X, y, n_classes=y.max() + 1)
        assert (model.status_ == "separated") == separated, (X, y, weights, offset)
        assert np.isfinite(model.params_).all()

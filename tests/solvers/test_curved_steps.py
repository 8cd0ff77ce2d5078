"""Newton steps that a sample bends: how much nearer they end, and when they stay as they are."""

from dataclasses import replace

import numpy as np
import pytest
from scipy.special import expit, softmax

from mcmodels import LogisticRegression, RowStream
from mcmodels.objectives import BinaryCrossEntropy, LinearPredictorObjective
from mcmodels.objectives.losses import SoftmaxCrossEntropy
from mcmodels.rows import ArrayRows
from mcmodels.solvers.curved_steps import SampledCurve
from mcmodels.solvers.newton import newton_iterates
from mcmodels.solvers.newton_direction import newton_direction
from mcmodels.solvers.solution import Status

ROWS, COLUMNS = 4000, 3
CASES = [
    (n_classes, weighted, penalty)
    for n_classes in (2, 3)
    for weighted in (False, True)
    for penalty in (0.0, 50.0)
]


def problem(n_classes, *, weighted):
    rng = np.random.default_rng(n_classes)
    X = rng.standard_normal((ROWS, COLUMNS))
    eta = X @ rng.standard_normal((COLUMNS, n_classes)) + rng.gumbel(size=(ROWS, n_classes))
    weights = rng.uniform(0.5, 2.0, ROWS) if weighted else None
    return X, eta.argmax(axis=1), weights


def objective_of(X, y, weights, penalty, part=slice(None)):
    rows = ArrayRows(X[part], y[part], None if weights is None else weights[part])
    loss = BinaryCrossEntropy() if y.max() == 1 else SoftmaxCrossEntropy()
    return LinearPredictorObjective(rows, loss, penalty)


def minimum(X, y, weights, penalty):
    """Newton's method on the differences from the first class, written out in NumPy."""
    K, P = y.max() + 1, COLUMNS + 1
    Z, w = np.column_stack([X, np.ones(ROWS)]), np.ones(ROWS) if weights is None else weights
    free = K if K > 2 else 1
    theta = np.zeros((free, P))
    alpha = np.tile(np.r_[np.full(COLUMNS, penalty), 0.0], free)
    for _ in range(30):
        if K == 2:
            p = expit(Z @ theta[0])[:, np.newaxis]
            target, curvature = y[:, np.newaxis], [[p[:, 0] * (1 - p[:, 0])]]
        else:
            p, target = softmax(Z @ theta.T, axis=1), np.eye(K)[y]
            curvature = [[p[:, k] * ((k == j) - p[:, j]) for j in range(K)] for k in range(K)]
        gradient = ((w[:, np.newaxis] * (p - target)).T @ Z).ravel() + alpha * theta.ravel()
        hessian = np.block([[(Z * (w * c)[:, np.newaxis]).T @ Z for c in row] for row in curvature])
        step = np.linalg.pinv(hessian + np.diag(alpha), rcond=1e-12) @ gradient
        theta = theta - step.reshape(theta.shape)
    return theta[0] if K == 2 else theta - theta.mean(axis=0)


def near(theta, seed=0):
    """A point from which a Newton step is about a tenth as long as the parameters."""
    rng = np.random.default_rng(seed)
    away = rng.standard_normal(theta.shape) * 0.1
    return theta + (away if theta.ndim == 1 else away - away.mean(axis=0))


def errors(case, part):
    """Distances from the minimum after Newton's step and after the bent one."""
    n_classes, weighted, penalty = case
    X, y, weights = problem(n_classes, weighted=weighted)
    objective = objective_of(X, y, weights, penalty)
    exact = minimum(X, y, weights, penalty)
    params = near(exact)
    derivatives = objective.derivatives(params)
    direction = newton_direction(objective, params, derivatives)
    sample = objective_of(X, y, weights, 0.0, part)
    scale = objective.rows.total_weight / sample.rows.total_weight
    bent = SampledCurve(sample, scale).bent(objective, params, derivatives, direction)
    return [np.abs(params + step - exact).max() for step in (direction.step, bent.step)]


@pytest.mark.parametrize("case", CASES)
def test_with_all_rows_the_step_ends_at_the_minimum(case):
    newton, bent = errors(case, slice(None))
    # It is bent until the change is 1/√n of the first bend, which is about Newton's error.
    assert bent <= newton / np.sqrt(ROWS)


@pytest.mark.parametrize("case", CASES)
def test_with_half_the_rows_the_error_of_the_sample_is_left(case):
    newton, bent = errors(case, slice(0, ROWS, 2))
    # The remainder of 2,000 rows is that of all but for some hundredths. Without the factor 2 for
    # the other rows, half of the error would be left.
    assert bent <= 0.2 * newton


def test_a_step_that_would_be_bent_too_far_stays_that_of_newton():
    X, y, _ = problem(2, weighted=False)
    objective = objective_of(X, y, None, 0.0)
    params = near(minimum(X, y, None, 0.0))
    derivatives = objective.derivatives(params)
    direction = newton_direction(objective, params, derivatives)
    curve = SampledCurve(objective_of(X, y, None, 0.0, slice(0, ROWS, 2)), 2e3)
    assert curve.bent(objective, params, derivatives, direction) is direction


def test_rows_in_memory_need_none():
    X, y, _ = problem(2, weighted=False)
    assert SampledCurve.of(objective_of(X, y, None, 0.0), COLUMNS + 1) is None


def test_a_bent_step_that_cannot_be_taken_gives_way_to_that_of_newton():
    class Lost:
        def bent(self, objective, params, derivatives, direction):
            return replace(direction, step=np.nan * direction.step)

    X, y, _ = problem(2, weighted=False)
    objective = objective_of(X, y, None, 0.0)
    *_, last = newton_iterates(
        objective,
        np.zeros(COLUMNS + 1),
        gradient_tolerance=1e-6 * ROWS,
        max_iter=50,
        curve=Lost(),
    )
    assert last.status is Status.CONVERGED
    # Ends where a step is negligible, 1e-10 of the parameters.
    np.testing.assert_allclose(last.params, minimum(X, y, None, 0.0), atol=1e-9)


def test_a_stream_is_walked_four_times():
    """To see what there is; Newton's step, the bent one after it; and to see that it has ended."""
    rng = np.random.default_rng(0)
    n, p, walks = 200_000, 30, 0
    X = rng.standard_normal((n, p))
    y = rng.random(n) < expit(X @ rng.standard_normal(p) / 3)

    def blocks():
        nonlocal walks
        walks += 1
        for start in range(0, n, 10_000):
            yield X[start : start + 10_000], y[start : start + 10_000]

    streamed = LogisticRegression(C=np.inf).fit(RowStream(blocks))
    assert streamed.converged_
    assert walks <= 4
    whole = LogisticRegression(C=np.inf).fit(X, y)
    # Both end where a step is negligible, 1e-10 of the length of the parameters.
    np.testing.assert_allclose(streamed.params_, whole.params_, atol=1e-9)

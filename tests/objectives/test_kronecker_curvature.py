"""The Kronecker curvature against its definition, and the laws of weights."""

import numpy as np
import pytest
from scipy.special import expit
from scipy.special import softmax as softmax_of

from mcmodels.objectives import kronecker_curvature
from mcmodels.objectives.network_objective import NetworkObjective
from mcmodels.rows import ArrayRows
from tests.numerics import relative_error
from tests.objectives.networks import TASKS, network_problem

# The damped blocks have condition below 1e3.
ROUNDING = 1e-11


def defined(task, problem, damping):
    """The damped curvature as one dense matrix, row by row from the module's table."""
    network, w = problem.network, problem.weights
    coefs, intercepts = network.unflatten(problem.params)
    K = network.n_outputs
    A = [np.zeros((W.shape[0] + 1,) * 2) for W in coefs]
    G = [np.zeros((W.shape[1],) * 2) for W in coefs]
    for x, weight in zip(problem.X, w, strict=True):
        inputs, h = [], x
        for layer, (W, b) in enumerate(zip(coefs, intercepts, strict=True)):
            inputs.append(np.append(h, 1.0))
            a = h @ W + b
            h = np.tanh(a) if layer < len(coefs) - 1 else a
        if "counts" in task:
            curvature = np.diag(np.exp(h))
        elif "labels" in task:
            curvature = np.diag(expit(h) * expit(-h))
        elif "classes" not in task:
            curvature = np.eye(K)
        elif K == 1:
            curvature = np.array([[expit(h[0]) * expit(-h[0])]])
        else:
            p = softmax_of(h)
            curvature = np.diag(p) - np.outer(p, p)
        D = np.eye(K)  # ∂η/∂a of the last layer, then of those below
        for layer in reversed(range(len(coefs))):
            A[layer] += weight * np.outer(inputs[layer], inputs[layer])
            G[layer] += weight * D.T @ curvature @ D
            if layer:
                D = D @ coefs[layer].T @ np.diag(1 - inputs[layer][:-1] ** 2)
    blocks = [np.kron(a, g) / w.sum() for a, g in zip(A, G, strict=True)]
    size = problem.params.size
    added = damping * sum(np.trace(block) for block in blocks) / size + problem.alpha
    return [block + added * np.eye(len(block)) for block in blocks]


def solved(network, blocks, vector):
    """The inverse of the blocks, over (W; b) of each layer in C order, times a vector."""
    W, b = network.unflatten(vector)
    layers = [
        np.linalg.solve(block, np.vstack([w, c]).ravel()).reshape(len(w) + 1, -1)
        for block, w, c in zip(blocks, W, b, strict=True)
    ]
    return np.concatenate([V[:-1].ravel() for V in layers] + [V[-1] for V in layers])


@pytest.mark.parametrize("task", TASKS)
@pytest.mark.parametrize("hidden", [(), (4,), (4, 3)])
def test_the_curvature_is_as_defined(task, hidden):
    """Weights that are not whole numbers, and rows in several blocks."""
    problem = network_problem(task, "tanh", hidden)
    v = np.random.default_rng(3).standard_normal(problem.params.size)
    for damping in (0.1, 10.0):
        curvature = problem.objective(block_rows=11).conditioned_slope(problem.params).curvature
        expected = solved(problem.network, defined(task, problem, damping), v)
        assert relative_error(curvature.solve(v, damping), expected) < ROUNDING


def test_the_diagonal_of_wide_inputs_has_the_weights_of_the_rows(monkeypatch):
    """Where only the diagonal of A is used, it is that of A as defined."""
    problem = network_problem("two classes", "tanh", (2,), p=6)
    whole = problem.objective(block_rows=11).conditioned_slope(problem.params).curvature
    monkeypatch.setattr(kronecker_curvature, "_WIDEST", 6)
    wide = problem.objective(block_rows=11).conditioned_slope(problem.params).curvature
    assert [A.ndim for A in wide.sums.incoming] == [1, 2]
    expected = np.append(problem.weights @ problem.X**2, problem.weights.sum())
    np.testing.assert_allclose(wide.sums.incoming[0], expected, rtol=ROUNDING)
    np.testing.assert_allclose(wide.sums.incoming[1], whole.sums.incoming[1], rtol=ROUNDING)


def large(task, n):
    """Rows with weights, a network and a point; more rows than any sum is taken of unsampled."""
    problem = network_problem(task, "tanh", (3,), n=n)
    return problem, np.random.default_rng(4).standard_normal(problem.params.size)


@pytest.mark.parametrize("task", TASKS)
@pytest.mark.parametrize("times", [2, 3, 4])
def test_of_rows_that_repeat_a_sample_says_all(task, times):
    """Each row ``times`` over is a row with ``times`` the weight; of many rows some are taken."""
    problem, v = large(task, 2048)
    rows = ArrayRows(problem.X, problem.y, times * problem.weights, intercept=False)
    once = NetworkObjective(rows, problem.network, problem.loss, problem.alpha)
    repeated = [np.repeat(part, times, axis=0) for part in (problem.X, problem.y, problem.weights)]
    rows = ArrayRows(*repeated, intercept=False, block_rows=12 * 50)
    often = NetworkObjective(rows, problem.network, problem.loss, problem.alpha)
    expected = once.conditioned_slope(problem.params).curvature
    found = often.conditioned_slope(problem.params).curvature
    # The sample is one of each: its sums are those of the rows once, with their own weights.
    assert found.sums.weight == pytest.approx(problem.weights.sum(), rel=1e-12)
    assert relative_error(found.solve(v, 0.1), expected.solve(v, 0.1)) < ROUNDING


def test_weights_times_a_factor_are_curvature_times_it():
    """Without a penalty the objective is proportional to the weights, and so is its curvature."""
    problem, v = large("three classes", 60)

    def step(factor, n):
        rows = ArrayRows(
            np.resize(problem.X, (n, 3)),
            np.resize(problem.y, n),
            factor * np.resize(problem.weights, n),
            intercept=False,
        )
        objective = NetworkObjective(rows, problem.network, problem.loss, 0.0)
        return objective.conditioned_slope(problem.params).curvature.solve(v, 0.1)

    for n in (60, 6000):  # all rows, and a sample of them
        assert relative_error(step(1e6, n), 1e-6 * step(1.0, n)) < ROUNDING

"""Networks: derivatives by layers against differences, the complex step and the calculus."""

import numpy as np
import pytest
from scipy import sparse
from scipy.special import xlogy

import mcmodels.calculus as mc
from mcmodels.objectives import network as network_module
from mcmodels.objectives.network import Activation, Network, NetworkParameters
from mcmodels.objectives.network_losses import HalfPoissonDeviance, LabelCrossEntropy
from mcmodels.rows import ArrayRows
from tests.numerics import central_differences, complex_step, relative_error
from tests.objectives.networks import (
    ACTIVATIONS,
    TASKS,
    network_problem,
    plain_objective,
)

ANALYTIC = ("identity", "tanh", "logistic")
# No subtraction: some hundred roundings of sums of thirty rows.
COMPLEX = 1e-13
# Truncation and rounding of five-point differences are near 1e-12 each of values of some ten.
DIFFERENCES = 1e-9
HIDDEN = [(), (4,), (4, 3)]
# The same sums in another order.
ROUNDING = 1e-13
# relu has kinks, which a short step does not reach; rounding is then 1e-9 of values of some ten.
STEPS = {"identity": 1e-3, "tanh": 1e-3, "logistic": 1e-3, "relu": 1e-5}


@pytest.mark.parametrize("task", TASKS)
@pytest.mark.parametrize("activation", ACTIVATIONS)
@pytest.mark.parametrize("hidden", HIDDEN, ids=str)
def test_value_gradient_and_curvature(task, activation, hidden):
    problem = network_problem(task, activation, hidden)
    objective, at = problem.objective(), problem.params
    assert objective.value(at) == pytest.approx(plain_objective(problem, at), rel=1e-14)
    slope = objective.slope(at)
    assert slope.value == objective.value(at)
    np.testing.assert_array_equal(slope.gradient, objective.gradient(at))
    step = STEPS[activation]
    numerical = central_differences(objective.value, at, step)
    assert relative_error(slope.gradient, numerical) < DIFFERENCES
    H = objective.hessian(at)
    assert relative_error(H, central_differences(objective.gradient, at, step)) < DIFFERENCES
    assert relative_error(H, H.T) < ROUNDING
    if activation in ANALYTIC:
        exact = complex_step(lambda params: plain_objective(problem, params), at)
        assert relative_error(slope.gradient, exact) < COMPLEX


@pytest.mark.filterwarnings("ignore::numpy.exceptions.ComplexWarning")  # the value is a float
@pytest.mark.parametrize("task", ["one target", "two targets"])
@pytest.mark.parametrize("activation", ["identity", "tanh"])
def test_hessian_is_the_complex_step_of_the_gradient(task, activation):
    """SciPy's logistic function, and the cross-entropies, take real numbers alone."""
    problem = network_problem(task, activation)
    objective = problem.objective()
    exact = complex_step(objective.gradient, problem.params)
    assert relative_error(objective.hessian(problem.params), exact) < COMPLEX


@pytest.mark.parametrize("task", TASKS)
@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_products_are_those_of_the_hessian(task, activation):
    problem = network_problem(task, activation)
    objective = problem.objective()
    H = objective.hessian(problem.params)
    vectors = np.random.default_rng(1).standard_normal((3, len(H)))
    products = objective.hessian_vector_products(problem.params, vectors)
    assert relative_error(products, vectors @ H) < ROUNDING
    one = objective.hessian_vector_product(problem.params, vectors[1])
    np.testing.assert_array_equal(one, products[1])


def test_many_directions_are_taken_in_parts(monkeypatch):
    problem = network_problem("three classes", "tanh")
    whole = problem.objective().hessian(problem.params)
    monkeypatch.setattr("mcmodels.objectives.network_objective._AT_ONCE", 7)
    np.testing.assert_array_equal(problem.objective().hessian(problem.params), whole)


def symbolic(problem):
    """The objective of one hidden layer in matrix symbols, its values, and the names in order."""
    X, W, V = mc.matrix("X", "n", "p"), mc.matrix("W", "p", "m"), mc.matrix("V", "m", "k")
    b, c, one = mc.vector("b", "m"), mc.vector("c", "k"), mc.vector("one", "n")
    Y, omega, alpha = mc.matrix("Y", "n", "k"), mc.vector("omega", "n"), mc.scalar("alpha")
    sigma = {"tanh": mc.tanh, "logistic": mc.sigmoid}[problem.network.activation]
    eta = sigma(X @ W + one @ b.T) @ V + one @ c.T
    K, least = problem.network.n_outputs, 0.0
    if isinstance(problem.loss, HalfPoissonDeviance):
        target = problem.y.reshape(-1, K)
        least = float(problem.weights @ np.sum(xlogy(target, target) - target, axis=1))
        loss = mc.sum(mc.exp(eta), axis=1) - mc.sum(Y * eta, axis=1)
    elif isinstance(problem.loss, LabelCrossEntropy):
        loss, target = mc.sum(mc.softplus(eta), axis=1) - mc.sum(Y * eta, axis=1), problem.y
    elif problem.y.dtype.kind == "f":
        residual = mc.sum((eta - Y) ** 2, axis=1)
        loss, target = residual / 2, problem.y.reshape(-1, K)
    elif K == 1:
        loss = mc.sum(mc.softplus(eta), axis=1) - mc.sum(Y * eta, axis=1)
        target = problem.y[:, np.newaxis].astype(float)
    else:
        loss = mc.logsumexp(eta, axis=1) - mc.sum(Y * eta, axis=1)
        target = np.eye(K)[problem.y]
    f = omega.T @ loss + least + alpha * (mc.trace(W.T @ W) + mc.trace(V.T @ V)) / 2
    coefs, intercepts = problem.network.unflatten(problem.params)
    values = {
        "X": problem.X,
        "W": coefs[0],
        "V": coefs[1],
        "b": intercepts[0],
        "c": intercepts[1],
        "one": np.ones(len(problem.X)),
        "Y": target,
        "omega": problem.weights,
        "alpha": problem.alpha,
    }
    return f, values, [W, V, b, c]


@pytest.mark.parametrize("task", TASKS)
@pytest.mark.parametrize("activation", ["tanh", "logistic"])
def test_derived_by_the_calculus(task, activation):
    problem = network_problem(task, activation, (4,))
    objective, at = problem.objective(), problem.params
    f, values, symbols = symbolic(problem)
    assert relative_error(objective.value(at), f.evaluate(**values)) < COMPLEX
    gradient = [np.ravel(f.gradient(s).evaluate(**values)) for s in symbols]
    assert relative_error(objective.gradient(at), np.concatenate(gradient)) < COMPLEX
    H, start = objective.hessian(at), 0
    for s, part in zip(symbols, gradient, strict=True):
        block = H[start : start + part.size, start : start + part.size]
        expected = f.hessian(s).evaluate(**values)
        shape = np.shape(values[s.name])
        # The calculus stacks columns, the parameters of a layer are stacked by rows.
        order = np.arange(part.size).reshape(shape, order="F").ravel()
        assert (
            relative_error(block, np.reshape(expected, block.shape)[np.ix_(order, order)]) < 1e-12
        )
        start += part.size


@pytest.mark.parametrize("task", TASKS)
@pytest.mark.parametrize("activation", ACTIVATIONS)
@pytest.mark.parametrize("hidden", HIDDEN, ids=str)
def test_jacobian_of_the_outputs_and_the_last_layer(task, activation, hidden):
    problem = network_problem(task, activation, hidden)
    network, at = problem.network, problem.params
    rows = ArrayRows(problem.X, intercept=False, block_rows=7)
    J = rows.map(lambda block: network.output_jacobian(block.X, at))
    K = network.n_outputs
    assert J.shape == (30, K, network.n_params)

    def outputs(params):
        return rows.map(lambda block: network.outputs(block.X, params).reshape(-1, K))

    assert relative_error(J, central_differences(outputs, at, STEPS[activation])) < DIFFERENCES
    last = network.last_layer
    of_last = rows.map(lambda block: network.last_layer_jacobian(block.X, at))
    assert relative_error(of_last, J[:, :, last]) < ROUNDING
    objective = problem.objective(block_rows=11)
    H = objective.hessian(at)[np.ix_(last, last)]
    assert relative_error(objective.last_layer_hessian(at), H) < ROUNDING


@pytest.mark.parametrize("task", TASKS)
@pytest.mark.parametrize("block_rows", [1, 7, 30])
@pytest.mark.parametrize("storage", [np.asarray, sparse.csr_array, np.asfortranarray])
def test_any_chunking_and_storage_is_one_batch(task, block_rows, storage):
    problem = network_problem(task, "tanh")
    problem.X[np.abs(problem.X) < 0.5] = 0
    whole = problem.objective()
    parts = problem.objective(storage(problem.X), block_rows=block_rows)
    at, v = problem.params, np.random.default_rng(1).standard_normal(problem.params.size)
    assert parts.value(at) == pytest.approx(whole.value(at), rel=1e-14)
    assert relative_error(parts.gradient(at), whole.gradient(at)) < ROUNDING
    product = whole.hessian_vector_product(at, v)
    assert relative_error(parts.hessian_vector_product(at, v), product) < ROUNDING
    conditioned = parts.conditioned_slope(at)
    np.testing.assert_array_equal(conditioned.gradient, parts.gradient(at))
    expected = whole.conditioned_slope(at).curvature.solve(v, 0.1)
    # Solving loses digits with the condition of the damped curvature, below a hundred here.
    assert relative_error(conditioned.curvature.solve(v, 0.1), expected) < 1e-11


def test_kronecker_curvature_is_exact_where_the_factors_are():
    """One row, linear layers: each layer's Gauss-Newton block is a Kronecker product."""
    problem = network_problem("three classes", "identity", (4,), n=1)
    objective, at = problem.objective(), problem.params
    network = problem.network
    block = ArrayRows(problem.X, intercept=False)
    J = block.map(lambda rows: network.output_jacobian(rows.X, at))[0]
    p = np.exp(block.map(lambda rows: network.outputs(rows.X, at))[0])
    p /= p.sum()
    G = problem.weights[0] * J.T @ (np.diag(p) - np.outer(p, p)) @ J
    layer = np.concatenate([np.full(12, 0), np.full(12, 1), np.full(4, 0), np.full(3, 1)])
    G[layer[:, np.newaxis] != layer] = 0
    v = np.random.default_rng(2).standard_normal(at.size)
    damped = G + (0.1 * np.trace(G) / at.size + problem.alpha) * np.eye(at.size)
    solved = objective.conditioned_slope(at).curvature.solve(v, 0.1)
    assert relative_error(solved, np.linalg.solve(damped, v)) < 1e-12


@pytest.mark.parametrize("widest", [1, 1024])
def test_wide_layers_are_conditioned_by_their_diagonal(monkeypatch, widest):
    monkeypatch.setattr("mcmodels.objectives.kronecker_curvature._WIDEST", widest)
    problem = network_problem("three classes", "tanh")
    conditioned = problem.objective().conditioned_slope(problem.params)
    assert [A.ndim for A in conditioned.curvature.sums.incoming] == [1 if widest == 1 else 2] * 3
    step = conditioned.curvature.solve(conditioned.gradient, 0.1)
    assert step @ conditioned.gradient > 0


def test_parameters_lie_as_scikit_learn_packs_them():
    network = Network((2, 3, 2), "relu")
    vector = np.arange(17.0)
    coefs, intercepts = network.unflatten(vector)
    assert [W.shape for W in coefs] == [(2, 3), (3, 2)]
    assert [b.shape for b in intercepts] == [(3,), (2,)]
    assert all(np.shares_memory(part, vector) for part in (*coefs, *intercepts))
    np.testing.assert_array_equal(NetworkParameters(coefs, intercepts).ravel(), vector)
    np.testing.assert_array_equal(network.last_layer, [6, 7, 8, 9, 10, 11, 15, 16])


def test_relu_at_its_kink():
    network = Network((1, 1, 1), "relu")
    block = ArrayRows(np.zeros((1, 1)), intercept=False)
    at = np.array([1.0, 2.0, 0.0, 0.5])  # the pre-activation is 0
    J = block.map(lambda rows: network.output_jacobian(rows.X, at))
    np.testing.assert_array_equal(J, [[[0, 0, 0, 1]]])


@pytest.mark.parametrize("alpha", [0.0, 0.3])
@pytest.mark.parametrize("hidden", HIDDEN, ids=str)
def test_directions_that_softmax_cannot_see_are_removed(hidden, alpha):
    objective = network_problem("three classes", "tanh", hidden)._replace(alpha=alpha).objective()
    network, n = objective.network, objective.network.n_params
    inputs = network.sizes[-2]
    # The same number for all outputs: by the intercepts, and by the weights from each unit.
    coefs, intercepts = network.unflatten(np.arange(float(n)))
    shifts = np.zeros((inputs + 1, n))
    for i, positions in enumerate([*coefs[-1], intercepts[-1]]):
        shifts[i, positions.astype(int)] = 1.0
    free = shifts if alpha == 0 else shifts[-1:]
    identity = objective.identified_hessian(np.eye(n))
    np.testing.assert_allclose(identity, np.eye(n - len(free)), atol=ROUNDING)
    np.testing.assert_allclose(objective.identified_hessian(free.T @ free), 0, atol=ROUNDING)
    hessian = np.random.default_rng(0).standard_normal((n, n))
    hessian += hessian.T
    eigenvalues = objective.identified_eigenvalues(hessian)
    # Curvature added along the removed directions leaves the others as they are.
    fixed = hessian + 1e3 * free.T @ free
    np.testing.assert_allclose(objective.identified_eigenvalues(fixed), eigenvalues, atol=1e-9)
    basis = np.linalg.qr(np.vstack([free, np.eye(n)]).T)[0][:, len(free) :]
    np.testing.assert_allclose(eigenvalues, np.linalg.eigvalsh(basis.T @ hessian @ basis))


@pytest.mark.parametrize("task", [task for task in TASKS if task != "three classes"])
def test_other_losses_see_all_directions(task):
    objective = network_problem(task, "tanh")._replace(alpha=0.0).objective()
    hessian = np.diag(np.arange(float(objective.network.n_params)))
    assert objective.identified_hessian(hessian) is hessian
    np.testing.assert_array_equal(objective.identified_eigenvalues(hessian), np.diagonal(hessian))


PLANTED = {
    "slope": Activation(np.tanh, lambda h: 1.0005 - h**2, lambda h: -2.0 * h * (1.0 - h**2)),
    "factor": Activation(np.tanh, lambda h: 1.0 - h**2, lambda h: -2.001 * h * (1.0 - h**2)),
    "dropped": Activation(np.tanh, lambda h: 1.0 - h**2, None),
}


@pytest.mark.parametrize("error", PLANTED)
def test_a_planted_error_is_caught(monkeypatch, error):
    monkeypatch.setitem(network_module.ACTIVATIONS, "tanh", PLANTED[error])
    problem = network_problem("one target", "tanh")
    objective, at = problem.objective(), problem.params
    exact = complex_step(lambda params: plain_objective(problem, params), at)
    wrong_gradient = relative_error(objective.gradient(at), exact)
    differences = central_differences(objective.gradient, at)
    wrong_hessian = relative_error(objective.hessian(at), differences)
    assert (wrong_gradient > 1e9 * COMPLEX) == (error == "slope")
    if error == "slope":
        return
    # 2.001 for 2 is half a thousandth of one term.
    assert wrong_hessian > 1e4 * DIFFERENCES

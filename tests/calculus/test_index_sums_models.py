"""Models written as sums over rows, against loops, the formulas of textbooks, and a peer."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.special import expit, logsumexp
from scipy.stats import multivariate_normal

from mcmodels.calculus import (
    det,
    exp,
    eye,
    index,
    inv,
    kron,
    lagrangian,
    log,
    logdet,
    matrix,
    norm,
    relu,
    scalar,
    sigmoid,
    softplus,
    sum_over,
    unit,
    vector,
)
from mcmodels.calculus import sum as total

i, j, k = index("i", over="n"), index("j", over="n"), index("k", over="K")
X, Z, W = matrix("X", "n", "p"), matrix("Z", "n", "p"), matrix("W", "n", "p")
y, t, d = vector("y", "n"), vector("t", "n"), vector("d", "n")
beta, M = vector("beta", "p"), matrix("M", "K", "p")

# Sums of tens of terms of order 1 to 100, whose rounding is below 1e-13 of the largest; a term that
# is left out or has another factor is more than 1e-3 of it.
CLOSE = 1e-11
RIGHT = 1e-8  # extrapolated differences lose about half of sixteen digits


def require_values(e, expected, **values):
    """The values by `evaluate` and by compiled code."""
    expected = np.asarray(expected)
    for found in (e.evaluate(**values), e.compile()(**values)):
        np.testing.assert_allclose(found, expected, rtol=0, atol=CLOSE * np.abs(expected).max())


# -- Cox -------------------------------------------------------------------------------------------

at_risk = sum_over(exp(X[j].T @ beta), j, where=t[j] >= t[i])
COX = sum_over(d[i] * (X[i].T @ beta - log(at_risk)), i)


def cox_data(seed=0, n=30, scale=1.0):
    rng = np.random.default_rng(seed)
    return {
        "X": scale * rng.standard_normal((n, 3)),
        "t": rng.integers(1, 12, n).astype(float),  # with ties
        "d": rng.integers(0, 2, n).astype(float),
        "beta": rng.standard_normal(3),
    }


def cox_by_loops(X, t, d, beta):
    """Partial log-likelihood with Breslow's ties, score and Hessian."""
    value, score, hessian = 0.0, np.zeros(len(beta)), np.zeros((len(beta), len(beta)))
    for row in range(len(t)):
        if d[row]:
            risk = X[t >= t[row]]
            eta = risk @ beta
            share = np.exp(eta - logsumexp(eta))
            mean = share @ risk
            value += X[row] @ beta - logsumexp(eta)
            score += X[row] - mean
            hessian -= (risk.T * share) @ risk - np.outer(mean, mean)
    return value, score, hessian


class TestCox:
    @pytest.mark.parametrize("scale", [1.0, 1000.0])
    def test_likelihood_score_and_information(self, scale):
        data = cox_data(scale=scale)
        value, score, hessian = cox_by_loops(**data)
        require_values(COX, value, **data)
        require_values(COX.gradient(beta), score, **data)
        if scale == 1:  # with one case at risk of weight 1, the Hessian cancels to rounding
            require_values(COX.hessian(beta), hessian, **data)

    def test_a_peer(self):
        duration = pytest.importorskip("statsmodels.duration.hazard_regression")
        data = cox_data(seed=1)
        model = duration.PHReg(data["t"], data["X"], status=data["d"], ties="breslow")
        at = {**data}
        assert COX.evaluate(**at) == pytest.approx(model.loglike(at["beta"]), rel=1e-10)
        require_values(COX.gradient(beta), model.score(at["beta"]), **at)
        require_values(COX.hessian(beta), model.hessian(at["beta"]), **at)

    def test_derivatives_by_the_data(self):
        for x in (X, beta, d):
            assert COX.check(x) < RIGHT
            assert COX.gradient(beta).check(x) < RIGHT


# -- mixtures --------------------------------------------------------------------------------------

share, S = vector("share", "K"), matrix("S", "p", "p", positive_definite=True)
C = matrix("C", "K*p", "p")  # the covariance matrices, one below the other


def mixture(covariance):
    r = X[i] - M[k]
    density = exp(-(r.T @ inv(covariance) @ r) / 2) / (det(covariance)) ** 0.5
    return sum_over(log(sum_over(share[k] * density, k)), i)


ONE_COVARIANCE = mixture(S)
covariance = kron(unit(k, "K").T, eye("p")) @ C
FULL = sum_over(
    log(
        sum_over(
            share[k]
            * exp(
                -((X[i] - M[k]).T @ inv(covariance) @ (X[i] - M[k])) / 2 - logdet(covariance) / 2
            ),
            k,
        )
    ),
    i,
)


def mixture_data(seed=0, n=12, scale=1.0):
    rng = np.random.default_rng(seed)
    roots = rng.standard_normal((3, 2, 2))
    covariances = roots @ roots.transpose(0, 2, 1) + np.eye(2)
    share = rng.uniform(0.5, 1.5, 3)
    return {
        "X": scale * rng.standard_normal((n, 2)),
        "M": scale * rng.standard_normal((3, 2)),
        "share": share / share.sum(),
    }, covariances


def responsibilities(X, M, share, covariances):
    """Bishop (2006), (9.13), and the log-likelihood without (2π)^(−p/2), (9.14)."""
    logs = np.column_stack(
        [
            np.log(share[c]) + multivariate_normal.logpdf(X, M[c], covariances[c])
            for c in range(len(M))
        ]
    )
    norms = logsumexp(logs, axis=1)
    return np.exp(logs - norms[:, None]), norms.sum() + len(X) * np.log(2 * np.pi)


class TestMixture:
    @pytest.mark.parametrize("scale", [1.0, 100.0])
    def test_gradients_are_those_of_bishop(self, scale):
        data, covariances = mixture_data(scale=scale)
        gamma, value = responsibilities(**data, covariances=[covariances[0]] * 3)
        inverse = np.linalg.inv(covariances[0])
        r = data["X"][:, None] - data["M"]
        at = {**data, "S": covariances[0]}
        require_values(ONE_COVARIANCE, value, **at)
        means = np.einsum("nk,nkp->kp", gamma, r) @ inverse  # (9.16)
        require_values(ONE_COVARIANCE.gradient(M), means, **at)
        require_values(ONE_COVARIANCE.gradient(share), gamma.sum(axis=0) / data["share"], **at)
        scatter = np.einsum("nk,nkp,nkq->pq", gamma, r, r)
        expected = (inverse @ scatter @ inverse - len(data["X"]) * inverse) / 2
        require_values(ONE_COVARIANCE.gradient(S), expected, **at)

    def test_a_covariance_for_each_component(self):
        data, covariances = mixture_data(seed=1)
        gamma, value = responsibilities(**data, covariances=covariances)
        inverses = np.linalg.inv(covariances)
        r = data["X"][:, None] - data["M"]
        at = {**data, "C": covariances.reshape(6, 2)}
        require_values(FULL, value, **at)
        require_values(FULL.gradient(M), np.einsum("nk,nkp,kpq->kq", gamma, r, inverses), **at)
        scatter = np.einsum("nk,nkp,nkq->kpq", gamma, r, r)
        counts = gamma.sum(axis=0)[:, None, None]
        expected = (inverses @ scatter @ inverses - counts * inverses) / 2
        require_values(FULL.gradient(C), expected.reshape(6, 2), **at)

    def test_second_derivatives(self):
        for x in (M, share, S, X):
            assert ONE_COVARIANCE.gradient(M).check(x) < RIGHT
        H = ONE_COVARIANCE.hessian(M)
        data, covariances = mixture_data()
        at = {**data, "S": covariances[0]}
        require_values(H, H.evaluate(**at), **at)

    def test_a_lagrangian_of_the_weights(self):
        # At the weights of the M step, Nₖ/n by fixed responsibilities, the multiplier is n.
        stationary = lagrangian(ONE_COVARIANCE, total(share) - 1).stationarity(share)
        assert stationary.shape == ("K",)
        assert stationary.check(share) < RIGHT


# -- contrastive losses and pairs ------------------------------------------------------------------

tau = scalar("tau")
NCE = -sum_over(log(exp(Z[i].T @ W[i] / tau) / sum_over(exp(Z[i].T @ W[j] / tau), j)), i)


class TestContrastive:
    @pytest.mark.parametrize("scale", [1.0, 60.0])
    def test_info_nce(self, scale):
        rng = np.random.default_rng(0)
        z, w = scale * rng.standard_normal((2, 6, 3))
        logits = z @ w.T / 0.5
        shares = np.exp(logits - logsumexp(logits, axis=1)[:, None])
        at = {"Z": z, "W": w, "tau": 0.5}
        require_values(NCE, (logsumexp(logits, axis=1) - np.diag(logits)).sum(), **at)
        require_values(NCE.gradient(Z), (shares @ w - w) / 0.5, **at)
        require_values(NCE.gradient(W), (shares.T @ z - z) / 0.5, **at)
        slope = (np.diag(logits).sum() - (shares * logits).sum()) / 0.5
        require_values(NCE.gradient(tau), slope, **at)

    def test_triplets(self):
        margin = 1 + norm(X[i] - Z[i]) ** 2 - norm(X[i] - W[i]) ** 2
        loss = sum_over(relu(margin), i)
        rng = np.random.default_rng(1)
        a, p, n = rng.standard_normal((3, 8, 2))
        active = 1 + ((a - p) ** 2).sum(1) - ((a - n) ** 2).sum(1) > 0
        assert 0 < active.sum() < 8
        at = {"X": a, "Z": p, "W": n}
        require_values(loss.gradient(X), 2 * active[:, None] * (n - p), **at)
        require_values(loss.gradient(Z), -2 * active[:, None] * (a - p), **at)

    def test_all_pairs_of_two_classes(self):
        # Pairs of equal labels attract, others repel up to a margin.
        near = sum_over(norm(X[i] - X[j]) ** 2, i, j, where=(y[i] * y[j] > 0) * (i < j))
        far = sum_over(relu(2 - norm(X[i] - X[j])) ** 2, i, j, where=(y[i] * y[j] <= 0) * (i < j))
        rng = np.random.default_rng(2)
        x, label = rng.standard_normal((7, 2)), np.sign(rng.standard_normal(7))
        value, gradient = 0.0, np.zeros_like(x)
        for a in range(7):
            for b in range(a + 1, 7):
                gap = x[a] - x[b]
                if label[a] == label[b]:
                    value += gap @ gap
                    change = 2 * gap
                else:
                    size = np.sqrt(gap @ gap)
                    value += max(2 - size, 0) ** 2
                    change = -2 * max(2 - size, 0) * gap / size
                gradient[a] += change
                gradient[b] -= change
        at = {"X": x, "y": label}
        require_values(near + far, value, **at)
        require_values((near + far).gradient(X), gradient, **at)

    def test_stochastic_neighbours(self):
        # qᵢⱼ ∝ 1/(1 + ‖xᵢ − xⱼ‖²) over i ≠ j: van der Maaten and Hinton (2008), (5).
        P = matrix("P", "n", "n")
        heavy = 1 / (1 + norm(X[i] - X[j]) ** 2)
        a, b = index("a", over="n"), index("b", over="n")
        whole = sum_over(1 / (1 + norm(X[a] - X[b]) ** 2), a, b, where=(a - b) ** 2 > 0)
        cost = -sum_over(P[i, j] * log(heavy / whole), i, j, where=(i - j) ** 2 > 0)
        rng = np.random.default_rng(3)
        x, p = rng.standard_normal((5, 2)), rng.uniform(size=(5, 5))
        p = (p + p.T) * (1 - np.eye(5))
        p /= p.sum()
        gaps = x[:, None] - x
        kernel = (1 - np.eye(5)) / (1 + (gaps**2).sum(axis=2))
        q = kernel / kernel.sum()
        expected = 4 * np.einsum("ij,ijp->ip", (p - q) * kernel, gaps)  # (5)
        require_values(cost.gradient(X), expected, X=x, P=p)


class TestOtherModels:
    def test_bradley_terry(self):
        wins, skill = matrix("wins", "n", "n"), vector("skill", "n")
        f = sum_over(
            wins[i, j] * (skill[i] - log(exp(skill[i]) + exp(skill[j]))), i, j, where=abs(i - j) > 0
        )
        rng = np.random.default_rng(4)
        w, s = rng.integers(0, 5, (6, 6)).astype(float), 300 * rng.standard_normal(6)
        p = expit(s[:, None] - s)  # that i beats j
        off = w * (1 - np.eye(6))
        value = (off * -np.logaddexp(0, s - s[:, None])).sum()
        gradient = (off * (1 - p)).sum(axis=1) - (off * (1 - p)).sum(axis=0)
        require_values(f, value, wins=w, skill=s)
        require_values(f.gradient(skill), gradient, wins=w, skill=s)
        assert f.check(skill) < RIGHT
        assert f.gradient(skill).check(skill) < RIGHT

    def test_ordinal(self):
        # P(yᵢ = c) = σ(θ_c+1 − η) − σ(θ_c − η), with one-hot rows T: McCullagh (1980).
        T, theta = matrix("T", "n", "K"), vector("theta", "K + 1")
        eta = X[i].T @ beta
        p = sigmoid(theta[k + 1] - eta) - sigmoid(theta[k] - eta)
        f = sum_over(T[i, k] * log(p), i, k)
        rng = np.random.default_rng(5)
        n, classes = 10, 3
        labels = rng.integers(0, classes, n)
        at = {
            "X": rng.standard_normal((n, 2)),
            "beta": rng.standard_normal(2),
            "T": np.eye(classes)[labels],
            "theta": np.array([-3.0, -0.5, 0.7, 4.0]),
        }
        slope, by_theta = np.zeros(n), np.zeros(4)
        value = 0.0
        for row, label in enumerate(labels):
            low, high = (expit(at["theta"][label + c] - at["X"][row] @ at["beta"]) for c in (0, 1))
            value += np.log(high - low)
            slope[row] = (low * (1 - low) - high * (1 - high)) / (high - low)
            by_theta[label] -= low * (1 - low) / (high - low)
            by_theta[label + 1] += high * (1 - high) / (high - low)
        require_values(f, value, **at)
        require_values(f.gradient(beta), at["X"].T @ slope, **at)
        require_values(f.gradient(theta), by_theta, **at)

    def test_poisson_factorisation(self):
        R, U, V = matrix("R", "n", "m"), matrix("U", "n", "r"), matrix("V", "m", "r")
        v = index("v", over="m")
        rate = U[i].T @ V[v]
        f = sum_over(rate - R[i, v] * log(rate), i, v)
        rng = np.random.default_rng(6)
        u, w = rng.uniform(0.5, 1.5, (4, 2)), rng.uniform(0.5, 1.5, (5, 2))
        counts = rng.poisson(2.0, (4, 5)).astype(float)
        at = {"R": counts, "U": u, "V": w}
        require_values(f.gradient(U), (1 - counts / (u @ w.T)) @ w, **at)
        require_values(f.gradient(V), (1 - counts / (u @ w.T)).T @ u, **at)
        assert repr(f.gradient(U).matrix_form()) == "(1 − R ⊘ (UVᵀ))V"

    def test_support_vectors(self):
        C = scalar("C")
        f = norm(beta) ** 2 / 2 + C * sum_over(relu(1 - y[i] * (X[i].T @ beta)), i)
        rng = np.random.default_rng(7)
        x, label, b = (
            rng.standard_normal((9, 3)),
            np.sign(rng.standard_normal(9)),
            rng.standard_normal(3),
        )
        active = label * (x @ b) < 1
        require_values(
            f.gradient(beta), b - 2.0 * x.T @ (active * label), X=x, y=label, beta=b, C=2.0
        )

    def test_autoregression(self):
        phi, before = scalar("phi"), index("s", over="n - 1")
        f = sum_over((y[before + 1] - phi * y[before]) ** 2, before)
        series = np.random.default_rng(8).standard_normal(9)
        residuals = series[1:] - 0.3 * series[:-1]
        require_values(f, residuals @ residuals, y=series, phi=0.3)
        require_values(f.gradient(phi), -2 * residuals @ series[:-1], y=series, phi=0.3)
        expected = np.zeros(9)
        expected[1:] += 2 * residuals
        expected[:-1] -= 0.6 * residuals
        require_values(f.gradient(y), expected, y=series, phi=0.3)

    def test_items_and_persons(self):
        # Rasch's model: log P = Σ Rᵢⱼ ηᵢⱼ − softplus(ηᵢⱼ), ηᵢⱼ = θᵢ − bⱼ.
        R, ability, item = matrix("R", "n", "m"), vector("ability", "n"), vector("item", "m")
        v = index("v", over="m")
        eta = ability[i] - item[v]
        f = sum_over(R[i, v] * eta - softplus(eta), i, v)
        rng = np.random.default_rng(9)
        r = rng.integers(0, 2, (4, 6)).astype(float)
        a, b = rng.standard_normal(4), rng.standard_normal(6)
        gap = r - expit(a[:, None] - b)
        at = {"R": r, "ability": a, "item": b}
        require_values(f.gradient(ability), gap.sum(axis=1), **at)
        require_values(f.gradient(item), -gap.sum(axis=0), **at)
        require_values(
            f.hessian(ability, item), expit(a[:, None] - b) * expit(b - a[:, None]), **at
        )

    def test_nadaraya_watson(self):
        h = scalar("h")
        kernel = exp(-(norm(X[i] - X[j]) ** 2) / (2 * h**2))
        fitted = sum_over(kernel * y[j], j, where=abs(i - j) > 0) / sum_over(
            kernel, j, where=abs(i - j) > 0
        )
        f = sum_over((y[i] - fitted) ** 2, i)
        rng = np.random.default_rng(10)
        x, target = rng.standard_normal((6, 2)), rng.standard_normal(6)
        distances = ((x[:, None] - x) ** 2).sum(axis=2)

        def leave_one_out(width):
            logs = np.where(np.eye(6) > 0, -np.inf, -distances / (2 * width**2))
            share = np.exp(logs - logsumexp(logs, axis=1)[:, None])
            return ((target - share @ target) ** 2).sum()

        for width in (0.7, 0.02):  # of the latter, all kernels are 0 in float64
            require_values(f, leave_one_out(width), X=x, y=target, h=width)
        assert f.check(h) < RIGHT
        assert f.check(X) < RIGHT
